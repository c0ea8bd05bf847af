"""The outline of a stored file: what it defines, or its headings, with their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from askrepo.chunking.headings import document_format, headings
from askrepo.search.reading import StoredFile
from askrepo.types import Chunk

TAB_COLUMNS = 4
MAX_LEAD_LINES = 40
"""Lines above a definition that may belong to it: decorators and comments. More are a text of their own."""

_WORDS = """
class interface trait struct enum union protocol object record module namespace package mixin typedef type
def fun func function fn sub proc method macro macro_rules defp defmodule defmacro
const constant let var val static
"""
_KINDS = frozenset(_WORDS.split())
_SAME_KINDS = {"def": "function", "fun": "function", "func": "function", "fn": "function", "sub": "function"}
_SAME_KINDS |= {"proc": "function", "defp": "function", "macro_rules": "macro", "defmacro": "macro"}
_SAME_KINDS |= {"constant": "const", "defmodule": "module"}
_WORD = re.compile(r"[^\W\d]\w*")
_LEAD = re.compile(r"\s*(?:@|#|//|/\*|\*|--|;;|%%|\"\"\"|\[\w)")
# Of a line; the rest of a longer one is no signature.
_LOOKED_AT_CHARS = 400


@dataclass(frozen=True, slots=True)
class OutlineItem:
    """A definition, or a section, of a file.

    :ivar kind: the word that defines it (`class`, `function`, …); "" when its line has none; `heading`.
    :ivar level: how deep it stands, from 0.
    :ivar start_line: of its signature, 1-based; end_line: the last line before the next item that is not inside of it.
    """

    name: str
    kind: str
    level: int
    start_line: int
    end_line: int


def outline(file: StoredFile) -> list[OutlineItem]:
    """What the file defines, in order of lines: the names stored of it, or its headings; empty when it has none."""
    document = document_format(file.path, file.chunks[0].language)
    if document is not None:
        found = headings(file.lines, document)
        return _nested([(each.title, "heading", each.level, each.line + 1) for each in found], file.lines)
    return _nested(list(_definitions(file)), file.lines)


def lead_of(lines: Sequence[str], start_line: int) -> int:
    """The first line of the decorators and comments directly above a definition; its own line when there are none."""
    first = start_line
    while first > max(1, start_line - MAX_LEAD_LINES) and _LEAD.match(lines[first - 2][:_LOOKED_AT_CHARS]):
        first -= 1
    return first


def defining_line(lines: Sequence[str], name: str, *, after: int = 0) -> tuple[int, str] | None:
    """Index of the line that defines the name, and the word that does; None when the name stands nowhere.

    A line with such a word before the name, else one that begins with the name, else the first that has it.

    :param after: index of the first line that is looked at.
    """
    holding: list[tuple[int, int, str]] = []
    for at in range(after, len(lines)):
        line = lines[at][:_LOOKED_AT_CHARS]
        if name in line:
            words = _WORD.findall(line)
            if name in words or not _WORD.fullmatch(name):
                before = words[: words.index(name)] if name in words else []
                kind = next((word for word in reversed(before) if word in _KINDS), "")
                begins = line.lstrip().startswith(name)
                holding.append((0 if kind and not _is_comment(line) else 1 if begins else 2, at, kind))
    if not holding:
        return None
    _, at, kind = min(holding)
    return at, _SAME_KINDS.get(kind, kind)


_Found = tuple[str, str, int, int]
"""Name, kind, depth in whatever unit, line."""


def _definitions(file: StoredFile) -> Iterator[_Found]:
    for chunk in file.chunks:
        lines = chunk.text.removesuffix("\n").split("\n")
        yield from _definitions_of(chunk, lines)


def _definitions_of(chunk: Chunk, lines: Sequence[str]) -> Iterator[_Found]:
    """The names of a chunk at their lines; they stand in order, so that each is looked for behind the one before."""
    at = 0
    for name in chunk.symbols:
        found = defining_line(lines, name, after=at) or defining_line(lines, name)
        if found is None:
            yield name, "", _indent(lines[0]), chunk.start_line
            continue
        place, kind = found
        at = max(at, place)
        yield name, kind, _indent(lines[place]), chunk.start_line + place


def _nested(found: Sequence[_Found], lines: Sequence[str]) -> list[OutlineItem]:
    """The items with what ends them and how deep they stand: inside of what stands before them and further out."""
    ordered = sorted(found, key=lambda each: each[3])
    around: list[int] = []
    items = []
    for place, (name, kind, depth, line) in enumerate(ordered):
        while around and around[-1] >= depth:
            around.pop()
        behind = (each[3] for each in ordered[place + 1 :] if each[2] <= depth and each[3] > line)
        end = next(behind, len(lines) + 1)
        items.append(OutlineItem(name, kind, len(around), line, _end(lines, line, end, depth, kind)))
        around.append(depth)
    return items


def _end(lines: Sequence[str], start: int, following: int, depth: int, kind: str) -> int:
    """The last line of an item that begins at a line and ends before another: without what leads to that one."""
    end = following - 1
    if kind != "heading":
        dedented = (
            number + 1 for number in range(start, end) if lines[number].strip() and _is_outside(lines[number], depth)
        )
        end = _before(next((line for line in dedented if line > start + 1), following), lines, start, end)
    while end > start and not lines[end - 1].strip():
        end -= 1
    return end


def _before(dedent: int, lines: Sequence[str], start: int, end: int) -> int:
    """The end of a body before the first line that is indented no deeper; all of it when the body is not indented."""
    body = dedent - 1
    return body if start < body <= end and any(line.strip() for line in lines[start:body]) else end


def _is_outside(line: str, depth: int) -> bool:
    """Whether the line is no part of a body that begins at a depth; what only closes it is."""
    indent = _indent(line)
    return indent < depth or (indent == depth and not _closes(line))


def _closes(line: str) -> bool:
    """Whether the line only closes what was opened: a bracket, `end`, or the end of a signature."""
    return line.lstrip()[:1] in ")]}{>" or line.strip() in ("end", "done", "fi", "esac")


def _indent(line: str) -> int:
    expanded = line[:_LOOKED_AT_CHARS].expandtabs(TAB_COLUMNS)
    return len(expanded) - len(expanded.lstrip(" "))


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(("#", "//", "*", "--", '"'))
