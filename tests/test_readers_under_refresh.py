"""Questions from several processes while an alias is refreshed, rolled back and tidied up all the time.

Every answer comes from exactly one dataset: all of its hits are of that dataset's commits, and the text that each one
shows stands at those lines in that commit. And there is an answer to every question.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.rollback import rollback_alias
from askrepo.errors import UnavailableError
from askrepo.housekeeping.maintenance import carry_out, plan_maintenance
from askrepo.housekeeping.retention import Limits
from askrepo.workspace.objects import Workspace
from tests.faults import stages
from tests.faults.harness import ALIAS, NEW, NEWER, OLD, Rig
from tests.faults.processes import TIMEOUT_S, Child
from tests.faults.reader import HOLD_S, Manner, Seen, Watch, read

REMOVALS = 2
"""So many datasets go away before it is enough."""
MAX_ROUNDS = 60


@dataclass(frozen=True)
class Churn:
    """How restless the alias is.

    :ivar grace_s: how long a dataset stays that was left; readers may hold one for HOLD_S and the time of a question.
    """

    retention: int
    grace_s: float


REALISTIC = Churn(retention=2, grace_s=HOLD_S + 7)
RUTHLESS = Churn(retention=1, grace_s=0)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig.prepare(tmp_path_factory.mktemp("readers"))
    yield rig
    rig.close()


@pytest.fixture
def place(request: pytest.FixtureRequest, rig: Rig, tmp_path: Path) -> tuple[str, dict[str, str]]:
    """URL of a workspace with the alias, and the environment to reach it."""
    if request.param == "s3":
        return rig.s3.new_workspace(), dict(rig.s3.server.environment)
    rig.copy_old(tmp_path / "workspace")
    return str(tmp_path / "workspace"), {}


@pytest.mark.slow
@pytest.mark.parametrize("place", ["local", pytest.param("s3", marks=pytest.mark.faults)], indirect=True)
def test_datasets_that_stay_for_a_while_are_never_missed(rig: Rig, place, tmp_path: Path) -> None:
    """Opening the alias anew, running the command, holding the dataset for a while: all are right."""
    seen = readers_during(REALISTIC, ("open", "hold", "command", "follow"), rig, place, tmp_path)
    assert [one.wrong for one in seen] == [[]] * len(seen)
    assert all(len(one.commits) > 2 for one in seen), "a reader never met a refresh"


@pytest.mark.slow
@pytest.mark.parametrize("place", [pytest.param("local", marks=pytest.mark.faults), "s3"], indirect=True)
def test_who_follows_an_alias_does_not_notice_that_datasets_go(rig: Rig, place, tmp_path: Path) -> None:
    """Each swap removes the dataset that was current until then, whoever reads it."""
    seen = readers_during(RUTHLESS, ("follow", "follow"), rig, place, tmp_path)
    assert [one.wrong for one in seen] == [[]] * len(seen)
    assert all(len(one.commits) > 2 for one in seen), "a reader never met a refresh"


def readers_during(
    churn: Churn, manners: Sequence[Manner], rig: Rig, place: tuple[str, dict[str, str]], folder: Path
) -> list[Seen]:
    """What readers of several manners saw while the alias churned."""
    url, environment = place
    # Copies of remote datasets are never missed, so these are read where they are.
    environment = {**environment, "ASKREPO_CACHE": str(folder / "cache"), "ASKREPO_CACHE_MB": "0"}
    pause_s = 0.3 if environment.get("AWS_REGION") else 0.02
    with reading([Watch(url, ALIAS, rig.truth, environment, manner, pause_s) for manner in manners]) as readers:
        outcome = Child(keep_moving, rig.root, url, environment, churn, folder / "runs").outcome()
        for reader in readers:
            reader.connection.send(True)
        seen: list[Seen] = [reader.connection.recv() for reader in readers]
    assert outcome.value, outcome
    return seen


@contextmanager
def reading(watches: Sequence[Watch]) -> Iterator[list[Child]]:
    """A process for each, which has asked its first question."""
    readers = [Child(read) for _ in watches]
    try:
        for reader, watch in zip(readers, watches, strict=True):
            reader.connection.send(watch)
        for reader in readers:
            assert reader.connection.poll(TIMEOUT_S)
            assert reader.connection.recv() is True
        yield readers
        for reader in readers:
            reader.connection.send(None)
            reader.outcome()
    finally:
        for reader in readers:
            reader.kill()


def keep_moving(connection: Connection, root: Path, url: str, environment: dict[str, str], churn: Churn, runs: Path):
    """Refresh, roll back and tidy up until enough datasets went away; how often the alias moved."""
    os.environ.update(environment)
    rig, workspace = Rig.existing(root), Workspace.open(url)
    catalogue = AliasCatalogue(workspace)
    limits = Limits(churn.retention, timedelta(seconds=churn.grace_s), run_age=timedelta(days=2))
    for number in range(MAX_ROUNDS):
        rig.point_to((NEW, NEWER, OLD)[number % 3])
        run = runs / str(number)
        stages.Refresh(
            rig.definition,
            workspace,
            f"scheduled__{number:03d}",
            stages.Record(run, lambda _: None),
            stages.Ledger(run / "ledger"),
            Path(environment["ASKREPO_CACHE"]),
            retention=churn.retention,
            grace_s=churn.grace_s,
        ).run()
        if number % 3 == 1:
            with suppress(UnavailableError):  # what it would go back to is gone already
                rollback_alias(ALIAS, workspace=workspace)
        carry_out(plan_maintenance(workspace, limits), workspace=workspace)
        built = {entry.manifest.dataset for entry in catalogue.history(ALIAS)}
        if len(built) - len(workspace.list_folders(f"datasets/{ALIAS}")) >= REMOVALS and number >= REMOVALS:
            return catalogue.number(ALIAS)
    raise AssertionError(f"no {REMOVALS} datasets went away in {MAX_ROUNDS} refreshes")
