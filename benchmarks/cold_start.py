"""How long the command takes to start, as ratios to what cannot be avoided.

    .venv/bin/python benchmarks/cold_start.py --workspace DIR --alias NAME

`askrepo search` in a fresh process is compared with a fresh process that only imports Deep Lake and the embedder's
runtime and loads the model; `askrepo --help` with a Python that imports Click. Medians of several rounds,
taken in turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

BARE = """
import os
from pathlib import Path
import numpy, deeplake
from askrepo.embedders.embedder import open_embedder
from askrepo.settings import Settings
open_embedder("local", cache=Settings.from_env(os.environ).cache).embed_question("warm")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--alias", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    askrepo = str(Path(sys.executable).with_name("askrepo"))
    search = [askrepo, "search", "--workspace", arguments.workspace, "-a", arguments.alias, "where is the entry point"]
    commands = {
        "bare imports and model": [sys.executable, "-c", BARE],
        "askrepo search": search,
        "python -c 'import click'": [sys.executable, "-c", "import click"],
        "askrepo --help": [askrepo, "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(arguments.rounds + 1):
        for name, command in commands.items():
            times[name].append(seconds(command))
    medians = {name: statistics.median(rounds[1:]) for name, rounds in times.items()}  # the first round warms caches
    for name, median in medians.items():
        print(f"{name:28s}{median:8.3f} s")
    print(f"search / bare               {medians['askrepo search'] / medians['bare imports and model']:8.2f}")


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
