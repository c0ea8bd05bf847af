"""A line on stderr that says what takes so long, on terminals only."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from askrepo.text.display import fitted, plain_line

# Shorter waits need no explanation.
PATIENCE_S = 1.0
_FRAMES = "|/-\\"
_FRAME_S = 0.15
_MEBIBYTE = 1024 * 1024


class _Line:
    """What the line says at the moment."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.detail = ""


_lines: list[_Line] = []


def copying(done: int, total: int) -> None:
    """Say on the line that is shown, if any, how many bytes of a dataset are copied to this machine."""
    if _lines:
        shown = f": copying the dataset, {done // _MEBIBYTE:,} of {total // _MEBIBYTE:,} MiB"
        _lines[-1].detail = shown if done < total else ""


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Show what is being done while the block runs for longer than a second."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    done = threading.Event()
    line = _Line(what)
    _lines.append(line)
    spinner = threading.Thread(target=_spin, args=(line, done), daemon=True)
    spinner.start()
    try:
        yield
    finally:
        _lines.remove(line)
        done.set()
        spinner.join()


def _spin(line: _Line, done: threading.Event) -> None:
    if done.wait(PATIENCE_S):
        return
    frame = 0
    while True:
        shown = plain_line(f"{_FRAMES[frame % len(_FRAMES)]} {line.what}{line.detail} …")
        sys.stderr.write(f"\r\x1b[K{fitted(shown, _columns() - 1)}")
        sys.stderr.flush()
        frame += 1
        if done.wait(_FRAME_S):
            break
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()


def _columns() -> int:
    """Columns of the terminal on stderr: a longer line would wrap, and only its last part be cleared."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or shutil.get_terminal_size().columns
    except (OSError, ValueError):
        return shutil.get_terminal_size().columns
