"""What the pipeline costs beyond its embedder, and how much memory it takes.

    .venv/bin/python benchmarks/pipeline.py REPOSITORY [REPOSITORY …]

Runs the real DAG (`make ingest`) on the repositories into an empty workspace, then times the embedder alone on
exactly the texts that the run embedded, on the same machine, right after. Prints the ratio and the peak resident
memory of the process in which all tasks ran, an upper bound for any one of them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from askrepo.embedders.embedder import open_embedder
from askrepo.pipeline.embed import embedded_text
from askrepo.settings import Settings
from askrepo.workspace.objects import Workspace
from askrepo.workspace.tables import read_table

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", help="git URL or local path, optionally @ref")
    parser.add_argument("--embedder", default="local")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pipeline_s, peak_mb = run_pipeline(arguments.repositories, arguments.embedder, folder)
        texts = embedded_texts(Workspace.open(folder))
    embedder_s = time_embedder(arguments.embedder, texts)
    print(f"texts embedded           {len(texts):10,}")
    print(f"pipeline                 {pipeline_s:10.1f} s")
    print(f"embedder alone           {embedder_s:10.1f} s")
    print(f"beyond the embedder      {(pipeline_s - embedder_s) / embedder_s:10.1%} of the embedder's time")
    print(f"peak resident memory     {peak_mb:10.0f} MB")


def run_pipeline(repositories: list[str], embedder: str, folder: str) -> tuple[float, float]:
    """Seconds and peak resident MB of one `make ingest` into an empty workspace."""
    variables = [f"REPOS={' '.join(repositories)}", "ALIAS=benchmark", f"EMBEDDER={embedder}"]
    started = time.monotonic()
    environment = {**os.environ, "ASKREPO_WORKSPACE": folder}
    subprocess.run(["make", "--no-print-directory", "ingest", *variables], cwd=ROOT, env=environment, check=True)
    elapsed = time.monotonic() - started
    return elapsed, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def embedded_texts(workspace: Workspace) -> list[str]:
    """The distinct texts of the run's chunks, as the embedder saw them."""
    keys = [key for key in workspace.list_keys("runs") if "/split/" in key]
    texts: dict[str, None] = {}
    for key in keys:
        table = read_table(workspace, key)
        for path, text in zip(table["path"].to_pylist(), table["text"].to_pylist(), strict=True):
            texts[embedded_text(path, text)] = None
    return list(texts)


def time_embedder(spec: str, texts: list[str]) -> float:
    """Seconds that the embedder alone needs for the texts, its loading included."""
    settings = Settings.from_env(os.environ)
    started = time.monotonic()
    embedder = open_embedder(spec, cache=settings.cache, threads=settings.embed_threads)
    for start in range(0, len(texts), 256):
        embedder.embed_texts(texts[start : start + 256])
        if sys.stderr.isatty():
            print(f"\rembedder alone {start:,}/{len(texts):,}", end="", file=sys.stderr)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
