"""What is stored: the items of a workspace, and the datasets of an alias, those outside the workspace too."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from askrepo.aliases.catalogue import AliasCatalogue, AliasLog, moment_of
from askrepo.aliases.kept import kept_datasets, read_keep
from askrepo.errors import UnavailableError
from askrepo.store.location import DatasetLocation
from askrepo.types import AliasEntry, DatasetManifest
from askrepo.workspace import keys
from askrepo.workspace.listing import StoredObject, is_temporary, list_objects
from askrepo.workspace.objects import ObjectMissingError, Workspace

ItemKind = keys.OwnerKind | Literal["temporary file"]
KINDS: tuple[ItemKind, ...] = ("dataset", "run", "snapshot", "file list", "claim", "temporary file")
"""In the order in which they are removed."""

# At least so many of an alias's newest entries are read. Datasets outside the workspace are found through entries,
# and each swap pushes one out of the retention, so that they are noticed long before.
_ENTRIES = 48
_READERS = 16
_PLAIN = re.compile(r"[A-Za-z0-9._/#@+=,~-]+")
_NEVER = datetime.min.replace(tzinfo=UTC)
_CLOCKS_DIFFER_BY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Item:
    """Something stored that is needed, or removed, as a whole.

    :ivar name: its key in the workspace (of a snapshot, that of its archive), or its URL when it is elsewhere.
    :ivar alias: whose it is; "" for what aliases share.
    :ivar bytes: of all its objects. What Activeloop's service stores cannot be listed and counts as 0.
    :ivar written: when something of it was last written.
    :ivar why: why it stays, or does not; for a person, as the end of a sentence about it.
    """

    kind: ItemKind
    name: str
    alias: str
    objects: int = 0
    bytes: int = 0
    written: datetime = _NEVER
    stays: bool = True
    why: str = ""

    @classmethod
    def of(cls, kind: ItemKind, alias: str, name: str, objects: Sequence[StoredObject]) -> Self:
        """The item that consists of these objects."""
        written = max(one.modified for one in objects)
        return cls(kind, name, alias, len(objects), sum(one.bytes for one in objects), written)

    @property
    def dataset_id(self) -> str:
        """The id of the dataset that it is, or that it belongs to as a table of files or a claim."""
        return keys.dataset_id(self.name).partition(".")[0]

    def kept(self, why: str) -> Item:
        """The same, to stay."""
        return replace(self, stays=True, why=why)

    def unneeded(self, why: str) -> Item:
        """The same, to go."""
        return replace(self, stays=False, why=why)


@dataclass(frozen=True, slots=True)
class AliasDatasets:
    """What is stored of an alias, and what its log says about it.

    :ivar history: the alias's entries, oldest first, as far back as they can name what is stored.
    :ivar stored: its datasets, those outside the workspace too.
    :ivar foreign: datasets outside that nothing here names. Another workspace may have built them.
    :ivar kept: the datasets that are kept on purpose, each with what names it.
    """

    alias: str
    history: tuple[AliasEntry, ...]
    stored: tuple[Item, ...]
    foreign: tuple[Item, ...]
    kept: Mapping[str, str]

    @property
    def is_removed(self) -> bool:
        """Whether the alias was taken away from its readers."""
        return bool(self.history) and self.history[-1].reason == "removed"

    @property
    def current(self) -> DatasetManifest | None:
        """The dataset that readers are led to."""
        return self.history[-1].manifest if self.history and not self.is_removed else None

    @property
    def archives(self) -> set[str]:
        """Keys of the snapshots that the current dataset was built from."""
        return {snapshot.archive for snapshot in self.current.snapshots} if self.current else set()


def stored_items(workspace: Workspace) -> list[Item]:
    """Everything that askrepo itself wrote, apart from what is never removed: entries of aliases and definitions.

    Files and folders of other names are somebody else's and are left out.

    :raises StorageError: the store failed.
    """
    found: dict[tuple[ItemKind, str, str], list[StoredObject]] = defaultdict(list)
    listed = (one for folder in keys.FOLDERS for one in list_objects(workspace, folder))
    for one in (one for one in listed if _PLAIN.fullmatch(one.key)):
        if is_temporary(workspace, one.key):
            found["temporary file", "", one.key].append(one)
        elif owner := keys.owner_of(one.key):
            found[owner].append(one)
    items = ((Item.of(*owner, objects), objects) for owner, objects in found.items())
    return [item for item, objects in items if item.kind != "run" or _is_of_a_run(item, objects)]


def find_datasets(
    alias: str,
    *,
    workspace: Workspace,
    outside: str | None = None,
    inside: Iterable[Item] | None = None,
    listed: Iterable[str] = (),
) -> AliasDatasets:
    """The alias's datasets.

    :param outside: URL below which datasets are written when not in the workspace.
    :param inside: those in the workspace, where they are known already.
    :param listed: ids of datasets that a run of this workspace wrote, since it has their tables of files.
    :raises UnavailableError: an entry cannot be understood; the message names its file.
    :raises StorageError: a store failed.
    """
    if inside is None:
        folder = keys.datasets_folder(alias)
        inside = [Item("dataset", f"{folder}/{name}", alias) for name in workspace.list_folders(folder)]
    inside, ours = list(inside), set(listed)
    places = set() if outside is None or is_hosted(outside) else {f"{_absolute(outside)}/{alias}"}
    elsewhere: dict[str, list[Item]] = {}
    history: list[AliasEntry] = []
    for entries in chain([[]], _newest_first(AliasCatalogue(workspace), alias)):
        history += entries
        places |= {_place(entry.manifest.dataset) for entry in entries if _is_outside(entry.manifest.dataset)}
        elsewhere |= {place: _stored_at(place, alias, workspace) for place in places - set(elsewhere)}
        found = [item for place in sorted(elsewhere) for item in elsewhere[place]]
        since = oldest_needed([*(item.name for item in (*inside, *found)), *ours])
        if history and (since is None or moment_of(history[-1]) < since):
            break
    named = {entry.manifest.dataset for entry in history}
    known = [item for item in found if item.name in named or item.dataset_id in ours]
    foreign = tuple(item for item in found if item not in known)
    history.reverse()
    kept = kept_on_purpose(alias, history, workspace=workspace)
    return AliasDatasets(alias, tuple(history), (*inside, *known), foreign, kept)


def kept_on_purpose(alias: str, history: Sequence[AliasEntry], *, workspace: Workspace) -> dict[str, str]:
    """The datasets that `keep` names, each with the items that do; those of a removed alias are not kept.

    :param history: entries, oldest first; at least all that can name what is stored.
    :raises UnavailableError: what is kept cannot be understood; the message names its file.
    """
    if not history or history[-1].reason == "removed":
        return {}
    log = AliasLog(alias, history[-1].number, tuple(history), {})
    named = kept_datasets(log, read_keep(alias, workspace=workspace))
    return {dataset: ", ".join(items) for dataset, items in named.items()}


def oldest_needed(stored: Iterable[str]) -> datetime | None:
    """The time since which the alias's entries must be known to judge datasets; None when there is nothing to judge."""
    begun = [moment for moment in map(keys.begun_at, stored) if moment is not None]
    return min(begun) - _CLOCKS_DIFFER_BY if begun else None


def entry_or_none(catalogue: AliasCatalogue, alias: str, number: int) -> AliasEntry | None:
    """An entry; None where somebody took one out."""
    try:
        return catalogue.entry(alias, number)
    except ObjectMissingError:
        return None


def is_hosted(dataset: str) -> bool:
    """Whether a dataset is on Activeloop's own service, where objects cannot be listed."""
    return urlsplit(dataset).scheme == "al"


def _newest_first(catalogue: AliasCatalogue, alias: str) -> Iterator[list[AliasEntry]]:
    """The alias's entries, some at a time."""
    numbers = catalogue.numbers(alias)[::-1]
    with ThreadPoolExecutor(_READERS) as pool:
        for start in range(0, len(numbers), _ENTRIES):
            found = pool.map(lambda one: entry_or_none(catalogue, alias, one), numbers[start : start + _ENTRIES])
            yield [entry for entry in found if entry is not None]


def _place(dataset: str) -> str:
    """Where to look for a dataset outside the workspace: the folder around it; on Activeloop's service, itself."""
    return dataset if is_hosted(dataset) else dataset.rstrip("/").rpartition("/")[0]


def _stored_at(place: str, alias: str, workspace: Workspace) -> list[Item]:
    """The datasets at a place outside the workspace."""
    if is_hosted(place):
        return [Item("dataset", place, alias)] if DatasetLocation.within(workspace, place).exists() else []
    around, _, folder = place.rpartition("/")
    try:
        names = Workspace.open(around, env=workspace.env, create=False).list_folders(folder)
    except UnavailableError:  # not even the directory around it is there
        return []
    return [_item_outside(f"{place}/{name}", alias, workspace) for name in names if keys.begun_at(name) is not None]


def _item_outside(dataset: str, alias: str, workspace: Workspace) -> Item:
    sizes = DatasetLocation.within(workspace, dataset).sizes().values()
    return Item("dataset", dataset, alias, len(sizes), sum(sizes))


def _is_of_a_run(item: Item, objects: Iterable[StoredObject]) -> bool:
    return any(one.key.startswith(f"{item.name}/{stage}/") for one in objects for stage in keys.STAGES)


def _is_outside(dataset: str) -> bool:
    return "://" in dataset or dataset.startswith("/")


def _absolute(url: str) -> str:
    return url.rstrip("/") if "://" in url else str(Path(url).expanduser().absolute())
