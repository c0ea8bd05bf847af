"""`make airflow`: Airflow on 127.0.0.1 with this project's DAGs, stopped as a whole by Ctrl-C or SIGTERM."""

# ruff: noqa: T201 - it talks to the person at the terminal
from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from askrepo.errors import UsageError
from tools.airflow_home import SetUpError, airflow_environment, check_settings, migrate
from tools.privacy import keep_private
from tools.process_tree import (
    ProcessTree,
    adopt_orphans,
    end_descendants,
    end_with_make,
    ignore_signals,
    interrupt_on_signals,
)
from tools.run_log import told_by

if TYPE_CHECKING:
    import psutil

HOST = "127.0.0.1"
DEFAULT_PORT, MAX_PORT = 8080, 65535
START_TIMEOUT_S = 180.0
POLL_S = 0.5
PASSWORDS = "simple_auth_manager_passwords.json.generated"
# What makes a small Airflow quick.
TUNING = {
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
}


class StandaloneAirflow:
    """Every component of one Airflow: each with all its processes ends when this process does, however that ends.

    Airflow's own `standalone` is not used: it goes on when a component has ended, leaves some of them running for ever,
    and serves the page and the tasks from one event loop. With SQLite that loop, when the page writes, waits for the
    lock that a task's request holds, and this request can end in that loop only: after five seconds "database is
    locked" fails both, and the scheduler with them.
    """

    def __init__(self, environment: Mapping[str, str], *, port: int) -> None:
        self.home = Path(environment["AIRFLOW_HOME"])
        self.port = port
        self.url = f"http://{HOST}:{port}"
        tasks_port = free_port()
        self.tasks_url = f"http://{HOST}:{tasks_port}"
        self.logs = self.home / "logs"
        # Logs are read from files: Airflow's servers of logs would listen to the whole network.
        self._commands = {
            "scheduler": ("scheduler", "--skip-serve-logs"),
            "dag-processor": ("dag-processor",),
            "triggerer": ("triggerer", "--skip-serve-logs"),
            "page": ("api-server", "--apps", "core", "--port", str(port)),
            "tasks": ("api-server", "--apps", "execution", "--port", str(tasks_port)),
        }
        self.environment = {**TUNING, **environment, **_serving_environment(self.url, self.tasks_url)}
        self._components: dict[str, ProcessTree] = {}

    def start(self) -> None:
        """Start all components; `wait_until_healthy` tells when they work."""
        for name in self._commands:
            self.start_component(name)

    def start_component(self, name: str) -> None:
        """Start a component by its name here, once it has ended if it was started before."""
        if name in self._components:
            self._components[name].wait()
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log_of(name).open("ab") as output:
            command = [sys.executable, "-m", "airflow", *self._commands[name]]
            self._components[name] = ProcessTree(command, env=self.environment, stdout=output)

    def wait_until_healthy(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Return when the page, the scheduler, the DAG processor and the triggerer work.

        :raises SetUpError: they do not in time, or a process ended.
        """
        deadline = time.monotonic() + timeout_s
        while not self._is_healthy():
            if ended := self.ended():
                raise SetUpError(f"Airflow's {ended} ended while it started; {told_by(self.log_of(ended))}")
            if time.monotonic() > deadline:
                raise SetUpError(f"Airflow is not healthy after {timeout_s:.0f} s; see {self.logs}")
            time.sleep(POLL_S)

    def login(self) -> tuple[str, str]:
        """User and password of the page, as Airflow generated them."""
        users: dict[str, str] = json.loads((self.home / PASSWORDS).read_text(encoding="utf-8"))
        return next(iter(users.items()))

    def how_to_log_in(self) -> str:
        """For a person; with `simple_auth_manager_all_admins` Airflow makes no password."""
        if not (self.home / PASSWORDS).exists():
            return "no login is asked for"
        return "user {}, password {}".format(*self.login())

    def ended(self) -> str | None:
        """The name of a component that has ended; None while all run."""
        return next((name for name, tree in self._components.items() if tree.code() is not None), None)

    def log_of(self, component: str) -> Path:
        """What a component writes to its standard output."""
        return self.logs / f"{component}.log"

    def processes(self, component: str | None = None) -> list[psutil.Process]:
        """All processes of this Airflow that are alive, or of a component, whoever their parent is by now."""
        chosen = [tree for name, tree in self._components.items() if component in (None, name)]
        return [member for tree in chosen for member in tree.processes()]

    def stop(self) -> None:
        """End all processes: politely first, then not."""
        for tree in self._components.values():
            tree.ask_to_end()
        for tree in self._components.values():
            tree.wait()

    def _is_healthy(self) -> bool:
        try:
            _get_json(f"{self.tasks_url}/execution/health")
            health = _get_json(f"{self.url}/api/v2/monitor/health")
        except (urllib.error.URLError, OSError, ValueError):
            return False
        needed = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        return all((health.get(part) or {}).get("status") == "healthy" for part in needed)


def main() -> int:
    """Serve until a signal comes; exit code 1: Airflow could not start or ended by itself; 2: a setting is wrong."""
    try:
        interrupt_on_signals()
        end_with_make()
        adopt_orphans()
        serve()
    except (SetUpError, UsageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        print(f"error: {error.filename or 'Airflow'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        ignore_signals()
        end_descendants()
    return 0


def serve() -> None:
    """Start Airflow and wait until it is told to stop.

    :raises SetUpError: it does not start, or a part of it ended by itself.
    :raises UsageError: a setting is wrong.
    :raises KeyboardInterrupt: a signal came; Airflow is stopped.
    """
    environment = airflow_environment(os.environ)
    check_settings(environment)
    port = chosen_port(os.environ)
    keep_private(environment)
    with sole_use(Path(environment["AIRFLOW_HOME"])), reserved(port):
        migrate(environment)
        _serve(StandaloneAirflow(environment, port=port))


def _serve(airflow: StandaloneAirflow) -> None:
    try:
        airflow.start()
        print(f"starting Airflow on {airflow.url} (about half a minute; Ctrl-C stops it)", flush=True)
        airflow.wait_until_healthy()
        print(f"\n  {airflow.url}/dags/askrepo_ingest\n  {airflow.how_to_log_in()}\n", flush=True)
        while not (ended := airflow.ended()):
            time.sleep(POLL_S)
        raise SetUpError(f"Airflow's {ended} ended by itself; {told_by(airflow.log_of(ended))}")
    except KeyboardInterrupt:
        with suppress(OSError):  # of a terminal that is gone
            print("\nstopping Airflow", flush=True)
        raise
    finally:
        ignore_signals()
        airflow.stop()


@contextmanager
def sole_use(home: Path) -> Iterator[None]:
    """Keep a second Airflow out of this home: both would run the same tasks from one database.

    :raises SetUpError: there is one already.
    """
    with (home / "serving.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            advice = "stop that one, or set ASKREPO_AIRFLOW_HOME to another folder"
            raise SetUpError(f"another make airflow runs in {home}: {advice}") from error
        yield


@contextmanager
def reserved(port: int) -> Iterator[None]:
    """Let nobody else find the port free until the page listens, which is a while after it was chosen."""
    with socket.socket() as holder:
        # The page may bind to it likewise; who looks for a free port without this option may not.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            holder.bind((HOST, port))
        yield


def free_port(*, first: int = 0) -> int:
    """A port that nobody listens on: the first free one from `first` on, or any."""
    for port in range(first, first + 100) if first else (0,):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise SetUpError(f"no free port between {first} and {first + 99}; choose one with PORT=")


def _serving_environment(url: str, tasks_url: str) -> dict[str, str]:
    """What a second Airflow on one machine needs to keep to itself."""
    return {
        "AIRFLOW__API__HOST": HOST,
        # Tasks report here; without it they would talk to whatever listens on port 8080.
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{tasks_url}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    }


def _get_json(url: str) -> Any:
    # Whatever proxy this machine uses for others.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        return json.load(answer)


def chosen_port(env: Mapping[str, str]) -> int:
    """The port that was asked for, which must be free; else the first free one.

    :raises UsageError: PORT is no number of a port.
    :raises SetUpError: nobody can listen there.
    """
    wanted = env.get("PORT", "").strip()
    if not wanted:
        return free_port(first=DEFAULT_PORT)
    if not re.fullmatch("[0-9]{1,5}", wanted) or not 1 <= int(wanted) <= MAX_PORT:
        raise UsageError(f"PORT must be a number from 1 to {MAX_PORT}, found {wanted!r}")
    with socket.socket() as probe:
        # As the server does: a connection that has just ended does not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(wanted)))
            probe.listen()
        except OSError as error:
            advice = "choose another, or leave PORT out for the first free one"
            raise SetUpError(f"cannot listen on port {wanted}: {error.strerror}; {advice}") from error
    return int(wanted)


if __name__ == "__main__":
    sys.exit(main())
