"""A real S3 API on loopback: moto's server, in a process of its own.

from tests.s3_server import s3_server  # noqa: F401

def test_something(s3_server):
    url = f"s3://{s3_server.new_bucket()}/workspace"
    Workspace.open(url, env=s3_server.environment)
"""

from __future__ import annotations

import functools
import itertools
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.request import Request, urlopen

import pytest

from askrepo.workspace.objects import Workspace

# An environment of its own (requirements-s3.in says why), made beside the one that the tests run in.
PYTHON = Path(sys.prefix) / "s3" / "bin" / "python"
_PROCESS = Path(__file__).with_name("s3_process.py")
_STOP_TIMEOUT_S = 10


class S3Server:
    """Starts and stops the server; nothing of it is left afterwards.

    :ivar url: `http://127.0.0.1:PORT`, once it is started.
    """

    def __init__(self) -> None:
        self.url = ""
        self._process: subprocess.Popen[str] | None = None
        self._numbers = itertools.count(1)

    def start(self) -> Self:
        """Start it, and return when it answers."""
        if not PYTHON.exists():
            raise FileNotFoundError(f"no S3 server in {PYTHON.parent.parent}: run `make .venv/installed-dev`")
        command = [str(PYTHON), str(_PROCESS)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"AWS_EC2_METADATA_DISABLED": "true"}, text=True
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        assert port, f"{' '.join(command)} ended with code {self._process.wait()}"
        self.url = f"http://127.0.0.1:{port}"
        return self

    def stop(self) -> None:
        """End the process; its buckets are gone with it."""
        if self._process is None:
            return
        process, self._process = self._process, None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to use the server."""
        return {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
        }

    def new_bucket(self) -> str:
        """The name of an empty bucket that nobody else has."""
        name = f"bucket-{next(self._numbers)}"
        with urlopen(Request(f"{self.url}/{name}", method="PUT"), timeout=10):
            return name


def uploaded(workspace: Workspace, server: S3Server, *, below: str = "") -> Workspace:
    """A local workspace's copy on the server, in a bucket of its own; or only what is below a key."""
    remote = Workspace.open(f"s3://{server.new_bucket()}/workspace", env=server.environment)
    root = Path(workspace.url)
    for file in (root / below).rglob("*"):
        if file.is_file():
            remote.upload(file.relative_to(root).as_posix(), file)
    return remote


@functools.cache
def _shared() -> S3Server:
    """One server, however many modules import the fixture."""
    return S3Server()


@pytest.fixture(scope="session")
def s3_server(request: pytest.FixtureRequest):
    """A started `S3Server`, one per session."""
    server = _shared()
    if not server.url:
        server.start()
        request.session.config.add_cleanup(server.stop)
    return server
