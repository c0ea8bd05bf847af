"""Deletes what nobody needs, in an order in which a deletion that is killed leaves nothing that seems whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from askrepo.errors import StorageError, UnavailableError
from askrepo.store import inventory
from askrepo.store.location import DatasetLocation
from askrepo.workspace.listing import StoredObject, list_objects
from askrepo.workspace.objects import Workspace

# Small requests sent at once: hides the latency of a remote store.
_DELETERS = 16
# The part of Deep Lake's log without which 4.7.4 opens nothing: its newest file holds our manifest, the others the
# branches. Any other first deletion can leave a dataset that opens, with fewer rows or without an index.
_VITAL = "_deeplake_log/_meta/"
_LOG = "_deeplake_log/"


def delete_objects(keys: Iterable[str], *, workspace: Workspace) -> None:
    """Delete objects, in no particular order; missing ones are no error.

    :raises StorageError: one cannot be deleted.
    """
    with ThreadPoolExecutor(1 if workspace.is_local else _DELETERS) as pool:
        for _ in pool.map(lambda key: _delete(key, workspace), keys):
            pass


def delete_folder(prefix: str, objects: Iterable[StoredObject], *, workspace: Workspace) -> None:
    """Delete the objects that a listing found below a prefix, then the local folders that are empty now.

    What somebody writes there meanwhile stays.
    """
    delete_objects((one.key for one in objects), workspace=workspace)
    _prune(prefix, workspace)


def delete_dataset(dataset: str, *, workspace: Workspace) -> None:
    """Delete a dataset, wherever it is; a missing one, or half of one, is no error.

    From the first object on it cannot be opened, and what lists its files goes last, so that a deletion that is killed
    at any point leaves nothing that a reader could take for a dataset.

    :raises StorageError: it cannot be deleted.
    """
    if is_hosted(dataset):
        DatasetLocation.within(workspace, dataset).delete()
        return
    with suppress(UnavailableError):  # not even the directory around it is there
        store, prefix = place_of(dataset, workspace)
        for keys in in_order([one.key for one in list_objects(store, prefix)], prefix):
            delete_objects(keys, workspace=store)
        _prune(prefix, store)


def is_hosted(dataset: str) -> bool:
    """Whether a dataset is on Activeloop's own service, where objects cannot be listed."""
    return urlsplit(dataset).scheme == "al"


def place_of(dataset: str, workspace: Workspace) -> tuple[Workspace, str]:
    """The store that holds a dataset, and the dataset's prefix in it: the workspace itself, or a store of its own.

    :raises UnavailableError: the local directory that should hold it is missing.
    """
    if "://" not in dataset and not dataset.startswith("/"):
        return workspace, dataset
    around, _, name = dataset.rstrip("/").rpartition("/")
    return Workspace.open(around, env=workspace.env, create=False), name


def in_order(keys: Sequence[str], prefix: str) -> list[list[str]]:
    """A dataset's keys in groups; each group must be gone before the next one begins."""
    names = {key: key.removeprefix(f"{prefix}/") for key in keys}
    vital = sorted((key for key in keys if names[key].startswith(_VITAL) and ".jsonl" in key), reverse=True)
    log = [key for key in keys if names[key].startswith(_LOG) and key not in vital]
    listing = [key for key in keys if names[key] == inventory.FILE]
    rows = sorted(set(keys) - {*vital, *log, *listing})
    return [*([key] for key in vital), log, rows, listing]


def _delete(key: str, workspace: Workspace) -> None:
    if not workspace.is_local:
        workspace.delete(key)
        return
    try:
        # The store itself refuses the names of its own temporary files.
        Path(workspace.url, key).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot delete {workspace.url_of(key)}: {error.strerror}") from error


def _prune(prefix: str, workspace: Workspace) -> None:
    """Remove the empty directories that a local store keeps, the prefix's own included."""
    if workspace.is_local:
        for folder, _, _ in os.walk(Path(workspace.url, prefix), topdown=False):
            with suppress(OSError):  # it holds something again, or is gone
                Path(folder).rmdir()
