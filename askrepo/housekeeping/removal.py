"""Removal: one item, if nobody needs it by now."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.claims import DatasetClaimedError, claimed, is_being_removed
from askrepo.errors import AskrepoError
from askrepo.housekeeping.stored import AliasDatasets, Item, entry_or_none, kept_on_purpose
from askrepo.store.deletion import delete_dataset
from askrepo.store.location import DatasetLocation
from askrepo.workspace.keys import description_key, files_key
from askrepo.workspace.listing import list_objects, remove_empty_folders
from askrepo.workspace.objects import Workspace

# Small requests sent at once: hides the latency of a remote store.
_AT_ONCE = 16
_AGAIN = {"run": "it was taken up again", "snapshot": "it was published again"}


def remove_item(item: Item, *, unless_since: datetime, workspace: Workspace) -> str | None:
    """Remove what is no dataset, unless something of it was written since a moment; what comes meanwhile stays.

    :returns: why it was spared; None when it is gone.
    :raises StorageError: it cannot be removed, or not wholly; the next try goes on.
    """
    whole = item.kind == "run"
    # In this order: a snapshot counts as published while its description exists.
    names = [description_key(item.name), item.name] if item.kind == "snapshot" else [item.name]
    folder = item.name if whole else item.name.rpartition("/")[0]
    stem = item.name.removesuffix(".tar")
    objects = [one for one in list_objects(workspace, folder) if one.key.startswith(stem)]
    if any(one.modified >= unless_since for one in objects):
        return _AGAIN.get(item.kind, "it was written again")
    with ThreadPoolExecutor(_AT_ONCE if whole and not workspace.is_local else 1) as pool:
        list(pool.map(workspace.delete, [one.key for one in objects] if whole else names))
    if workspace.is_local:
        remove_empty_folders(Path(workspace.url, item.name))
    return None


def remove_dataset(
    dataset: str, *, datasets: AliasDatasets, workspace: Workspace, now: datetime | None = None
) -> str | None:
    """Remove a dataset and its table of files, unless somebody needs it by now.

    :param datasets: what was known when it was found unneeded.
    :returns: why it was spared; None when it is gone.
    :raises StorageError: it cannot be removed, or not wholly; the next try goes on.
    :raises UnavailableError: an entry that was written meanwhile cannot be understood.
    """
    has_begun = is_being_removed(datasets.alias, dataset, workspace=workspace)
    try:
        with claimed(datasets.alias, dataset, "remove", workspace=workspace, now=now) as claim:
            if number := _named_since(dataset, datasets, workspace):
                return f"entry {number} names it by now"
            if not has_begun and (why := _kept_since(dataset, datasets, workspace)):
                return why
            claim.check()
            delete_dataset(DatasetLocation.within(workspace, dataset))
            workspace.delete(files_key(datasets.alias, dataset))
    except DatasetClaimedError as error:
        return str(error)
    return None


def _kept_since(dataset: str, datasets: AliasDatasets, workspace: Workspace) -> str:
    """Why the dataset is kept on purpose by now, or may be; "" when it is not."""
    try:
        kept = kept_on_purpose(datasets.alias, datasets.history, workspace=workspace)
    except AskrepoError as error:  # raised, it would leave the claim of a removal that has not begun
        return str(error)
    return f"keep names it by now: {kept[dataset]}" if dataset in kept else ""


def _named_since(dataset: str, datasets: AliasDatasets, workspace: Workspace) -> int:
    """The number of an entry written since that names the dataset, by a rollback or a swap that waited; or 0."""
    catalogue, known = AliasCatalogue(workspace), datasets.history[-1].number if datasets.history else 0
    newer = [number for number in catalogue.numbers(datasets.alias) if number > known]
    entries = (entry_or_none(catalogue, datasets.alias, number) for number in reversed(newer))
    return next((entry.number for entry in entries if entry and entry.manifest.dataset == dataset), 0)
