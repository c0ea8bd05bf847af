"""Takes rights away from files of a workspace, one after the other, and asks a question each time: a JSON line a case.

python -m tests.unreadable_process WORKSPACE CACHE DATASET

To be run without the right to read everything, which root has.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from click.testing import CliRunner

from askrepo.store import inventory
from askrepo_query.cli import main
from tests.damage import files_of


def main_(url: str, cache: str, dataset: str) -> None:
    Path(cache).mkdir(exist_ok=True)
    folder = Path(url) / dataset
    largest = max(files_of(folder), key=lambda path: path.stat().st_size)
    places = {
        "dataset": folder,
        "log": folder / "_deeplake_log",
        "file": largest,
        "folder in it": largest.parent,
        "list": folder / inventory.FILE,
        "datasets": folder.parent.parent,
        "alias": Path(url) / "aliases" / "main",
        "entry": Path(url) / "aliases" / "main" / "00000001.json",
        "workspace": Path(url),
        "folder around it": Path(url).parent,
        "cache": Path(cache),
        "nothing": folder,
    }
    for command, names in ((["search", "first"], places), (["doctor"], ("dataset", "file", "list"))):
        for name in names:
            place = places[name]
            mode = place.stat().st_mode
            place.chmod(mode if name == "nothing" else 0)
            found = CliRunner(env={"ASKREPO_CACHE": cache}).invoke(main, [*command, "--workspace", url])
            place.chmod(mode)
            said = {"command": command[0], "case": name, "exit": found.exit_code, "out": found.stdout}
            sys.stdout.write(json.dumps({**said, "err": found.stderr, "traceback": repr(found.exc_info)}) + "\n")


if __name__ == "__main__":
    main_(*sys.argv[1:])
