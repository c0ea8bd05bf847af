"""Retention: what of a workspace is still needed, and why. Decisions only, from what was listed and the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from types import MappingProxyType

from askrepo.aliases.catalogue import moment_of
from askrepo.housekeeping.stored import Item, ItemKind
from askrepo.types import AliasEntry
from askrepo.workspace.keys import begun_at, run_name

YOUNG = timedelta(days=1)
"""Nothing that a run may still be working on is removed before this: longer than a stage and its retries take."""
EARLIER_RUNS = 3
"""Runs of an alias that are asked for vectors: the last ones, since the current dataset has what was swapped."""

NOTHING_KEPT: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things stay.

    :ivar retention: datasets kept per alias, the current one included.
    :ivar grace: how long after it was current a reader may still hold a dataset.
    :ivar run_age: how long runs and snapshots stay that seem unused; a run may be taken up again
        by clearing a failed task; a day at least.
    :ivar outside: URL below which datasets are written when not in the workspace.
    """

    retention: int
    grace: timedelta
    run_age: timedelta = YOUNG
    outside: str | None = None

    def age_of(self, kind: ItemKind) -> timedelta:
        """How long something stays after it was last written."""
        return max(self.run_age, YOUNG) if kind in ("run", "snapshot") else YOUNG


def latest_runs(names: Iterable[str]) -> list[str]:
    """The EARLIER_RUNS last of an alias's runs, oldest first; Airflow names a run `<how it was started>__<when>`."""
    return sorted(names, key=lambda name: name.rpartition("__")[2])[-EARLIER_RUNS:]


def judge_datasets(
    datasets: Iterable[Item],
    history: Sequence[AliasEntry],
    limits: Limits,
    *,
    now: datetime,
    kept: Mapping[str, str] = NOTHING_KEPT,
) -> list[Item]:
    """The stored datasets of an alias, each with whether it stays; those of a name that is not ours are left out.

    Of a removed alias, which has no reader, none stays for its number.

    :param datasets: published or not.
    :param history: the alias's entries, oldest first; at least all since the oldest stored dataset was begun.
    :param kept: published datasets that stay in any case while the alias does, each with what names it.
    """
    written_at = _written_at(history, now)
    left_at = _left_at(history, written_at)
    removed_at = written_at[-1] if history and history[-1].reason == "removed" else None
    newest = list(left_at)[-max(limits.retention, 1) :]
    long_ago = now - max(limits.grace, YOUNG)

    def judged(item: Item, begun: datetime) -> Item:
        left = left_at.get(item.name)
        if item.name not in left_at:
            because = "begun {}: its run may still swap to it", "begun {} and never published"
            return _by_age(item, begun, long_ago, *because)
        if removed_at is not None:
            because = "its alias was removed {}, which a rollback still undoes", "its alias was removed {}"
            return _by_age(item, removed_at, long_ago, *because)
        if left is None:
            return item.kept("current")
        if item.name in kept:
            return item.kept(f"named by keep: {kept[item.name]}")
        if item.name in newest:
            return item.kept(f"one of the newest {len(newest)}")
        because = "left {}: readers may still hold it", f"left {{}}, not one of the newest {len(newest)}"
        return _by_age(item, left, now - limits.grace, *because)

    return [judged(item, begun) for item in datasets if (begun := begun_at(item.name)) is not None]


def judge_runs(runs: Sequence[Item], limits: Limits, *, is_removed: bool, now: datetime) -> list[Item]:
    """The runs of an alias, each with whether it stays.

    :param is_removed: whether the alias was removed, so that no later run asks for vectors.
    """
    names = {run.name: run_name(run.name)[1] for run in runs}
    last = [] if is_removed else latest_runs(names.values())
    why = f"one of the last {EARLIER_RUNS}, whose vectors the next run may use"
    young = "it may still be running or be taken up again"
    return [run.kept(why) if names[run.name] in last else _by_last_write(run, limits, now, young) for run in runs]


def judge_snapshot(snapshot: Item, limits: Limits, *, is_used: bool, now: datetime) -> Item:
    """A snapshot with whether it stays.

    :param is_used: whether an alias's current dataset was built from it.
    """
    if is_used:
        return snapshot.kept("a current dataset was built from it")
    return _by_last_write(snapshot, limits, now, "a run may be reading it")


def judge_left_over(item: Item, limits: Limits, *, now: datetime) -> Item:
    """Something that belongs to nothing: a temporary file, a list of a dataset that is gone, a claim."""
    return _by_last_write(item, limits, now, "somebody may be writing it")


def _written_at(history: Sequence[AliasEntry], now: datetime) -> list[datetime]:
    """When each entry was written at the latest.

    A date before that of an earlier entry, or after now, is of a clock that had jumped. Such an entry was written
    before the next one whose date can be believed, or before now; what it left counts as left as late as that.
    """
    believed = datetime.min.replace(tzinfo=UTC)
    dates: list[datetime | None] = []
    for date in map(moment_of, history):
        can_be_believed = believed <= date <= now
        believed = date if can_be_believed else believed
        dates.append(date if can_be_believed else None)
    bound, latest = now, []
    for believable in reversed(dates):
        bound = believable or bound
        latest.append(bound)
    return latest[::-1]


def _left_at(history: Sequence[AliasEntry], written_at: Sequence[datetime]) -> dict[str, datetime | None]:
    """When each published dataset stopped being current for the last time, in the order of that; None: it is."""
    left_at: dict[str, datetime | None] = {}
    for entry, follower in zip_longest(history, written_at[1:]):
        if entry.reason != "removed":
            left_at.pop(entry.manifest.dataset, None)
            left_at[entry.manifest.dataset] = follower
    return left_at


def _by_last_write(item: Item, limits: Limits, now: datetime, young: str) -> Item:
    limit = now - limits.age_of(item.kind)
    return _by_age(item, item.written, limit, f"written {{}}: {young}", "last written {}")


def _by_age(item: Item, moment: datetime, limit: datetime, young: str, old: str) -> Item:
    """Kept when the moment is not before the limit; both reasons have a place for the moment."""
    shown = f"{moment:%Y-%m-%d %H:%M}"
    return item.kept(young.format(shown)) if moment >= limit else item.unneeded(old.format(shown))
