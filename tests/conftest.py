"""Fixtures shared by all tests: a workspace, a clean environment and real git repositories."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from askrepo.workspace.objects import Workspace

if TYPE_CHECKING:
    from tests.git_server import GitServer

GIT_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


# A busy machine is no fault of ours; a hung test meets pytest's own limit.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the files with tests, those that take longest come first."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the developer's own settings, keys or colours."""
    for name in list(os.environ):
        ours = name.startswith(("ASKREPO_", "OPENAI_")) or (name.startswith("AWS_") and name != "AWS_CA_BUNDLE")
        if ours or name in {"NO_COLOR", "FORCE_COLOR", "TIKTOKEN_CACHE_DIR"}:
            monkeypatch.delenv(name)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty local workspace."""
    return Workspace.open(str(tmp_path / "workspace"))


class GitRepository:
    """A real repository on disk that tests commit to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    @classmethod
    def existing(cls, url: str) -> GitRepository:
        """The repository that was made at a `file://` URL."""
        repository = cls.__new__(cls)
        repository.path = Path(url.removeprefix("file://"))
        return repository

    def git(self, *args: str) -> str:
        environment = {**os.environ, **GIT_ENVIRONMENT}
        run = subprocess.run(["git", *args], cwd=self.path, env=environment, capture_output=True, check=True)
        return run.stdout.decode().strip()

    def commit(self, files: Mapping[str, str | bytes | None], message: str = "change") -> str:
        """Write (or, with None, remove) files, commit everything and return the commit."""
        for name, content in files.items():
            target = self.path / name
            if content is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    @property
    def url(self) -> str:
        return self.path.as_uri()


@pytest.fixture
def make_repository(tmp_path: Path) -> Callable[..., GitRepository]:
    """Make a repository: `make_repository("name", {"a.py": "…"})`."""

    def make(name: str = "project", files: Mapping[str, str | bytes | None] | None = None) -> GitRepository:
        repository = GitRepository(tmp_path / "repositories" / name)
        if files is not None:
            repository.commit(files)
        return repository

    return make


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., GitServer]]:
    """Start a loopback git server over the repositories of `make_repository`."""
    from tests.git_server import GitServer

    started: list[tuple[GitServer, threading.Thread]] = []

    def serve(**options: Any) -> GitServer:
        server = GitServer(tmp_path / "repositories", **options)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((server, thread))
        return server

    yield serve
    for server, thread in started:
        server.shutdown()
        server.server_close()
        thread.join()
