"""What is still needed: decided from what was listed and the time alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from askrepo.housekeeping.retention import Limits, judge_datasets, judge_left_over, judge_runs, judge_snapshot
from askrepo.housekeeping.stored import Item, oldest_needed
from askrepo.types import AliasEntry
from tests.core.datasets import manifest_of

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def dataset(number: int, begun: datetime = START) -> str:
    return f"datasets/main/{begun:%Y%m%dt%H%M%Sz}-{number:06x}"


def items(*datasets: str) -> list[Item]:
    return [Item("dataset", name, "main") for name in datasets]


def log(*moves: tuple[str, int]) -> list[AliasEntry]:
    """Entries an hour apart; each is a reason and a dataset's number."""
    return [
        AliasEntry(
            "main",
            at + 1,
            (START + at * HOUR).isoformat(),
            reason,  # type: ignore[arg-type]
            replace(manifest_of(dataset(number), 1, "d"), alias="main"),
        )
        for at, (reason, number) in enumerate(moves)
    ]


def needed(moves: list[tuple[str, int]], *, hours: float, stored: int = 0, **changes) -> list[int]:
    """Numbers of the datasets that stay, that many hours after the start."""
    limits = Limits(**{"retention": 2, "grace": HOUR, **changes})
    numbers = range(1, (stored or max(number for _, number in moves)) + 1)
    judged = judge_datasets(items(*map(dataset, numbers)), log(*moves), limits, now=START + hours * HOUR)
    return [number for number, item in zip(numbers, judged, strict=True) if item.stays]


SWAPS = [("swap", number) for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("moves", "hours", "changes", "expected"),
    [
        (SWAPS, 100, {}, [3, 4]),
        (SWAPS, 100, {"retention": 0}, [4]),
        (SWAPS, 100, {"retention": 9}, [1, 2, 3, 4]),
        (SWAPS, 3, {"retention": 1}, [2, 3, 4]),  # 2 was left at hour 2
        (SWAPS, 3.1, {"retention": 1}, [3, 4]),
        ([*SWAPS, ("rollback", 1)], 100, {}, [1, 4]),
        ([*SWAPS, ("rollback", 1), ("swap", 5)], 4 + 100, {}, [1, 5]),
        ([*SWAPS, ("removed", 4)], 4 + 24, {}, [1, 2, 3, 4]),
        ([*SWAPS, ("removed", 4)], 4 + 24.1, {}, []),
        ([*SWAPS, ("removed", 4)], 4 + 30, {"grace": 2 * DAY}, [1, 2, 3, 4]),
        ([*SWAPS, ("removed", 4), ("rollback", 4)], 100, {}, [3, 4]),
        ([("swap", 1), ("removed", 1), ("swap", 2), ("swap", 3)], 100, {}, [2, 3]),
        # Current until the removal at hour 1, not until the swap at hour 2.
        ([("swap", 1), ("removed", 1), ("swap", 2)], 2.1, {"retention": 1}, [2]),
    ],
    ids=[
        "beyond the newest",
        "never fewer than the current one",
        "fewer than wanted",
        "within the grace",
        "grace over",
        "current again",
        "current until lately",
        "alias just removed",
        "alias removed",
        "longer grace",
        "alias back",
        "alias built anew",
        "left at the removal",
    ],
)
def test_published_datasets(moves, hours, changes, expected):
    assert needed(moves, hours=hours, **changes) == expected


def test_a_kept_dataset_stays_while_its_alias_does():
    kept = {dataset(1): "v1.2"}
    limits = Limits(retention=1, grace=HOUR)

    def reasons(*moves: tuple[str, int]) -> list[str]:
        judged = judge_datasets(items(dataset(1), dataset(2)), log(*moves), limits, now=START + 99 * DAY, kept=kept)
        return [item.why if item.stays else "" for item in judged]

    assert reasons(*SWAPS[:3]) == ["named by keep: v1.2", ""]
    assert reasons(*SWAPS[:3], ("rollback", 1)) == ["current", ""]
    assert reasons(*SWAPS[:3], ("removed", 3)) == ["", ""]


@pytest.mark.parametrize(
    ("dates", "now", "expected"),
    [
        # Hours at which entries 1, 2, … say that they were written, each for a dataset of its own.
        ((0, 10, -99), -98.9, [1, 2, 3]),
        ((0, 10, -99, 10.2), 10.3, [1, 2, 3, 4]),
        ((0, 10, -99, 10.2), 11.1, [2, 3, 4]),
        ((0, 10, -99, 10.2), 11.3, [4]),
        ((0, 10, 999, 10.2), 10.3, [1, 2, 3, 4]),
        ((0, 10, 999, 10.2), 11.3, [4]),
        ((0, 10, 999), 10.2, [1, 2, 3]),
        ((0, 10, 12, 10.2), 12.5, [2, 3, 4]),
        ((0, 10, 12, 10.2, 14), 15.5, [5]),
        ((999, 10, 11), 12.5, [3]),
        ((-999, 10, 11), 12.5, [3]),
    ],
    ids=[
        "the clock is back now",
        "a swap while it was back",
        "an hour after the swap before that",
        "an hour after the swap after that",
        "a swap while it was ahead",
        "an hour after the swap after it",
        "a swap while it was ahead, and none since",
        "a date that has come since",
        "a swap after that date",
        "the first swap was ahead",
        "the first swap was back",
    ],
)
def test_the_grace_survives_a_clock_that_jumps(dates, now, expected):
    """Counted from the latest moment at which a dataset can have been left: kept too long rather than too short."""
    moves = log(*(("swap", number + 1) for number in range(len(dates))))
    history = [replace(e, swapped_at=(START + at * HOUR).isoformat()) for e, at in zip(moves, dates, strict=True)]
    stored = items(*(entry.manifest.dataset for entry in history))
    judged = judge_datasets(stored, history, Limits(retention=1, grace=HOUR), now=START + now * HOUR)
    assert [number for number, item in enumerate(judged, 1) if item.stays] == expected


def test_a_removal_by_a_clock_that_was_back_can_still_be_undone():
    history = log(("swap", 1), ("removed", 1))
    history[1] = replace(history[1], swapped_at=(START - 99 * DAY).isoformat())
    [item] = judge_datasets(items(dataset(1)), history, Limits(retention=1, grace=HOUR), now=START + 2 * HOUR)
    assert item.stays


@pytest.mark.parametrize(("hours", "grace", "expected"), [(24, HOUR, [1, 2]), (24.1, HOUR, [1]), (40, 2 * DAY, [1, 2])])
def test_a_dataset_that_was_never_published_may_wait_for_its_swap_for_a_day(hours, grace, expected):
    assert needed([("swap", 1)], hours=hours, grace=grace, stored=2) == expected


def test_the_oldest_entries_need_not_be_known():
    stored, limits = items(dataset(4)), Limits(retention=1, grace=HOUR)

    assert (
        judge_datasets(stored, log(*SWAPS)[2:], limits, now=START + DAY)
        == judge_datasets(stored, log(*SWAPS), limits, now=START + DAY)
        != []
    )


@pytest.mark.parametrize("name", ["notes", "20260301t000000z", "99999999t999999z-000001", "20260301t000000z-00000g"])
def test_a_name_that_build_does_not_give_is_not_judged(name):
    stored = items(f"datasets/main/{name}")
    assert judge_datasets(stored, [], Limits(retention=1, grace=HOUR), now=START + 99 * DAY) == []


def test_the_log_must_be_known_since_a_day_before_the_oldest_dataset():
    assert oldest_needed([dataset(1, START + DAY), dataset(2), "datasets/main/notes"]) == START - DAY
    assert oldest_needed(["datasets/main/notes"]) is None


# Airflow's names: scheduled and manual runs are told apart before the time.
RUNS = [
    Item("run", f"runs/main/{kind}__2026-03-0{day}T00_00", "main", written=START)
    for day, kind in enumerate(["manual", "scheduled", "manual", "scheduled"], 1)
]


@pytest.mark.parametrize(
    ("changes", "days", "expected"),
    [
        ({}, 8, ["02", "03", "04"]),
        ({}, 7, ["01", "02", "03", "04"]),
        ({"is_removed": True}, 8, []),
        ({"is_removed": True, "max_age": timedelta(0)}, 1, ["01", "02", "03", "04"]),
    ],
    ids=["the last three", "young", "removed alias", "never within a day"],
)
def test_runs(changes, days, expected):
    options = {"is_removed": False, "max_age": 7 * DAY, **changes}
    limits = Limits(retention=1, grace=HOUR, run_age=options["max_age"])
    judged = judge_runs(RUNS, limits, is_removed=options["is_removed"], now=START + days * DAY)
    assert [run.name[-8:-6] for run in judged if run.stays] == expected


def test_snapshots_stay_while_current_or_young():
    limits = Limits(retention=1, grace=HOUR, run_age=7 * DAY)

    def stays(written: datetime, *, is_used: bool) -> bool:
        snapshot = Item("snapshot", "snapshots/o-n/a.tar", "", written=written)
        return judge_snapshot(snapshot, limits, is_used=is_used, now=START + 8 * DAY).stays

    assert not stays(START, is_used=False)
    assert stays(START, is_used=True)
    assert stays(START + DAY, is_used=False)


def test_left_overs_go_after_a_day():
    left, limits = Item("claim", "claims/main/a.json", "main", written=START), Limits(retention=1, grace=HOUR)
    assert judge_left_over(left, limits, now=START + DAY).stays
    assert not judge_left_over(left, limits, now=START + 25 * HOUR).stays
