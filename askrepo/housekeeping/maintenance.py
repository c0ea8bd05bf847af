"""Maintenance: what a workspace holds, what of it nobody needs any more, and the removal of that."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.claims import is_being_removed
from askrepo.errors import AskrepoError, UsageError
from askrepo.housekeeping.removal import remove_dataset, remove_item
from askrepo.housekeeping.retention import Limits, judge_datasets, judge_left_over, judge_runs, judge_snapshot
from askrepo.housekeeping.stored import KINDS, AliasDatasets, Item, find_datasets, stored_items
from askrepo.types import check_alias
from askrepo.workspace.keys import ALIASES, is_alias
from askrepo.workspace.objects import Workspace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is stored at one moment, and what of it would be removed.

    :ivar as_of: the moment that decides what is young.
    :ivar problems: why some aliases could not be judged; no dataset and no snapshot is removed then.
    :ivar datasets: by alias, what was known of its datasets.
    """

    as_of: datetime
    limits: Limits
    items: tuple[Item, ...]
    problems: tuple[str, ...]
    datasets: Mapping[str, AliasDatasets] = field(repr=False)

    @property
    def removals(self) -> list[Item]:
        """What would be removed, in the order in which it would be."""
        return sorted((i for i in self.items if not i.stays), key=lambda item: (KINDS.index(item.kind), item.name))

    @property
    def kept(self) -> list[Item]:
        """What would stay."""
        return [item for item in self.items if item.stays]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan.

    :ivar spared: by name, why something stayed that was to be removed: it is needed by now.
    :ivar failed: by name, why something could not be removed; the next maintenance tries again.
    """

    removed: tuple[Item, ...]
    spared: Mapping[str, str]
    failed: Mapping[str, str]


def plan_maintenance(
    workspace: Workspace, limits: Limits, *, aliases: Sequence[str] = (), now: datetime | None = None
) -> Plan:
    """What is stored in the workspace, and of its aliases elsewhere, each thing judged; nothing is changed.

    :param aliases: consider what is theirs alone; none given: everything.
    :param now: the moment that decides what is young.
    :raises UsageError: one of those aliases has left no trace in the workspace.
    :raises StorageError: the workspace failed.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC)
    stored = stored_items(workspace)
    datasets, problems = _all_datasets(stored, workspace, limits)
    known = [*datasets, *problems]
    for alias in aliases:
        if check_alias(alias) not in known:
            names = ", ".join(sorted(known)) or "none"
            raise UsageError(f"workspace {workspace.url} holds nothing of an alias {alias!r}; it knows: {names}")
    judged = _judged(stored, datasets, limits, now)
    items = (_reconsidered(item, datasets, is_sure=not problems, workspace=workspace) for item in judged)
    wanted = tuple(item for item in items if not aliases or item.alias in aliases)
    told = tuple(f"alias {alias}: {problem}" for alias, problem in problems.items())
    return Plan(now, limits, wanted, told, datasets)


def carry_out(plan: Plan, *, workspace: Workspace) -> Outcome:
    """Remove what the plan says, each thing only if nobody needs it by now.

    What fails does not keep the rest from being removed. It may be killed at any point and repeated at any time.
    """
    removed: list[Item] = []
    spared: dict[str, str] = {}
    failed: dict[str, str] = {}
    for item in plan.removals:
        try:
            reason = _remove(item, plan, workspace)
        except AskrepoError as error:
            logger.warning("maintenance: could not remove %s %s: %s", item.kind, item.name, error)
            failed[item.name] = str(error)
            continue
        if reason is None:
            removed.append(item)
            logger.info("maintenance: removed %s %s (%s)", item.kind, item.name, item.why)
        else:
            spared[item.name] = reason
            logger.info("maintenance: kept %s %s: %s", item.kind, item.name, reason)
    return Outcome(tuple(removed), spared, failed)


def remove_old_datasets(
    alias: str, limits: Limits, *, workspace: Workspace, now: datetime
) -> Iterator[tuple[str, str | None]]:
    """Remove those of an alias's datasets that nobody needs.

    :returns: each of them, with why it was spared; None when it is gone.
    :raises AskrepoError: something cannot be read or removed.
    """
    found = find_datasets(alias, workspace=workspace)
    judged = judge_datasets(found.stored, found.history, limits, now=now, kept=found.kept)
    unneeded = [item.name for item in judged if not item.stays]
    catalogue = AliasCatalogue(workspace)
    entries = [catalogue.current_or_none(each) for each in catalogue.aliases()] if unneeded else []
    current = {entry.manifest.dataset for entry in entries if entry is not None}
    for dataset in (one for one in unneeded if one not in current):
        yield dataset, remove_dataset(dataset, datasets=found, workspace=workspace)


def _remove(item: Item, plan: Plan, workspace: Workspace) -> str | None:
    if item.kind == "dataset":
        return remove_dataset(item.name, datasets=plan.datasets[item.alias], workspace=workspace)
    return remove_item(item, unless_since=plan.as_of - plan.limits.age_of(item.kind), workspace=workspace)


def _all_datasets(
    stored: Iterable[Item], workspace: Workspace, limits: Limits
) -> tuple[dict[str, AliasDatasets], dict[str, str]]:
    """The datasets of all aliases, removed ones and those without an entry included, and why some cannot be known."""
    of_alias: dict[str, list[Item]] = {alias: [] for alias in workspace.list_folders(ALIASES) if is_alias(alias)}
    for item in stored:
        if item.alias:
            of_alias.setdefault(item.alias, []).append(item)
    datasets, problems = {}, {}
    for alias, items in sorted(of_alias.items()):
        inside = [item for item in items if item.kind == "dataset"]
        listed = [item.dataset_id for item in items if item.kind == "file list"]
        try:
            datasets[alias] = find_datasets(
                alias, workspace=workspace, outside=limits.outside, inside=inside, listed=listed
            )
        except AskrepoError as error:
            problems[alias] = str(error)
    return datasets, problems


def _judged(
    stored: Sequence[Item], datasets: Mapping[str, AliasDatasets], limits: Limits, now: datetime
) -> Iterator[Item]:
    """Each item with whether it stays, as far as that can be known from its own alias."""
    for found in datasets.values():
        yield from judge_datasets(found.stored, found.history, limits, now=now, kept=found.kept)
        yield from (item.kept("no entry names it: another workspace may have built it") for item in found.foreign)
    for alias, runs in groupby((item for item in stored if item.kind == "run"), key=lambda run: run.alias):
        is_removed = alias in datasets and datasets[alias].is_removed
        yield from judge_runs(list(runs), limits, is_removed=is_removed, now=now)
    users = [(alias, found.archives) for alias, found in datasets.items()]
    ids = {alias: {one.dataset_id for one in (*found.stored, *found.foreign)} for alias, found in datasets.items()}
    for item in stored:
        if item.kind == "snapshot":
            # One that is needed by a single alias counts as that alias's.
            by = [alias for alias, archives in users if item.name in archives]
            judged = judge_snapshot(item, limits, is_used=bool(by), now=now)
            yield replace(judged, alias=by[0]) if len(by) == 1 else judged
        elif item.kind != "run" and item.alias and item.alias not in datasets:
            yield item.kept("the log of its alias cannot be read")
        elif item.kind in ("file list", "claim") and item.dataset_id in ids[item.alias]:
            yield item.kept("belongs to a dataset that is stored")
        elif item.kind not in ("dataset", "run"):
            yield judge_left_over(item, limits, now=now)


def _reconsidered(item: Item, datasets: Mapping[str, AliasDatasets], *, is_sure: bool, workspace: Workspace) -> Item:
    """The item, once other aliases, those that cannot be read, and a removal that was killed are taken into account."""
    if item.kind == "dataset":
        by = {alias for alias, found in datasets.items() if found.current and found.current.dataset == item.name}
        if others := by - {item.alias}:
            return item.kept(f"current dataset of alias {min(others)}")
        if is_sure and item.stays and not by and is_being_removed(item.alias, item.name, workspace=workspace):
            return item.unneeded("its removal has begun")
    if item.kind in ("dataset", "snapshot") and not item.stays and not is_sure:
        use = "name" if item.kind == "dataset" else "need"
        return item.kept(f"an alias whose log cannot be read may {use} it")
    return item
