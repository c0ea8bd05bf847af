"""The whole flow under Celery: workers that share PostgreSQL, Redis and an object store, one of them killed.

`make test-celery` runs this file; `make test` leaves it out (pyproject.toml, marker `celery`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.airflow_rest import DagRun, Rest, wait_for
from tests.celery_airflow import CeleryAirflow
from tests.conftest import GitRepository
from tests.fakes import OpenAIServer, seeded_vector
from tests.git_server import GitServer
from tests.processes import Processes
from tests.s3_server import S3Server
from tests.services import start_postgres, start_redis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

pytestmark = [pytest.mark.celery, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[1]
DAG = "askrepo_ingest"
RUN_TIMEOUT_S = 600.0
GIT_PASSWORD, API_KEY, STORE_SECRET = "password-of-the-git-server", "sk-key-of-the-embedder", "secret-of-the-store"
# Enough text for several embed tasks, each of several batches.
FILES, FUNCTIONS = 100, 120
HELD_FILE = "module_014.py"
# What docker-compose.yaml waits for is minutes; the order of things is the same.
SMALL_AND_QUICK = {
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    "ASKREPO_RETRY_DELAY_S": "1",
    # Runs start when the tests say so.
    "ASKREPO_REFRESH_SCHEDULE": "none",
}


@dataclass
class Hold:
    """Makes the embedding of one file's first text wait, once.

    :ivar file: its name, with which each of its texts begins.
    """

    file: str = ""
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def vector_of(self, text: str, dimension: int) -> NDArray[np.float32]:
        if self.file and file_of(text) == self.file:
            self.file = ""
            self.reached.set()
            self.released.wait()
        return seeded_vector(text, dimension)


@dataclass(frozen=True)
class Stage:
    """Everything outside Airflow and askrepo: a git server, an embeddings service, an object store.

    :ivar environment: the pipeline's, with all credentials in Airflow connections.
    :ivar readers: the command's, which knows no Airflow.
    """

    repository: GitRepository
    url: str
    embeddings: OpenAIServer
    hold: Hold
    environment: Mapping[str, str]
    readers: Mapping[str, str]

    def conf(self, alias: str) -> dict[str, Any]:
        return {"alias": alias, "repositories": [self.url], "embedder": "openai:test-model"}

    def texts_during(self, action: Callable[[], None]) -> Counter[str]:
        """The texts that the embeddings service is sent meanwhile, and how often, without the spot checks.

        Those are texts that are sent again alone.
        """
        before = len(self.embeddings.requests)
        action()
        texts: Counter[str] = Counter()
        for request in self.embeddings.requests[before:]:
            sent = request.body["input"]
            if len(sent) > 1 or sent[0] not in texts:
                texts.update(sent)
        return texts


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    repository = GitRepository(folder / "repositories" / "project")
    repository.commit({f"package/module_{number:03d}.py": module(number) for number in range(FILES)})
    hold = Hold()
    git = GitServer(folder / "repositories", password=GIT_PASSWORD)
    thread = threading.Thread(target=git.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        with S3Server() as s3, OpenAIServer(api_key=API_KEY, vector_of=hold.vector_of) as embeddings:
            place = {"region_name": "us-east-1", "endpoint_url": s3.url}
            connections = {
                "GIT_SERVER": {"conn_type": "git", "host": git.url, "login": "bot", "password": GIT_PASSWORD},
                "OPENAI_DEFAULT": {"conn_type": "openai", "host": embeddings.base_url, "password": API_KEY},
                "STORE": {"conn_type": "aws", "login": "pipeline", "password": STORE_SECRET, "extra": place},
            }
            workspace = {"ASKREPO_WORKSPACE": f"s3://{s3.new_bucket()}/workspace"}
            environment = {
                **workspace,
                "ASKREPO_WORKSPACE_CONN_ID": "store",
                "ASKREPO_GIT_CONN_ID": "git_server",
                "ASKREPO_ALLOW_LOCAL": "1",
                **{f"AIRFLOW_CONN_{name}": json.dumps(values) for name, values in connections.items()},
            }
            service = {"OPENAI_API_KEY": API_KEY, "OPENAI_BASE_URL": embeddings.base_url}
            readers = {**workspace, **s3.environment, **service}
            yield Stage(repository, f"{git.url}/project", embeddings, hold, environment, readers)
            hold.released.set()
    finally:
        git.shutdown()
        git.server_close()
        thread.join()


def file_of(text: str) -> str:
    """The name of the file that an embedded text is from."""
    return text.partition("\n")[0]


def module(number: int) -> str:
    """A Python file of about 36 kB."""
    return "\n\n".join(function(number, index) for index in range(FUNCTIONS))


def function(number: int, index: int) -> str:
    body = "\n".join(f"    total += value_{number} * {line} - offset_{index}" for line in range(5))
    return f"def compute_{number}_{index}(total, value_{number}, offset_{index}):\n{body}\n    return total\n"


@pytest.fixture(scope="module")
def airflow(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CeleryAirflow]:
    with Processes() as processes:
        yield CeleryAirflow(
            processes,
            tmp_path_factory.mktemp("airflow"),
            start_postgres(processes),
            start_redis(processes),
            overrides={**stage.environment, **SMALL_AND_QUICK},
        )


@pytest.fixture(scope="module")
def rest(airflow: CeleryAirflow) -> Rest:
    rest = airflow.start(workers=2)
    wait_for(f"DAG {DAG}", lambda: rest.has_dag(DAG), timeout_s=60)
    for name in ("worker-1", "worker-2"):
        wait_for(f"ready {name}", partial(is_ready, airflow, name), timeout_s=120)
    return rest


def is_ready(airflow: CeleryAirflow, worker: str) -> bool:
    return " ready." in airflow.log_of(worker)


@dataclass(frozen=True)
class Finished:
    """A run that ended well, and what the embeddings service saw of it."""

    run: DagRun
    texts: Counter[str]
    status: dict[str, Any]


@pytest.fixture(scope="module")
def undisturbed(rest: Rest, stage: Stage, command: Command) -> Finished:
    return ingest(rest, stage, command, "undisturbed")


@pytest.fixture(scope="module")
def disturbed(rest: Rest, airflow: CeleryAirflow, stage: Stage, command: Command, undisturbed: Finished) -> Finished:
    """A run of the same commit; a worker is killed while an embed task of it waits for its second batch or later."""
    stage.hold.file = HELD_FILE

    def kill_one_worker() -> None:
        assert stage.hold.reached.wait(RUN_TIMEOUT_S), "no embed task came to the held file"
        run = DagRun(DAG, rest.call("GET", f"/api/v2/dags/{DAG}/dagRuns?order_by=-id")["dag_runs"][0]["dag_run_id"])
        held = wait_for("single running embed task", lambda: single_running(rest, run), timeout_s=RUN_TIMEOUT_S)
        airflow.kill(held["hostname"])
        stage.hold.released.set()

    return ingest(rest, stage, command, "disturbed", meanwhile=kill_one_worker)


def ingest(
    rest: Rest, stage: Stage, command: Command, alias: str, *, meanwhile: Callable[[], None] = lambda: None
) -> Finished:
    runs = []

    def run() -> None:
        runs.append(rest.trigger(DAG, stage.conf(alias)))
        meanwhile()
        state = rest.end_state(runs[0], timeout_s=RUN_TIMEOUT_S)
        assert state == "success", [one for one in rest.instances(runs[0]) if one["state"] != "success"]

    texts = stage.texts_during(run)
    return Finished(runs[0], texts, json.loads(command("status", "--alias", alias, "--json")))


def single_running(rest: Rest, run: DagRun) -> dict[str, Any] | None:
    """The embed task that is left when all others of the run are done."""
    states = Counter(one["state"] for one in rest.instances(run, "embed"))
    running = [one for one in rest.instances(run, "embed") if one["state"] == "running"]
    return running[0] if len(running) == 1 and states["success"] == states.total() - 1 else None


Command = Callable[..., str]


@pytest.fixture(scope="module")
def command(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command on a machine of its own: it has the object store's and the embedder's credentials, nothing else."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path_factory.mktemp("reader")), **stage.readers}

    def run(*arguments: str) -> str:
        line = [sys.executable, "-m", "askrepo_query", *arguments]
        done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_all_workers_take_part(rest: Rest, undisturbed: Finished) -> None:
    hosts = {one["hostname"] for one in rest.instances(undisturbed.run) if one["state"] == "success"}

    assert hosts == {"worker-1", "worker-2"}
    assert len(rest.instances(undisturbed.run, "embed")) >= 2


def test_run_outlives_a_killed_worker(rest: Rest, undisturbed: Finished, disturbed: Finished) -> None:
    tries = [one["try_number"] for one in rest.instances(disturbed.run, "embed")]

    assert sorted(tries) == [1] * (len(tries) - 1) + [2]
    assert disturbed.status["digest"] == undisturbed.status["digest"]


def test_killed_task_embeds_again_only_the_batch_it_lost(undisturbed: Finished, disturbed: Finished) -> None:
    again = {text for text, count in disturbed.texts.items() if count > 1}
    until_then = {text for text in disturbed.texts if file_of(text) <= HELD_FILE}

    assert disturbed.texts.keys() == undisturbed.texts.keys()
    assert set(undisturbed.texts.values()) == {1}
    assert 0 < len(again) <= 256
    assert len(again) < len(until_then)
    assert max(disturbed.texts.values()) == 2


def test_refresh_after_a_push_costs_what_changed(
    rest: Rest, stage: Stage, command: Command, disturbed: Finished
) -> None:
    changed = "module_031.py"
    stage.repository.commit({f"package/{changed}": "def greet(name):\n    return f'hello {name}'\n\n\n" + module(31)})

    refreshed = ingest(rest, stage, command, "disturbed")

    hit = json.loads(command("search", "--alias", "disturbed", "--json", "greet somebody by name").splitlines()[0])
    assert hit["path"] == f"package/{changed}"
    assert hit["commit"] == stage.repository.git("rev-parse", "HEAD")
    assert {file_of(text) for text in refreshed.texts} == {changed}
    assert refreshed.status["number"] == disturbed.status["number"] + 1


def test_no_secret_is_in_any_log(airflow: CeleryAirflow, disturbed: Finished) -> None:
    secrets = [GIT_PASSWORD, API_KEY, STORE_SECRET, airflow.postgres.authority.split(":")[1].split("@")[0]]
    logs = [path for path in airflow.folder.rglob("*") if path.is_file() and path.suffix in {"", ".log"}]

    shown = {str(path) for path in logs for secret in secrets if secret.encode() in path.read_bytes()}

    assert len(logs) > 10
    assert shown == set()
