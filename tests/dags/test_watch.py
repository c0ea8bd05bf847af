"""A whole Airflow with watched aliases and a pool of one slot: pushes lead to swaps, paid calls never overlap."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.types import AliasEntry
from askrepo.workspace.objects import Workspace
from tests.airflow_rest import Rest, wait_for
from tests.conftest import GitRepository
from tests.fakes import OpenAIServer, seeded_vector
from tests.git_server import GitServer
from tools.airflow_home import EMBED_POOL, ROOT, airflow_environment, migrate
from tools.serve import StandaloneAirflow, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

POLL_S = 5
START_TIMEOUT_S = 300.0
TIMEOUT_S = 240.0
TOKEN = "token-of-the-watched-repository"
# The cron beside the watch has no date between the DAG's start and 2028.
ALIASES = """
aliases:
  watched:
    repositories: ["{url}/project"]
    watch: {poll_s}s
    schedule: "0 0 29 2 *"
    embedder: hash
    git_conn_ids: private
"""


class BusyService(OpenAIServer):
    """An endpoint that answers when it is let, and knows how many were waiting at once."""

    def __init__(self) -> None:
        super().__init__(vector_of=self._answer)
        self.let = threading.Event()
        self.asked = threading.Event()
        self.most_at_once = 0
        self._at_once = 0
        self._counting = threading.Lock()

    def _answer(self, text: str, dimension: int) -> Any:
        with self._counting:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        self.asked.set()
        self.let.wait(TIMEOUT_S)
        with self._counting:
            self._at_once -= 1
        return seeded_vector(text, dimension)


@dataclass(frozen=True)
class Site:
    """An Airflow with the alias `watched`, the workspace it writes to and the services it asks."""

    airflow: StandaloneAirflow
    rest: Rest
    workspace: Workspace
    service: BusyService
    repository: GitRepository
    server: GitServer

    def current(self, alias: str) -> AliasEntry | None:
        catalogue = AliasCatalogue(self.workspace)
        return catalogue.current(alias) if catalogue.number(alias) else None

    def wait_for_commit(self, alias: str, commit: str) -> AliasEntry:
        """The alias's entry, as soon as it is of that commit."""

        def look() -> AliasEntry | None:
            entry = self.current(alias)
            return entry if entry is not None and entry.manifest.snapshots[0].commit == commit else None

        return wait_for(f"swap of {alias} to {commit}", look, timeout_s=TIMEOUT_S)

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The DAG's runs, oldest first."""
        return list(self.rest.call("GET", f"/api/v2/dags/{dag_id}/dagRuns?order_by=run_after")["dag_runs"])

    def pushes(self) -> list[dict[str, Any]]:
        """What the watches announced, oldest first."""
        events = self.rest.call("GET", "/api/v2/assets/events?order_by=timestamp")["asset_events"]
        return [event["extra"]["payload"] for event in events if event["extra"].get("from_trigger")]

    def stop_triggerer(self) -> None:
        for process in self.airflow.processes("triggerer"):
            process.terminate()
        wait_for("end of the triggerer", lambda: not self.airflow.processes("triggerer"), timeout_s=TIMEOUT_S)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("watch")
    repository = GitRepository(folder / "repositories" / "project")
    repository.commit({"a.py": "def first():\n    return 1\n"})
    with BusyService() as service, serving(folder / "repositories") as server:
        environment = environment_of(folder)
        environment |= {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": service.base_url}
        (folder / "dags" / "aliases.yaml").write_text(ALIASES.format(url=server.url, poll_s=POLL_S))
        migrate(environment)
        airflow = StandaloneAirflow(environment, port=free_port())
        try:
            airflow.start()
            airflow.wait_until_healthy(START_TIMEOUT_S)
            user, password = airflow.login()
            rest = Rest(airflow.url, user=user, password=password)
            workspace = Workspace.open(environment["ASKREPO_WORKSPACE"])
            yield Site(airflow, rest, workspace, service, repository, server)
        finally:
            service.let.set()
            airflow.stop()


@contextmanager
def serving(repositories: Path) -> Iterator[GitServer]:
    server = GitServer(repositories, password=TOKEN)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def environment_of(folder: Path) -> dict[str, str]:
    """The environment of an Airflow with home, workspace and DAGs of its own: those that build aliases."""
    ignored = shutil.ignore_patterns("__pycache__", "askrepo_refresh.py", "askrepo_remove.py", "askrepo_maintenance.py")
    shutil.copytree(ROOT / "dags", folder / "dags", ignore=ignored)
    caller = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ASKREPO_"))}
    caller["ASKREPO_ALLOW_LOCAL"] = "1"
    ours = {"ASKREPO_AIRFLOW_HOME": "airflow", "ASKREPO_WORKSPACE": "workspace", "ASKREPO_CACHE": "cache"}
    environment = airflow_environment(caller | {name: str(folder / value) for name, value in ours.items()})
    return environment | {"AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags")}


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def test_push_leads_to_a_swap_within_seconds_and_a_restart_of_the_triggerer_misses_none(
    site: Site,
) -> None:
    # In Airflow's database, where only the triggerer's own way of asking finds it.
    connection = {"connection_id": "private", "conn_type": "git", "host": site.server.url, "login": "bot"}
    site.rest.call("POST", "/api/v2/connections", connection | {"password": TOKEN})
    site.wait_for_commit("watched", site.repository.git("rev-parse", "HEAD"))
    wait_for("end of the first run", lambda: ended(site.runs("askrepo_alias_watched"), 1), timeout_s=TIMEOUT_S)
    assert [push["alias"] for push in site.pushes()] == ["watched"]

    pushed_at = time.time()
    second = site.repository.commit({"a.py": "def second():\n    return 2\n"})
    entry = site.wait_for_commit("watched", second)

    [_, run] = wait_for("end of two runs", lambda: ended(site.runs("askrepo_alias_watched"), 2), timeout_s=TIMEOUT_S)
    assert (run["run_type"], run["state"]) == ("asset_triggered", "success")
    queued_s, swapped_s = seconds(run["queued_at"]) - pushed_at, seconds(entry.swapped_at) - pushed_at
    sys.stdout.write(f"from push to queued run {queued_s:.1f} s, to swap {swapped_s:.1f} s\n")  # shown by pytest -rP

    site.stop_triggerer()
    third = site.repository.commit({"a.py": "def third():\n    return 3\n"})
    site.airflow.start_component("triggerer")
    site.wait_for_commit("watched", third)
    asked = len(site.server.requests)
    wait_for("further looks", lambda: len(site.server.requests) > asked + 4, timeout_s=TIMEOUT_S)
    assert [push["commits"]["project"] for push in site.pushes()][1:] == [second, third]
    shown = json.dumps(site.pushes()) + "".join(log.read_text() for log in site.airflow.home.glob("logs/**/*.log"))
    assert TOKEN not in shown


def ended(runs: list[dict[str, Any]], count: int) -> list[dict[str, Any]] | None:
    done = [run for run in runs if run["state"] in {"success", "failed"}]
    return done if len(done) == count else None


def test_paid_calls_of_two_runs_never_overlap_in_a_pool_of_one_slot(
    site: Site, make_repository: Callable[..., GitRepository]
) -> None:
    pool = {"name": EMBED_POOL, "slots": 1, "include_deferred": False}
    site.rest.call("PATCH", f"/api/v2/pools/{EMBED_POOL}", pool)
    wait_for("DAG", lambda: site.rest.has_dag("askrepo_ingest"), timeout_s=TIMEOUT_S)
    runs = []
    for alias in ("one", "two"):
        repository = make_repository(alias, {"a.py": f"def {alias}():\n    return {alias!r}\n"})
        conf = {"alias": alias, "repositories": [repository.url], "embedder": "openai:any"}
        runs.append(site.rest.trigger("askrepo_ingest", conf))

    def embeds() -> list[dict[str, Any]]:
        return [instance for run in runs for instance in site.rest.instances(run, "embed")]

    def one_waits() -> bool:
        return sorted(str(instance["state"]) for instance in embeds()) == ["running", "scheduled"]

    wait_for("first call", site.service.asked.is_set, timeout_s=TIMEOUT_S)
    wait_for("second embed task", one_waits, timeout_s=TIMEOUT_S)
    time.sleep(5)  # time in which a scheduler that did not care would have started it
    assert one_waits()
    site.service.let.set()

    assert [site.rest.end_state(run, timeout_s=TIMEOUT_S) for run in runs] == ["success", "success"]
    assert {instance["pool"] for instance in embeds()} == {EMBED_POOL}
    first, second = sorted(embeds(), key=lambda instance: str(instance["start_date"]))
    assert seconds(first["end_date"]) <= seconds(second["start_date"])
    assert site.service.most_at_once == 1
