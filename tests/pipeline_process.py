"""One passage of the pipeline in a process of its own, for tests that kill or measure it.

    python -m tests.pipeline_process WORKSPACE CACHE ALIAS REPOSITORY_URL [EMBEDDER]

Prints the dataset's digest, then the process's peak resident memory in KiB: before the build, and at the end.
"""

from __future__ import annotations

import sys
from pathlib import Path

from askrepo.settings import Settings
from askrepo.types import Definition
from askrepo.workspace.objects import Workspace
from benchmarks.in_process import run_until_embedded


def main() -> None:
    workspace, cache, alias, url, *embedder = sys.argv[1:]
    settings = Settings.from_env({"ASKREPO_CACHE": cache, "ASKREPO_GRACE_S": "0"})
    definition = Definition(alias, (url,), embedder=embedder[0] if embedder else "hash")
    embedded = run_until_embedded(definition, workspace=Workspace.open(workspace), settings=settings)
    before_build = peak_kib()
    sys.stdout.write(f"{embedded.finish().manifest.digest} {before_build} {peak_kib()}\n")


def peak_kib() -> int:
    """This process's own peak; that of getrusage starts at the memory of whoever started it."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1])


if __name__ == "__main__":
    main()
