"""Standard input, output and error as they are found: closed, full, or with nobody at the other end."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

from askrepo.errors import StorageError

STDIN, STDOUT, STDERR = range(3)

_closed: set[int] = set()


class OutputError(StorageError):
    """Standard output does not take what is written to it.

    :ivar nobody_reads: whether that is because its reader has left (`| head`), which is no failure.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot write to standard output: {error.strerror}")
        self.nobody_reads = isinstance(error, BrokenPipeError)


def was_closed(descriptor: int) -> bool:
    """Whether the process was started without this one."""
    return descriptor in _closed


def replace() -> None:
    """Make the three streams usable, whatever the process was started with.

    A closed one is opened on the null device first, or the next file opened would take its number and be written to.
    """
    for descriptor in (STDIN, STDOUT, STDERR):
        _open_if_closed(descriptor)
    if sys.stdin is None or was_closed(STDIN):
        sys.stdin = open(STDIN, encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as we run
    sys.stdout = _text(_Output(STDOUT, "w", closefd=False), encoding=_encoding(sys.stdout))
    sys.stderr = _text(_Notes(STDERR, "w", closefd=False), encoding=_encoding(sys.stderr))


def _open_if_closed(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        _closed.add(descriptor)
        os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one


def _encoding(stream: TextIO | None) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def _text(raw: io.FileIO, *, encoding: str) -> io.TextIOWrapper:
    """What the terminal's encoding lacks is written as escapes, instead of failing in the middle of a result."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, errors="backslashreplace", line_buffering=raw.isatty()
    )


class _Output(io.FileIO):
    """Standard output, whose errors are told from those of other files."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except OSError as error:
            raise OutputError(error) from error


class _Notes(io.FileIO):
    """Standard error, whose loss must not cost the result."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except OSError:
            return len(content)
