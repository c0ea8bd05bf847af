"""One alias with two datasets and hostile content, and ways to run the command on it."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from askrepo_query.cli import main
from tests.datasets import BuiltAlias, build_alias, run_stages
from tests.fakes import OpenAIServer

KEY = "sk-very-secret-key"
TERMINAL_TIMEOUT_S = 60.0
HOSTILE_PATH = "src/evil\x1b[2J\u202e.py"
FILES: dict[str, str | bytes] = {
    "README.md": "# Parcel\n\nParcel delivers messages between services.\n\n## Who is it for?\n\nTeams with queues.\n",
    "src/retry.py": (
        '"""Retries."""\n\nimport time\n\n\nclass Retrier:\n    def backoff(self, attempt: int) -> float:\n'
        '        """Seconds to wait before the next attempt, exponential backoff."""\n        return 2.0**attempt\n'
    ),
    "src/queue.ts": "export function enqueue(message: string): void {\n  pending.push(message)\n}\n",
    HOSTILE_PATH: "def sabotage():\n    return 'sabotage \x1b]0;owned\x07 \x1b[31mred \u202e'\n",
    "docs/evil.md": "# Heading \x1b[2Jcleared\n\nsabotage of headings \x9b31m here\n",
    "data.bin": b"\x00\x01\x02",
}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    """Alias `main`, swapped twice. Tests must not change it."""
    alias = build_alias(tmp_path_factory.mktemp("query"), FILES, name="parcel")
    alias.repositories[0].commit({"src/new.py": "def fresh():\n    return 'fresh parcel'\n"})
    run_stages(alias.definition, workspace=alias.workspace, settings=alias.settings)
    return alias


@pytest.fixture
def clean_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and working directory."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


Run = Callable[..., Result]


@pytest.fixture
def run(clean_home: Path) -> Run:
    """Run the command in this process, without any workspace: `run("search", "x", env={…}, input="…")`."""

    def run(*args: str, **options: Any) -> Result:
        return CliRunner().invoke(main, args, **options)

    return run


@pytest.fixture
def run_main(run: Run, built: BuiltAlias, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command on the workspace of `built`."""
    monkeypatch.setenv("ASKREPO_WORKSPACE", built.workspace.url)
    return run


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """A chat endpoint that the environment names, asked once for an answer: nothing is read besides."""
    with OpenAIServer(api_key=KEY) as server:
        monkeypatch.setenv("ASKREPO_CHAT_MODEL", "fake-model")
        monkeypatch.setenv("ASKREPO_OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("ASKREPO_CHAT_TIMEOUT_S", "1")
        monkeypatch.setenv("ASKREPO_STEPS", "0")
        yield server


def json_lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@dataclass(frozen=True)
class TerminalRun:
    """What a run on a terminal showed, stdout and stderr together, and its exit code."""

    screen: str
    exit_code: int


def run_on_terminal(*args: str, typed: str = "", env: dict[str, str] | None = None) -> TerminalRun:
    """Run the command in a process whose stdin, stdout and stderr are a terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[2]), **(env or {})}
    process = subprocess.Popen(
        [sys.executable, "-m", "askrepo_query", *args],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        close_fds=True,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = _read_until_closed(ours)
    os.close(ours)
    return TerminalRun(shown.decode(), process.wait(timeout=TERMINAL_TIMEOUT_S))


def _read_until_closed(terminal: int) -> bytes:
    shown = b""
    deadline = time.monotonic() + TERMINAL_TIMEOUT_S
    while time.monotonic() < deadline and select.select([terminal], [], [], TERMINAL_TIMEOUT_S)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        shown += part
    return shown
