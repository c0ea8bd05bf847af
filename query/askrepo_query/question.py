"""The question of a command: its arguments, or standard input."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from askrepo.errors import UsageError
from askrepo_query import streams

# Some 30,000 tokens: more than a pasted log needs, less than would surprise on a bill.
MAX_QUESTION_CHARS = 120_000
MAX_BYTES_PER_CHAR = 4

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_LOOKED_AT_BYTES = 512
# Of UTF-16 in Latin script every second byte is NUL; text of one byte per character has none, or a stray one.
_MIN_NUL_SHARE = 0.8


def read_question(words: Sequence[str]) -> str:
    """The words as one question; `-`, or none at all with something piped in, reads standard input.

    :raises UsageError: it is blank or too long, or standard input cannot be read.
    """
    if list(words) == ["-"] or (not words and not sys.stdin.isatty()):
        # one character more than allowed tells that it is too long, whatever is piped in
        content = _read(_piped(), MAX_BYTES_PER_CHAR * (MAX_QUESTION_CHARS + 1))
        text = content.decode(encoding_of(content), "replace")
    else:
        text = " ".join(words)
    return check_question(text)


def piped_lines() -> Iterator[str]:
    """Lines of standard input, each as soon as it is there; one that is too long comes in parts that are.

    :raises UsageError: standard input cannot be read.
    """
    piped = _piped()
    try:
        lines = io.TextIOWrapper(piped, encoding=encoding_of(piped.peek(1)), errors="replace")
        while line := lines.readline(MAX_QUESTION_CHARS + 2):
            yield line
    except OSError as error:
        raise _unreadable(error) from error


def check_question(text: str) -> str:
    """The question with what no store or model takes (NUL, broken encoding) blanked out.

    :raises UsageError: it is blank or too long.
    """
    if len(text) > MAX_QUESTION_CHARS:
        raise UsageError(f"the question is longer than {MAX_QUESTION_CHARS:,} characters; ask a shorter one")
    question = text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ").strip()
    if not question:
        raise UsageError("the question is empty; give it as arguments, or pipe it in")
    return question


def encoding_of(content: bytes) -> str:
    """The encoding that the start of a text tells: UTF-8, UTF-16 or UTF-32 by their marks, UTF-16 also by its NULs.

    What is neither nor UTF-8 is taken for Windows-1252, in which every byte is something.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    start = content[:_LOOKED_AT_BYTES]
    for odd, even, encoding in ((1, 0, "utf-16-le"), (0, 1, "utf-16-be")):
        if start.count(0) > 1 and _share_of_nul(start[odd::2]) >= _MIN_NUL_SHARE and not _share_of_nul(start[even::2]):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _share_of_nul(content: bytes) -> float:
    return content.count(0) / max(1, len(content))


def _piped() -> io.BufferedReader:
    if streams.was_closed(streams.STDIN):
        raise UsageError("standard input is closed: give the question as arguments")
    piped: Any = sys.stdin.buffer
    return piped if isinstance(piped, io.BufferedReader) else io.BufferedReader(piped)


def _read(piped: io.BufferedReader, size: int) -> bytes:
    try:
        return piped.read(size)
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> UsageError:
    return UsageError(f"standard input cannot be read: {error.strerror or error}")
