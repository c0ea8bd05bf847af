"""A list of a local dataset's files with sizes and digests.

Damage in an index changes no row, only the answers; damage in a chunk can crash the process that reads it (measured
2026-11: flipped bytes ended Python with a segmentation fault). So files are compared before Deep Lake sees them:
sizes whenever a dataset is opened, digests when it is verified. A dataset on a remote store has no list, and neither
has a copy of one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from askrepo.store._deeplake import damaged

# Inside the dataset's folder, where Deep Lake does not look, so that it moves and goes with the dataset.
_FILE = "askrepo-files.json"


def write(folder: Path) -> None:
    """List every file below a finished dataset's folder."""
    listed = {name: [size, _digest(folder / name)] for name, size in _sizes(folder).items()}
    (folder / _FILE).write_text(json.dumps(listed, indent=0, sort_keys=True), encoding="utf-8")


def check_sizes(folder: Path) -> None:
    """Compare names and sizes with the list, if there is one: a matter of milliseconds.

    :raises DatasetCorruptedError: a file is missing, new or of another size; the message names one.
    """
    listed = _listed(folder)
    if listed is not None:
        _compare(folder, {name: size for name, (size, _) in listed.items()}, _sizes(folder))


def check_digests(folder: Path) -> None:
    """Read every file and compare it with the list, if there is one.

    :raises DatasetCorruptedError: a file is missing, new or changed; the message names one.
    """
    listed = _listed(folder)
    if listed is not None:
        found = {name: _digest(folder / name) for name in _sizes(folder)}
        _compare(folder, {name: digest for name, (_, digest) in listed.items()}, found)


def _compare(folder: Path, listed: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    different = sorted(name for name in listed.keys() | found.keys() if listed.get(name) != found.get(name))
    if different:
        raise damaged(str(folder), f"{len(different)} of its files changed since it was published: {different[0]} …")


def _listed(folder: Path) -> dict[str, tuple[int, str]] | None:
    """Size and digest by name; None when there is no list."""
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return {name: (size, digest) for name, (size, digest) in content.items()}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise damaged(str(folder), f"{_FILE} cannot be read") from error


def _sizes(folder: Path) -> dict[str, int]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != _FILE)
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
