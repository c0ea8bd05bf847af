"""Deletes a dataset, in an order in which a deletion that is killed leaves nothing that could be taken for one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from askrepo.errors import StorageError
from askrepo.store import inventory
from askrepo.store.deeplake import load_deeplake, reading
from askrepo.store.location import DatasetLocation
from askrepo.workspace.listing import remove_empty_folders
from askrepo.workspace.stores import ObjectMissingError

# The part of Deep Lake's log without which 4.7.4 opens nothing: its newest file holds our manifest, the others the
# branches. Any other first deletion can leave a dataset that opens, with fewer rows or without an index.
_VITAL = "_deeplake_log/_meta/"
_LOG = "_deeplake_log/"


def delete_dataset(location: DatasetLocation) -> None:
    """Delete a dataset; a missing one, or half of one, is no error.

    From the first file on it cannot be opened, and what lists its files goes last.

    :raises StorageError: it cannot be deleted.
    """
    if not location.has_files:
        with reading(location.url):
            load_deeplake().delete(**location.arguments)
        return
    if location.is_local and location.folder.is_symlink():
        raise StorageError(f"cannot remove dataset {location.url}: it is a link, and what it leads to may be needed")
    for names in in_order(location.states()):
        with suppress(ObjectMissingError):
            location.delete_files(names)
    if location.is_local:
        remove_empty_folders(location.folder)


def in_order(names: Iterable[str]) -> list[list[str]]:
    """The names of a dataset's files in groups; each group must be gone before the next one begins."""
    names = sorted(names)
    vital = [name for name in reversed(names) if name.startswith(_VITAL) and ".jsonl" in name]
    log = [name for name in names if name.startswith(_LOG) and name not in vital]
    rows = [name for name in names if not name.startswith(_LOG) and name != inventory.FILE]
    return [*([name] for name in vital), log, rows, [name for name in names if name == inventory.FILE]]
