"""Retention: what of a workspace is still needed, and why. Decisions only, from what was listed and the time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

from askrepo.aliases.catalogue import moment_of
from askrepo.types import AliasEntry
from askrepo.workspace.keys import begun_at

YOUNG = timedelta(days=1)
"""Nothing that a run may still be working on is removed before this: longer than a stage and its retries take."""
EARLIER_RUNS = 3
"""Runs of an alias that are asked for vectors: the last ones, since the current dataset has what was swapped."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something stays.

    :ivar why: for a person, as the end of a sentence about it.
    """

    is_needed: bool
    why: str


def latest_runs(names: Iterable[str]) -> list[str]:
    """The EARLIER_RUNS last of an alias's runs, oldest first; Airflow names a run `<how it was started>__<when>`."""
    return sorted(names, key=lambda name: name.rpartition("__")[2])[-EARLIER_RUNS:]


def judge_datasets(
    stored: Iterable[str], history: Sequence[AliasEntry], *, retention: int, grace: timedelta, now: datetime
) -> dict[str, Verdict]:
    """A verdict for each stored dataset of an alias; those of a name that is not ours have none.

    :param stored: keys or URLs, published or not.
    :param history: the alias's entries, oldest first; at least all since the oldest stored dataset was begun.
    :param retention: datasets to keep, the current one included; none of a removed alias, which has no reader.
    :param grace: how long after it was current a reader may still hold a dataset.
    """
    written_at = _written_at(history, now)
    left_at = _left_at(history, written_at)
    removed_at = written_at[-1] if history and history[-1].reason == "removed" else None
    newest = list(left_at)[-max(retention, 1) :]
    verdicts = {}
    for dataset in stored:
        begun = begun_at(dataset)
        if begun is None:
            continue
        if dataset not in left_at:
            verdicts[dataset] = _judge_orphan(begun, max(grace, YOUNG), now)
        elif removed_at is not None:
            verdicts[dataset] = _judge_removed(removed_at, max(grace, YOUNG), now)
        else:
            verdicts[dataset] = _judge_published(left_at[dataset], dataset in newest, len(newest), grace, now)
    return verdicts


def judge_runs(
    runs: Mapping[str, datetime], *, is_removed: bool, max_age: timedelta, now: datetime
) -> dict[str, Verdict]:
    """A verdict for each run folder of an alias.

    :param runs: when each last wrote something, by name.
    :param is_removed: whether the alias was removed, so that no later run asks for vectors.
    :param max_age: how long a run may lie still and yet be taken up again, such as by clearing a failed task.
    """
    last = [] if is_removed else latest_runs(runs)
    max_age = max(max_age, YOUNG)
    verdicts = {}
    for name, wrote_at in runs.items():
        if name in last:
            verdicts[name] = Verdict(True, f"one of the last {EARLIER_RUNS}, whose vectors the next run may use")
        else:
            verdicts[name] = _judge_age(wrote_at, max_age, now, young="it may still be running or be taken up again")
    return verdicts


def judge_snapshots(
    snapshots: Mapping[str, datetime], *, current: Collection[str], max_age: timedelta, now: datetime
) -> dict[str, Verdict]:
    """A verdict for each snapshot.

    :param snapshots: when each was written, by the key of its archive.
    :param current: archives that the aliases' current datasets were built from.
    """
    max_age = max(max_age, YOUNG)
    return {
        archive: Verdict(True, "a current dataset was built from it")
        if archive in current
        else _judge_age(written_at, max_age, now, young="a run may be reading it")
        for archive, written_at in snapshots.items()
    }


def judge_left_over(written_at: datetime, *, now: datetime) -> Verdict:
    """The verdict on something that belongs to nothing: a temporary file, a list of a dataset that is gone, a claim."""
    return _judge_age(written_at, YOUNG, now, young="somebody may be writing it")


def oldest_needed(stored: Iterable[str]) -> datetime | None:
    """The time since which the alias's entries must be known to judge datasets; None when there is nothing to judge."""
    begun = [moment for moment in map(begun_at, stored) if moment is not None]
    return min(begun) - YOUNG if begun else None  # clocks of workers may differ


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


def _judge_published(
    left: datetime | None, is_among_newest: bool, kept: int, grace: timedelta, now: datetime
) -> Verdict:
    if left is None:
        return Verdict(True, "current")
    if is_among_newest:
        return Verdict(True, f"one of the newest {kept}")
    if left >= now - grace:
        return Verdict(True, f"left {_shown(left)}: readers may still hold it")
    return Verdict(False, f"left {_shown(left)}, not one of the newest {kept}")


def _judge_removed(removed_at: datetime, grace: timedelta, now: datetime) -> Verdict:
    if removed_at >= now - grace:
        return Verdict(True, f"its alias was removed {_shown(removed_at)}, which a rollback still undoes")
    return Verdict(False, f"its alias was removed {_shown(removed_at)}")


def _judge_orphan(begun: datetime, grace: timedelta, now: datetime) -> Verdict:
    if begun >= now - grace:
        return Verdict(True, f"begun {_shown(begun)}: its run may still swap to it")
    return Verdict(False, f"begun {_shown(begun)} and never published")


def _judge_age(written_at: datetime, max_age: timedelta, now: datetime, *, young: str) -> Verdict:
    if written_at >= now - max_age:
        return Verdict(True, f"written {_shown(written_at)}: {young}")
    return Verdict(False, f"last written {_shown(written_at)}")


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
