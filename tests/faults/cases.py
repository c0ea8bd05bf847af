"""From a seed to what goes wrong."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tests.faults.points import Census, Moment
from tests.faults.proxy import FAILURES, Failure, Trouble

Store = Literal["local", "disk", "s3"]
"""A directory, a directory on a small disk of its own, an S3 API."""


@dataclass(frozen=True)
class FaultKind:
    """What seeds of the same remainder have in common.

    :ivar store: where the workspace is.
    :ivar task: the stage that is hit; None for any.
    :ivar strike: what hits it.
    """

    strike: Literal["kill", "late kill", "full disk", "store", "rival"]
    store: Store = "local"
    task: str | None = None
    failure: Failure | None = None


KINDS = (
    FaultKind("kill", task="clone"),
    FaultKind("kill", task="load"),
    FaultKind("kill", task="split"),
    FaultKind("kill", task="embed"),
    FaultKind("kill", task="build"),
    FaultKind("kill", task="swap"),
    FaultKind("kill"),
    FaultKind("late kill"),
    FaultKind("full disk", "disk"),
    FaultKind("full disk", "disk", "build"),
    *(FaultKind("store", "s3", failure=failure) for failure in FAILURES),
    FaultKind("kill", "s3"),
    FaultKind("rival"),
    FaultKind("rival", task="swap"),
    FaultKind("rival", "s3"),
    FaultKind("full disk", "disk", "embed"),
)
TASKS = ("clone", "compare", "load", "gather", "split", "embed", "build", "swap")
# Whoever first creates the alias's next entry, which is the last object that a swap creates, wins.
DECISION = "objects.Workspace.create"
# Shares of the rivals.
PAUSED, KILLED = 0.6, 0.2
# Of the time that an undisturbed refresh takes.
LATEST_KILL = 0.8
# A filled disk keeps so much at most: some writes still succeed, others end in the middle.
MAX_ROOM_BYTES = 96 * 1024


@dataclass(frozen=True)
class Strike:
    """What one try has to bear; nothing when all is None.

    :ivar kill: where the process ends.
    :ivar kill_after_s: when it is killed from outside.
    :ivar fill: where the disk becomes full, up to `room_bytes`.
    :ivar pause: where the process stands still, until its rival is done.
    """

    kill: Moment | None = None
    kill_after_s: float | None = None
    fill: Moment | None = None
    pause: Moment | None = None
    room_bytes: int = 0
    trouble: Trouble | None = None
    store_retries: int = 0


@dataclass(frozen=True)
class Try:
    """One try of a run.

    :ivar run: number of the run; a try of a new one starts from the beginning.
    :ivar forgets: results of tasks, the newest ones, that are lost before it.
    """

    run: int
    strike: Strike
    forgets: int = 0


@dataclass(frozen=True)
class Case:
    """What happens to one refresh.

    :ivar tries: the disturbed ones, one after the other; an undisturbed one follows.
    :ivar rival_after_s: after how long a second run starts beside the first try; None for none. One that pauses is
        waited for instead.
    :ivar rival_moves: whether the repository moves on before it does.
    """

    seed: int
    kind: FaultKind
    tries: tuple[Try, ...]
    rival_after_s: float | None = None
    rival_moves: bool = False
    rival: Strike = Strike()


def kind_of(seed: int) -> FaultKind:
    return KINDS[seed % len(KINDS)]


def case_of(seed: int, *, census: Census, requests: Mapping[str, int], seconds: float) -> Case:
    """The case of a seed.

    :param census: how often an undisturbed refresh reaches each point.
    :param requests: that it sends to an S3 API, by method.
    :param seconds: it takes.
    """
    kind, chance = kind_of(seed), random.Random(seed)
    if kind.strike == "rival":
        return _rivals(seed, kind, chance, census, seconds)
    tries: list[Try] = []
    run, first_task = 0, 0
    for _ in range(chance.choices((1, 2, 3), (6, 3, 1))[0]):
        strike, first_task = _strike(kind, chance, census, requests, seconds, TASKS[first_task:])
        if tries and chance.random() < 0.2:
            run += 1
        tries.append(Try(run, strike, forgets=chance.choice((0, 0, 0, 1, 3)) if tries else 0))
    return Case(seed, kind, tuple(tries))


def _strike(
    kind: FaultKind,
    chance: random.Random,
    census: Census,
    requests: Mapping[str, int],
    seconds: float,
    tasks: Sequence[str],
) -> tuple[Strike, int]:
    """A strike, and the number of the task from which on the next try can be hit."""
    if kind.strike == "late kill":
        return Strike(kill_after_s=chance.uniform(0, LATEST_KILL * seconds)), 0
    if kind.strike == "store":
        trouble = some_trouble(chance, requests, kind.failure)
        return Strike(trouble=trouble, store_retries=chance.choice((0, 0, 2))), 0
    moment = some_moment(chance, census, (kind.task,) if kind.task else tasks)
    following = TASKS.index(moment.task)
    if kind.strike == "kill":
        return Strike(kill=moment), following
    return Strike(fill=moment, room_bytes=chance.choice((0, chance.randint(0, MAX_ROOM_BYTES)))), following


def _rivals(seed: int, kind: FaultKind, chance: random.Random, census: Census, seconds: float) -> Case:
    """Two runs side by side: one stands still while the other overtakes it, or is killed, or they just race."""
    draw = chance.random()
    one = other = Strike()
    if kind.task:
        last = census[kind.task][DECISION]
        one = Strike(pause=Moment(kind.task, DECISION, chance.choice((last, last, chance.randint(1, last)))))
    elif draw < PAUSED:
        moment = some_moment(chance, census, chance.choice((("swap",), TASKS[1:])))
        one = Strike(pause=replace(moment, when="before"))
    elif draw < PAUSED + KILLED:
        one = Strike(kill=some_moment(chance, census, TASKS))
    if chance.random() < KILLED:
        other = Strike(kill=some_moment(chance, census, TASKS))
    return Case(
        seed,
        kind,
        (Try(0, one),),
        rival_after_s=chance.choice((0.0, chance.uniform(0, seconds))),
        rival_moves=chance.random() < 0.5,
        rival=other,
    )


def some_moment(chance: random.Random, census: Census, tasks: Sequence[str]) -> Moment:
    """A moment in one of the tasks, each of which is as likely as any other."""
    task = chance.choice([task for task in tasks if census.get(task)])
    # Every effect is as likely as any other. Of functions, those that are called in inner loops count for less.
    effects = {point: float(count) for point, count in sorted(census[task].items()) if point.startswith("!")}
    calls = {point: count**0.5 for point, count in sorted(census[task].items()) if point not in effects}
    weights = effects if effects and (not calls or chance.random() < 0.6) else calls
    point = chance.choices(list(weights), list(weights.values()))[0]
    when = chance.choice(("before", "during", "after") if point.startswith("!") else ("before", "after"))
    delay_s = chance.choice((0.0, 0.0002, 0.001, 0.005))
    return Moment(task, point, chance.randint(1, census[task][point]), when, delay_s)


def some_trouble(chance: random.Random, requests: Mapping[str, int], failure: Failure | None) -> Trouble:
    """A trouble somewhere in a refresh."""
    methods = sorted(requests)
    method = chance.choices(methods, weights=[requests[one] ** 0.5 for one in methods])[0]
    some: Failure = chance.choice(FAILURES)
    return Trouble(
        failure or some,
        method,
        first=chance.randint(1, requests[method]),
        count=chance.choice((1, 1, 2, 3, 8)),
        status=chance.choice((500, 502, 503)),
    )
