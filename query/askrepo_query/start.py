"""The command as a process: signals and streams first, then everything else."""

from __future__ import annotations

import os
from contextlib import suppress

from askrepo_query import interrupts  # Until it is imported, Ctrl-C is Python's: nothing that takes time comes before.

COMPLETE = "_ASKREPO_COMPLETE"
COMPLETION_S = 3.0
FAILED = 2  # as in query.errors, which is not imported yet when a signal may come


def run() -> None:
    """Run the command; the process ends here, with its exit code.

    It ends without Python's own shutdown, which would stop threads in the middle of native code (that aborts the
    process), complain about what cannot be flushed, and take time.
    """
    interrupts.install()
    try:
        code = _exit_code()
    except BaseException as error:  # noqa: BLE001 - a signal on the way out, which `exit_code` knows
        code = FAILED
        if not interrupts.exit_code():  # a package that is broken or missing, before the command could tell of it
            _tell(error)
    _flush_notes()
    os._exit(interrupts.exit_code() or code)


def _tell(error: BaseException) -> None:
    import traceback

    with suppress(Exception):  # too little memory for it
        traceback.print_exception(error)


def _flush_notes() -> None:
    """What was written to stderr without flushing, as a traceback is, would end with the process."""
    import sys

    with suppress(Exception):
        if sys.stderr is not None:
            sys.stderr.flush()


def _exit_code() -> int:
    from askrepo_query import streams

    streams.replace()
    if os.environ.get(COMPLETE, "").endswith("_complete"):
        _answer_soon_or_not_at_all()
    from askrepo_query.cli import main

    try:
        main(prog_name="askrepo")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    return 0


def _answer_soon_or_not_at_all() -> None:
    """The shell waits for its completions while somebody types: no errors then, and no waiting for a far store."""
    import signal

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, COMPLETION_S)
