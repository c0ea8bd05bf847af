"""Processes that end with the test session that started them, however it ends."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from tools.process_tree import processes_of_session

ROOT = Path(__file__).resolve().parents[1]
STOP_TIMEOUT_S = 10.0
POLL_S = 0.05


class Processes:
    """Starts processes, each in a session of its own, and ends them with everything that they started.

    A guard process does the ending. It reads from a pipe what there is to end, and begins when the pipe closes: at the
    end of the `with` block, and also when this process is killed.
    """

    def __enter__(self) -> Self:
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "tests.processes"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            # Ctrl-C is for the tests, which then close the pipe.
            start_new_session=True,
            text=True,
        )
        self._started: list[subprocess.Popen[bytes]] = []
        return self

    def __exit__(self, *_: object) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        code = self._guard.wait()
        assert code == 0, f"the guard of the started processes ended with code {code}"
        for process in self._started:
            process.wait()

    def start(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        cwd: Path = ROOT,
        user: str | None = None,
        stop: signal.Signals = signal.SIGKILL,
    ) -> subprocess.Popen[bytes]:
        """Start a process that writes to a log.

        :param user: the account it runs under, when this process may choose.
        :param stop: the signal that ends it in good order.
        """
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        self._tell("process", process.pid, stop.value)
        self._started.append(process)
        return process

    def remove_at_end(self, folder: Path) -> None:
        """Delete a folder once all processes have ended."""
        self._tell("folder", folder)

    def _tell(self, *words: object) -> None:
        assert self._guard.stdin is not None
        print(*words, file=self._guard.stdin, flush=True)


def kill_session(session: int) -> None:
    """SIGKILL to every process of a session at once, as when its machine loses power; returns when none is left."""
    while members := processes_of_session(session):
        for member in members:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        time.sleep(POLL_S)


def main() -> None:
    """Read what there is to end until the pipe closes, then end it, the latest first."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    lines = [line.split(maxsplit=1) for line in sys.stdin]
    for kind, rest in reversed(lines):
        if kind == "process":
            session, stop = map(int, rest.split())
            _end(session, signal.Signals(stop))
    for kind, rest in lines:
        if kind == "folder":
            shutil.rmtree(rest.rstrip("\n"), ignore_errors=True)


def _end(session: int, stop: signal.Signals) -> None:
    """Send the signal to a session's first process, then kill what is left of the session."""
    deadline = time.monotonic() + STOP_TIMEOUT_S
    # Asked for by its session, since another process may have its number by now.
    for member in processes_of_session(session):
        if member.pid == session:
            member.send_signal(stop)
    while stop != signal.SIGKILL and processes_of_session(session) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    kill_session(session)


if __name__ == "__main__":
    main()
