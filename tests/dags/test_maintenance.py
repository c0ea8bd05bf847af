"""The maintenance DAG end to end, in this process, with Airflow's own task runner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from askrepo.workspace.objects import Workspace
from tests.airflow_session import AIRFLOW_WARNINGS, FinishedRun

pytestmark = AIRFLOW_WARNINGS

ORPHAN = "datasets/main/20260301t000000z-000001"
Maintain = Callable[..., FinishedRun]


@pytest.fixture
def maintain(dagbag: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Maintain:
    """Run the DAG on a workspace with a dataset that no swap published."""
    monkeypatch.setenv("ASKREPO_WORKSPACE", workspace.url)
    workspace.write(f"{ORPHAN}/rows", b"12345")

    def run(**parameters: Any) -> FinishedRun:
        return FinishedRun(dagbag.get_dag("askrepo_maintenance").test(run_conf=parameters))

    return run


def test_it_runs_daily_and_explains_itself(dagbag: Any) -> None:
    dag = dagbag.get_dag("askrepo_maintenance")

    assert (dag.schedule, dag.catchup, dag.max_active_runs) == ("@daily", False, 1)
    assert "plan → remove" in dag.doc_md
    assert "**always removes**" in dag.doc_md
    assert [task.task_id for task in dag.topological_sort()] == ["plan", "remove"]
    for task in dag.tasks:
        assert (task.retries, bool(task.doc_md)) == (3, True)
    for name, value in {"dry_run": True, "aliases": [], "retention": None, "run_retention_days": None}.items():
        param = dag.params.get_param(name)
        assert param.resolve() == value
        assert param.schema["title"]
        assert param.schema["description_md"]


def test_by_hand_it_is_a_dry_run(maintain: Maintain, workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    run = maintain()

    assert (run.state, run.states()) == ("success", {"plan": ["success"], "remove": ["skipped"]})
    assert workspace.list_keys("datasets") == [f"{ORPHAN}/rows"]
    shown = "".join(capfd.readouterr())
    assert "would be removed: 5 B in 1 objects" in shown
    assert ORPHAN in shown


def test_by_hand_it_removes_when_told_so(maintain: Maintain, workspace: Workspace) -> None:
    run = maintain(dry_run=False)

    assert (run.state, run.states()) == ("success", {"plan": ["success"], "remove": ["success"]})
    assert not Path(workspace.url_of(ORPHAN)).exists()
    [removed] = [value for task, key, value in run.xcoms() if (task, key) == ("remove", "return_value")]
    assert removed["removed"]["dataset"]["first"] == [ORPHAN]


def test_a_run_for_one_alias_leaves_the_others(maintain: Maintain, workspace: Workspace) -> None:
    workspace.write("datasets/docs/20260301t000000z-000002/rows", b"12345")

    assert maintain(dry_run=False, aliases=["docs"]).state == "success"

    assert workspace.list_keys("datasets") == [f"{ORPHAN}/rows"]


def test_an_unknown_alias_fails_without_retry(maintain: Maintain, capfd: pytest.CaptureFixture[str]) -> None:
    run = maintain(aliases=["docs"])

    assert (run.state, run.states()["plan"], run.tries()["plan"]) == ("failed", ["failed"], [1])
    assert "nothing of an alias 'docs'" in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "parameters",
    [{"aliases": ["../x"]}, {"aliases": "docs"}, {"retention": 0}, {"run_retention_days": 0}, {"dry_run": "no"}],
)
def test_wrong_parameters_are_refused_before_a_run_exists(maintain: Maintain, parameters: dict[str, Any]) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        maintain(**parameters)
