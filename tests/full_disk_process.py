"""A refresh on a full disk, for the test that gives it a small disk of its own.

    python -m tests.full_disk_process MOUNT_POINT REPOSITORY

The mount point is a file system of a few MiB. Prints one JSON object: the digests before, with the disk full, and
after room was made, and the error in between.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.readers import open_alias
from askrepo.errors import AskrepoError
from askrepo.search.search import search
from askrepo.settings import Settings
from askrepo.types import Definition
from askrepo.workspace.objects import Workspace
from benchmarks.in_process import run_until_embedded
from tests.conftest import GitRepository

ROOM_BYTES = 64 * 1024


def main() -> None:
    mount, url = Path(sys.argv[1]), sys.argv[2]
    workspace = Workspace.open(str(mount / "workspace"))
    settings = Settings.from_env({"ASKREPO_CACHE": str(mount / "cache")})
    definition = Definition("main", (url,), embedder="hash")

    def current() -> str:
        return AliasCatalogue(workspace).current("main").manifest.digest

    run_until_embedded(definition, workspace=workspace, settings=settings).finish()
    result: dict[str, Any] = {"before": current()}
    GitRepository.existing(url).commit({"more.py": "def more():\n    return 'more'\n"})
    embedded = run_until_embedded(definition, workspace=workspace, settings=settings)
    filler = fill(mount)
    try:
        embedded.finish()
    except AskrepoError as error:
        result |= {"error": type(error).__name__, "message": str(error)}
    reader = open_alias("main", workspace=workspace, settings=settings)
    result |= {"full": current(), "hits": len(search("value", readers=[reader], strategy="bm25"))}
    filler.unlink()
    embedded.finish()
    json.dump(result | {"after": current()}, sys.stdout)


def fill(mount: Path) -> Path:
    """Fill the file system up to a little room."""
    filler = mount / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            file.truncate(file.tell() - ROOM_BYTES)
    return filler


if __name__ == "__main__":
    main()
