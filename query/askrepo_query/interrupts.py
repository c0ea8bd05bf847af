"""What ends the command from outside: Ctrl-C, and the signals that ask a process to stop.

Until the command runs there is nothing to clean up, and a signal ends the process at once. From then on the first one
is raised, so that `with` and `finally` do their work, and a second one ends the process. Where the first is swallowed
(by native code, a destructor, a library's `except`), a thread ends the process soon after. Nothing is printed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_S = 1.0
_SIGNAL_CODE = 128  # a shell's exit code for a process that a signal ended is this plus the signal's number


class _Received:
    """What came so far.

    :ivar signal: the signal that ends the process, 0 for none.
    :ivar is_installed: whether we see signals at all.
    :ivar is_raised: whether the next one is raised in the main thread.
    :ivar raised: how many were raised so far.
    :ivar forgotten: how many of those were dealt with.
    """

    signal = 0
    is_installed = False
    is_raised = False
    raised = 0
    forgotten = 0


_received = _Received()


def install() -> None:
    """From here on a signal ends the process, with nothing said; one that the parent had us ignore stays ignored."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
    _received.is_installed = True


def raise_first() -> None:
    """From here on the first signal is raised: KeyboardInterrupt for Ctrl-C, SystemExit for the others.

    Nothing changes in a process that is not the command's own, such as a test's.
    """
    if not _received.is_installed:
        return
    _say_nothing_of_it()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    # not from `threading`, whose shutdown would wait for it, and whose import takes time
    import _thread

    _thread.start_new_thread(_watch, (reader,))
    _received.is_raised = True


def end_at_once() -> None:
    """From here on a signal ends the process as before `raise_first`."""
    _received.is_raised = False


def exit_code() -> int:
    """The exit code of a process that a signal is ending, 0 when none is."""
    return _SIGNAL_CODE + _received.signal if _received.signal else 0


def forget() -> None:
    """Go on after a Ctrl-C that was dealt with: the end of a turn is not the end of the conversation."""
    _received.signal = 0
    _received.forgotten = _received.raised


def _on_signal(number: int, _frame: FrameType | None) -> None:
    is_first = not _received.signal
    _received.signal = number
    if not (is_first and _received.is_raised):
        os._exit(_SIGNAL_CODE + number)
    _received.raised += 1
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(_SIGNAL_CODE + number)


def _watch(reader: int) -> None:
    """End the process a while after a signal, whatever its main thread does; runs on a thread of its own.

    Signals are counted: by the clock, one that the main thread forgot before this thread awoke would end the process.
    """
    seen = 0
    while True:
        ending = [number for number in os.read(reader, 4096) if number in ENDING]
        if ending:
            seen += len(ending)
            time.sleep(GRACE_S)
            if _received.forgotten < seen:
                os._exit(_SIGNAL_CODE + ending[0])


def _say_nothing_of_it() -> None:
    """Python reports what cannot be raised, such as an interrupted destructor: not when a signal is the cause."""
    report = sys.unraisablehook
    sys.unraisablehook = lambda unraisable: None if _received.signal else report(unraisable)
