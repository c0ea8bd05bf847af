"""A line on stderr that says what takes so long, on terminals only."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Shorter waits need no explanation.
PATIENCE_S = 1.0
_FRAMES = "|/-\\"
_FRAME_S = 0.15


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Show what is being done while the block runs for longer than a second."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    spinner = threading.Thread(target=_spin, args=(what, done), daemon=True)
    spinner.start()
    try:
        yield
    finally:
        done.set()
        spinner.join()


def _spin(what: str, done: threading.Event) -> None:
    if done.wait(PATIENCE_S):
        return
    frame = 0
    while True:
        sys.stderr.write(f"\r{_FRAMES[frame % len(_FRAMES)]} {what} …")
        sys.stderr.flush()
        frame += 1
        if done.wait(_FRAME_S):
            break
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()
