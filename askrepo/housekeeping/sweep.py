"""Finds the datasets of an alias, those outside the workspace too, and removes one without harming anybody."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from askrepo.aliases.catalogue import AliasCatalogue, moment_of
from askrepo.aliases.claims import DatasetClaimedError, claimed
from askrepo.errors import UnavailableError
from askrepo.housekeeping.deletion import delete_dataset, is_hosted
from askrepo.housekeeping.retention import judge_datasets, oldest_needed
from askrepo.store.location import DatasetLocation
from askrepo.types import AliasEntry
from askrepo.workspace.keys import begun_at, datasets_folder, files_key
from askrepo.workspace.objects import ObjectMissingError, Workspace

# At least so many of an alias's newest entries are read. Datasets outside the workspace are found through entries,
# and each swap pushes one out of the retention, so that they are noticed long before.
_ENTRIES = 48
_READERS = 16


@dataclass(frozen=True, slots=True)
class AliasDatasets:
    """What is stored of an alias, and what its log says about it.

    :ivar history: the alias's entries, oldest first, as far back as they can name what is stored.
    :ivar stored: keys of datasets in the workspace, and URLs of those outside that an entry names.
    :ivar unnamed: URLs of datasets outside the workspace that no entry names. Another workspace may have built them.
    """

    alias: str
    history: tuple[AliasEntry, ...]
    stored: tuple[str, ...]
    unnamed: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The newest entry's number, 0 when there is none."""
        return self.history[-1].number if self.history else 0

    @property
    def current(self) -> AliasEntry | None:
        """The entry that readers follow."""
        return self.history[-1] if self.history and self.history[-1].reason != "removed" else None


def find_datasets(
    alias: str,
    *,
    workspace: Workspace,
    outside: str | None = None,
    inside: Iterable[str] | None = None,
    listed: Iterable[str] = (),
) -> AliasDatasets:
    """The alias's datasets.

    :param outside: URL below which datasets are written when not in the workspace.
    :param inside: keys of those in the workspace, where they are known already.
    :param listed: further datasets, or names with the ids of some, that the history must reach back to.
    :raises UnavailableError: an entry cannot be understood; the message names its file.
    :raises StorageError: a store failed.
    """
    catalogue = AliasCatalogue(workspace)
    if inside is None:
        folder = datasets_folder(alias)
        inside = [f"{folder}/{name}" for name in workspace.list_folders(folder)]
    inside, listed = list(inside), list(listed)
    history = _read_history(catalogue, alias, oldest_needed([*inside, *listed]))
    found = _find_outside(alias, history, outside, workspace)
    if oldest_needed([*inside, *listed, *found]) != oldest_needed([*inside, *listed]):
        history = _read_history(catalogue, alias, oldest_needed(found))
    named = {entry.manifest.dataset for entry in history}
    return AliasDatasets(
        alias,
        tuple(history),
        (*inside, *(dataset for dataset in found if dataset in named)),
        tuple(dataset for dataset in found if dataset not in named),
    )


def unneeded_datasets(datasets: AliasDatasets, *, retention: int, grace: timedelta, now: datetime) -> list[str]:
    """Those of the stored datasets that the alias itself does not need."""
    verdicts = judge_datasets(datasets.stored, datasets.history, retention=retention, grace=grace, now=now)
    return [dataset for dataset, verdict in verdicts.items() if not verdict.is_needed]


def remove_dataset(
    dataset: str, *, datasets: AliasDatasets, workspace: Workspace, now: datetime | None = None
) -> str | None:
    """Remove a dataset and its table of files, unless somebody needs it by now.

    :param datasets: what was known when it was found unneeded.
    :returns: why it was spared; None when it is gone.
    :raises StorageError: it cannot be removed, or not wholly; the next try goes on.
    :raises UnavailableError: an entry that was written meanwhile cannot be understood.
    """
    try:
        with claimed(datasets.alias, dataset, "remove", workspace=workspace, now=now) as claim:
            number = _named_since(dataset, datasets, workspace)
            if number is not None:
                return f"entry {number} names it by now"
            claim.check()
            delete_dataset(dataset, workspace=workspace)
            workspace.delete(files_key(datasets.alias, dataset))
    except DatasetClaimedError as error:
        return str(error)
    return None


def current_datasets(catalogue: AliasCatalogue) -> set[str]:
    """The datasets that readers of any alias are led to.

    :raises UnavailableError: an alias's newest entry cannot be understood.
    """
    entries = (catalogue.current_or_none(alias) for alias in catalogue.aliases())
    return {entry.manifest.dataset for entry in entries if entry is not None}


def _named_since(dataset: str, datasets: AliasDatasets, workspace: Workspace) -> int | None:
    """The number of an entry that names the dataset and was written since: by a rollback, or by a swap that waited."""
    catalogue = AliasCatalogue(workspace)
    for number in reversed(catalogue.numbers(datasets.alias)):
        if number <= datasets.number:
            break
        entry = _entry(catalogue, datasets.alias, number)
        if entry is not None and entry.manifest.dataset == dataset:
            return number
    return None


def _read_history(catalogue: AliasCatalogue, alias: str, since: datetime | None) -> list[AliasEntry]:
    """The alias's newest entries, oldest first: some at least, and all that were written since a time."""
    entries: list[AliasEntry] = []
    numbers = catalogue.numbers(alias)[::-1]
    with ThreadPoolExecutor(_READERS) as pool:
        for start in range(0, len(numbers), _ENTRIES):
            found = pool.map(lambda one: _entry(catalogue, alias, one), numbers[start : start + _ENTRIES])
            entries += [entry for entry in found if entry is not None]
            if entries and (since is None or moment_of(entries[-1]) < since):
                break
    return entries[::-1]


def _entry(catalogue: AliasCatalogue, alias: str, number: int) -> AliasEntry | None:
    """An entry; None where somebody took one out."""
    try:
        return catalogue.entry(alias, number)
    except ObjectMissingError:
        return None


def _find_outside(alias: str, history: Iterable[AliasEntry], outside: str | None, workspace: Workspace) -> list[str]:
    """URLs of all datasets that are stored where datasets outside the workspace are, or once were, written."""
    named = {entry.manifest.dataset for entry in history if _is_outside(entry.manifest.dataset)}
    hosted = [
        dataset
        for dataset in sorted(named)
        if is_hosted(dataset) and DatasetLocation.within(workspace, dataset).exists()
    ]
    folders = {dataset.rstrip("/").rpartition("/")[0] for dataset in named if not is_hosted(dataset)}
    if outside is not None and not is_hosted(outside):
        folders.add(f"{_absolute(outside)}/{alias}")
    return [*hosted, *(dataset for folder in sorted(folders) for dataset in _folders_in(folder, workspace))]


def _folders_in(folder: str, workspace: Workspace) -> list[str]:
    around, _, name = folder.rpartition("/")
    with suppress(UnavailableError):
        names = Workspace.open(around, env=workspace.env, create=False).list_folders(name)
        return [f"{folder}/{each}" for each in names if begun_at(each) is not None]
    return []


def _is_outside(dataset: str) -> bool:
    return "://" in dataset or dataset.startswith("/")


def _absolute(url: str) -> str:
    return url.rstrip("/") if "://" in url else str(Path(url).expanduser().absolute())
