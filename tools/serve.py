"""`make airflow`: Airflow on 127.0.0.1 with this project's DAGs, stopped as a whole by Ctrl-C or SIGTERM."""

# ruff: noqa: T201 - it talks to the person at the terminal
from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

import psutil

from tools.airflow_home import SetUpError, airflow_environment, migrate

HOST = "127.0.0.1"
DEFAULT_PORT = 8080
START_TIMEOUT_S = 180.0
POLL_S = 0.5
# Airflow's components finish what they write; its own `standalone` leaves some of them running for ever.
STOP_TIMEOUT_S = 5.0
PASSWORDS = "simple_auth_manager_passwords.json.generated"


class StandaloneAirflow:
    """Every process of one Airflow: started in a session of its own, so that all of them can be found again."""

    def __init__(self, environment: Mapping[str, str], *, port: int) -> None:
        self.home = Path(environment["AIRFLOW_HOME"])
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self.log = self.home / "logs" / "standalone.log"
        self._environment = {**environment, **serving_environment(port)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start all components; `wait_until_healthy` tells when they work."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "airflow", "standalone"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_healthy(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Return when the page, the scheduler, the DAG processor and the triggerer work.

        :raises SetUpError: they do not in time, or a process ended.
        """
        deadline = time.monotonic() + timeout_s
        while not self._is_healthy():
            if not self.is_running():
                raise SetUpError(f"Airflow ended while it started; see {self.log}")
            if time.monotonic() > deadline:
                raise SetUpError(f"Airflow is not healthy after {timeout_s:.0f} s; see {self.log}")
            time.sleep(POLL_S)

    def login(self) -> tuple[str, str]:
        """User and password of the page, as Airflow generated them."""
        users: dict[str, str] = json.loads((self.home / PASSWORDS).read_text(encoding="utf-8"))
        return next(iter(users.items()))

    def is_running(self) -> bool:
        """Whether the parent process is."""
        return self._process is not None and self._process.poll() is None

    def processes(self) -> list[psutil.Process]:
        """All processes of this Airflow that are alive, whoever their parent is by now."""
        return [] if self._process is None else processes_of_session(self._process.pid)

    def stop(self) -> None:
        """End all processes: politely first, then not."""
        for send in (signal.SIGTERM, signal.SIGKILL):
            for process in self.processes():
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(send)
            deadline = time.monotonic() + STOP_TIMEOUT_S
            while self.processes() and time.monotonic() < deadline:
                time.sleep(POLL_S / 5)
        if self._process is not None:
            self._process.wait()

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310
                health = json.load(answer)
        except (urllib.error.URLError, OSError, ValueError):
            return False
        needed = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        return all((health.get(part) or {}).get("status") == "healthy" for part in needed)


def main() -> int:
    """Serve until Ctrl-C or SIGTERM; exit code 1 when Airflow could not start or ended by itself."""
    signal.signal(signal.SIGTERM, _interrupt)
    environment = airflow_environment(os.environ)
    airflow: StandaloneAirflow | None = None
    try:
        migrate(environment)
        airflow = StandaloneAirflow(environment, port=_port(os.environ))
        airflow.start()
        print(f"starting Airflow on {airflow.url} (about half a minute; Ctrl-C stops it)", flush=True)
        airflow.wait_until_healthy()
        user, password = airflow.login()
        print(f"\n  {airflow.url}/dags/askrepo_ingest\n  user {user}, password {password}\n", flush=True)
        while airflow.is_running():
            time.sleep(POLL_S)
    except SetUpError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopping Airflow", flush=True)
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if airflow is not None:
            airflow.stop()
    print(f"error: Airflow ended by itself; see {airflow.log}", file=sys.stderr)
    return 1


def serving_environment(port: int) -> dict[str, str]:
    """What a second Airflow on one machine needs to keep to itself, and what makes a small one quick."""
    base_url = f"http://{HOST}:{port}"
    return {
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        # Tasks report here; without it they would talk to whatever listens on port 8080.
        "AIRFLOW__API__BASE_URL": base_url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base_url}/execution/",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
    }


def processes_of_session(session: int) -> list[psutil.Process]:
    """Living processes of a session; zombies do not count."""
    members = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
    return members


def free_port(*, first: int = 0) -> int:
    """A port that nobody listens on: the first free one from `first` on, or any."""
    for port in range(first, first + 100) if first else (0,):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise SetUpError(f"no free port between {first} and {first + 99}; choose one with PORT=")


def _port(env: Mapping[str, str]) -> int:
    wanted = env.get("PORT")
    return int(wanted) if wanted and wanted.isdigit() else free_port(first=DEFAULT_PORT)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
