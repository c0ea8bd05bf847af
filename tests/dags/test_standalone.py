"""A whole Airflow, started as `make airflow` starts it, triggered over REST, its result searched by the command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.conftest import GitRepository
from tools.airflow_home import ROOT, airflow_environment
from tools.serve import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

RUN_TIMEOUT_S = 150.0


class Rest:
    """Airflow's REST interface, as somebody with the login uses it."""

    def __init__(self, airflow: Served) -> None:
        self.url = airflow.url
        login = {"username": airflow.user, "password": airflow.password}
        self.token = self.call("POST", "/auth/token", login)["access_token"]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "token"):
            headers["Authorization"] = f"Bearer {self.token}"
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=content, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def ingest(self, conf: dict[str, Any]) -> str:
        """The end state of a run of askrepo_ingest."""
        runs = "/api/v2/dags/askrepo_ingest/dagRuns"
        run = self.call("POST", runs, {"logical_date": None, "conf": conf})
        deadline = time.monotonic() + RUN_TIMEOUT_S
        while run["state"] in {"queued", "running"} and time.monotonic() < deadline:
            time.sleep(0.5)
            run = self.call("GET", f"{runs}/{run['dag_run_id']}")
        return str(run["state"])

    def wait_for_dag(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.call("GET", "/api/v2/dags/askrepo_ingest")
            except urllib.error.HTTPError:
                time.sleep(0.5)
            else:
                return


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow with a home and a workspace of its own."""
    folder = tmp_path_factory.mktemp("standalone")
    caller = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ASKREPO_"))}
    ours = {"ASKREPO_AIRFLOW_HOME": "airflow", "ASKREPO_WORKSPACE": "workspace", "ASKREPO_CACHE": "cache"}
    return airflow_environment(caller | {name: str(folder / value) for name, value in ours.items()})


@pytest.fixture(scope="module")
def airflow(environment: dict[str, str]) -> Iterator[Served]:
    """What `make airflow` starts, as its terminal shows it; a random port takes the place of 8080."""
    command = [sys.executable, "-m", "tools.serve"]
    own = environment | {"PORT": str(free_port())}
    with subprocess.Popen(command, cwd=ROOT, env=own, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Served.read(process)
        finally:
            process.terminate()


@dataclass(frozen=True)
class Served:
    """A running `make airflow`."""

    process: subprocess.Popen[str]
    url: str
    user: str
    password: str

    @classmethod
    def read(cls, process: subprocess.Popen[str]) -> Served:
        shown = ""
        for line in process.stdout or ():
            shown += line
            if found := re.search(r"(http://127.0.0.1:\d+)/\S+\s+user (\S+), password (\S+)", shown):
                return cls(process, *found.groups())
        raise AssertionError(f"no login shown: {shown}")

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def askrepo(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command, or the module where the package is not installed."""
    installed = Path(sys.executable).with_name("askrepo")
    command = [str(installed)] if installed.exists() else [sys.executable, "-m", "query"]
    return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True)


def test_run_triggered_over_rest_is_searched_by_the_command(
    airflow: Served, environment: dict[str, str], make_repository: Callable[..., GitRepository]
) -> None:
    repository = make_repository("project", {"greet.py": "def greet(name):\n    return f'hello {name}'\n"})
    rest = Rest(airflow)
    rest.wait_for_dag()

    state = rest.ingest({"alias": "main", "repositories": [repository.url]})

    assert state == "success"
    found = askrepo(environment, "search", "--alias", "main", "--json", "greet somebody by name")
    assert found.returncode == 0, found.stderr
    hit = json.loads(found.stdout.splitlines()[0])
    assert (hit["path"], hit["start_line"], hit["end_line"]) == ("greet.py", 1, 2)
    assert hit["commit"] == repository.git("rev-parse", "HEAD")


def test_wrong_parameters_are_answered_with_what_is_wrong(airflow: Served) -> None:
    rest = Rest(airflow)
    rest.wait_for_dag()

    with pytest.raises(urllib.error.HTTPError) as caught:
        rest.ingest({"alias": "Not An Alias", "repositories": ["https://host/owner/name"]})

    assert caught.value.code == 400
    assert "Invalid input for param alias" in caught.value.read().decode()


def test_nothing_listens_beyond_this_machine_for_the_page(airflow: Served) -> None:
    port = urlsplit(airflow.url).port
    listening = {
        connection.laddr.ip
        for process in airflow.processes()
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }

    assert listening == {"127.0.0.1"}


def test_termination_leaves_no_process(airflow: Served) -> None:  # last: nothing works after it
    processes = airflow.processes()

    airflow.process.terminate()

    assert airflow.process.wait(timeout=60) == 0
    assert len(processes) > 3
    assert not [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
