"""What was made by hand stays fresh: askrepo_ingest keeps definitions, askrepo_refresh runs them again.

With a scheduler, a triggerer and workers: tests/dags/test_standalone.py.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from askrepo_schedule import refresh_schedule

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.definition_store import DefinitionStore
from askrepo.aliases.removal import remove_alias
from askrepo.errors import UsageError
from askrepo.types import Definition
from askrepo.workspace.objects import Workspace
from tests.airflow_session import AIRFLOW_WARNINGS, ROOT, FinishedRun, read_dags
from tests.conftest import GitRepository

pytestmark = AIRFLOW_WARNINGS

RunDag = Callable[..., FinishedRun]
MakeRepository = Callable[..., GitRepository]
GREETING = "def greet(name):\n    return f'hello {name}'\n"


def definition(alias: str) -> Definition:
    return Definition(alias, (f"https://example.org/owner/{alias}",), include=("*.md",), embedder="hash")


@pytest.fixture
def definitions(workspace: Workspace) -> DefinitionStore:
    return DefinitionStore(workspace)


def keep(definitions: DefinitionStore, *aliases: str) -> None:
    for alias in aliases:
        definitions.keep(definition(alias), by="ada")


@dataclass
class Scheduler:
    """Takes the place of Airflow's scheduler: ends every run of askrepo_ingest that waits for one.

    :ivar started: alias, parameters and id of each run, in order.
    """

    failing: set[str] = field(default_factory=set)
    started: list[tuple[str, Any, str]] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session

        while not self._stopped.wait(0.05):
            with create_session() as session:
                for run in session.query(DagRun).filter_by(dag_id="askrepo_ingest", state="queued"):
                    parameters = run.conf or {}
                    self.started.append((parameters["alias"], parameters, run.run_id))
                    run.state = "failed" if parameters["alias"] in self.failing else "success"

    def stop(self) -> None:
        self._stopped.set()

    @property
    def aliases(self) -> list[str]:
        return sorted(alias for alias, _, _ in self.started)


@pytest.fixture
def scheduler(airflow_db: None) -> Iterator[Scheduler]:
    scheduler = Scheduler()
    thread = threading.Thread(target=scheduler.work)
    thread.start()
    yield scheduler
    scheduler.stop()
    thread.join()


@pytest.fixture
def run_refresh(dagbag: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> RunDag:
    """Run askrepo_refresh in this process."""
    monkeypatch.setenv("ASKREPO_WORKSPACE", workspace.url)
    dag = dagbag.get_dag("askrepo_refresh")
    monkeypatch.setitem(dag.get_task("refresh").partial_kwargs, "poke_interval", 0.05)

    def run(*, configured: tuple[str, ...] = ()) -> FinishedRun:
        monkeypatch.setattr(dag.get_task("list"), "configured", configured)
        return FinishedRun(dag.test())

    return run


@pytest.mark.parametrize("aliases", [(), ("one",), ("more", "one", "two")], ids=["none", "one", "many"])
def test_each_kept_definition_gets_a_run_of_its_own(
    run_refresh: RunDag, scheduler: Scheduler, definitions: DefinitionStore, aliases: tuple[str, ...]
) -> None:
    keep(definitions, *aliases)

    run = run_refresh()

    assert run.state == "success"
    assert run.states() == {"list": ["success"], "refresh": ["success"] * len(aliases) or ["skipped"]}
    assert scheduler.aliases == list(aliases)
    for alias, conf, run_id in scheduler.started:
        assert conf == {
            "alias": alias,
            "repositories": [f"https://example.org/owner/{alias}"],
            "include": ["*.md"],
            "exclude": [],
            "embedder": "hash",
        }
        assert run_id == f"refresh__{alias}__{run.dag_run.run_id}"


def test_one_that_fails_and_one_that_is_damaged_do_not_stop_the_others(
    run_refresh: RunDag,
    scheduler: Scheduler,
    definitions: DefinitionStore,
    workspace: Workspace,
    capfd: pytest.CaptureFixture[str],
) -> None:
    keep(definitions, "fails", "good", "well")
    workspace.write("definitions/damaged.json", b"{")
    scheduler.failing.add("fails")

    run = run_refresh()

    assert scheduler.aliases == ["fails", "good", "well"]
    assert (run.state, sorted(run.states()["refresh"])) == ("failed", ["failed", "failed", "success", "success"])
    assert run.tries()["refresh"] == [1, 1, 1, 1]
    log = "".join(capfd.readouterr())
    assert "1 of 1 aliases not refreshed: fails: its run refresh__fails__" in log
    assert "1 of 1 aliases not refreshed: damaged: cannot read the definition" in log


def test_aliases_of_the_file_are_refreshed_by_their_own_dags_only(
    run_refresh: RunDag, scheduler: Scheduler, definitions: DefinitionStore, capfd: pytest.CaptureFixture[str]
) -> None:
    keep(definitions, "docs", "mine")

    run = run_refresh(configured=("docs",))

    assert (run.state, scheduler.aliases) == ("success", ["mine"])
    assert "left out, since aliases.yaml refreshes them: docs" in "".join(capfd.readouterr())


def test_more_than_airflow_can_map_are_refreshed_in_batches(
    run_refresh: RunDag, scheduler: Scheduler, definitions: DefinitionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("askrepo_operators.refreshing.MAX_BATCHES", 2)
    keep(definitions, "a", "b", "c", "d", "e")
    scheduler.failing.add("a")

    run = run_refresh()

    assert len(run.states()["refresh"]) == 2
    assert scheduler.aliases == ["a", "b", "c", "d", "e"]
    assert sorted(run.states()["refresh"]) == ["failed", "success"]


def test_nothing_is_refreshed_while_the_ingest_is_paused(
    run_refresh: RunDag, scheduler: Scheduler, definitions: DefinitionStore
) -> None:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    keep(definitions, "one")
    run_refresh()  # makes Airflow know the DAG
    with create_session() as session:
        session.query(DagModel).filter_by(dag_id="askrepo_ingest").update({"is_paused": True})
    try:
        run = run_refresh()
    finally:
        with create_session() as session:
            session.query(DagModel).filter_by(dag_id="askrepo_ingest").update({"is_paused": False})

    assert run.state == "success"
    assert run.states() == {"list": ["skipped"], "refresh": ["skipped"]}
    assert scheduler.aliases == ["one"]


class TestKeeping:
    def test_a_run_by_hand_keeps_its_definition(
        self, run_ingest: RunDag, make_repository: MakeRepository, definitions: DefinitionStore
    ) -> None:
        repository = make_repository("project", {"a.py": GREETING})

        run = run_ingest(repositories=[repository.url], include=["*.py"])

        assert run.states()["keep"] == ["success"]
        kept = definitions.find("main")
        assert kept
        assert kept.definition == Definition("main", (repository.url,), include=("*.py",), embedder="hash")
        assert kept.made_by == "dag_test"

    def test_a_run_that_finds_the_alias_up_to_date_keeps_it_too(
        self, run_ingest: RunDag, make_repository: MakeRepository, definitions: DefinitionStore
    ) -> None:
        repository = make_repository("project", {"a.py": GREETING})
        run_ingest(repositories=[repository.url])
        definitions.forget("main")

        run = run_ingest(repositories=[repository.url])

        assert run.state == "success"
        assert (run.states()["swap"], run.states()["keep"]) == (["skipped"], ["success"])
        assert definitions.aliases() == ["main"]

    def test_a_run_that_fails_keeps_nothing_and_leaves_what_is_kept_alone(
        self, run_ingest: RunDag, make_repository: MakeRepository, definitions: DefinitionStore
    ) -> None:
        repository = make_repository("project", {"a.py": GREETING})
        for alias in ("main", "other"):
            definitions.keep(definition("main"), by="ada")

            run = run_ingest(alias=alias, repositories=[f"{repository.url}@nowhere"])

            assert (run.state, run.states()["keep"]) == ("failed", ["upstream_failed"])
        assert definitions.aliases() == ["main"]
        kept = definitions.find("main")
        assert kept
        assert kept.definition == definition("main")

    def test_a_run_with_other_repositories_replaces_it(
        self, run_ingest: RunDag, make_repository: MakeRepository, definitions: DefinitionStore
    ) -> None:
        first, second = (make_repository(name, {"a.py": GREETING}) for name in ("first", "second"))
        run_ingest(repositories=[first.url])

        run_ingest(repositories=[second.url])

        kept = definitions.find("main")
        assert kept
        assert kept.definition.repositories == (second.url,)


def test_dag_waits_for_its_runs_and_overlaps_with_none(dagbag: Any) -> None:
    dag = dagbag.get_dag("askrepo_refresh")
    refresh = dag.get_task("refresh")

    assert (dag.max_active_runs, dag.catchup, dag.tags) == (1, False, {"askrepo"})
    assert dag.dagrun_timeout == timedelta(days=1)
    assert refresh.partial_kwargs["max_active_tis_per_dagrun"] < dagbag.get_dag("askrepo_ingest").max_active_runs
    assert all(task.retries == 3 and task.doc_md for task in dag.tasks)


@pytest.mark.parametrize(
    ("env", "schedule"),
    [
        ({}, "@daily"),
        ({"ASKREPO_REFRESH_SCHEDULE": ""}, "@daily"),
        ({"ASKREPO_REFRESH_SCHEDULE": "@hourly"}, "@hourly"),
        ({"ASKREPO_REFRESH_SCHEDULE": "15 */6 * * *"}, "15 */6 * * *"),
        ({"ASKREPO_REFRESH_SCHEDULE": "none"}, None),
    ],
)
def test_schedule_is_a_setting(env: dict[str, str], schedule: str | None) -> None:
    assert refresh_schedule(env) == schedule


def test_a_wrong_schedule_is_named() -> None:
    with pytest.raises(
        UsageError, match=r"ASKREPO_REFRESH_SCHEDULE must be a cron expression that ever fires, .* found 'nightly'"
    ):
        refresh_schedule({"ASKREPO_REFRESH_SCHEDULE": "nightly"})


def test_a_wrong_schedule_leaves_the_other_dags_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKREPO_REFRESH_SCHEDULE", "nightly")

    bag = read_dags(ROOT / "dags")

    assert {Path(file).name for file in bag.import_errors} == {"askrepo_refresh.py"}
    assert {"askrepo_ingest", "askrepo_remove"} <= set(bag.dag_ids)


def test_dag_knows_which_aliases_are_configured(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "dags", tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__")))
    (folder / "aliases.yaml").write_text("aliases: {docs: {repositories: [https://example.org/owner/docs]}}\n")

    bag = read_dags(folder)

    assert bag.import_errors == {}
    assert list(bag.get_dag("askrepo_refresh").get_task("list").configured) == ["docs"]
    assert list(bag.get_dag("askrepo_remove").get_task("check").configured) == ["docs"]


@pytest.mark.parametrize("other", [False, True], ids=["removed", "defined anew"])
def test_a_refresh_that_nobody_wants_any_more_when_its_turn_comes_changes_nothing(
    run_ingest: RunDag,
    make_repository: MakeRepository,
    definitions: DefinitionStore,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    other: bool,
) -> None:
    repository = make_repository("project", {"a.py": GREETING})
    run_ingest(repositories=[repository.url])
    repository.commit({"b.py": GREETING})
    if other:
        definitions.keep(definition("main"), by="ben")
    else:
        remove_alias("main", workspace=workspace)
    number = AliasCatalogue(workspace).number("main")
    monkeypatch.setattr("askrepo_operators.keeping.REFRESH_PREFIX", "manual__")  # what dag.test() calls its runs

    run = run_ingest(repositories=[repository.url])

    assert run.state == "success"
    assert (run.states()["compare"], run.states()["swap"]) == (["skipped"], ["skipped"])
    assert AliasCatalogue(workspace).number("main") == number
    assert definitions.aliases() == (["main"] if other else [])
