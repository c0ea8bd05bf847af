"""What the Makefile runs: parameters arrive as they were typed, and the log shows what matters."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from askrepo.errors import UsageError
from tools.airflow_home import EMBED_POOL, EMBED_POOL_SLOTS, ROOT, SetUpError, airflow_environment, migrate
from tools.ingest import persons_folder, run_parameters
from tools.privacy import keep_private
from tools.run_log import RunLog, last_line
from tools.serve import StandaloneAirflow, chosen_port, free_port, reserved, sole_use

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


def test_what_is_to_be_kept_is_handed_over_only_when_it_was_given() -> None:
    values = {"ALIAS": "main", "REPOS": "https://h/a/b"}

    assert "keep" not in run_parameters(values)
    assert run_parameters({**values, "KEEP": "12 v1.2"})["keep"] == ["12", "v1.2"]
    assert run_parameters({**values, "KEEP": "none"})["keep"] == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "make ingest needs ALIAS and REPOS"),
        ({"ALIAS": "main", "REPOS": " "}, "make ingest needs ALIAS and REPOS"),
        ({"ALIAS": "Main", "REPOS": "https://h/a/b"}, "'Main' is not an alias name"),
        ({"ALIAS": "main", "REPOS": "--upload-pack=x"}, "starts with '-'"),
        ({"ALIAS": "main", "REPOS": "https://u:secret@h/a"}, "carries credentials"),
        ({"ALIAS": "main", "REPOS": "'https://h/a"}, "REPOS: No closing quotation"),
        ({"ALIAS": "main", "REPOS": "https://h/a/b", "EMBEDDER": "glove"}, "no embedder 'glove'; use one of"),
        ({"ALIAS": "main", "REPOS": "https://h/a/b", "INCLUDE": "https://u:secret@h"}, "include has a URL"),
        ({"ALIAS": "main", "REPOS": "https://h/a/b", "KEEP": "https://u:secret@h"}, "keep: a URL names no moment"),
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


def test_environment_keeps_what_the_caller_set_for_us() -> None:
    caller = {"ASKREPO_WORKSPACE": "s3://bucket", "ASKREPO_ALLOW_LOCAL": "", "PATH": "/bin", "AIRFLOW_CONN_G": "git://"}
    caller |= {"AIRFLOW_VAR_X": "1", "AWS_REGION": "r", "ASKREPO_AIRFLOW__CORE__PARALLELISM": "2"}

    environment = airflow_environment(caller, allow_local=Path("/home/ada"))

    assert environment["ASKREPO_WORKSPACE"] == "s3://bucket"
    assert environment["ASKREPO_ALLOW_LOCAL"] == "/home/ada"
    assert environment["AIRFLOW_HOME"] == str(ROOT / ".airflow")
    assert environment["PATH"].split(os.pathsep)[-1] == "/bin"
    assert {"AIRFLOW_CONN_G", "AIRFLOW_VAR_X", "AWS_REGION"} <= set(environment)
    assert environment["AIRFLOW__CORE__PARALLELISM"] == "2"
    assert airflow_environment(environment)["AIRFLOW__CORE__PARALLELISM"] == "2"


FOREIGN = {
    "AIRFLOW_HOME": "/elsewhere",
    "AIRFLOW_CONFIG": "/elsewhere/airflow.cfg",
    "AIRFLOW__CORE__EXECUTOR": "KubernetesExecutor",
    "AIRFLOW__CORE__SQL_ALCHEMY_CONN_CMD": "cat /elsewhere/secret",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://elsewhere",
    "AIRFLOW__SECRETS__BACKEND": "elsewhere.Backend",
    "AIRFLOW_CTX_DAG_ID": "another",
    "_AIRFLOW_PROCESS_CONTEXT": "client",
    "PYTHONHOME": "/elsewhere",
    "PYTHONPATH": "/elsewhere",
    "PYTHONSTARTUP": "/elsewhere",
    "PYTHONWARNINGS": "error",
    "PYTHONSAFEPATH": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "VIRTUAL_ENV": "/elsewhere",
    "LANGSMITH_TRACING": "true",
    "LANGSMITH_API_KEY": "elsewhere",
    "LANGCHAIN_TRACING_V2": "true",
    "OPENLINEAGE_URL": "https://elsewhere",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_nothing_of_another_installation_gets_in(name: str) -> None:
    assert airflow_environment({name: FOREIGN[name], "PATH": "/bin"}) == airflow_environment({"PATH": "/bin"})


def test_airflow_is_silent_and_speaks_to_itself_without_a_proxy() -> None:
    environment = airflow_environment({"http_proxy": "http://proxy", "no_proxy": "intranet"})

    assert environment["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
    assert (environment["LANGSMITH_TRACING"], environment["ORT_DISABLE_TELEMETRY"]) == ("false", "1")
    assert environment["no_proxy"].split(",") == ["intranet", "127.0.0.1", "localhost", "::1"]


def test_page_reads_no_repository_of_this_machine_unless_asked_to() -> None:
    assert "ASKREPO_ALLOW_LOCAL" not in airflow_environment({"ASKREPO_ALLOW_LOCAL": ""})
    assert airflow_environment({"ASKREPO_ALLOW_LOCAL": "1"})["ASKREPO_ALLOW_LOCAL"] == "1"


@pytest.mark.parametrize(("home", "folder"), [("/home/ada", "/home/ada"), ("/", ROOT), ("", ROOT), (None, ROOT)])
def test_ingest_reads_repositories_below_the_home_of_whoever_runs_make(home: str | None, folder: str | Path) -> None:
    assert persons_folder({} if home is None else {"HOME": home}) == Path(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ASKREPO_RETENTION", "abc"),
        ("ASKREPO_RETRY_DELAY_S", "soon"),
        ("ASKREPO_REFRESH_SCHEDULE", "at noon"),
        ("ASKREPO_MIN_SIZE_RATIO", "2"),
        ("ASKREPO_RETRY_DELAY_S", "9" * 20),
        ("ASKREPO_RETRY_DELAY_S", "\uff11"),
        ("ASKREPO_REFRESH_SCHEDULE", "0 0 30 2 *"),
    ],
)
@pytest.mark.parametrize("tool", ["serve", "ingest"])
def test_wrong_setting_is_told_before_airflow_starts(tmp_path: Path, tool: str, name: str, value: str) -> None:
    run = run_tool(tool, tmp_path, {name: value, "ALIAS": "a", "REPOS": "https://h/a/b", "ASKREPO_ALLOW_LOCAL": "no"})

    assert run.returncode == 2
    assert re.fullmatch(f"error: {name} must be .*, found '{re.escape(value)}'\n", run.stderr)
    assert not (tmp_path / "airflow").exists()


@pytest.mark.parametrize("name", ["ASKREPO_WORKSPACE", "ASKREPO_DATASETS", "ASKREPO_CACHE"])
def test_place_that_cannot_hold_datasets_is_told_before_airflow_starts(tmp_path: Path, name: str) -> None:
    run = run_tool("serve", tmp_path, {name: f"{tmp_path}/ada@example"})

    assert run.returncode == 2
    assert re.fullmatch(f"error: no dataset can be at .*ada@example: .* set .*{name}.* without '@'.*\n", run.stderr)
    assert not (tmp_path / "airflow").exists()


@pytest.mark.parametrize("port", ["abc", "0", "-1", "65536", "70000", "8080x", "\uff18\uff10", "80 81", "999999"])
def test_wrong_port_is_refused(port: str) -> None:
    with pytest.raises(UsageError, match="PORT must be a number from 1 to 65535, found "):
        chosen_port({"PORT": port})


def test_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        run = run_tool("serve", tmp_path, {"PORT": str(port)})

    assert run.returncode == 1
    assert re.fullmatch(f"error: cannot listen on port {port}: Address already in use; choose .*\n", run.stderr)
    assert not (tmp_path / "airflow").exists()


@pytest.mark.parametrize("tool", ["serve", "ingest"])
def test_airflow_home_that_cannot_be_is_told_in_one_line(tmp_path: Path, tool: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "airflow.db").write_text("no database, but long enough to look like one")
    (tmp_path / "broken" / "migrated").write_text(importlib.metadata.version("apache-airflow"))
    (tmp_path / "logs_file").mkdir()
    (tmp_path / "logs_file" / "logs").touch()
    told = {
        "file": "error: cannot make the folder .*: File exists; set ASKREPO_AIRFLOW_HOME to a folder of your own\n",
        "broken": "error: cannot read Airflow's database .*: file is not a database; moving .* away begins anew, .*\n",
        "logs_file": "error: .*/logs_file/logs: File exists\n",
    }
    values = {"ALIAS": "a", "REPOS": "https://h/a/b", "ASKREPO_ALLOW_LOCAL": "no"}

    for name, line in told.items():
        run = run_tool(tool, tmp_path, {**values, "ASKREPO_AIRFLOW_HOME": str(tmp_path / name)})

        assert run.returncode == 1
        assert re.fullmatch(line, run.stderr), run.stderr


def run_tool(tool: str, folder: Path, values: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ASKREPO_AIRFLOW_HOME": str(folder / "airflow"), **values}
    command = [sys.executable, "-m", f"tools.{tool}"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def modes(folder: Path) -> dict[str, str]:
    return {path.name: oct(stat.S_IMODE(path.lstat().st_mode)) for path in (folder, *folder.rglob("*"))}


@pytest.fixture
def open_home(tmp_path: Path) -> Path:
    """An Airflow's home as everybody may read it, with a link out of it."""
    home = tmp_path / "home"
    (home / "logs" / "dag").mkdir(parents=True)
    for name in ("airflow.db", "airflow.cfg", "simple_auth_manager_passwords.json.generated", "logs/dag/1.log"):
        (home / name).write_text("secret")
    (tmp_path / "outside").write_text("not ours")
    (home / "logs" / "latest").symlink_to(tmp_path / "outside")
    for path in (home, *home.rglob("*"), tmp_path / "outside"):
        path.chmod(0o777 if path.is_dir() else 0o666)
    return home


def test_what_make_writes_is_private_and_what_it_wrote_becomes_so(open_home: Path, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        keep_private({"AIRFLOW_HOME": str(open_home), "ASKREPO_WORKSPACE": "s3://bucket"})
        (open_home / "new").mkdir()
    finally:
        os.umask(before)

    found = modes(open_home)
    assert oct(tmp_path.joinpath("outside").stat().st_mode & 0o777) == "0o666"
    assert {name for name, mode in found.items() if mode not in {"0o700", "0o600"}} == {"latest"}


def test_makes_own_workspace_and_cache_are_closed_and_a_chosen_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.privacy.ROOT", tmp_path)
    folders = [tmp_path / name for name in (".workspace", "chosen", "cache")]
    for folder in folders:
        (folder / "aliases").mkdir(parents=True)
        for path in (folder, folder / "aliases"):
            path.chmod(0o755)
    environment = {"AIRFLOW_HOME": str(tmp_path / "home"), "ASKREPO_CACHE": str(tmp_path / "cache")}
    before = os.umask(0o022)
    try:
        for workspace in folders[:2]:
            keep_private({**environment, "ASKREPO_WORKSPACE": str(workspace)})
    finally:
        os.umask(before)

    assert modes(tmp_path / ".workspace") == {".workspace": "0o700", "aliases": "0o700"}
    assert modes(tmp_path / "chosen") == {"chosen": "0o755", "aliases": "0o755"}
    assert modes(tmp_path / "cache")["cache"] == "0o700"


def test_shared_folder_is_no_home_to_close(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    (tmp_path / "airflow.db").touch(0o644)
    (tmp_path / "somebodys").touch(0o644)
    before = os.umask(0o022)
    try:
        keep_private({"AIRFLOW_HOME": str(tmp_path), "ASKREPO_WORKSPACE": "s3://bucket"})
    finally:
        os.umask(before)

    assert modes(tmp_path) == {tmp_path.name: "0o1777", "airflow.db": "0o600", "somebodys": "0o644"}


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


def test_log_does_not_tell_a_reason_twice() -> None:
    assert list(RunLog().read(record(logger="askrepo_operators.reason", event="::endgroup::"))) == []


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


def test_second_airflow_is_kept_out_of_a_home_that_one_runs_in(tmp_path: Path) -> None:
    told = f"another make airflow runs in {tmp_path}: stop that one, or set ASKREPO_AIRFLOW_HOME"
    with sole_use(tmp_path), pytest.raises(SetUpError, match=told):
        sole_use(tmp_path).__enter__()

    with sole_use(tmp_path):
        pass


def test_port_that_one_airflow_starts_on_is_not_free_for_another() -> None:
    port = free_port()
    with reserved(port):
        assert free_port(first=port) > port
        with socket.create_server(("127.0.0.1", port)):  # as its page does
            assert free_port(first=port) > port


def test_next_free_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        assert free_port(first=port) > port
