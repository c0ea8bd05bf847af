"""Swap: move an alias to a verified dataset, or back to an earlier one, and remove datasets nobody needs."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from askrepo.errors import AskrepoError, ShrinkingDatasetError, SwapLostError, UnavailableError, UsageError
from askrepo.store.catalogue import AliasCatalogue
from askrepo.store.location import DatasetLocation
from askrepo.store.reader import DatasetReader
from askrepo.types import AliasEntry, DatasetManifest

if TYPE_CHECKING:
    from askrepo.workspace import Workspace

# A dataset that no entry names may belong to a run that is still building or waiting to swap, so it stays for a
# day at least: longer than a build and its retries take.
_ORPHAN_GRACE = timedelta(days=1)
_DATASET_ID = re.compile(r"(\d{8}t\d{6}z)-[0-9a-f]{6}")
_DATASET_TIME = "%Y%m%dt%H%M%Sz"

logger = logging.getLogger(__name__)


def swap_alias(
    manifest: DatasetManifest,
    *,
    workspace: Workspace,
    expected_number: int,
    force: bool,
    min_size_ratio: float,
    retention: int,
    grace_s: float,
    now: datetime | None = None,
) -> AliasEntry:
    """The alias's new entry, which points at the dataset; old datasets are removed.

    A swap that was done already succeeds again without another entry.

    :param expected_number: number of the alias's entry when the run began, 0 for none.
    :param force: accept a dataset that is much smaller than the current one.
    :param min_size_ratio: least accepted share of the current dataset's chunks.
    :param retention: datasets to keep, the current one included.
    :param grace_s: a dataset is removed only when no reader may still hold it: this long after it was current.
    :raises DatasetCorruptedError: the dataset is not what the manifest says.
    :raises ShrinkingDatasetError: it is too small, and `force` is not set.
    :raises SwapLostError: somebody moved the alias since the run began.
    """
    catalogue = AliasCatalogue(workspace)
    now = now or datetime.now(UTC)
    done = _entry_already_written(catalogue, manifest, expected_number)
    if done is not None:
        return done
    DatasetReader.open_verified(workspace.url_of(manifest.dataset), manifest=manifest)
    if not force:
        _check_size(manifest, catalogue, expected_number, min_size_ratio)
    entry = _append(catalogue, manifest, expected_number + 1, "swap", now)
    _remove_unneeded(catalogue, entry.alias, workspace=workspace, retention=retention, grace_s=grace_s, now=now)
    return entry


def rollback_alias(
    alias: str, *, workspace: Workspace, to: str | None = None, now: datetime | None = None
) -> AliasEntry:
    """The alias's new entry, which points at an earlier dataset again.

    :param to: dataset id, an unambiguous start of one, or an entry's number; None for the dataset before this one.
    :raises UnknownAliasError: there is no such alias.
    :raises UsageError: `to` names no earlier dataset, or several.
    :raises UnavailableError: the dataset was removed; the message names those that remain.
    :raises SwapLostError: somebody moved the alias at the same time.
    """
    catalogue = AliasCatalogue(workspace)
    history = catalogue.history(alias)
    target = _previous(history) if to is None else _named(history, to)
    if not _exists(target.manifest, workspace):
        raise _removed(alias, target, history, workspace)
    DatasetReader.open_verified(workspace.url_of(target.manifest.dataset), manifest=target.manifest)
    return _append(catalogue, target.manifest, history[-1].number + 1, "rollback", now or datetime.now(UTC))


def _entry_already_written(catalogue: AliasCatalogue, manifest: DatasetManifest, expected: int) -> AliasEntry | None:
    """The entry of an earlier try of the same swap; None when the alias still is where the run saw it.

    :raises SwapLostError: the alias is elsewhere.
    """
    number = catalogue.number(manifest.alias)
    if number > expected:
        entry = catalogue.entry(manifest.alias, expected + 1)
        if entry.reason == "swap" and _same_dataset(entry.manifest, manifest):
            return entry
    if number != expected:
        raise SwapLostError(
            f"alias {manifest.alias!r} was at entry {expected} when this run began and is at {number} now: "
            f"another run was faster; dataset {manifest.dataset} is not published. Start a new run if it is needed"
        )
    return None


def _same_dataset(one: DatasetManifest, other: DatasetManifest) -> bool:
    return (one.dataset, one.digest) == (other.dataset, other.digest)


def _check_size(
    manifest: DatasetManifest, catalogue: AliasCatalogue, expected_number: int, min_size_ratio: float
) -> None:
    """Refuse a dataset that lost much of what the current one has: more often a mistake than a wish."""
    if not expected_number:
        return
    current = catalogue.entry(manifest.alias, expected_number).manifest
    if manifest.chunks < min_size_ratio * current.chunks:
        raise ShrinkingDatasetError(
            f"alias {manifest.alias!r}: the new dataset has {manifest.chunks} chunks, the current one "
            f"{current.chunks}; {manifest.chunks / current.chunks:.0%} is below the accepted {min_size_ratio:.0%}. "
            "If that is meant, run again with force, or lower ASKREPO_MIN_SIZE_RATIO"
        )


def _append(
    catalogue: AliasCatalogue,
    manifest: DatasetManifest,
    number: int,
    reason: Literal["swap", "rollback"],
    now: datetime,
) -> AliasEntry:
    """The entry, written and read back."""
    entry = AliasEntry(
        alias=manifest.alias,
        number=number,
        swapped_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        reason=reason,
        manifest=manifest,
    )
    try:
        catalogue.append(entry)
    except SwapLostError:
        # The store may have taken an answer that got lost for a second try of ours.
        if catalogue.number(entry.alias) < number or catalogue.entry(entry.alias, number) != entry:
            raise
    written = catalogue.entry(entry.alias, number)
    if not _same_dataset(written.manifest, manifest):
        raise SwapLostError(f"alias {entry.alias!r}: entry {number} does not read back as it was written")
    return written


def _previous(history: Sequence[AliasEntry]) -> AliasEntry:
    """The newest entry of another dataset than the current one."""
    current = history[-1]
    for entry in reversed(history):
        if entry.manifest.dataset != current.manifest.dataset:
            return entry
    raise UsageError(f"alias {current.alias!r} has had one dataset only: there is nothing to go back to")


def _named(history: Sequence[AliasEntry], to: str) -> AliasEntry:
    """The entry that a user means by a number, a dataset id or the start of one."""
    alias = history[-1].alias
    if to.isdecimal():
        for entry in history:
            if entry.number == int(to):
                return entry
    found = {entry.manifest.dataset: entry for entry in history if _means(to, entry.manifest.dataset)}
    if len(found) == 1:
        return next(iter(found.values()))
    datasets = ", ".join(sorted({_dataset_id(entry.manifest.dataset) for entry in history}))
    problem = "names several datasets" if found else "names no dataset or entry"
    raise UsageError(f"{to!r} {problem} of alias {alias!r}; its datasets: {datasets}")


def _means(to: str, dataset: str) -> bool:
    return bool(to) and (dataset == to or _dataset_id(dataset).startswith(to))


def _removed(alias: str, target: AliasEntry, history: Sequence[AliasEntry], workspace: Workspace) -> UnavailableError:
    datasets = {entry.manifest.dataset: entry.manifest for entry in history}
    remaining = [_dataset_id(name) for name, manifest in datasets.items() if _exists(manifest, workspace)]
    return UnavailableError(
        f"dataset {_dataset_id(target.manifest.dataset)} of alias {alias!r} (entry {target.number}) was removed; "
        f"those that remain: {', '.join(remaining) or 'none'}"
    )


def _remove_unneeded(
    catalogue: AliasCatalogue, alias: str, *, workspace: Workspace, retention: int, grace_s: float, now: datetime
) -> None:
    """Remove what nobody needs; the swap itself is done, so trouble here is only reported."""
    grace = timedelta(seconds=grace_s)
    try:
        history = catalogue.history(alias)
        stored = _stored_datasets(alias, workspace)
        unneeded = [
            *(name for name in _left_datasets(history, retention, now - grace) if _is_stored(name, stored, workspace)),
            *_orphans(stored, history, now - max(grace, _ORPHAN_GRACE)),
        ]
        for dataset in unneeded:
            # Asked anew each time: a rollback may just have made it current.
            if dataset not in _current_datasets(catalogue):
                DatasetLocation.of(workspace.url_of(dataset)).delete()
                logger.info("swap %s: removed dataset %s, which nothing needs any more", alias, dataset)
    except AskrepoError as error:
        logger.warning("swap %s: could not remove old datasets: %s", alias, error)


def _stored_datasets(alias: str, workspace: Workspace) -> list[str]:
    """Keys of the alias's datasets in the workspace, published or not."""
    return [f"datasets/{alias}/{dataset_id}" for dataset_id in workspace.list_folders(f"datasets/{alias}")]


def _is_stored(dataset: str, stored: Sequence[str], workspace: Workspace) -> bool:
    """Whether a dataset was not removed before; one outside the workspace is asked for by itself."""
    return dataset in stored or (
        not dataset.startswith("datasets/") and DatasetLocation.of(workspace.url_of(dataset)).exists()
    )


def _left_datasets(history: Sequence[AliasEntry], retention: int, before: datetime) -> list[str]:
    """Datasets beyond the newest `retention` that stopped being current before a time, oldest first."""
    left_at: dict[str, str | None] = {}
    followers: list[AliasEntry | None] = [*history[1:], None]
    for entry, follower in zip(history, followers, strict=True):
        left_at.pop(entry.manifest.dataset, None)  # counts from when it was current last
        left_at[entry.manifest.dataset] = follower.swapped_at if follower else None
    beyond = list(left_at)[: -max(retention, 1)]
    return [dataset for dataset in beyond if _is_before(left_at, dataset, before)]


def _is_before(left_at: Mapping[str, str | None], dataset: str, before: datetime) -> bool:
    moment = left_at[dataset]
    return moment is not None and datetime.fromisoformat(moment) < before


def _orphans(stored: Sequence[str], history: Sequence[AliasEntry], before: datetime) -> list[str]:
    """Datasets that no entry names, begun before a time: left by runs that were killed or refused."""
    named = {entry.manifest.dataset for entry in history}
    return [dataset for dataset in stored if dataset not in named and _begun_before(dataset, before)]


def _begun_before(dataset: str, before: datetime) -> bool:
    """Whether a dataset's id tells an earlier time; a folder of any other name is not ours to judge."""
    match = _DATASET_ID.fullmatch(_dataset_id(dataset))
    if not match:
        return False
    try:
        return datetime.strptime(match[1], _DATASET_TIME).replace(tzinfo=UTC) < before
    except ValueError:
        return False


def _current_datasets(catalogue: AliasCatalogue) -> set[str]:
    return {catalogue.current(alias).manifest.dataset for alias in catalogue.aliases()}


def _exists(manifest: DatasetManifest, workspace: Workspace) -> bool:
    return DatasetLocation.of(workspace.url_of(manifest.dataset)).exists()


def _dataset_id(dataset: str) -> str:
    return dataset.rstrip("/").rsplit("/", 1)[-1]
