"""What the Makefile runs: parameters arrive as they were typed, and the log shows what matters."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from askrepo.errors import UsageError
from tools.airflow_home import EMBED_POOL, EMBED_POOL_SLOTS, ROOT, SetUpError, airflow_environment, migrate
from tools.ingest import run_parameters
from tools.run_log import RunLog, last_line
from tools.serve import StandaloneAirflow, free_port

HOSTILE = "a'b\"c`touch {0}`;touch {0};$(touch {0})$(shell touch {0})$$x"


def test_parameters_come_from_the_environment() -> None:
    values = {"ALIAS": "main", "REPOS": "https://h/a/b@v1 '/my code'", "ASKREPO_ALLOW_LOCAL": "1"}
    values |= {"INCLUDE": "*.py docs/*", "FORCE": "1"}

    assert run_parameters(values) == {
        "alias": "main",
        "repositories": ["https://h/a/b@v1", "/my code"],
        "include": ["*.py", "docs/*"],
        "exclude": [],
        "embedder": "local",
        "force": True,
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "make ingest needs ALIAS and REPOS"),
        ({"ALIAS": "main", "REPOS": " "}, "make ingest needs ALIAS and REPOS"),
        ({"ALIAS": "Main", "REPOS": "https://h/a/b"}, "'Main' is not an alias name"),
        ({"ALIAS": "main", "REPOS": "--upload-pack=x"}, "starts with '-'"),
        ({"ALIAS": "main", "REPOS": "https://u:secret@h/a"}, "carries credentials"),
        ({"ALIAS": "main", "REPOS": "'https://h/a"}, "REPOS: No closing quotation"),
    ],
)
def test_wrong_parameters_are_refused_before_airflow_starts(values: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        run_parameters(values)

    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_make_hands_values_over_unread(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\nprintf "%s" "$REPOS"\n')
    program.chmod(0o755)
    hostile = HOSTILE.format(tmp_path / "executed")

    command = ["make", "--old-file=.venv/installed", "--no-print-directory", "ingest", f"BIN={tmp_path}"]
    run = subprocess.run([*command, f"REPOS={hostile}"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert run.stdout == hostile
    assert not (tmp_path / "executed").exists()


def test_environment_keeps_the_callers_settings_and_leaves_other_airflows_alone() -> None:
    caller = {
        "ASKREPO_WORKSPACE": "s3://bucket",
        "ASKREPO_ALLOW_LOCAL": "",
        "AIRFLOW_HOME": "/elsewhere",
        "PATH": "/bin",
    }

    environment = airflow_environment(caller)

    assert environment["ASKREPO_WORKSPACE"] == "s3://bucket"
    assert environment["ASKREPO_ALLOW_LOCAL"] == "1"
    assert environment["AIRFLOW_HOME"] == str(ROOT / ".airflow")
    assert environment["PATH"].split(os.pathsep)[-1] == "/bin"


def test_paid_embedders_have_a_pool_unless_the_caller_names_another() -> None:
    assert airflow_environment({"ASKREPO_EMBED_POOL": ""})["ASKREPO_EMBED_POOL"] == EMBED_POOL
    assert airflow_environment({"ASKREPO_EMBED_POOL": "mine"})["ASKREPO_EMBED_POOL"] == "mine"


@pytest.mark.slow
def test_database_is_made_once_with_the_pool_and_keeps_what_a_person_changes(tmp_path: Path) -> None:
    environment = airflow_environment({**os.environ, "ASKREPO_AIRFLOW_HOME": str(tmp_path)})
    migrate(environment)
    with closing(sqlite3.connect(tmp_path / "airflow.db")) as database, database:
        assert slots_of(EMBED_POOL, database) == EMBED_POOL_SLOTS
        database.execute("UPDATE slot_pool SET slots = 7 WHERE pool = ?", (EMBED_POOL,))
    (tmp_path / "logs" / "db-migrate.log").unlink()

    migrate(environment)
    migrate({**environment, "ASKREPO_EMBED_POOL": "another"})

    with closing(sqlite3.connect(tmp_path / "airflow.db")) as database:
        assert slots_of(EMBED_POOL, database) == 7
        assert slots_of("another", database) == EMBED_POOL_SLOTS
    assert not (tmp_path / "logs" / "db-migrate.log").exists()


def slots_of(pool: str, database: sqlite3.Connection) -> int:
    [(slots,)] = database.execute("SELECT slots FROM slot_pool WHERE pool = ?", (pool,)).fetchall()
    return int(slots)


@pytest.mark.slow
def test_failure_of_airflows_own_commands_is_told_in_its_own_words(tmp_path: Path) -> None:
    environment = airflow_environment({**os.environ, "ASKREPO_AIRFLOW_HOME": str(tmp_path)})

    with pytest.raises(SetUpError, match=r"db migrate failed; its last line: .* Cannot use relative path"):
        migrate({**environment, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:///relative.db"})


def test_a_person_is_told_how_to_log_in(tmp_path: Path) -> None:
    airflow = StandaloneAirflow({"AIRFLOW_HOME": str(tmp_path)}, port=free_port())
    assert airflow.how_to_log_in() == "no login is asked for"

    (tmp_path / "simple_auth_manager_passwords.json.generated").write_text('{"admin": "p4ss"}')
    assert airflow.how_to_log_in() == "user admin, password p4ss"


@pytest.mark.slow
def test_a_component_that_ends_while_airflow_starts_is_named_with_its_log(tmp_path: Path) -> None:
    environment = airflow_environment({**os.environ, "ASKREPO_AIRFLOW_HOME": str(tmp_path)})
    airflow = StandaloneAirflow(environment, port=free_port())
    airflow.start_component("triggerer")  # ends without a database
    try:
        told = f"Airflow's triggerer ended while it started; its last line: .*{tmp_path}/logs/triggerer.log"
        with pytest.raises(SetUpError, match=told):
            airflow.wait_until_healthy()
        assert "airflow db migrate" in airflow.log_of("triggerer").read_text()
    finally:
        airflow.stop()
    assert not airflow.processes()


def record(**values: Any) -> bytes:
    return json.dumps({"level": "info", **values}).encode()


def test_log_shows_the_operators_lines_only() -> None:
    log = RunLog()

    shown = [*log.read(record(logger="airflow.scheduler", event="noise")), *log.read(b"not json"), *log.read(b"[1]")]
    shown += log.read(record(logger="airflow.task.operators.askrepo_operators.x", event="load a\x1b[2J: 3 files"))

    assert shown == ["  load a [2J: 3 files"]


def test_log_shows_why_a_task_skipped_itself() -> None:
    assert list(RunLog().read(record(event="Skipping task.", reason="up to date: x"))) == ["  up to date: x"]


def test_log_keeps_the_reason_of_a_failure() -> None:
    log = RunLog()
    exception = [{"exc_type": "RemoteUnavailableError", "exc_value": "cannot fetch https://h/a: try again later"}]

    list(log.read(record(level="error", event="Task failed with exception", exception=exception)))

    assert log.error == "cannot fetch https://h/a: try again later"
    assert list(log.read(record(event="Task instance state updated", new_state="up_for_retry"))) == [
        "  failed, will be tried again: cannot fetch https://h/a: try again later"
    ]


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("AirflowFailException", "no such ref", "no such ref"),
        ("KeyError", "'number'", "KeyError: 'number'"),
        ("ValueError", "bad value here", "ValueError: bad value here"),
    ],
)
def test_reason_names_the_type_of_unexpected_errors(kind: str, value: str, reason: str) -> None:
    log = RunLog()

    list(log.read(record(level="error", exception=[{"exc_type": kind, "exc_value": value}])))

    assert log.error == reason


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("Traceback\n  File x\nValueError: \x1b[31mno such host\x1b[0m\n\n", "ValueError: no such host"),
        ("error: told\n+-----+\n", "error: told"),
        ('{"event": "Failed", "exception": [{"exc_type": "KeyError", "exc_value": "k"}]}\n', "Failed: KeyError: k"),
        ("[1]\n", "[1]"),
        ("x" * 100_000, "x" * 500),
        ("\n\n", None),
        ("", None),
    ],
    ids=["traceback", "frame", "json", "no record", "endless", "blank", "empty"],
)
def test_last_line_is_the_last_that_says_something(tmp_path: Path, content: str, line: str | None) -> None:
    (tmp_path / "log").write_text(content)

    assert last_line(tmp_path / "log") == line


def test_next_free_port_is_taken() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        assert free_port(first=port) > port
