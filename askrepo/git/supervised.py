"""Starts a program as one group of processes, limited in memory and files, that does not outlive this process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

BLOCK_BYTES = 512
# The shell below has its own use for smaller ones.
_FIRST_DESCRIPTOR = 10
# A shell, because it sets limits between fork and exec in a millisecond: Python code there (`preexec_fn`) may block
# for ever on a lock that another thread holds, and PR_SET_PDEATHSIG would reach git but none of its children. The
# second shell reads from a pipe whose other end only this process has. When that end goes, however it went, all
# processes of the group are killed.
# A limit that cannot be set is left as it is: a stricter one is in force, or the system has none of that kind.
_SUPERVISOR = """
lifeline=$1; ulimit -c 0; ulimit -v "$2" 2>/dev/null; ulimit -f "$3" 2>/dev/null; shift 3
exec 3<&0
"$@" <&3 3<&- &
program=$!
exec 3<&- </dev/null >/dev/null 2>&1
(exec 3<"/dev/fd/$lifeline" || exit; read -r _ <&3; kill -KILL 0) &
watcher=$!
wait "$program"
code=$?
kill -KILL "$watcher"
wait "$watcher"
exit "$code"
"""


@dataclass(frozen=True, slots=True)
class Supervised:
    """How to start a program, and how to end it before the block does.

    :ivar descriptors: what it must inherit.
    :ivar stop: kills it with all its children; may be called again.
    """

    command: Sequence[str]
    descriptors: tuple[int, ...]
    stop: Callable[[], None]


@contextmanager
def supervised(command: Sequence[str], *, memory_bytes: int, file_bytes: int) -> Iterator[Supervised]:
    """A command that runs the program within limits, and is killed with all its children when the block ends.

    To be started in a session of its own. Its exit code is the program's, and 128 more than the signal that ended it.

    :param memory_bytes: address space that each of its processes may take.
    :param file_bytes: size that each file it writes may reach.
    """
    low_end, write_end = os.pipe()
    read_end = fcntl.fcntl(low_end, fcntl.F_DUPFD_CLOEXEC, _FIRST_DESCRIPTOR)
    os.close(low_end)
    lifeline = os.fdopen(write_end, "wb", buffering=0)
    try:
        limits = (str(memory_bytes // 1024), str(-(-file_bytes // BLOCK_BYTES)))
        started = ("/bin/sh", "-c", _SUPERVISOR, "sh", str(read_end), *limits, *command)
        yield Supervised(started, (read_end,), lifeline.close)
    finally:
        lifeline.close()
        os.close(read_end)
