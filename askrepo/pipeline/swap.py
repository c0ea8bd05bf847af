"""Swap: move an alias to a verified dataset, or back to an earlier one, and remove datasets nobody needs."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from askrepo.aliases.catalogue import AliasCatalogue, AliasLog
from askrepo.aliases.claims import claimed, is_being_removed
from askrepo.errors import AskrepoError, ShrinkingDatasetError, SwapLostError, UnavailableError, UsageError
from askrepo.housekeeping.sweep import current_datasets, find_datasets, remove_dataset, unneeded_datasets
from askrepo.store.location import DatasetLocation
from askrepo.store.reader import DatasetReader
from askrepo.text.suggestions import did_you_mean
from askrepo.types import AliasEntry, DatasetManifest
from askrepo.workspace.durable import flush_tree
from askrepo.workspace.keys import dataset_id
from askrepo.workspace.stores import store_errors

if TYPE_CHECKING:
    from askrepo.workspace.objects import Workspace


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
    :raises DatasetClaimedError: the dataset is being removed, which happens when a run waits for more than a day.
    """
    catalogue = AliasCatalogue(workspace)
    now = now or datetime.now(UTC)
    done = _entry_already_written(catalogue, manifest, expected_number)
    if done is not None:
        return done
    if not force:
        _check_size(manifest, catalogue, expected_number, min_size_ratio)
    entry = _publish(catalogue, manifest, expected_number + 1, "swap", workspace=workspace, now=now)
    _remove_unneeded(catalogue, entry.alias, workspace=workspace, retention=retention, grace_s=grace_s, now=now)
    return entry


def rollback_alias(
    alias: str, *, workspace: Workspace, to: str | None = None, now: datetime | None = None
) -> AliasEntry:
    """The alias's new entry, which points at an earlier dataset again.

    Parameters and errors as for `rollback_target`.

    :raises SwapLostError: somebody moved the alias at the same time.
    """
    catalogue = AliasCatalogue(workspace)
    log = catalogue.log(alias)
    target = _target(log, to, workspace)
    now = now or datetime.now(UTC)
    return _publish(catalogue, target.manifest, log.number + 1, "rollback", workspace=workspace, now=now)


def rollback_target(alias: str, *, workspace: Workspace, to: str | None = None) -> AliasEntry:
    """The entry whose dataset a rollback would go back to; nothing is changed.

    :param to: dataset id, an unambiguous start of one, or an entry's number; None for the dataset before this one, or
        for the last one when the alias was removed.
    :raises UnknownAliasError: there is no such alias.
    :raises UsageError: `to` names no earlier dataset, or several.
    :raises UnavailableError: the dataset was removed, or is about to be; the message names those that remain.
    """
    return _target(AliasCatalogue(workspace).log(alias), to, workspace)


def _target(log: AliasLog, to: str | None, workspace: Workspace) -> AliasEntry:
    if not log.entries:
        raise UnavailableError(log.problems[log.number])
    target = _previous(log) if to is None else _named(log, to)
    if not is_whole(target.manifest, workspace):
        raise _removed(log.alias, target, log.entries, workspace)
    return target


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
    before = catalogue.entry(manifest.alias, expected_number) if expected_number else None
    if before is None or before.reason == "removed":
        return
    current = before.manifest
    if manifest.chunks < min_size_ratio * current.chunks:
        raise ShrinkingDatasetError(
            f"alias {manifest.alias!r}: the new dataset has {manifest.chunks} chunks, the current one "
            f"{current.chunks}; {manifest.chunks / current.chunks:.0%} is below the accepted {min_size_ratio:.0%}. "
            "If that is meant, run again with force, or lower ASKREPO_MIN_SIZE_RATIO"
        )


def _publish(
    catalogue: AliasCatalogue,
    manifest: DatasetManifest,
    number: int,
    reason: Literal["swap", "rollback"],
    *,
    workspace: Workspace,
    now: datetime,
) -> AliasEntry:
    """The entry of a dataset that was verified, and that nobody can remove before the entry protects it."""
    with claimed(manifest.alias, manifest.dataset, "publish", workspace=workspace) as claim:
        location = DatasetLocation.within(workspace, manifest.dataset)
        DatasetReader.open_unchanged(location, manifest=manifest)
        if location.is_local:
            # An entry that outlives a loss of power must not name a dataset that did not.
            with store_errors(f"flush {manifest.dataset} to the disk"):
                flush_tree(location.folder)
        claim.check()
        return _append(catalogue, manifest, number, reason, now)


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


def _previous(log: AliasLog) -> AliasEntry:
    """The newest entry of another dataset than the current one; the last one that there is of a removed alias.

    Likewise when nobody can tell which dataset is the current one.
    """
    current = log.newest
    if current is None or current.reason == "removed":
        return log.entries[-1]
    for entry in reversed(log.entries):
        if entry.manifest.dataset != current.manifest.dataset:
            return entry
    raise UsageError(f"alias {log.alias!r} has had one dataset only: there is nothing to go back to")


def _named(log: AliasLog, to: str) -> AliasEntry:
    """The entry that a user means by a number, a dataset id or the start of one."""
    number = int(to) if re.fullmatch("[0-9]{1,15}", to) else 0
    for entry in log.entries:
        if entry.number == number:
            return entry
    found = {entry.manifest.dataset: entry for entry in log.entries if _means(to, entry.manifest.dataset)}
    if len(found) == 1:
        return next(iter(found.values()))
    if number in log.problems:
        raise UnavailableError(log.problems[number])
    datasets = sorted({dataset_id(entry.manifest.dataset) for entry in log.entries})
    problem = "names several datasets" if found else "names no dataset or entry"
    meant = "" if found else did_you_mean(to, datasets)
    raise UsageError(f"{to!r} {problem} of alias {log.alias!r}; its datasets: {', '.join(datasets)}{meant}")


def _means(to: str, dataset: str) -> bool:
    return bool(to) and (dataset == to or dataset_id(dataset).startswith(to))


def _removed(alias: str, target: AliasEntry, history: Sequence[AliasEntry], workspace: Workspace) -> UnavailableError:
    datasets = {entry.manifest.dataset: entry.manifest for entry in history}
    remaining = [dataset_id(name) for name, manifest in datasets.items() if is_whole(manifest, workspace)]
    return UnavailableError(
        f"dataset {dataset_id(target.manifest.dataset)} of alias {alias!r} (entry {target.number}) was removed; "
        f"those that remain: {', '.join(remaining) or 'none'}"
    )


def _remove_unneeded(
    catalogue: AliasCatalogue, alias: str, *, workspace: Workspace, retention: int, grace_s: float, now: datetime
) -> None:
    """Remove what nobody needs; the swap itself is done, so trouble here is only reported."""
    try:
        datasets = find_datasets(alias, workspace=workspace)
        unneeded = unneeded_datasets(datasets, retention=retention, grace=timedelta(seconds=grace_s), now=now)
        current = current_datasets(catalogue) if unneeded else set()
        for dataset in (one for one in unneeded if one not in current):
            spared = remove_dataset(dataset, datasets=datasets, workspace=workspace)
            done = f"kept dataset {dataset}: {spared}" if spared else f"removed dataset {dataset}, which nobody needs"
            logger.info("swap %s: %s", alias, done)
    except AskrepoError as error:
        logger.warning("swap %s: could not remove old datasets: %s", alias, error)


def is_whole(manifest: DatasetManifest, workspace: Workspace) -> bool:
    """Whether a dataset is stored and nobody has begun to remove it."""
    return DatasetLocation.within(workspace, manifest.dataset).exists() and not is_being_removed(
        manifest.alias, manifest.dataset, workspace=workspace
    )
