"""Processes that start fast: forked from one that has imported everything but Deep Lake, whose threads a fork loses."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from askrepo.errors import TransientError

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120.0

_context = multiprocessing.get_context("forkserver")


class Child:
    """A process that calls one function and hands back what it returned.

    :param function: takes a connection to its parent first, then the arguments.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        _start_server()
        self.connection, theirs = _context.Pipe()
        self._process = _context.Process(target=_call, args=(theirs, function, arguments), daemon=True)
        self._process.start()
        theirs.close()

    def wait_until_paused(self) -> None:
        """Return when the process stands still, or has ended.

        :raises TimeoutError: neither happens.
        """
        ends_at = time.monotonic() + TIMEOUT_S
        while not self.connection.poll(0.01):
            if _state_of(self._process.pid) in ("T", "Z", None):
                return
            if time.monotonic() > ends_at:
                raise TimeoutError(f"a process did not pause within {TIMEOUT_S:.0f} s")

    def resume(self) -> None:
        """Let a process that stands still go on."""
        assert self._process.pid is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """As `kill -9`."""
        self._process.kill()

    def outcome(self, timeout_s: float = TIMEOUT_S) -> Outcome:
        """How it ended, once it has.

        :raises TimeoutError: it has not; it is killed then.
        """
        outcome = Outcome()
        try:
            if not self.connection.poll(timeout_s):
                self._process.kill()
                raise TimeoutError(f"a process was not done after {timeout_s:.0f} s")
            outcome = self.connection.recv()
        except (EOFError, ConnectionResetError):
            pass
        finally:
            self._process.join()
            self.connection.close()
        if outcome == Outcome() and self._process.exitcode != -signal.SIGKILL:
            return Outcome(error="crash", message=f"the process ended with code {self._process.exitcode}")
        return outcome


@dataclass(frozen=True)
class Outcome:
    """How a process ended: with a value, with an error, or, with neither, by SIGKILL.

    :ivar error: the exception's class, or `crash`.
    :ivar is_transient: whether it is one of ours that says that a retry may help.
    """

    value: Any = None
    error: str | None = None
    message: str = ""
    is_transient: bool = False

    @property
    def is_killed(self) -> bool:
        return self.value is None and self.error is None


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returned in a process of its own; its first argument is the connection."""
    outcome = Child(function, *arguments).outcome()
    assert outcome.value is not None, outcome
    return outcome.value


def _call(connection: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    import traceback

    try:
        outcome = Outcome(value=function(connection, *arguments))
    except Exception as error:  # noqa: BLE001 - told to the parent, which judges it
        story = "".join(traceback.format_exception(error))
        outcome = Outcome(error=type(error).__name__, message=story, is_transient=isinstance(error, TransientError))
    connection.send(outcome)
    connection.close()


def _state_of(pid: int | None) -> str | None:
    """The process's state as the kernel names it; None when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def _start_server() -> None:
    """The server finds this package by PYTHONPATH: it is started without the path of this process."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *([before] if before else [])])
    try:
        forkserver.set_forkserver_preload(["tests.faults.preload"])
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
