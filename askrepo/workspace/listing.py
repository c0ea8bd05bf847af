"""What a workspace holds: every object with its size and age, found by one listing instead of a question per object."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from askrepo.errors import StorageError
from askrepo.workspace.objects import Workspace
from askrepo.workspace.stores import store_errors

# How obstore names the file that it writes before it renames it: `<key>#<number>`. Its own listing hides such files,
# and a process that is killed leaves its own behind.
_TEMPORARY = re.compile(r".+#[0-9]+")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of the workspace.

    :ivar bytes: its size.
    :ivar modified: when it was written, UTC.
    """

    key: str
    bytes: int
    modified: datetime


def list_objects(workspace: Workspace, prefix: str) -> list[StoredObject]:
    """Every object below a prefix (a whole path segment), sorted by key; none when there is no such prefix.

    In a local workspace, links are left out: what they lead to need not belong to the workspace. The store's own
    listing would follow them.

    :raises StorageError: the store failed.
    """
    found = _files(Path(workspace.url), prefix) if workspace.is_local else _remote(workspace, prefix)
    return sorted(found, key=lambda one: one.key)


def is_temporary(workspace: Workspace, key: str) -> bool:
    """Whether an object is a file in the making, or what a killed process left of one. Only local stores have them."""
    return workspace.is_local and bool(_TEMPORARY.fullmatch(key.rpartition("/")[2]))


def remove_empty_folders(folder: Path) -> None:
    """Remove the empty directories below a local one, itself included; links are left alone."""
    for path, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # it holds something again, or is gone
            Path(path).rmdir()


def _remote(workspace: Workspace, prefix: str) -> Iterator[StoredObject]:
    import obstore

    with store_errors(f"list {prefix} in {workspace.url}"):
        for page in obstore.list(workspace._store, prefix):  # noqa: SLF001
            for item in page:
                yield StoredObject(item["path"], item["size"], item["last_modified"])


def _files(root: Path, prefix: str) -> Iterator[StoredObject]:
    for folder, _, names in os.walk(root / prefix, onerror=_unlistable):
        for name in names:
            path = Path(folder, name)
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue  # gone since its folder was read
            if not path.is_symlink():
                modified = datetime.fromtimestamp(status.st_mtime, UTC)
                yield StoredObject(path.relative_to(root).as_posix(), status.st_size, modified)


def _unlistable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise StorageError(f"cannot list {error.filename}: {error.strerror}") from error
