"""A command of which no process is left when the one that started it ends, however that ends.

Between the two stands a guard, in a session of its own: `python -m tools.process_tree PIPE SECONDS COMMAND…`. All
that the command starts stays a descendant of the guard, since orphans come back to it. It ends them all, politely
first, when a signal asks it to, when the command ends, and when the pipe closes, which the kernel does for a killed
owner too.
"""

from __future__ import annotations

import ctypes
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

import psutil

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Signals that ask a process to end."""

# In which a command's processes finish what they write.
STOP_TIMEOUT_S = 5.0
POLL_S = 0.05
MAKE_POLL_S = 0.5
MAKE_PID = "MAKE_PID"
# From <linux/prctl.h>; other systems know neither, and there a killed owner is noticed by the pipe alone.
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
NOT_STARTED = 127


class ProcessTree:
    """A running command with all its processes; the end of the `with` block ends them."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        stdout: int | IO[bytes],
        stop_timeout_s: float = STOP_TIMEOUT_S,
    ) -> None:
        ours, theirs = os.pipe()
        self._pipe: int | None = theirs
        try:
            self.guard = subprocess.Popen(
                [sys.executable, "-m", "tools.process_tree", str(ours), str(stop_timeout_s), *command],
                env=dict(env),
                pass_fds=[ours],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            os.close(ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.ask_to_end()
        self.wait()
        if self.guard.stdout is not None:
            self.guard.stdout.close()

    def code(self) -> int | None:
        """The command's exit code, 128 and the signal's number when one ended it; None while it runs."""
        return self.guard.poll()

    def wait(self) -> int:
        """The command's exit code, once the last of its processes has ended."""
        return self.guard.wait()

    def output(self) -> Iterator[bytes]:
        """The lines that it writes, with `stdout=PIPE`."""
        yield from self.guard.stdout or ()

    def ask_to_end(self) -> None:
        """Let the guard end all processes; returns at once."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def processes(self) -> list[psutil.Process]:
        """Those that are alive, the guard too."""
        return processes_of_session(self.guard.pid) if self.code() is not None else tree_of(self.guard.pid)


def run(command: Sequence[str], *, env: Mapping[str, str], stdout: int | IO[bytes]) -> int:
    """The exit code of a command, once none of its processes is left."""
    with ProcessTree(command, env=env, stdout=stdout) as tree:
        return tree.wait()


def tree_of(pid: int) -> list[psutil.Process]:
    """Living processes of the session that a process leads, and all their descendants."""
    parents = _parents()
    members: set[int] = set()
    new = {process.pid for process in processes_of_session(pid)} | {pid}
    while new:
        members |= new
        new = {child for child, parent in parents.items() if parent in new} - members
    return _living(members)


def processes_of_session(session: int) -> list[psutil.Process]:
    """Living processes of a session; zombies do not count."""
    members = []
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == session:
                members.append(pid)
    return _living(members)


def _parents() -> dict[int, int]:
    """The parent of every process."""
    parents = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            parents[process.pid] = process.ppid()
    return parents


def _living(pids: Iterable[int]) -> list[psutil.Process]:
    living = []
    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                living.append(process)
    return living


def interrupt_on_signals() -> None:
    """Let whatever asks this process to end raise KeyboardInterrupt, once: nothing disturbs the stopping after it."""
    for number in ENDING:
        # That is what nohup is for.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def ignore_signals() -> None:
    """Go on with stopping whoever asks for it again: make passes on what its process group got already."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def stop_as_usual() -> None:
    """Undo `interrupt_on_signals`, for a program that takes this process over."""
    for number in ENDING:
        if signal.getsignal(number) == _interrupt:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    ignore_signals()
    raise KeyboardInterrupt


def end_with_make() -> None:
    """Let SIGTERM tell this process when the make that started it was killed, or told to end.

    Make passes SIGTERM on; of any other signal it believes that its children got it too, and waits for them.
    """
    make = os.environ.get(MAKE_PID, "")
    if make.isdecimal():
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        threading.Thread(target=_watch_make, args=(int(make),), daemon=True).start()


def _watch_make(make: int) -> None:
    # Twice in a row, for make blocks these signals for a moment when it starts somebody.
    while os.getppid() == make and not (_is_ending(make) and _is_ending(make)):
        time.sleep(MAKE_POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _is_ending(pid: int) -> bool:
    """Whether a process is busy with a signal that asks it to end: it is blocked meanwhile."""
    time.sleep(POLL_S)
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    blocked = re.search(r"^SigBlk:\s*([0-9a-f]+)$", status, flags=re.MULTILINE)
    return blocked is not None and any(int(blocked[1], 16) >> (number - 1) & 1 for number in ENDING)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent has ended."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_descendants(*, timeout_s: float = STOP_TIMEOUT_S) -> None:
    """End all that this process started and adopted: politely first, then not."""
    _tell_descendants(signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while _descendants() and time.monotonic() < deadline:
        time.sleep(POLL_S)
    while _descendants():
        _tell_descendants(signal.SIGKILL)
        time.sleep(POLL_S)


def _descendants() -> list[psutil.Process]:
    """Those that are alive; whoever has ended is taken off the system's list."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return _living([child.pid for child in psutil.Process().children(recursive=True)])


def _tell_descendants(number: signal.Signals) -> None:
    for process in _descendants():
        with suppress(psutil.Error):
            process.send_signal(number)


def main(pipe: int, stop_timeout_s: float, command: Sequence[str]) -> int:
    """Guard a command until it ends, a signal comes or the pipe closes; its exit code."""
    os.set_inheritable(pipe, False)
    asked, wake = os.pipe()
    for end in (asked, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in (*ENDING, signal.SIGCHLD):
        signal.signal(number, _leave_to_the_loop)
    adopt_orphans()
    child = _start(command)
    code = _watch(child, pipe, asked)
    end_descendants(timeout_s=stop_timeout_s)
    return code


def _watch(child: int, pipe: int, asked: int) -> int:
    """Return with the exit code when the child ends, or else when its time has come."""
    while True:
        ready, _, _ = select.select([pipe, asked], [], [])
        signals = os.read(asked, 4096) if asked in ready else b""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == child:
                    code = os.waitstatus_to_exitcode(ended[1])
                    return code if code >= 0 else 128 - code
        if pipe in ready:
            return 128 + signal.SIGTERM
        if told := set(signals) & set(ENDING):
            return 128 + min(told)


def _start(command: Sequence[str]) -> int:
    """The pid of the command, which the kernel kills with this process."""
    guard, child = os.getpid(), os.fork()
    if child:
        return child
    try:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (*ENDING, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        if os.getppid() == guard:
            os.execvp(command[0], list(command))  # noqa: S606 - as a guard does
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(NOT_STARTED)


def _prctl(option: int, value: int) -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, int(value), 0, 0, 0)


def _leave_to_the_loop(_number: int, _frame: FrameType | None) -> None:
    """The signal's number goes into the pipe; this only keeps it from its default."""


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
