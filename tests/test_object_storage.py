"""The whole flow with everything on an object store, which is all that its processes share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.store import inventory
from askrepo.store.location import DatasetLocation
from askrepo.workspace.objects import Workspace
from tests.airflow_rest import Rest, wait_for
from tests.airflow_session import AIRFLOW_WARNINGS, FinishedRun, airflow_db, dagbag, run_ingest  # noqa: F401
from tests.conftest import GitRepository
from tests.datasets import BuiltAlias, build_alias, run_stages
from tests.s3_server import S3Server, s3_server  # noqa: F401
from tools.airflow_home import airflow_environment, migrate
from tools.serve import StandaloneAirflow, free_port

ROOT = Path(__file__).resolve().parents[1]
FILES = {
    "README.md": "# Parcel\n\nParcel delivers messages between services.\n",
    "src/retry.py": "def backoff(attempt):\n    return 2.0**attempt\n",
}
NEW_FILE = {"src/fresh.py": "def fresh_parcel():\n    return 'fresh'\n"}
SECRET = "secret-key-of-the-store"
DAG = "askrepo_ingest"


@dataclass(frozen=True)
class Machine:
    """A computer that has nothing but a home of its own and access to the store."""

    home: Path
    workspace: str
    credentials: Mapping[str, str]

    def askrepo(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "ASKREPO_WORKSPACE": self.workspace,
            **self.credentials,
            **env,
        }
        command = [sys.executable, "-m", "askrepo_query", *arguments]
        return subprocess.run(command, env=environment, cwd=self.home, capture_output=True, text=True)

    def json_of(self, *arguments: str, **env: str) -> list[dict[str, Any]]:
        """What a command prints with --json."""
        done = self.askrepo(*arguments, "--json", **env)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    @property
    def copies(self) -> list[Path]:
        """Copies of datasets."""
        return [path for path in (self.home / ".cache" / "askrepo" / "datasets").glob("*") if path.is_dir()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, s3_server: S3Server) -> BuiltAlias:  # noqa: F811
    """Alias `main`, swapped twice. The credentials are handed over: the environment has none."""
    assert "AWS_ACCESS_KEY_ID" not in os.environ
    workspace = Workspace.open(f"s3://{s3_server.new_bucket()}/team/askrepo", env=s3_server.environment)
    alias = build_alias(tmp_path_factory.mktemp("stages"), FILES, name="parcel", workspace=workspace)
    alias.repositories[0].commit(NEW_FILE)
    run_stages(alias.definition, workspace=workspace, settings=alias.settings)
    return alias


@pytest.fixture
def machine(built: BuiltAlias, tmp_path: Path) -> Machine:
    return Machine(tmp_path, built.workspace.url, built.workspace.env)


def ageless(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hits without how many seconds ago their datasets were built."""
    rests = [[{**each, "age_s": None} for each in hit["rests_on"]] for hit in hits]
    return [{**hit, "rests_on": on} for hit, on in zip(hits, rests, strict=True)]


def test_questions_are_answered_from_the_store_and_then_from_the_copy(machine: Machine) -> None:
    first = ageless(machine.json_of("search", "fresh parcel"))
    assert first[0]["path"] == "src/fresh.py"
    assert len(machine.copies) == 1
    before = machine.copies[0].stat().st_ino
    assert ageless(machine.json_of("search", "fresh parcel")) == first
    assert machine.copies[0].stat().st_ino == before
    assert ageless(machine.json_of("search", "fresh parcel", ASKREPO_CACHE_MB="0")) == first


def test_ask_shows_passages(machine: Machine) -> None:
    done = machine.askrepo("ask", "what does parcel deliver")
    assert done.returncode == 0, done.stderr
    assert "README.md:1-3" in done.stdout


def test_status_and_history_tell_of_the_store(machine: Machine) -> None:
    status = machine.json_of("status")[0]
    assert (status["alias"], status["number"], status["loaded"], status["kept"]) == ("main", 2, 3, 2)
    assert [entry["number"] for entry in machine.json_of("history", "main")] == [2, 1]


def test_doctor_checks_the_copy(machine: Machine) -> None:
    checks = {check["check"]: check for check in machine.json_of("doctor")}
    assert str(machine.copies[0]) in checks["dataset of main"]["detail"]


def test_cache_that_cannot_be_written_costs_a_note_only(machine: Machine) -> None:
    (machine.home / "file").touch()
    done = machine.askrepo("search", "fresh parcel", ASKREPO_CACHE=str(machine.home / "file"))
    assert done.returncode == 0
    assert "src/fresh.py" in done.stdout
    assert "reading it from its store, which takes longer" in done.stderr


def test_wrong_keys_and_a_missing_bucket_are_told_in_one_line(machine: Machine) -> None:
    half = machine.askrepo("search", "x", AWS_SECRET_ACCESS_KEY="")
    assert (half.returncode, len(half.stderr.splitlines())) == (4, 1)
    missing = machine.askrepo("search", "x", "--workspace", "s3://nowhere/at/all")
    assert (missing.returncode, len(missing.stderr.splitlines())) == (3, 1)
    assert "s3://nowhere/at/all" in missing.stderr
    silent = machine.askrepo("search", "x", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert (silent.returncode, len(silent.stderr.splitlines())) == (2, 1)


def test_every_dataset_has_a_list_that_fits(built: BuiltAlias) -> None:
    for entry in AliasCatalogue(built.workspace).history("main"):
        location = DatasetLocation.within(built.workspace, entry.manifest.dataset)
        assert inventory.listed(location)
        inventory.check_digests(location)


def test_rollback_and_a_refresh_with_retention(s3_server: S3Server, tmp_path: Path) -> None:  # noqa: F811
    workspace = Workspace.open(f"s3://{s3_server.new_bucket()}/workspace", env=s3_server.environment)
    alias = build_alias(tmp_path, FILES, name="parcel", workspace=workspace)
    alias.repositories[0].commit(NEW_FILE)
    run_stages(alias.definition, workspace=workspace, settings=alias.settings)
    machine = Machine(tmp_path / "home", workspace.url, workspace.env)
    machine.home.mkdir()

    back = machine.askrepo("rollback", "main", "--yes")

    assert back.returncode == 0, back.stderr
    assert "src/fresh.py" not in {hit["path"] for hit in machine.json_of("search", "fresh parcel")}

    alias.repositories[0].commit({"src/third.py": "def third_parcel():\n    return 3\n"})
    settings = replace(alias.settings, retention=1, grace_s=0.0)
    newest = run_stages(alias.definition, workspace=workspace, settings=settings)

    assert newest.number == 4
    kept = {key.split("/")[2] for key in workspace.list_keys("datasets/main")}
    left = {entry.manifest.dataset for entry in AliasCatalogue(workspace).history("main")} - {newest.manifest.dataset}
    assert kept.isdisjoint(name.split("/")[2] for name in left)
    assert machine.json_of("search", "third parcel")[0]["path"] == "src/third.py"


def test_datasets_on_another_store_than_the_workspace(s3_server: S3Server, tmp_path: Path) -> None:  # noqa: F811
    workspace = Workspace.open(f"s3://{s3_server.new_bucket()}/workspace", env=s3_server.environment)
    datasets = f"s3://{s3_server.new_bucket()}/datasets"
    alias = build_alias(tmp_path, FILES, workspace=workspace)
    alias.repositories[0].commit(NEW_FILE)
    entry = run_stages(alias.definition, workspace=workspace, settings=replace(alias.settings, datasets=datasets))

    assert entry.manifest.dataset.startswith(f"{datasets}/main/")
    machine = Machine(tmp_path, workspace.url, workspace.env)
    assert machine.json_of("search", "fresh parcel")[0]["path"] == "src/fresh.py"


def connection(server: S3Server) -> str:
    """An Airflow connection to the store, as AIRFLOW_CONN_… holds it."""
    extra = {"region_name": "us-east-1", "endpoint_url": server.url}
    return json.dumps({"conn_type": "aws", "login": "pipeline", "password": SECRET, "extra": extra})


class TestAirflow:
    """The DAG in this process: credentials from an Airflow connection only."""

    pytestmark = AIRFLOW_WARNINGS

    def test_runs_publish_refresh_and_stop_early(
        self,
        run_ingest: Callable[..., FinishedRun],  # noqa: F811
        make_repository: Callable[..., GitRepository],
        s3_server: S3Server,  # noqa: F811
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        url = f"s3://{s3_server.new_bucket()}/workspace"
        monkeypatch.setenv("ASKREPO_WORKSPACE", url)
        monkeypatch.setenv("ASKREPO_WORKSPACE_CONN_ID", "store")
        monkeypatch.setenv("AIRFLOW_CONN_STORE", connection(s3_server))
        repository = make_repository("parcel", FILES)

        runs = [run_ingest(repositories=[repository.url])]
        repository.commit(NEW_FILE)
        runs += [run_ingest(repositories=[repository.url]) for _ in range(2)]

        assert [run.state for run in runs] == ["success"] * 3
        assert [run.states()["swap"] for run in runs] == [["success"], ["success"], ["skipped"]]
        machine = Machine(tmp_path, url, s3_server.environment)
        assert machine.json_of("search", "fresh parcel")[0]["path"] == "src/fresh.py"
        told = [repr(run.xcoms()) + repr(run.rendered_fields()) + repr(run.asset_events()) for run in runs]
        assert SECRET not in "".join([*told, *capfd.readouterr()])
        workspace = Workspace.open(url, env=s3_server.environment)
        assert not [key for key in workspace.list_keys("aliases") if SECRET.encode() in workspace.read(key)]

    def test_without_credentials_a_task_fails_at_once_and_says_what_to_set(
        self,
        run_ingest: Callable[..., FinishedRun],  # noqa: F811
        make_repository: Callable[..., GitRepository],
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("ASKREPO_WORKSPACE", "s3://bucket/workspace")
        monkeypatch.setenv("ASKREPO_WORKSPACE_CONN_ID", "nobody")

        run = run_ingest(repositories=[make_repository("parcel", FILES).url])

        assert run.state == "failed"
        assert run.tries()["plan"] == [1]
        assert "no Airflow connection 'nobody'" in "".join(capfd.readouterr())


# Every process that Airflow forks, so every task, gets a home, a cache and a temporary directory that nobody else has.
NOTHING_SHARED = """
import os
import tempfile
from pathlib import Path

MACHINES = Path({machines!r})


def be_another_machine():
    home = tempfile.mkdtemp(dir=MACHINES)
    tempfile.tempdir = None
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        os.environ[name] = home
    os.environ["ASKREPO_CACHE"] = os.path.join(home, "cache")


os.register_at_fork(after_in_child=be_another_machine)
"""


@pytest.fixture
def airflow(tmp_path: Path, s3_server: S3Server) -> Iterator[tuple[StandaloneAirflow, str]]:  # noqa: F811
    """An Airflow with LocalExecutor, whose tasks share nothing but the store."""
    machines = tmp_path / "machines"
    workspace = f"s3://{s3_server.new_bucket()}/workspace"
    (tmp_path / "airflow" / "config").mkdir(parents=True)
    machines.mkdir()
    settings = NOTHING_SHARED.format(machines=str(machines))
    (tmp_path / "airflow" / "config" / "airflow_local_settings.py").write_text(settings)
    caller = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ASKREPO_"))}
    environment = airflow_environment({
        **caller,
        "ASKREPO_AIRFLOW_HOME": str(tmp_path / "airflow"),
        "ASKREPO_ALLOW_LOCAL": "1",
        "ASKREPO_WORKSPACE": workspace,
        "ASKREPO_WORKSPACE_CONN_ID": "store",
        "AIRFLOW_CONN_STORE": connection(s3_server),
    })  # fmt: skip
    migrate(environment)
    airflow = StandaloneAirflow(environment, port=free_port())
    airflow.start()
    try:
        airflow.wait_until_healthy()
        yield airflow, workspace
    finally:
        airflow.stop()


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_workers_need_to_share_nothing_but_the_store(
    airflow: tuple[StandaloneAirflow, str],
    s3_server: S3Server,  # noqa: F811
    tmp_path: Path,
    make_repository: Callable[..., GitRepository],
) -> None:
    served, workspace = airflow
    repositories = [make_repository(name, {f"{name}.py": f"def {name}_parcel():\n    pass\n"}) for name in ("a", "b")]
    user, password = served.login()
    rest = Rest(served.url, user=user, password=password)
    wait_for(f"DAG {DAG}", lambda: rest.has_dag(DAG), timeout_s=90)

    conf = {"alias": "main", "repositories": [each.url for each in repositories], "embedder": "hash"}
    states = [rest.end_state(rest.trigger(DAG, conf), timeout_s=150) for _ in range(2)]

    assert states == ["success", "success"]
    machine = Machine(tmp_path, workspace, s3_server.environment)
    assert {hit["path"] for hit in machine.json_of("search", "parcel")} == {"a.py", "b.py"}
    assert len(machine.json_of("history", "main")) == 1
    assert len(list((tmp_path / "machines").iterdir())) > 8, "the tasks shared a machine"
    logs = "".join(file.read_text(errors="replace") for file in (tmp_path / "airflow" / "logs").rglob("*.log"))
    assert "swap main" in logs
    assert SECRET not in logs
