"""A whole Airflow, started as `make airflow` starts it: triggered over REST, its result searched by the command.

It serves its page, watches a repository, builds and refreshes, and sends nothing to other machines.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.workspace.objects import Workspace
from tests.airflow_rest import Rest, wait_for
from tests.conftest import GitRepository
from tests.network_trace import NetworkTrace
from tools.airflow_home import ROOT, airflow_environment
from tools.serve import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

DAG, WATCHED_DAG = "askrepo_ingest", "askrepo_alias_watched"
START_TIMEOUT_S, RUN_TIMEOUT_S = 200.0, 200.0
# What phones home does so after its first seconds.
SILENT_S = 20.0
ALIASES = """
aliases:
  watched:
    repositories: ["{url}"]
    watch: 5s
"""
# As in the shell of somebody who has all this for other projects.
TALKATIVE = {
    "LANGSMITH_TRACING": "true",
    "LANGSMITH_API_KEY": "lsv2_test",
    "LANGCHAIN_TRACING_V2": "true",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "True",
    "AIRFLOW__CORE__HOSTNAME_CALLABLE": "airflow.utils.net.getfqdn",
    "http_proxy": "http://192.0.2.1:3128",
    "HTTPS_PROXY": "http://192.0.2.1:3128",
}
GREETING = "def greet(name):\n    return f'hello {name}'\n"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A shell's environment and, beside ours, an alias that is watched; home and workspace are of its own."""
    folder = tmp_path_factory.mktemp("standalone")
    repository = GitRepository(folder / "repositories" / "watched")
    repository.commit({"greet.py": GREETING})
    dags = Path(shutil.copytree(ROOT / "dags", folder / "dags", ignore=shutil.ignore_patterns("__pycache__")))
    (dags / "aliases.yaml").write_text(ALIASES.format(url=repository.url))
    caller = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ASKREPO_"))}
    ours = {"ASKREPO_AIRFLOW_HOME": "airflow", "ASKREPO_WORKSPACE": "workspace", "ASKREPO_CACHE": "cache"}
    ours = {name: str(folder / value) for name, value in ours.items()} | {"ASKREPO_ALLOW_LOCAL": "1"}
    return caller | TALKATIVE | ours | {"ASKREPO_AIRFLOW__CORE__DAGS_FOLDER": str(dags)}


@pytest.fixture(scope="module")
def airflow(environment: dict[str, str]) -> Iterator[Served]:
    """`make airflow` under the trace, as its terminal shows it; a random port takes the place of 8080."""
    login = re.compile(r"(http://127.0.0.1:\d+)/\S+\s+user (\S+), password (\S+)")
    command = [sys.executable, "-m", "tools.serve"]
    with NetworkTrace(command, env=environment | {"PORT": str(free_port())}) as trace:
        wait_for("login", lambda: login.search(trace.output()) or trace.process.poll(), timeout_s=START_TIMEOUT_S)
        found = login.search(trace.output())
        assert found, trace.output()
        yield Served(trace, time.monotonic(), *found.groups())


@dataclass(frozen=True)
class Served:
    """A running `make airflow`, healthy since a moment of the monotonic clock."""

    trace: NetworkTrace
    healthy_at: float
    url: str
    user: str
    password: str

    def rest(self) -> Rest:
        return Rest(self.url, user=self.user, password=self.password)

    def listening(self) -> set[tuple[str, int]]:
        """Address and port of every socket that waits for connections."""
        return {
            (connection.laddr.ip, connection.laddr.port)
            for process in self.processes()
            for connection in _connections(process)
            if connection.status == psutil.CONN_LISTEN
        }

    def processes(self) -> list[psutil.Process]:
        """Its processes, the one that make starts first."""
        return psutil.Process(self.trace.process.pid).children(recursive=True)


def _connections(process: psutil.Process) -> list[Any]:
    """Those of a process; none of one that has ended meanwhile, as tasks do."""
    with suppress(psutil.NoSuchProcess):
        return process.net_connections()
    return []


def askrepo(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command, or the module where the package is not installed."""
    installed = Path(sys.executable).with_name("askrepo")
    command = [str(installed)] if installed.exists() else [sys.executable, "-m", "askrepo_query"]
    env = airflow_environment(environment)
    return subprocess.run([*command, *arguments], env=env, capture_output=True, text=True)


def test_run_triggered_over_rest_is_searched_by_the_command(
    airflow: Served, environment: dict[str, str], make_repository: Callable[..., GitRepository]
) -> None:
    repository = make_repository("project", {"greet.py": GREETING})
    rest = airflow.rest()
    wait_for(f"DAG {DAG}", lambda: rest.has_dag(DAG), timeout_s=60)

    run = rest.trigger(DAG, {"alias": "main", "repositories": [repository.url]})

    assert rest.end_state(run, timeout_s=RUN_TIMEOUT_S) == "success"
    found = askrepo(environment, "search", "--alias", "main", "--json", "greet somebody by name")
    assert found.returncode == 0, found.stderr
    hit = json.loads(found.stdout.splitlines()[0])
    assert (hit["path"], hit["start_line"], hit["end_line"]) == ("greet.py", 1, 2)
    assert hit["commit"] == repository.git("rev-parse", "HEAD")


def test_refresh_runs_again_what_was_made_by_hand(
    airflow: Served, environment: dict[str, str], make_repository: Callable[..., GitRepository]
) -> None:
    repositories = {alias: make_repository(alias, {"a.py": GREETING}) for alias in ("changed", "gone")}
    catalogue = AliasCatalogue(Workspace.open(environment["ASKREPO_WORKSPACE"]))
    rest = airflow.rest()
    wait_for("DAGs", lambda: rest.has_dag(DAG) and rest.has_dag("askrepo_refresh"), timeout_s=60)
    first = [
        rest.trigger(DAG, {"embedder": "hash", "alias": alias, "repositories": [repository.url]})
        for alias, repository in repositories.items()
    ]
    assert [rest.end_state(run, timeout_s=RUN_TIMEOUT_S) for run in first] == ["success"] * 2
    commit = repositories["changed"].commit({"b.py": GREETING})
    shutil.rmtree(repositories["gone"].path)

    refresh = rest.trigger("askrepo_refresh", {})

    assert rest.end_state(refresh, timeout_s=RUN_TIMEOUT_S) == "failed"  # one could not be read
    assert [catalogue.number(alias) for alias in repositories] == [2, 1]
    assert catalogue.current("changed").manifest.snapshots[0].commit == commit
    runs = rest.call("GET", f"/api/v2/dags/{DAG}/dagRuns?order_by=run_id")["dag_runs"]
    refreshed = {run["conf"]["alias"]: run["state"] for run in runs if run["dag_run_id"].startswith("refresh__")}
    assert (refreshed["changed"], refreshed["gone"]) == ("success", "failed")


def test_wrong_parameters_are_answered_with_what_is_wrong(airflow: Served) -> None:
    rest = airflow.rest()
    wait_for(f"DAG {DAG}", lambda: rest.has_dag(DAG), timeout_s=60)

    with pytest.raises(urllib.error.HTTPError) as caught:
        rest.trigger(DAG, {"alias": "Not An Alias", "repositories": ["https://host/owner/name"]})

    assert caught.value.code == 400
    assert "Invalid input for param alias" in caught.value.read().decode()


def test_page_triggerer_and_runs_speak_to_this_machine_only(airflow: Served) -> None:
    rest = airflow.rest()
    wait_for("the watch's run", lambda: rest.has_dag(WATCHED_DAG) and ended(rest, WATCHED_DAG), timeout_s=RUN_TIMEOUT_S)
    page = urllib.request.urlopen(airflow.url, timeout=30).read().decode()
    time.sleep(max(0.0, SILENT_S - (time.monotonic() - airflow.healthy_at)))

    assert airflow.trace.process.poll() is None
    assert re.findall(r"error: .*", airflow.trace.output()) == []  # of parts that ended by themselves
    assert airflow.trace.calls() > 100
    assert airflow.trace.foreign() == []
    assert hosts_in(page) <= {"127.0.0.1", "localhost"}


def ended(rest: Rest, dag: str) -> bool:
    """Whether a run of the DAG ended, and well."""
    states = [run["state"] for run in rest.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]]
    assert "failed" not in states
    return "success" in states


def hosts_in(page: str) -> set[str]:
    """Hosts that a page loads something from."""
    return set(re.findall(r"""(?:src|href|url\()\s*=?\s*["']?(?:https?:)?//([^/"':]+)""", page))


def test_the_page_that_waits_for_the_database_does_not_hold_up_the_tasks(
    airflow: Served, environment: dict[str, str]
) -> None:
    rest = airflow.rest()
    wait_for(f"DAG {DAG}", lambda: rest.has_dag(DAG), timeout_s=60)
    metadata = Path(environment["ASKREPO_AIRFLOW_HOME"]) / "airflow.db"
    [tasks_port] = {port for _, port in airflow.listening()} - {urlsplit(airflow.url).port}

    with ThreadPoolExecutor() as pool, closing(sqlite3.connect(metadata, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        triggered = pool.submit(rest.trigger, DAG, {"alias": "waits", "repositories": ["https://host.invalid/a/b"]})
        time.sleep(1)
        assert not triggered.done()
        with urllib.request.urlopen(f"http://127.0.0.1:{tasks_port}/execution/health", timeout=2) as answer:
            assert json.load(answer) == {"status": "healthy"}
        database.execute("COMMIT")

        assert triggered.result().dag_id == DAG


def test_nothing_listens_beyond_this_machine(airflow: Served) -> None:
    assert {address for address, _ in airflow.listening()} == {"127.0.0.1"}


def test_termination_leaves_no_process(airflow: Served) -> None:  # last: nothing works after it
    processes = airflow.processes()

    processes[0].terminate()

    assert airflow.trace.wait(60) == 0
    assert len(processes) > 3
    assert not [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
