"""On which line of a chunk a name stands: where it is defined, and where it is used."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from askrepo.search.question.mentions import has_code_shape
from askrepo.types import Chunk

_DEFINES = (
    r"\b(?:def|class|func|function|fn|fun|struct|enum|trait|interface|type|typedef|module|namespace|macro_rules!|record"
    r"|object|const|let|var|val|static|public|private|protected|internal|defmodule|defp?|defmacro|impl|union|mod|package"
    r"|sub|proc|create)\b"
)
IMPORT = re.compile(r"\s*(?:from|import|export\s*[{*]|(?:pub\s+)?use|require\w*|include|using|package)\b")
"""A line that names what others define."""

_COMMENT = re.compile(r"\s*(?:#(?!\[|define|include)|//|/?\*|--|;|\"\"\"|''')")


_COPYRIGHT = re.compile(r"copyright|\(c\) \d{4}|SPDX-|licensed under", re.IGNORECASE)


def definition_line(chunk: Chunk, name: str) -> int | None:
    """The line of the file on which the chunk defines a name of its symbols; None when no line has the name."""
    lines = _lines(chunk)
    having = list(_having(lines, name))
    if not having:
        return None
    defines = _definition_of(name)
    code = [at for at in having if not _COMMENT.match(lines[at])]
    best = next((at for at in [*code, *having] if defines.search(lines[at])), None)
    if best is None:
        best = code[0] if code else having[0]
    return chunk.start_line + best


def use_lines(chunk: Chunk, name: str) -> Iterator[int]:
    """The lines of the file on which the chunk uses a name: code, then imports, then comments.

    A name that may be a word of plain language is used only where it is called, or a part of a longer one; none is in a
    line that says whose the copyright is.
    """
    lines = _lines(chunk)
    used = _use_of(name)
    having = [at for at in _having(lines, name) if used.search(lines[at]) and not _COPYRIGHT.search(lines[at])]
    yield from (chunk.start_line + at for at in sorted(having, key=lambda at: (_is_aside(lines[at]), at)))


def _is_aside(line: str) -> tuple[bool, bool]:
    return _COMMENT.match(line) is not None, IMPORT.match(line) is not None


def _lines(chunk: Chunk) -> list[str]:
    return chunk.text.removesuffix("\n").split("\n")


def _having(lines: Sequence[str], name: str) -> Iterator[int]:
    """Places of the lines that have the name as a whole word."""
    word = whole_word(name)
    return (at for at, line in enumerate(lines) if word.search(line))


@functools.lru_cache(maxsize=512)
def whole_word(name: str) -> re.Pattern[str]:
    """The name where no letter or digit goes on before or behind it."""
    behind = r"(?!\w)" if name[-1:].isalnum() or name.endswith("_") else ""
    return re.compile(rf"(?<!\w){re.escape(name)}{behind}")


@functools.lru_cache(maxsize=512)
def _definition_of(name: str) -> re.Pattern[str]:
    """A line that defines: a keyword before the name, the name before its value, or its parameters and a body."""
    escaped = re.escape(name)
    return re.compile(
        rf"{_DEFINES}[^=;]{{0,120}}(?<!\w){escaped}(?!\w)|^[\s\w.$\"'@]{{0,80}}(?<!\w){escaped}[\"']?\s*(?::?=(?!=)|:)"
    )


@functools.lru_cache(maxsize=512)
def _use_of(name: str) -> re.Pattern[str]:
    """A use of the name."""
    if has_code_shape(name) or name[:1].isupper():
        return whole_word(name)
    escaped = re.escape(name)
    return re.compile(rf"(?<!\w){escaped}(?:[(!]|::|\.[^\W\d]|`)|(?:[.:@>]|`){escaped}(?!\w)")
