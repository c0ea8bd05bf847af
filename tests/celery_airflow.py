"""Airflow with Celery as docker-compose.yaml describes it, its services started as processes of this machine.

Each component has an AIRFLOW_HOME, a temporary directory and a cache of its own: what the workers share is what reaches
them through PostgreSQL, Redis, the object store and Airflow's API.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography.fernet import Fernet

from tests.airflow_rest import Rest, wait_for
from tests.processes import Processes, kill_session
from tests.services import Service
from tools.serve import HOST, free_port

ROOT = Path(__file__).resolve().parents[1]
INIT, API_SERVER = "airflow-init", "airflow-apiserver"
SCHEDULER, DAG_PROCESSOR, WORKER = "airflow-scheduler", "airflow-dag-processor", "airflow-worker"
START_TIMEOUT_S = 240.0
# docker-compose.yaml's path of the page's passwords.
PASSWORDS = "/opt/airflow/auth"
# Where the image has dags/ and plugins/; the core is installed in both.
IMAGE = "/opt/airflow"
# Shown by Airflow as a task's host.
NAME_VARIABLE = "ASKREPO_TEST_COMPONENT"


def component_name() -> str:
    """The component that this process belongs to, where Airflow asks for the host: here they are all on one."""
    return os.environ.get(NAME_VARIABLE, "")


@dataclass
class CeleryAirflow:
    """The services of docker-compose.yaml's profile `celery`, without the triggerer: no task here waits for anything.

    :ivar overrides: environment variables that differ from docker-compose.yaml's.
    """

    processes: Processes
    folder: Path
    postgres: Service
    redis: Service
    overrides: Mapping[str, str]
    port: int = field(default_factory=free_port)
    _password: str = field(default_factory=lambda: secrets.token_hex(16))
    _components: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
        self._secrets = {
            "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(16),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        }

    def start(self, *, workers: int) -> Rest:
        """Start all components and log in."""
        self._initialise()
        for service in (API_SERVER, SCHEDULER, DAG_PROCESSOR):
            self._start(service, service, self._services[service]["command"].split())
        for number in range(1, workers + 1):
            self.start_worker(f"worker-{number}")
        wait_for("healthy Airflow", self._is_healthy, timeout_s=START_TIMEOUT_S)
        return Rest(self.url, user="admin", password=self._password)

    def start_worker(self, name: str) -> None:
        """Start a worker; it takes tasks as soon as it is ready."""
        command = [*self._services[WORKER]["command"].split(), "--celery-hostname", name, "--skip-serve-logs"]
        self._start(name, WORKER, command)

    def kill(self, name: str) -> None:
        """SIGKILL to a component and to all that it started."""
        process = self._components.pop(name)
        kill_session(process.pid)
        process.wait()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def log_of(self, name: str) -> str:
        """What a component has written to its standard output."""
        return (self.folder / name / "log").read_text(encoding="utf-8", errors="replace")

    def _initialise(self) -> None:
        script = self._services[INIT]["command"][0].replace(PASSWORDS, str(self.folder)).replace(IMAGE, str(ROOT))
        environment = self._environment(INIT, INIT) | {"AIRFLOW_ADMIN_PASSWORD": self._password}
        shell = self._services[INIT]["entrypoint"]
        run = subprocess.run([*shell, script.replace("$$", "$")], env=environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr

    def _start(self, name: str, service: str, command: list[str]) -> None:
        environment = self._environment(name, service)
        log = self.folder / name / "log"
        self._components[name] = self.processes.start(
            [sys.executable, "-m", "airflow", *command], env=environment, log=log, cwd=log.parent
        )

    def _environment(self, name: str, service: str) -> dict[str, str]:
        """docker-compose.yaml's, with the places and the secrets of this machine."""
        home = self.folder / name
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        composed: dict[str, Any] = self._services[service]["environment"]
        outer = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "ASKREPO_", "AWS_"))}
        outer.pop("PYTHONDONTWRITEBYTECODE", None)
        places = {
            "AIRFLOW_HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": str(ROOT),
            NAME_VARIABLE: name,
            "ASKREPO_CACHE": str(home / "cache"),
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": f"{__name__}.{component_name.__name__}",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.folder / "passwords.json"),
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": HOST,
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(free_port()),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{self.postgres.authority}/airflow",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql://{self.postgres.authority}/airflow",
            "AIRFLOW__CELERY__BROKER_URL": f"redis://{self.redis.authority}/0",
        }
        asked = {key: str(value) for key, value in composed.items() if value is not None}
        merged = {**outer, **asked, **places, **self._secrets, **self.overrides}
        return {key: value for key, value in merged.items() if "${" not in value}

    def _is_healthy(self) -> bool:
        for name, process in self._components.items():
            assert process.poll() is None, f"{name} ended: {self.log_of(name)[-4000:]}"
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/monitor/health", timeout=5) as answer:
                health = json.load(answer)
        except (urllib.error.URLError, OSError, ValueError):
            return False
        return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))
