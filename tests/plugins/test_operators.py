"""Operators alone: `execute` without a database or a scheduler."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.kept import read_keep
from askrepo.aliases.readers import open_alias
from askrepo.errors import CredentialsError, RateLimitedError, StorageError, TransientError, UsageError
from askrepo.receipts.receipt import stored_span
from askrepo.receipts.watched import Watched, WatchList
from askrepo.settings import Settings
from askrepo.types import Citation
from askrepo.workspace.objects import Workspace
from askrepo_operators import (
    BuildDatasetOperator,
    CloneRepositoryOperator,
    CompareSnapshotsOperator,
    EmbedChunksOperator,
    GatherShardsOperator,
    LoadFilesOperator,
    PlanRunOperator,
    SplitFilesOperator,
    SwapAliasOperator,
)
from askrepo_operators.maintaining import PlanMaintenanceOperator
from askrepo_operators.reason import tell_reason
from askrepo_operators.refreshing import ListDefinitionsOperator
from askrepo_operators.removing import CheckRemovalOperator
from askrepo_operators.stage import StageOperator, no_retry_on_permanent_errors
from askrepo_operators.swapping import watched_lines
from tests.airflow_session import AIRFLOW_WARNINGS
from tests.conftest import GitRepository

pytestmark = AIRFLOW_WARNINGS


NOTHING_FOUND = {"number": 0, "current": 0, "carry": False, "fingerprint": "another", "reasons": []}
"""What compare says of an alias without a dataset."""


class TaskInstance:
    """The part of Airflow's task instance that operators use."""

    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value

    def xcom_pull(self, *, task_ids: str, key: str) -> Any:
        return self.xcoms.get(key)


class OutletEvents:
    """The part of Airflow's outlet events that operators use."""

    def __init__(self) -> None:
        self.added: list[tuple[Any, dict[str, Any]]] = []

    def __getitem__(self, alias: Any) -> OutletEvents:
        return self

    def add(self, asset: Any, *, extra: dict[str, Any]) -> None:
        self.added.append((asset, extra))


class Stages:
    """The operators one after the other, as the DAG would call them."""

    def __init__(self, repository: GitRepository, **definition: Any) -> None:
        self.values = {"alias": "main", "repositories": [repository.url], "embedder": "hash", **definition}
        self.context: dict[str, Any] = {"ti": TaskInstance(), "outlet_events": OutletEvents()}

    def run(self, operator: type[StageOperator], **arguments: Any) -> Any:
        return make(operator, definition=json.dumps(self.values), **arguments).execute(self.context)

    def all(self) -> dict[str, Any]:
        """What each stage returned."""
        found: dict[str, Any] = {"plan": self.run(PlanRunOperator)}
        found["clone"] = self.run(CloneRepositoryOperator, repository=found["plan"][0])
        found["compare"] = self.run(CompareSnapshotsOperator, snapshots=[found["clone"]])
        agreed = {"comparison": self.context["ti"].xcoms["comparison"]}
        found["load"] = self.run(LoadFilesOperator, snapshot=found["compare"][0], **agreed)
        found["gather"] = self.run(GatherShardsOperator, manifests=[found["load"]])
        found["split"] = self.run(SplitFilesOperator, shard=found["gather"][0], **agreed)
        found["embed"] = self.run(EmbedChunksOperator, shard=found["split"], **agreed)
        found["build"] = self.run(
            BuildDatasetOperator,
            snapshots=found["compare"],
            loads=[found["load"]],
            vectors=[found["embed"]],
            **agreed,
        )
        found["swap"] = self.run(SwapAliasOperator, manifest=found["build"], **agreed)
        return found


def make(operator: type[StageOperator], **arguments: Any) -> Any:
    return operator(task_id="task", run="manual__2026-01-01", **arguments)


@pytest.fixture
def stages(
    make_repository: Callable[..., GitRepository], workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Stages:
    monkeypatch.setenv("ASKREPO_WORKSPACE", workspace.url)
    monkeypatch.setenv("ASKREPO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ASKREPO_ALLOW_LOCAL", "1")
    return Stages(make_repository("project", {"a.py": "x = 1\n", "logo.png": b"\x00"}))


def test_stages_in_order_move_the_alias(stages: Stages, workspace: Workspace) -> None:
    returned = stages.all()

    assert returned["plan"][0]["name"] == "project"
    assert (returned["load"]["loaded"], returned["load"]["skipped"]) == (1, {"binary": 1})
    assert [returned[stage]["number"] for stage in ("split", "embed")] == [0, 0]
    assert returned["swap"] == {"alias": "main", "number": 1, "dataset": returned["build"]["dataset"]}
    assert AliasCatalogue(workspace).current("main").manifest.dataset == returned["build"]["dataset"]


def test_every_result_is_plain_json(stages: Stages) -> None:
    returned = stages.all()

    assert json.loads(json.dumps(returned)) == returned


def test_swap_announces_the_alias_as_an_asset(stages: Stages) -> None:
    stages.all()

    [(asset, extra)] = stages.context["outlet_events"].added
    assert (asset.name, asset.uri) == ("askrepo/main", "x-askrepo://aliases/main")
    assert (extra["alias"], extra["number"]) == ("main", 1)


def test_swap_names_watched_questions_whose_lines_changed(stages: Stages, caplog: pytest.LogCaptureFixture) -> None:
    stages.all()
    workspace = Workspace.open(Settings.from_env(os.environ).workspace)
    reader = open_alias("main", workspace=workspace, settings=Settings.from_env(os.environ))
    snapshot = reader.entry.manifest.snapshots[0]
    span = stored_span(Citation(snapshot.name, snapshot.commit, "a.py", 1, 1), [reader])
    assert span is not None
    WatchList(workspace).add(Watched("0123456789ab", "main", "what is x?", "2026-11-28T10:00:00+00:00", (span,)))
    GitRepository.existing(stages.values["repositories"][0]).commit({"a.py": "x = 2\n"})

    stages.all()

    [_, (_, extra)] = stages.context["outlet_events"].added
    watched = extra["report"]["watched"]
    assert (watched["questions"], [each["id"] for each in watched["changed"]]) == (1, ["0123456789ab"])
    assert watched_lines(extra["report"]["watched"])[-1].startswith("changed: 01234567 'what is x?': a.py:1-1 ")


def test_stages_repeated_give_the_same_results(stages: Stages) -> None:
    first = stages.all()
    arguments = {"snapshot": first["compare"][0], "comparison": NOTHING_FOUND}

    again = stages.run(LoadFilesOperator, **arguments)

    assert again | {"seconds": 0} == first["load"] | {"seconds": 0}


def test_a_refresh_carries_over_what_did_not_change(stages: Stages) -> None:
    first = stages.all()
    repository = GitRepository.existing(stages.values["repositories"][0])
    repository.commit({"lib/a.py": "x = 1\n", "a.py": None, "b.py": "y = 2\n"})

    second = stages.all()

    assert (second["load"]["carried"], second["split"]["chunks"]) == (1, 2)
    [_, (_, extra)] = stages.context["outlet_events"].added
    assert extra["report"]["files"] == {"added": 1, "changed": 0, "moved": 1, "removed": 0, "unchanged": 1}
    assert first["build"]["digest"] != second["build"]["digest"]


def test_compare_skips_when_the_alias_is_up_to_date(stages: Stages) -> None:
    snapshot = stages.all()["clone"]

    with pytest.raises(AirflowSkipException, match="up to date: alias main entry 1"):
        stages.run(CompareSnapshotsOperator, snapshots=[snapshot])


def test_compare_goes_on_when_forced(stages: Stages) -> None:
    snapshot = stages.all()["clone"]
    stages.values["force"] = True

    assert stages.run(CompareSnapshotsOperator, snapshots=[snapshot]) == [snapshot]
    assert stages.context["ti"].xcoms["comparison"]["number"] == 1


def test_compare_rebuilds_a_dataset_that_was_lost(stages: Stages, workspace: Workspace) -> None:
    returned = stages.all()
    workspace.delete_folder(returned["build"]["dataset"])

    assert stages.run(CompareSnapshotsOperator, snapshots=[returned["clone"]]) == [returned["clone"]]


def test_embed_computes_when_the_current_dataset_is_damaged(stages: Stages, workspace: Workspace) -> None:
    returned = stages.all()
    workspace.delete_folder(returned["build"]["dataset"])
    workspace.delete_folder(returned["embed"]["key"].rpartition("/")[0])  # the run's vectors would be found
    operator = make(
        EmbedChunksOperator,
        definition=json.dumps(stages.values),
        shard=returned["split"],
        comparison=stages.context["ti"].xcoms["comparison"] | {"current": 1},
    )
    operator.run = "manual__another"

    vectors = operator.execute({})

    assert (vectors["computed"], vectors["reused"]) == (1, 0)


def test_killed_clone_stops_git(
    stages: Stages, make_repository: Callable[..., GitRepository], serve: Callable[..., Any]
) -> None:
    make_repository("slow", {"a.py": "x = 1\n"})
    server = serve()
    repository = {"name": "slow", "url": f"{server.url}/slow"}
    operator = make(CloneRepositoryOperator, definition=json.dumps(stages.values), repository=repository)
    server.before_request = lambda _: operator.on_kill()

    with pytest.raises(TransientError, match="killed before it was done"):
        operator.execute({})


def test_embed_refuses_another_embedder_than_the_run_started_with(stages: Stages) -> None:
    shard = stages.all()["split"]

    with pytest.raises(AirflowFailException, match="install the same askrepo on all workers"):
        stages.run(EmbedChunksOperator, shard=shard, comparison=NOTHING_FOUND)


def test_killed_embed_stops_after_the_batch_at_hand(stages: Stages) -> None:
    returned = stages.all()
    operator = make(EmbedChunksOperator, shard=returned["split"], comparison=NOTHING_FOUND)

    operator.on_kill()

    with pytest.raises(TransientError, match="stopped after 256 of 1000 vectors"):
        operator._on_progress(256, 1000)


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        (PlanRunOperator, {}),
        (CloneRepositoryOperator, {"repository": {"name": "a", "url": "https://host/a"}}),
        (CompareSnapshotsOperator, {"snapshots": []}),
        (LoadFilesOperator, {"snapshot": {}, "comparison": {}}),
        (SplitFilesOperator, {"shard": {}, "comparison": {}}),
        (EmbedChunksOperator, {"shard": {}, "comparison": {}}),
        (
            BuildDatasetOperator,
            {"snapshots": [], "loads": [], "vectors": [], "comparison": {}},
        ),
        (SwapAliasOperator, {"manifest": {}, "comparison": {}}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_wrong_definition_fails_at_once(operator: type[StageOperator], arguments: dict[str, Any]) -> None:
    task = make(operator, definition='{"alias": "UP", "repositories": ["https://host/a"]}', **arguments)

    with pytest.raises(AirflowFailException, match="'UP' is not an alias name"):
        task.execute({})


def test_gather_without_text_fails_at_once(stages: Stages) -> None:
    manifest = stages.all()["load"] | {"parts": [], "part_bytes": [], "loaded": 0, "skipped": {"binary": 2}}

    with pytest.raises(AirflowFailException, match="nothing to index in project: found 2 binary"):
        stages.run(GatherShardsOperator, manifests=[manifest])


@pytest.mark.parametrize("error", [UsageError("what to do"), CredentialsError("what to do")])
def test_permanent_error_keeps_its_message_and_is_not_retried(error: Exception) -> None:
    with pytest.raises(AirflowFailException, match=r"^what to do$"), no_retry_on_permanent_errors():
        raise error


@pytest.mark.parametrize("error", [StorageError("disk"), RateLimitedError("slow", retry_after_s=3.0)])
def test_transient_error_is_left_to_airflows_retries(error: Exception) -> None:
    with pytest.raises(type(error)), no_retry_on_permanent_errors():
        raise error


@pytest.mark.parametrize("definition", ["{", "[]", '"text"'])
def test_definition_that_is_no_object_fails_at_once(definition: str) -> None:
    with pytest.raises(AirflowFailException, match="the definition"):
        make(PlanRunOperator, definition=definition).execute({})


def test_wrong_setting_is_named(stages: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKREPO_RETENTION", "many")

    with pytest.raises(AirflowFailException, match="ASKREPO_RETENTION must be a whole number"):
        stages.run(PlanRunOperator)


@pytest.mark.parametrize("setting", ["ASKREPO_WORKSPACE", "ASKREPO_DATASETS"])
def test_place_that_deep_lake_takes_for_another_fails_the_plan(
    stages: Stages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv(setting, str(tmp_path / "jane@corp.example"))

    with pytest.raises(AirflowFailException, match=r"what follows '@' for a version.*ASKREPO_WORKSPACE"):
        stages.run(PlanRunOperator)

    assert not (tmp_path / "jane@corp.example").exists()


def test_parameters_render_into_the_definition() -> None:
    operator = PlanRunOperator(task_id="plan")
    awkward = {"alias": "main", "repositories": ["https://host/a'b\"<c>&{{ x }}"]}

    operator.render_template_fields({"params": awkward, "run_id": "r"})

    assert (json.loads(operator.definition), operator.run) == (awkward, "r")


@pytest.mark.parametrize(
    ("slip", "hint"),
    [
        ({"repos": ["x"]}, "unknown parameter 'repos'; "),
        ({"includes": ["*.py"]}, "unknown parameter 'includes'; did you mean 'include'?"),
        ({"max_file_bytes": 1}, "unknown parameter 'max_file_bytes'; known parameters: alias, embedder, exclude, "),
        ({"https://u:s3cr3t@h/a": 1}, "unknown parameter (not a name); "),
        ({"x" * 100: 1}, "unknown parameter (not a name); "),
    ],
    ids=["other word", "near", "setting", "pasted", "endless"],
)
def test_plan_refuses_parameters_it_does_not_know(stages: Stages, slip: dict[str, Any], hint: str) -> None:
    stages.values |= slip

    with pytest.raises(AirflowFailException) as caught:
        stages.run(PlanRunOperator)

    assert str(caught.value).startswith(hint)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("operator", [PlanMaintenanceOperator, CheckRemovalOperator, ListDefinitionsOperator])
def test_other_runs_refuse_parameters_they_do_not_know(stages: Stages, operator: Any) -> None:
    arguments: dict[Any, dict[str, Any]] = {
        PlanMaintenanceOperator: {"parameters": '{"dryrun": true}'},
        CheckRemovalOperator: {"configured": ()},
        ListDefinitionsOperator: {"configured": (), "dag_id": "any"},
    }

    with pytest.raises(AirflowFailException, match="unknown parameter 'dryrun'"):
        operator(task_id="task", **arguments[operator]).execute({"params": {"dryrun": True}})


def test_plan_stores_what_is_to_be_kept_and_tells_what_has_no_such_name(
    stages: Stages, caplog: pytest.LogCaptureFixture
) -> None:
    stages.all()
    stages.values["keep"] = ["1", "v9"]
    stages.run(PlanRunOperator)

    workspace = Workspace.open(os.environ["ASKREPO_WORKSPACE"])
    assert read_keep(stages.values["alias"], workspace=workspace) == ("1", "v9")
    told = caplog.text
    assert "keep 'v9' keeps nothing: 'v9' names no moment of alias" in told
    assert "keep '1'" not in told

    del stages.values["keep"]
    stages.run(PlanRunOperator)
    assert read_keep(stages.values["alias"], workspace=workspace) == ("1", "v9")


@pytest.mark.parametrize("repositories", [None, ["not a repository"]], ids=["wrong keep", "wrong repository"])
def test_a_plan_that_fails_changes_nothing_of_what_is_kept(stages: Stages, repositories: list[str] | None) -> None:
    stages.values |= {"keep": ["1"], "repositories": repositories} if repositories else {"keep": ["two words"]}

    with pytest.raises(AirflowFailException, match=r"keep: 'two words' names no moment|repositor"):
        stages.run(PlanRunOperator)

    assert read_keep(stages.values["alias"], workspace=Workspace.open(os.environ["ASKREPO_WORKSPACE"])) == ()


def test_plan_refuses_more_repositories_than_airflow_maps(stages: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "2")
    stages.values["repositories"] = [f"https://host/owner/name{number}" for number in range(3)]

    with pytest.raises(AirflowFailException, match="3 repositories, and Airflow maps at most 2 "):
        stages.run(PlanRunOperator)


@pytest.mark.parametrize("error", [UsageError("wrong"), StorageError("busy")], ids=["permanent", "transient"])
def test_our_own_errors_bring_no_chain_of_others_along(error: Exception) -> None:
    error.__cause__ = OSError("beneath")

    with pytest.raises((AirflowFailException, StorageError)) as caught, no_retry_on_permanent_errors():
        raise error

    assert str(caught.value) == str(error)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (AirflowFailException("no such ref"), "no such ref"),
        (StorageError("disk full:\n  /x"), "disk full: /x"),
        (KeyError("number"), "KeyError: 'number'"),
        (ValueError(), "ValueError"),
        (None, None),
    ],
    ids=["permanent", "lines", "unexpected", "mute", "none"],
)
def test_log_of_a_failed_task_ends_with_one_line(
    caplog: pytest.LogCaptureFixture, error: Exception | None, line: str | None
) -> None:
    with caplog.at_level("INFO"):
        tell_reason({"exception": error})

    assert [record.getMessage() for record in caplog.records] == ([] if line is None else ["::endgroup::", line])


def test_names_of_repositories_cannot_steer_the_log(
    stages: Stages,
    make_repository: Callable[..., GitRepository],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stages.values["repositories"] = [make_repository("pro\u202eject", {"a.py": "x = 1\n"}).url]

    with caplog.at_level("INFO"):
        stages.all()
        tell_reason({"exception": UsageError("no 'pro\u202eject'")})

    said = "\n".join(record.getMessage() for record in caplog.records) + capsys.readouterr().out
    assert "\u202e" not in said
    assert [f"{stage} " in said for stage in ("plan", "clone", "compare", "load")] == [True] * 4
    assert said.count("pro\\u202eject") >= 4
