"""What make's Airflow sends to other machines while it serves its page, watches a repository and builds: nothing."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.airflow_rest import Rest, wait_for
from tests.conftest import GitRepository
from tests.network_trace import NetworkTrace
from tools.airflow_home import ROOT
from tools.serve import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

# What phones home does so after its first seconds.
SILENT_S = 20.0
TIMEOUT_S = 180.0
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


@pytest.fixture
def environment(tmp_path: Path, make_repository: Callable[..., GitRepository]) -> dict[str, str]:
    """A shell's environment and, beside ours, an alias that is watched."""
    repository = make_repository("project", {"greet.py": "def greet(name):\n    return f'hello {name}'\n"})
    dags = Path(shutil.copytree(ROOT / "dags", tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__")))
    (dags / "aliases.yaml").write_text(ALIASES.format(url=repository.url))
    ours = {name: str(tmp_path / name.lower()) for name in ("ASKREPO_AIRFLOW_HOME", "ASKREPO_WORKSPACE")}
    ours |= {"ASKREPO_CACHE": str(tmp_path / "cache"), "ASKREPO_ALLOW_LOCAL": "1", "PORT": str(free_port())}
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ASKREPO_"))}
    return outer | TALKATIVE | ours | {"ASKREPO_AIRFLOW__CORE__DAGS_FOLDER": str(dags)}


@pytest.fixture
def served(environment: dict[str, str]) -> Iterator[tuple[NetworkTrace, Rest]]:
    """`make airflow` under the trace, healthy."""
    login = re.compile(r"(http://127.0.0.1:\d+)/\S+\s+user (\S+), password (\S+)")
    with NetworkTrace([sys.executable, "-m", "tools.serve"], env=environment) as trace:
        wait_for("login", lambda: login.search(trace.output()) or trace.process.poll(), timeout_s=TIMEOUT_S)
        found = login.search(trace.output())
        assert found, trace.output()
        yield trace, Rest(found[1], user=found[2], password=found[3])


def test_page_triggerer_and_a_whole_run_speak_to_this_machine_only(served: tuple[NetworkTrace, Rest]) -> None:
    trace, rest = served
    healthy_at = time.monotonic()
    dag = "askrepo_alias_watched"

    wait_for("the watch's run", lambda: rest.has_dag(dag) and ended(rest, dag), timeout_s=TIMEOUT_S)
    page = urllib.request.urlopen(rest.url, timeout=30).read().decode()
    time.sleep(max(0.0, SILENT_S - (time.monotonic() - healthy_at)))

    assert trace.process.poll() is None
    trace.stop()
    assert ended_states(trace.output()) == []
    assert trace.calls() > 100
    assert trace.foreign() == []
    assert hosts_in(page) <= {"127.0.0.1", "localhost"}


def ended(rest: Rest, dag: str) -> bool:
    """Whether a run of the DAG ended, and well."""
    states = [run["state"] for run in rest.call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]]
    assert "failed" not in states
    return "success" in states


def ended_states(output: str) -> list[str]:
    """What the terminal shows of parts that ended by themselves."""
    return re.findall(r"error: .*", output)


def hosts_in(page: str) -> set[str]:
    """Hosts that a page loads something from."""
    return set(re.findall(r"""(?:src|href|url\()\s*=?\s*["']?(?:https?:)?//([^/"':]+)""", page))
