"""Swap: move an alias to a verified dataset, and remove datasets nobody needs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.publish import is_same_dataset, publish
from askrepo.errors import AskrepoError, ShrinkingDatasetError, SwapLostError
from askrepo.housekeeping.maintenance import remove_old_datasets
from askrepo.housekeeping.retention import Limits
from askrepo.types import AliasEntry, DatasetManifest

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
    entry = publish(catalogue, manifest, expected_number + 1, "swap", workspace=workspace, now=now)
    _remove_unneeded(entry.alias, workspace=workspace, retention=retention, grace_s=grace_s, now=now)
    return entry


def _entry_already_written(catalogue: AliasCatalogue, manifest: DatasetManifest, expected: int) -> AliasEntry | None:
    """The entry of an earlier try of the same swap; None when the alias still is where the run saw it.

    :raises SwapLostError: the alias is elsewhere.
    """
    number = catalogue.number(manifest.alias)
    if number > expected:
        entry = catalogue.entry(manifest.alias, expected + 1)
        if entry.reason == "swap" and is_same_dataset(entry.manifest, manifest):
            return entry
    if number != expected:
        raise SwapLostError(
            f"alias {manifest.alias!r} was at entry {expected} when this run began and is at {number} now: "
            f"another run was faster; dataset {manifest.dataset} is not published. Start a new run if it is needed"
        )
    return None


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


def _remove_unneeded(alias: str, *, workspace: Workspace, retention: int, grace_s: float, now: datetime) -> None:
    """Remove what nobody needs; the swap itself is done, so trouble here is only reported."""
    limits = Limits(retention, timedelta(seconds=grace_s))
    try:
        for dataset, spared in remove_old_datasets(alias, limits, workspace=workspace, now=now):
            done = f"kept dataset {dataset}: {spared}" if spared else f"removed dataset {dataset}, which nobody needs"
            logger.info("swap %s: %s", alias, done)
    except AskrepoError as error:
        logger.warning("swap %s: could not remove old datasets: %s", alias, error)
