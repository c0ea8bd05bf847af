"""Lines that an answer rests on, kept so that they can be found again when their file has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from askrepo.types import Citation

AROUND = 3
"""Lines before and behind a span that are kept with it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive lines of a file at a commit.

    :ivar citation: where they stood.
    :ivar lines: without their ends; at least one.
    :ivar before: up to three lines before them; after: behind them.
    :ivar digest: SHA-256 of the lines, in hex; around_digest: of the lines with those around them.
    :ivar copies: how often the file had these lines; nth: which of them it is, from 1.
    """

    citation: Citation
    lines: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    digest: str
    around_digest: str
    copies: int = 1
    nth: int = 1

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """The span that `types.to_json` wrote.

        :raises KeyError, TypeError: it is none.
        """
        lists = {name: tuple(values[name]) for name in ("lines", "before", "after")}
        return cls(**{**values, **lists, "citation": Citation(**values["citation"])})


def span_of(citation: Citation, file: Sequence[str]) -> Span | None:
    """The cited lines of a file; None when it does not have them.

    :param file: all its lines, without their ends.
    """
    start, end = citation.start_line - 1, citation.end_line
    lines = tuple(file[start:end]) if start >= 0 else ()
    if not lines or len(lines) < end - start:
        return None
    before, after = tuple(file[max(0, start - AROUND) : start]), tuple(file[end : end + AROUND])
    copies = occurrences(lines, file)
    return Span(
        citation,
        lines,
        before,
        after,
        digest_of_lines(lines),
        digest_of_lines((*before, *lines, *after)),
        copies=len(copies),
        nth=copies.index(start) + 1,
    )


def occurrences(lines: Sequence[str], file: Sequence[str]) -> list[int]:
    """Where lines stand in a file, one behind the other: indices from 0, in order."""
    count, wanted = len(lines), list(lines)
    rarest = max(range(count), key=lambda at: len(lines[at].strip()))
    starts = (at - rarest for at, line in enumerate(file) if line == lines[rarest])
    return [at for at in starts if at >= 0 and list(file[at : at + count]) == wanted]


def digest_of_lines(lines: Sequence[str]) -> str:
    """SHA-256 of lines joined by line feeds, in hex."""
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
