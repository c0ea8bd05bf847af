"""The operators that keep definitions and refresh from them: `execute` without a database or a scheduler."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from subprocess import run as run_process
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DagRunTriggerException, TaskDeferred
from askrepo_parameters import open_parameters

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.definition_store import DefinitionStore
from askrepo.aliases.removal import remove_alias
from askrepo.errors import StorageError
from askrepo.pipeline.run import Run
from askrepo.settings import Settings
from askrepo.types import AliasEntry, Definition
from askrepo.workspace.objects import Workspace
from askrepo_operators.keeping import KeepDefinitionOperator, refresh_run_id, skip_unless_wanted
from askrepo_operators.refreshing import MAX_BATCHES, ListDefinitionsOperator, RefreshAliasesOperator
from tests.airflow_session import AIRFLOW_WARNINGS, ROOT
from tests.core.datasets import manifest_of

pytestmark = AIRFLOW_WARNINGS

REFRESH = "scheduled__2026-01-02T00:00:00+00:00"
MAIN = {"alias": "main", "repositories": ["https://example.org/owner/name"], "embedder": "hash"}


def definition(alias: str) -> Definition:
    return Definition(alias, (f"https://example.org/owner/{alias}",), embedder="hash")


class Airflow:
    """The part of Airflow that the operators ask, and what it was told to run.

    :param ends: state in which the run of an alias ends; success when nothing is said.
    """

    def __init__(self, *, is_paused: bool = False, ends: dict[str, str] | None = None) -> None:
        self.is_paused = is_paused
        self.runs: dict[str, str] = {}
        self.confs: list[dict[str, Any]] = []
        self._ends = ends or {}

    def get_dag(self, dag_id: str) -> Airflow:
        assert dag_id == "askrepo_ingest"
        return self

    def get_dr_count(self, *, dag_id: str, run_ids: list[str], states: list[str] | None) -> int:
        assert dag_id == "askrepo_ingest"
        return sum(run_id in self.runs and (not states or self.runs[run_id] in states) for run_id in run_ids)

    def xcom_push(self, key: str, value: Any) -> None: ...

    def run_through(self, operator: Any, *, after_each: Callable[[], object] = lambda: None) -> None:
        """Run what the task triggers and resume it, until it ends by itself."""
        event: Any = None
        while True:
            try:
                operator.execute_complete({"ti": self}, event) if event else operator.execute({"ti": self})
            except DagRunTriggerException as wanted:
                event = self._run(wanted)
                after_each()
            else:
                return

    def _run(self, wanted: Any) -> tuple[str, dict[str, Any]]:
        assert (wanted.wait_for_completion, wanted.deferrable, wanted.logical_date) == (True, True, None)
        assert wanted.dag_run_id not in self.runs
        self.confs.append(wanted.conf)
        self.runs[wanted.dag_run_id] = self._ends.get(wanted.conf["alias"], "success")
        return ("trigger", {"run_ids": [wanted.dag_run_id], wanted.dag_run_id: self.runs[wanted.dag_run_id]})

    @property
    def refreshed(self) -> list[str]:
        return [conf["alias"] for conf in self.confs]


@pytest.fixture(autouse=True)
def environment(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKREPO_WORKSPACE", workspace.url)


@pytest.fixture
def definitions(workspace: Workspace) -> DefinitionStore:
    return DefinitionStore(workspace)


def keep(definitions: DefinitionStore, *aliases: str) -> None:
    for alias in aliases:
        definitions.keep(definition(alias), by="ada")


def refresher(*aliases: str) -> RefreshAliasesOperator:
    return RefreshAliasesOperator(
        task_id="refresh",
        trigger_dag_id="askrepo_ingest",
        aliases=aliases,
        parameters=open_parameters(),
        refresh=REFRESH,
    )


class TestListing:
    def listed(self, *configured: str, airflow: Airflow | None = None) -> list[list[str]]:
        operator = ListDefinitionsOperator(task_id="list", dag_id="askrepo_ingest", configured=configured)
        return operator.execute({"ti": airflow or Airflow()})

    def test_every_kept_alias_is_a_batch_of_its_own(self, definitions: DefinitionStore) -> None:
        assert self.listed() == []
        keep(definitions, "one")
        assert self.listed() == [["one"]]
        keep(definitions, "two", "more")
        assert self.listed() == [["more"], ["one"], ["two"]]

    def test_configured_aliases_are_left_out_and_named(
        self, definitions: DefinitionStore, capfd: pytest.CaptureFixture[str]
    ) -> None:
        keep(definitions, "docs", "mine")

        assert self.listed("docs", "other") == [["mine"]]

        assert "left out, since aliases.yaml refreshes them: docs" in "".join(capfd.readouterr())

    def test_nothing_is_listed_while_the_ingest_is_paused(self, definitions: DefinitionStore) -> None:
        keep(definitions, "one")

        with pytest.raises(AirflowSkipException, match="askrepo_ingest is paused"):
            self.listed(airflow=Airflow(is_paused=True))

    @pytest.mark.parametrize("count", [MAX_BATCHES, MAX_BATCHES + 1, 2500])
    def test_very_many_share_batches_that_airflow_can_map(self, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
        names = [f"a{number:04}" for number in range(count)]
        monkeypatch.setattr(DefinitionStore, "aliases", lambda _: names)

        batches = self.listed()

        assert sorted(alias for batch in batches for alias in batch) == names
        assert len(batches) == MAX_BATCHES < 1024
        assert max(map(len, batches)) - min(map(len, batches)) <= 1


class TestRefreshing:
    def test_an_alias_is_run_from_its_definition_under_an_id_that_tells(self, definitions: DefinitionStore) -> None:
        keep(definitions, "one")
        airflow = Airflow()

        airflow.run_through(refresher("one"))

        assert airflow.confs == [
            {
                "alias": "one",
                "repositories": ["https://example.org/owner/one"],
                "include": [],
                "exclude": [],
                "embedder": "hash",
            }
        ]
        assert list(airflow.runs) == ["refresh__one__2026-01-02T00:00:00+00:00"]

    def test_a_batch_is_run_one_after_the_other(self, definitions: DefinitionStore) -> None:
        keep(definitions, "one", "two", "three")
        airflow = Airflow()

        airflow.run_through(refresher("one", "two", "three"))

        assert airflow.refreshed == ["one", "two", "three"]

    def test_a_failed_run_does_not_stop_the_others_and_is_named(self, definitions: DefinitionStore) -> None:
        keep(definitions, "one", "two", "three")
        airflow = Airflow(ends={"one": "failed"})

        with pytest.raises(AirflowFailException) as caught:
            airflow.run_through(refresher("one", "two", "three"))

        assert airflow.refreshed == ["one", "two", "three"]
        assert str(caught.value) == (
            "1 of 3 aliases not refreshed: "
            "one: its run refresh__one__2026-01-02T00:00:00+00:00 of askrepo_ingest failed"
        )

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("{", r"cannot read the definition .*definitions/bad\.json: it is not a definition"),
            (
                json.dumps(
                    {
                        "definition": {"alias": "bad", "repositories": ["https://example.org/o/n"], "embedder": "no"},
                        **dict.fromkeys(("made_at", "made_by", "changed_at", "changed_by"), ""),
                    }
                ),
                "its definition has a wrong embedder: 'no' does not match",
            ),
        ],
        ids=["damaged", "refused by the form"],
    )
    def test_a_definition_that_cannot_be_run_is_named_and_leaves_the_others_alone(
        self, definitions: DefinitionStore, workspace: Workspace, content: str, message: str
    ) -> None:
        keep(definitions, "one", "two")
        workspace.write("definitions/bad.json", content.encode())
        airflow = Airflow()

        with pytest.raises(AirflowFailException, match="1 of 3 aliases not refreshed: bad: " + message):
            airflow.run_through(refresher("one", "bad", "two"))

        assert airflow.refreshed == ["one", "two"]

    def test_an_alias_removed_while_it_waited_is_left_out(self, definitions: DefinitionStore) -> None:
        keep(definitions, "one", "two", "three")
        airflow = Airflow()

        airflow.run_through(refresher("one", "two", "three"), after_each=lambda: definitions.forget("two"))

        assert airflow.refreshed == ["one", "three"]

    def test_a_definition_changed_while_it_waited_is_the_one_that_is_run(self, definitions: DefinitionStore) -> None:
        keep(definitions, "one", "two")
        other = Definition("two", ("https://example.org/owner/other",))
        airflow = Airflow()

        airflow.run_through(refresher("one", "two"), after_each=lambda: definitions.keep(other, by="ben"))

        assert airflow.confs[1]["repositories"] == ["https://example.org/owner/other"]

    def test_a_retry_goes_on_where_the_try_before_it_was_killed(self, definitions: DefinitionStore) -> None:
        keep(definitions, "one", "two", "three")
        airflow = Airflow(ends={"one": "failed"})
        with pytest.raises(DagRunTriggerException) as first:
            refresher("one", "two", "three").execute({"ti": airflow})
        airflow._run(first.value)

        with pytest.raises(AirflowFailException, match="1 of 3 aliases not refreshed: one: "):
            airflow.run_through(refresher("one", "two", "three"))

        assert airflow.refreshed == ["one", "two", "three"]

    def test_a_retry_waits_for_the_run_that_is_still_at_work(self, definitions: DefinitionStore) -> None:
        keep(definitions, "one")
        airflow = Airflow()
        airflow.runs[refresh_run_id("one", REFRESH)] = "running"

        with pytest.raises(TaskDeferred) as caught:
            refresher("one").execute({"ti": airflow})

        assert caught.value.method_name == "execute_complete"
        assert caught.value.trigger.run_ids == [refresh_run_id("one", REFRESH)]
        assert airflow.confs == []

    def test_an_unreachable_store_is_left_to_airflows_retries(
        self, definitions: DefinitionStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def offline(*_: Any) -> None:
            raise StorageError("offline")

        monkeypatch.setattr(DefinitionStore, "find", offline)
        with pytest.raises(StorageError):
            refresher("one").execute({"ti": Airflow()})

    def test_run_ids_fit_airflows_database(self) -> None:
        assert len(refresh_run_id("a" * 64, "manual__" + "x" * 250)) == 250


class TestKeeping:
    def operator(self, run: str = "manual__x", **values: Any) -> KeepDefinitionOperator:
        return KeepDefinitionOperator(task_id="keep", definition=json.dumps({**MAIN, **values}), run=run)

    @pytest.fixture
    def swapped(self, workspace: Workspace) -> AliasCatalogue:
        catalogue = AliasCatalogue(workspace)
        manifest = manifest_of("datasets/main/one", 5, "e" * 64)
        catalogue.append(AliasEntry("main", 1, "2026-01-02T03:04:05+00:00", "swap", manifest))
        return catalogue

    def test_the_definition_of_a_run_is_kept_with_who_asked_for_it(
        self, definitions: DefinitionStore, swapped: AliasCatalogue
    ) -> None:
        class DagRun:
            triggering_user_name = "ada"

        assert self.operator(force=True).execute({"dag_run": DagRun()}) == {"alias": "main", "kept": True}

        kept = definitions.find("main")
        assert kept
        assert kept.definition == Definition.from_mapping(MAIN)
        assert kept.made_by == "ada"

    def test_where_airflow_names_nobody_the_run_is_kept(
        self, definitions: DefinitionStore, swapped: AliasCatalogue
    ) -> None:
        self.operator().execute({})

        kept = definitions.find("main")
        assert kept
        assert kept.made_by == "manual__x"

    def test_a_refresh_keeps_nothing(self, definitions: DefinitionStore, swapped: AliasCatalogue) -> None:
        assert not self.operator(refresh_run_id("main", REFRESH)).execute({})["kept"]
        assert definitions.aliases() == []

    def test_the_definition_of_a_removed_alias_is_not_kept(
        self, definitions: DefinitionStore, swapped: AliasCatalogue, workspace: Workspace
    ) -> None:
        remove_alias("main", workspace=workspace)

        assert not self.operator().execute({})["kept"]
        assert definitions.aliases() == []


class TestStillWanted:
    def run(self, workspace: Workspace, run_id: str) -> Run:
        settings = Settings.from_env({"ASKREPO_WORKSPACE": workspace.url})
        given = Definition.from_mapping({**MAIN, "max_file_bytes": 7})
        return Run(definition=given, settings=settings, workspace=workspace, run_id=run_id)

    def test_a_run_by_hand_is_always_wanted(self, workspace: Workspace) -> None:
        skip_unless_wanted(self.run(workspace, "manual__x"))

    def test_a_refresh_is_wanted_while_its_definition_is_kept(
        self, workspace: Workspace, definitions: DefinitionStore
    ) -> None:
        definitions.keep(Definition.from_mapping(MAIN), by="ada")

        skip_unless_wanted(self.run(workspace, refresh_run_id("main", REFRESH)))

    @pytest.mark.parametrize("other", [None, "https://example.org/owner/other"], ids=["removed", "defined anew"])
    def test_a_refresh_is_not_wanted_any_more(
        self, workspace: Workspace, definitions: DefinitionStore, other: str | None
    ) -> None:
        if other:
            definitions.keep(Definition.from_mapping({**MAIN, "repositories": [other]}), by="ada")

        with pytest.raises(AirflowSkipException, match="main was removed or defined anew"):
            skip_unless_wanted(self.run(workspace, refresh_run_id("main", REFRESH)))


def test_the_ingest_does_not_load_what_only_the_refresh_needs() -> None:
    """Airflow's operator for triggering loads its database models: 0.6 s, which every task of the ingest would pay."""
    loaded = "'airflow.providers.standard.operators.trigger_dagrun' in sys.modules"
    code = f"import sys, askrepo_operators.keeping; print({loaded})"
    found = run_process([sys.executable, "-c", code], cwd=ROOT / "plugins", capture_output=True, text=True, check=True)
    assert found.stdout.split()[-1] == "False"
