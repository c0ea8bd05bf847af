"""PostgreSQL and Redis from Debian's packages: on 127.0.0.1, with a password and a folder of their own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, SIGTERM

from tests.processes import Processes
from tools.serve import HOST, free_port

PACKAGES = "apt-get install --no-install-recommends postgresql redis-server"
START_TIMEOUT_S = 60.0
POLL_S = 0.1
# PostgreSQL refuses to work as root; Debian's package makes this account.
ACCOUNT = "postgres"
# Nothing of it outlives the test, so nothing needs to reach the disk.
UNSAFE_BUT_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True, slots=True)
class Service:
    """A started server.

    :ivar authority: `user:password@host:port`, as URLs have it.
    """

    authority: str
    folder: Path


def start_postgres(processes: Processes) -> Service:
    """PostgreSQL with the superuser `airflow` and the database `airflow`, in good order when this returns."""
    folder, password, port = _new_folder(processes), secrets.token_hex(16), free_port()
    account, env = _account(), {**os.environ, "LC_ALL": "C.UTF-8"}
    binaries = _postgres_binaries()
    (folder / "password").write_text(password, encoding="utf-8")
    initdb = [str(binaries / "initdb"), "--pgdata", str(folder / "data"), "--username=airflow", "--auth=scram-sha-256"]
    subprocess.run(
        [*initdb, "--pwfile", str(folder / "password"), "--encoding=UTF8", "--no-sync"],
        env=env,
        cwd=folder,
        user=account,
        group=account,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    settings = (f"listen_addresses={HOST}", f"port={port}", f"unix_socket_directories={folder}", *UNSAFE_BUT_QUICK)
    options = [argument for setting in settings for argument in ("-c", setting)]
    command = [str(binaries / "postgres"), "-D", str(folder / "data"), *options]
    # SIGINT: PostgreSQL's fast shutdown, which waits for nobody and leaves no shared memory.
    process = processes.start(command, env=env, log=folder / "log", cwd=folder, user=account, stop=SIGINT)
    client = [f"--host={HOST}", f"--port={port}", "--username=airflow"]
    _wait(process, folder, lambda: _succeeds([str(binaries / "pg_isready"), *client]))
    subprocess.run([binaries / "createdb", *client, "airflow"], env={**env, "PGPASSWORD": password}, check=True)
    return Service(f"airflow:{password}@{HOST}:{port}", folder)


def start_redis(processes: Processes) -> Service:
    """Redis, in good order when this returns."""
    folder, password, port = _new_folder(processes), secrets.token_hex(16), free_port()
    settings = {"bind": HOST, "port": port, "dir": folder, "requirepass": password, "save": '""', "appendonly": "no"}
    configuration = folder / "redis.conf"
    configuration.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="utf-8")
    command = [_program("redis-server"), str(configuration)]
    process = processes.start(command, env=os.environ, log=folder / "log", cwd=folder, user=_account(), stop=SIGTERM)
    _wait(process, folder, lambda: _accepts(port))
    return Service(f":{password}@{HOST}:{port}", folder)


def _account() -> str | None:
    return ACCOUNT if os.geteuid() == 0 else None


def _new_folder(processes: Processes) -> Path:
    """A folder that its server's account may enter, which it may not below the folders of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="askrepo-service-"))
    processes.remove_at_end(folder)
    if account := _account():
        shutil.chown(folder, account, account)
    return folder


def _postgres_binaries() -> Path:
    """Where Debian puts them: beside each other, by version, outside PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else Path(_program("initdb")).parent


def _program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/bin"]))
    assert found, f"{name} is not installed: {PACKAGES}"
    return found


def _wait(process: subprocess.Popen[bytes], folder: Path, is_ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not is_ready():
        is_starting = process.poll() is None and time.monotonic() < deadline
        assert is_starting, f"{process.args!r} does not start: {(folder / 'log').read_text()}"
        time.sleep(POLL_S)


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
