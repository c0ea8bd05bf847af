"""Maintenance: what a workspace holds, what of it nobody needs any more, and the removal of that."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from askrepo.aliases.claims import is_being_removed
from askrepo.errors import AskrepoError, UsageError
from askrepo.housekeeping.deletion import delete_folder, delete_objects, is_hosted, place_of
from askrepo.housekeeping.retention import (
    YOUNG,
    Verdict,
    judge_datasets,
    judge_left_over,
    judge_runs,
    judge_snapshots,
)
from askrepo.housekeeping.survey import Thing, ThingKind, known_aliases, survey
from askrepo.housekeeping.sweep import AliasDatasets, find_datasets, remove_dataset
from askrepo.types import check_alias
from askrepo.workspace.keys import claim_key, dataset_id, description_key, files_key
from askrepo.workspace.listing import StoredObject, list_objects
from askrepo.workspace.objects import Workspace

KINDS: tuple[ThingKind, ...] = ("dataset", "run", "snapshot", "file list", "claim", "temporary file")
"""In the order in which they are removed."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things stay.

    :ivar retention: datasets kept per alias, the current one included.
    :ivar grace: how long after it was current a reader may still hold a dataset.
    :ivar run_age: how long runs and snapshots stay that nobody is known to need; a day at least.
    :ivar outside: URL below which datasets are written when not in the workspace.
    """

    retention: int
    grace: timedelta
    run_age: timedelta
    outside: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """Something stored, and whether it stays.

    :ivar name: its key in the workspace, or its URL when it is elsewhere.
    :ivar alias: whose it is; "" for what aliases share.
    :ivar bytes: of all its objects. What Activeloop's service stores cannot be listed and counts as 0.
    """

    kind: ThingKind
    name: str
    alias: str
    bytes: int
    objects: int
    verdict: Verdict


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
        unneeded = [item for item in self.items if not item.verdict.is_needed]
        return sorted(unneeded, key=lambda item: (KINDS.index(item.kind), item.name))

    @property
    def kept(self) -> list[Item]:
        """What would stay."""
        return [item for item in self.items if item.verdict.is_needed]


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
    view = _look(workspace, limits, now=(now or datetime.now(UTC)).astimezone(UTC))
    _check_known(aliases, view)
    items = [*_datasets(view), *_runs(view), *_snapshots(view), *_belongings(view)]
    wanted = (item for item in items if not aliases or item.alias in aliases)
    return Plan(view.now, limits, tuple(wanted), view.problems, view.datasets)


def carry_out(plan: Plan, *, workspace: Workspace) -> Outcome:
    """Remove what the plan says, each thing only if nobody needs it by now.

    What fails does not keep the rest from being removed. It may be killed at any point and repeated at any time.
    """
    removed: list[Item] = []
    spared: dict[str, str] = {}
    failed: dict[str, str] = {}
    for item in plan.removals:
        try:
            reason = _REMOVERS[item.kind](item, plan, workspace)
        except AskrepoError as error:
            logger.warning("maintenance: could not remove %s %s: %s", item.kind, item.name, error)
            failed[item.name] = str(error)
            continue
        if reason is None:
            removed.append(item)
            logger.info("maintenance: removed %s %s (%s)", item.kind, item.name, item.verdict.why)
        else:
            spared[item.name] = reason
            logger.info("maintenance: kept %s %s: %s", item.kind, item.name, reason)
    return Outcome(tuple(removed), spared, failed)


@dataclass(frozen=True, slots=True)
class _View:
    """What is known about a workspace at one moment.

    :ivar known: names of all aliases, removed ones and those without an entry included.
    :ivar datasets: by alias, unless its log cannot be read or a store of its datasets cannot be reached.
    """

    workspace: Workspace
    limits: Limits
    now: datetime
    things: Mapping[ThingKind, Sequence[Thing]]
    known: Sequence[str]
    datasets: Mapping[str, AliasDatasets]
    problems: tuple[str, ...]


def _look(workspace: Workspace, limits: Limits, *, now: datetime) -> _View:
    things: dict[ThingKind, list[Thing]] = {kind: [] for kind in KINDS}
    for thing in survey(workspace):
        things[thing.kind].append(thing)
    known = known_aliases(workspace, (thing for found in things.values() for thing in found))
    datasets: dict[str, AliasDatasets] = {}
    problems: list[str] = []
    for alias in known:
        try:
            datasets[alias] = find_datasets(
                alias,
                workspace=workspace,
                outside=limits.outside,
                inside=[thing.name for thing in things["dataset"] if thing.alias == alias],
                listed=[_dataset_id(thing) for thing in things["file list"] if thing.alias == alias],
            )
        except AskrepoError as error:
            problems.append(f"alias {alias}: {error}")
    return _View(workspace, limits, now, things, known, datasets, tuple(problems))


def _check_known(aliases: Sequence[str], view: _View) -> None:
    for alias in aliases:
        if check_alias(alias) not in view.known:
            raise UsageError(
                f"workspace {view.workspace.url} holds nothing of an alias {alias!r}; "
                f"it knows: {', '.join(view.known) or 'none'}"
            )


def _datasets(view: _View) -> Iterator[Item]:
    inside = {thing.name: thing for thing in view.things["dataset"]}
    for thing in inside.values():
        if thing.alias not in view.datasets:
            yield _item(thing, Verdict(True, "the log of its alias cannot be read"))
    for alias, found in view.datasets.items():
        for name, verdict in _dataset_verdicts(found, view).items():
            thing = inside.get(name) or Thing("dataset", name, alias, _objects_outside(name, view.workspace))
            yield _item(thing, _reconsidered(name, alias, verdict, view))


def _dataset_verdicts(found: AliasDatasets, view: _View) -> dict[str, Verdict]:
    # A table of files in the workspace says that a run of this workspace wrote the dataset.
    listed = {thing.name for thing in view.things["file list"]}
    ours = [name for name in found.unnamed if files_key(found.alias, name) in listed]
    foreign = Verdict(True, "no entry names it: another workspace may have built it")
    limits = view.limits
    return {
        **dict.fromkeys(found.unnamed, foreign),
        **judge_datasets(
            [*found.stored, *ours], found.history, retention=limits.retention, grace=limits.grace, now=view.now
        ),
    }


def _reconsidered(dataset: str, alias: str, verdict: Verdict, view: _View) -> Verdict:
    """The verdict, once other aliases and a removal that was killed are taken into account."""
    others = {other for other, found in view.datasets.items() if other != alias and _current(found) == dataset}
    if others:
        return Verdict(True, f"current dataset of alias {min(others)}")
    if view.problems:
        return verdict if verdict.is_needed else Verdict(True, "an alias whose log cannot be read may name it")
    if verdict.is_needed and dataset != _current(view.datasets[alias]) and _is_half_removed(dataset, alias, view):
        return Verdict(False, "its removal has begun")
    return verdict


def _current(found: AliasDatasets) -> str | None:
    return found.current.manifest.dataset if found.current else None


def _is_half_removed(dataset: str, alias: str, view: _View) -> bool:
    is_claimed = any(thing.name == claim_key(alias, dataset) for thing in view.things["claim"])
    return is_claimed and is_being_removed(alias, dataset, workspace=view.workspace)


def _objects_outside(dataset: str, workspace: Workspace) -> tuple[StoredObject, ...]:
    return () if is_hosted(dataset) else tuple(list_objects(*place_of(dataset, workspace)))


def _runs(view: _View) -> Iterator[Item]:
    runs: dict[str, dict[str, Thing]] = defaultdict(dict)
    for thing in view.things["run"]:
        runs[thing.alias][thing.name.rpartition("/")[2]] = thing
    for alias, things in runs.items():
        found = view.datasets.get(alias)
        verdicts = judge_runs(
            {name: thing.newest for name, thing in things.items()},
            is_removed=found is not None and bool(found.history) and found.current is None,
            max_age=view.limits.run_age,
            now=view.now,
        )
        for name, thing in things.items():
            yield _item(thing, verdicts[name])


def _snapshots(view: _View) -> Iterator[Item]:
    """Snapshots; one that is needed by a single alias counts as that alias's."""
    users: dict[str, set[str]] = defaultdict(set)
    for alias, found in view.datasets.items():
        for snapshot in found.current.manifest.snapshots if found.current else ():
            users[snapshot.archive].add(alias)
    written_at = {thing.name: thing.newest for thing in view.things["snapshot"]}
    verdicts = judge_snapshots(written_at, current=users, max_age=view.limits.run_age, now=view.now)
    for thing in view.things["snapshot"]:
        verdict = verdicts[thing.name]
        if view.problems and not verdict.is_needed:
            verdict = Verdict(True, "an alias whose log cannot be read may need it")
        by = users.get(thing.name, set())
        yield _item(replace(thing, alias=min(by) if len(by) == 1 else ""), verdict)


def _belongings(view: _View) -> Iterator[Item]:
    """Tables of files and claims, which belong to datasets, and temporary files, which belong to nobody."""
    for thing in (*view.things["file list"], *view.things["claim"]):
        found = view.datasets.get(thing.alias)
        if found is None:
            verdict = Verdict(True, "the log of its alias cannot be read")
        elif _dataset_id(thing) in {dataset_id(name) for name in (*found.stored, *found.unnamed)}:
            verdict = Verdict(True, "belongs to a dataset that is stored")
        else:
            verdict = judge_left_over(thing.newest, now=view.now)
        yield _item(thing, verdict)
    for thing in view.things["temporary file"]:
        yield _item(thing, judge_left_over(thing.newest, now=view.now))


def _dataset_id(thing: Thing) -> str:
    """The id of the dataset that a table of files or a claim belongs to."""
    return thing.name.rpartition("/")[2].partition(".")[0]


def _item(thing: Thing, verdict: Verdict) -> Item:
    return Item(thing.kind, thing.name, thing.alias, thing.bytes, len(thing.objects), verdict)


def _remove_dataset(item: Item, plan: Plan, workspace: Workspace) -> str | None:
    return remove_dataset(item.name, datasets=plan.datasets[item.alias], workspace=workspace)


def _remove_run(item: Item, plan: Plan, workspace: Workspace) -> str | None:
    objects = list_objects(workspace, item.name)
    if _was_written_since(objects, plan.as_of - max(plan.limits.run_age, YOUNG)):
        return "it was taken up again"
    delete_folder(item.name, objects, workspace=workspace)
    return None


def _remove_snapshot(item: Item, plan: Plan, workspace: Workspace) -> str | None:
    folder, stem = item.name.rpartition("/")[0], item.name.removesuffix("tar")
    objects = [one for one in list_objects(workspace, folder) if one.key.startswith(stem)]
    if _was_written_since(objects, plan.as_of - max(plan.limits.run_age, YOUNG)):
        return "it was published again"
    # In this order: a snapshot counts as published while its description exists.
    workspace.delete(description_key(item.name))
    workspace.delete(item.name)
    return None


def _remove_object(item: Item, plan: Plan, workspace: Workspace) -> str | None:
    folder = item.name.rpartition("/")[0]
    if _was_written_since((one for one in list_objects(workspace, folder) if one.key == item.name), plan.as_of - YOUNG):
        return "it was written again"
    delete_objects([item.name], workspace=workspace)
    return None


def _was_written_since(objects: Iterable[StoredObject], moment: datetime) -> bool:
    return any(one.modified >= moment for one in objects)


_REMOVERS: Mapping[ThingKind, Callable[[Item, Plan, Workspace], str | None]] = {
    "dataset": _remove_dataset,
    "run": _remove_run,
    "snapshot": _remove_snapshot,
    "file list": _remove_object,
    "claim": _remove_object,
    "temporary file": _remove_object,
}
