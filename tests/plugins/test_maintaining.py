"""The operators of maintenance alone: `execute` without a database or a scheduler."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from askrepo.errors import StorageError
from askrepo.workspace.objects import Workspace
from askrepo_operators.maintaining import PlanMaintenanceOperator, RemoveUnneededOperator
from tests.airflow_session import AIRFLOW_WARNINGS
from tests.core.stores import Store

pytestmark = AIRFLOW_WARNINGS

ORPHAN = "datasets/main/20260301t000000z-000001"


@pytest.fixture
def old_workspace(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with a dataset that no swap published."""
    monkeypatch.setenv("ASKREPO_WORKSPACE", workspace.url)
    workspace.write(f"{ORPHAN}/rows", b"12345")
    return workspace


def plan(run_type: str = "manual", **parameters: Any) -> dict[str, Any]:
    values = {"dry_run": True, "aliases": [], "retention": None, "run_retention_days": None, **parameters}
    operator = PlanMaintenanceOperator(task_id="plan", parameters=json.dumps(values), run_type=run_type)
    return operator.execute({})


def remove(planned: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    operator = RemoveUnneededOperator(task_id="remove", parameters=json.dumps(parameters), planned=planned)
    return operator.execute({})


@pytest.mark.parametrize(
    ("run_type", "dry_run", "expected"),
    [("manual", True, True), ("manual", False, False), ("scheduled", True, False), ("backfill", True, True)],
)
def test_only_a_scheduled_run_removes_unasked(old_workspace, run_type, dry_run, expected):
    assert plan(run_type, dry_run=dry_run)["dry_run"] is expected


def test_the_plan_is_in_the_log_and_its_sums_are_returned(old_workspace, capfd):
    result = plan()

    sums = {"dataset": {"count": 1, "objects": 1, "bytes": 5, "first": [ORPHAN]}}
    assert (result["stored"], result["removals"], result["problems"]) == (sums, sums, 0)
    assert f"dataset {ORPHAN}: begun 2026-03-01 00:00 and never published" in "".join(capfd.readouterr())
    json.dumps(result)


def test_a_dry_run_is_skipped_and_removes_nothing(old_workspace):
    with pytest.raises(AirflowSkipException, match="dry run"):
        remove(plan())

    assert old_workspace.list_keys("datasets") == [f"{ORPHAN}/rows"]


def test_the_removal_returns_its_sums(old_workspace, capfd):
    result = remove(plan(dry_run=False))

    assert result == {"removed": {"dataset": {"count": 1, "objects": 1, "bytes": 5, "first": [ORPHAN]}}, "spared": 0}
    assert "removed 1 of 1 (5 B); 0 turned out to be needed, 0 failed" in "".join(capfd.readouterr())
    assert old_workspace.list_keys("datasets") == []


def test_what_was_young_when_it_was_planned_stays(old_workspace):
    planned = {**plan(dry_run=False), "as_of": datetime(2026, 3, 1, 1, tzinfo=UTC).isoformat()}

    assert remove(planned)["removed"] == {}


@pytest.mark.parametrize(
    ("parameters", "environment", "days", "goes"),
    [
        ({}, {}, 8, True),
        ({}, {}, 6, False),
        ({"run_retention_days": 3}, {}, 4, True),
        ({}, {"ASKREPO_RUN_RETENTION_DAYS": "30"}, 29, False),
        ({"run_retention_days": 3}, {"ASKREPO_RUN_RETENTION_DAYS": "30"}, 4, True),
    ],
)
def test_the_age_of_runs_is_a_parameter_a_setting_or_a_week(
    workspace, monkeypatch, parameters, environment, days, goes
):
    for name, value in {"ASKREPO_WORKSPACE": workspace.url, **environment}.items():
        monkeypatch.setenv(name, value)
    for number in range(1, 5):
        workspace.write(f"runs/main/run-{number}/load/part", b"x")
    as_of = (datetime.now(UTC) + timedelta(days=days)).isoformat()

    removed = remove({"dry_run": False, "as_of": as_of}, **parameters)["removed"]

    assert ("run" in removed) is goes


def test_the_retention_is_a_parameter(workspace, monkeypatch):
    monkeypatch.setenv("ASKREPO_WORKSPACE", workspace.url)
    monkeypatch.setenv("ASKREPO_GRACE_S", "0")
    Store(workspace).swaps(3)

    assert plan()["removals"] == {}
    assert plan(retention=1)["removals"]["dataset"]["count"] == 2


@pytest.mark.parametrize(
    ("parameters", "environment", "message"),
    [
        ({"aliases": ["docs"]}, {}, "nothing of an alias 'docs'"),
        ({"aliases": ["../x"]}, {}, "is not an alias name"),
        ({}, {"ASKREPO_RUN_RETENTION_DAYS": "soon"}, "ASKREPO_RUN_RETENTION_DAYS must be"),
        ({}, {"ASKREPO_RUN_RETENTION_DAYS": "0"}, "between 1 and 3650, found '0'"),
    ],
)
def test_wrong_parameters_fail_at_once(old_workspace, monkeypatch, parameters, environment, message):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(AirflowFailException, match=message):
        plan(**parameters)


def test_an_unreadable_log_turns_the_removal_red_once_the_rest_is_done(old_workspace):
    old_workspace.write("aliases/broken/00000001.json", b"{")
    old_workspace.write("files/main/20260301t000000z-00000a.parquet", b"x")
    planned = plan(dry_run=False)
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()

    assert planned["problems"] == 1
    with pytest.raises(AirflowFailException, match=r"must|can be removed before .*aliases/broken/00000001.json"):
        remove({**planned, "as_of": later})
    assert old_workspace.list_keys("datasets") == [f"{ORPHAN}/rows"]
    assert old_workspace.list_keys("files") == []


def test_a_failed_removal_is_tried_again(old_workspace, monkeypatch):
    def failing(*_: object, **__: object) -> None:
        raise StorageError("the store is out of reach")

    planned = plan(dry_run=False)
    with monkeypatch.context() as patch:
        patch.setattr("askrepo.housekeeping.removal.delete_dataset", failing)
        with pytest.raises(StorageError, match=f"not everything was removed, 1 failed: {ORPHAN}: the store"):
            remove(planned)

    assert remove(planned)["removed"]["dataset"]["count"] == 1
    assert not Path(old_workspace.url_of(ORPHAN)).exists()
