"""docker-compose.yaml is valid in each profile and keeps its secrets in .env. (Nothing is started: no engine here.)"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from askrepo.settings import OF_AIRFLOW, SETTINGS
from askrepo_operators.pipeline_settings import PipelineSettings
from tools.airflow_home import EMBED_POOL, EMBED_POOL_SLOTS
from tools.settings_page import FIXED_BY_COMPOSE

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / ".env.example"
REQUIRED = [
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "AIRFLOW_ADMIN_PASSWORD",
    "AIRFLOW_JWT_SECRET",
    "AIRFLOW_API_SECRET",
    "AIRFLOW_FERNET_KEY",
]
# About; each is tried several times (measured with Airflow 3.3.2 and an API server that does not listen).
SECONDS_PER_FAILED_HEARTBEAT = 15
CORE = {"postgres", "airflow-init", "airflow-apiserver", "airflow-dag-processor", "airflow-triggerer"}


def compose(tmp_path: Path, values: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run docker-compose on the project's file with these values as its .env."""
    program = shutil.which("docker-compose")
    assert program, "docker-compose is not installed: apt-get install docker-compose (.ci/run does)"
    env_file = tmp_path / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    command = [program, "--file", str(ROOT / "docker-compose.yaml"), "--env-file", str(env_file), *arguments]
    return subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)


@cache
def services(profiles: str) -> dict[str, Any]:
    """The services that a profile starts, as docker-compose understands them."""
    with TemporaryDirectory() as folder:
        config = compose(Path(folder), dict.fromkeys(REQUIRED, "secret") | {"COMPOSE_PROFILES": profiles}, "config")
    assert config.returncode == 0, config.stderr
    chosen = set(profiles.split(",")) if profiles else set()
    found: dict[str, Any] = yaml.safe_load(config.stdout)["services"]
    return {name: one for name, one in found.items() if not one.get("profiles") or chosen & set(one["profiles"])}


@pytest.mark.parametrize(
    ("profiles", "extra"),
    [
        ("celery", {"redis", "airflow-scheduler", "airflow-worker"}),
        ("slim", {"airflow-scheduler-slim"}),
        ("slim,s3", {"airflow-scheduler-slim", "store", "store-init"}),
        ("cli", {"cli"}),
    ],
)
def test_each_profile_starts_its_services(profiles: str, extra: set[str]) -> None:
    assert set(services(profiles)) == CORE | extra


def test_slim_profile_runs_tasks_in_the_scheduler() -> None:
    environment = services("slim")["airflow-scheduler-slim"]["environment"]

    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"


def seconds(environment: dict[str, Any], section: str, option: str) -> float:
    return float(environment[f"AIRFLOW__{section}__{option}"])


def test_waiting_times_fit_each_other() -> None:
    environment = services("celery")["airflow-scheduler"]["environment"]
    dead = seconds(environment, "SCHEDULER", "TASK_INSTANCE_HEARTBEAT_TIMEOUT")
    failed_heartbeats = seconds(environment, "WORKERS", "MAX_FAILED_HEARTBEATS")
    redelivered = seconds(environment, "CELERY_BROKER_TRANSPORT_OPTIONS", "VISIBILITY_TIMEOUT")
    stuck = seconds(environment, "SCHEDULER", "TASK_QUEUED_TIMEOUT")

    # A task that cannot reach the API server gives up before another one starts in its place.
    assert failed_heartbeats * SECONDS_PER_FAILED_HEARTBEAT < dead
    # A lost message comes back before Airflow counts its task as stuck.
    assert redelivered < stuck


def test_stopping_worker_has_time_for_an_embed_task() -> None:
    worker = services("celery")["airflow-worker"]

    assert worker["stop_grace_period"] == "10m"
    assert worker["environment"]["DUMB_INIT_SETSID"] == "0"


def test_pool_of_the_embed_tasks_is_made() -> None:
    found = services("celery")

    script = found["airflow-init"]["command"][0]
    pools = {service["environment"].get("ASKREPO_EMBED_POOL") for name, service in found.items() if "airflow-" in name}
    assert pools == {EMBED_POOL}
    assert re.search(rf'pools set "\$+ASKREPO_EMBED_POOL" {EMBED_POOL_SLOTS} ', script)


def test_command_line_sees_the_workers_workspace() -> None:
    found = services("celery,cli")

    volumes = [{volume.split(":")[0] for volume in found[name]["volumes"]} for name in ("airflow-worker", "cli")]
    assert "workspace" in volumes[0] & volumes[1]
    assert len({found[name]["environment"]["ASKREPO_WORKSPACE"] for name in ("airflow-worker", "cli")}) == 1


def test_command_line_gets_no_secret_of_airflow() -> None:
    environment = services("cli")["cli"]["environment"]

    assert not [name for name in environment if name.startswith("AIRFLOW")]


@pytest.mark.parametrize("missing", REQUIRED)
def test_missing_secret_stops_the_start_and_is_named(tmp_path: Path, missing: str) -> None:
    run = compose(tmp_path, {name: "secret" for name in REQUIRED if name != missing}, "config")

    assert run.returncode != 0
    assert missing in run.stderr


def test_every_setting_reaches_the_services_and_no_other() -> None:
    core, pipeline = {one.name for one in SETTINGS}, {one.name for one in OF_AIRFLOW}
    found = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    ours = {name: one["environment"] for name, one in found.items() if name.startswith("airflow-")}

    assert len(core) > 20
    assert {name for name, environment in ours.items() if named(environment) != core | pipeline} == set()
    assert named(found["cli"]["environment"]) == core
    passed = {
        name for name, value in ours["airflow-worker"].items() if value is None or str(value).startswith(f"${{{name}:-")
    }
    assert named(passed) == (core | pipeline) - FIXED_BY_COMPOSE


def named(environment: Iterable[str]) -> set[str]:
    """Those that are settings of ours."""
    return {name for name in environment if name.startswith("ASKREPO_")}


def test_what_airflow_parses_has_the_default_that_is_said() -> None:
    said = {one.name: one.kind.default for one in OF_AIRFLOW}
    found = PipelineSettings.from_env({})

    assert str(int(found.retry_delay_s)) == said["ASKREPO_RETRY_DELAY_S"]
    assert found.embed_pool == said["ASKREPO_EMBED_POOL"]
    daily = said["ASKREPO_REFRESH_SCHEDULE"]
    assert f'DEFAULT = "{daily}"' in (ROOT / "dags" / "askrepo_schedule.py").read_text()
    assert said["ASKREPO_GIT_CONN_ID"] == said["ASKREPO_WORKSPACE_CONN_ID"] == ""


def test_every_service_that_stays_has_a_health_check() -> None:
    found = services("celery,s3") | services("slim")

    staying = {name for name, service in found.items() if service.get("restart") != "no"}
    assert "airflow-worker" in staying
    assert {name for name in staying if not found[name].get("healthcheck", {}).get("test")} == set()


def test_worker_is_asked_itself() -> None:
    from importlib import import_module

    test = services("celery")["airflow-worker"]["healthcheck"]["test"]

    app = re.search(r"--app (\S+)\.(\w+) inspect ping -d \"celery@\$+HOSTNAME\"", test[-1])
    assert app is not None
    assert hasattr(import_module(app[1]), app[2])


@pytest.mark.parametrize("secret", REQUIRED)
def test_example_says_how_to_make_each_secret(secret: str) -> None:
    [command] = re.findall(rf"# .*: (openssl .*)\n{secret}=\n", EXAMPLE.read_text())

    made = [subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout for _ in "ab"]

    assert made[0] != made[1]
    assert re.fullmatch(r"[A-Za-z0-9_=-]{32,}\n", made[0])
    if "FERNET" in secret:
        assert Fernet(made[0].strip()).encrypt(b"x")


def test_setting_that_is_wrong_stops_the_start() -> None:
    script = services("celery")["airflow-init"]["command"][0].replace("$$", "$")
    check = next(line for line in script.splitlines() if "askrepo_check" in line).replace("/opt/airflow", str(ROOT))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}

    good = subprocess.run(["sh", "-c", check], env=environment, capture_output=True, text=True)
    bad = subprocess.run(
        ["sh", "-c", check], env={**environment, "ASKREPO_RETENTION": "abc"}, capture_output=True, text=True
    )

    assert (good.returncode, good.stderr) == (0, "")
    assert bad.returncode == 2
    assert re.fullmatch("error: ASKREPO_RETENTION must be a whole number .*, found 'abc'\n", bad.stderr)


def test_example_lists_what_is_required_and_holds_no_secret() -> None:
    values = dict(re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE.read_text(), flags=re.MULTILINE))

    assert {name for name, value in values.items() if not value} >= set(REQUIRED)
    assert not [name for name, value in values.items() if value and re.search("PASSWORD|SECRET|KEY", name)]


def test_file_itself_holds_no_secret() -> None:
    values = re.findall(r"(?:PASSWORD|SECRET|KEY|TOKEN): +(.+)", (ROOT / "docker-compose.yaml").read_text())

    assert values
    assert not [value for value in values if not value.startswith("${")]


def test_ports_are_published_on_this_machine_only() -> None:
    published = [port for service in services("celery,s3").values() for port in service.get("ports", [])]

    assert [str(port).split(":")[0] for port in published] == ["127.0.0.1"]
