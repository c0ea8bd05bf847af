"""Rows: the lines of a file, and the parts of lines that are too long for a chunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

# The local embedder reads 256 tokens. 750 bytes of source are 200 tokens on average and 22 % of such chunks exceed the
# window; at 1,000 characters 45 % do (measured 2026-11, 18 repositories). Bytes of UTF-8, not characters: a script
# with three bytes a character has about as many tokens per byte as English has.
TARGET_BYTES = 750
# No chunk is larger. A single line beyond it is cut inside the line.
MAX_BYTES = 1024


@dataclass(frozen=True, slots=True)
class TextRows:
    """Where the rows of a text are, in its UTF-8 bytes.

    :ivar starts: offset of each row, then the length of the text: one item more than there are rows.
    :ivar lines: 1-based line of each row.
    :ivar blank: whether a row is only white space.
    """

    starts: list[int]
    lines: list[int]
    blank: list[bool]

    @classmethod
    def of(cls, source: bytes) -> Self:
        r"""The rows of a text; only "\n" ends a line."""
        starts: list[int] = []
        lines: list[int] = []
        offset = 0
        for number, line in enumerate(source.split(b"\n"), start=1):
            end = min(offset + len(line) + 1, len(source))
            for start in _row_starts(source, offset, end):
                starts.append(start)
                lines.append(number)
            offset = end
        starts.append(len(source))
        blank = [_is_blank(source[start:end]) for start, end in pairwise(starts)]
        return cls(starts, lines, blank)

    def size(self, first: int, end: int) -> int:
        """Bytes of the rows from first to before end."""
        return self.starts[end] - self.starts[first]

    def is_blank(self, first: int, end: int) -> bool:
        """Whether these rows are only white space."""
        return all(self.blank[first:end])


def _row_starts(source: bytes, start: int, end: int) -> Iterator[int]:
    """Where the rows of one line start; none for the nothing after a final line break."""
    if end - start <= MAX_BYTES:
        if end > start:
            yield start
        return
    while end - start > TARGET_BYTES:
        yield start
        start = _break_before(source, start, start + TARGET_BYTES)
    yield start


def _break_before(source: bytes, start: int, end: int) -> int:
    """The last good place to break a long line: after a space or comma, else between two characters."""
    for at in range(end, start + TARGET_BYTES * 3 // 4, -1):
        if source[at - 1] in b" \t,;":
            return at
    while source[end] & 0xC0 == 0x80:  # a continuation byte of UTF-8
        end -= 1
    return end


def _is_blank(row: bytes) -> bool:
    if row.isascii():
        return not row.strip()
    return row.decode("utf-8", "replace").isspace()
