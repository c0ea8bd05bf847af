"""Cuts an answer in Markdown into its statements as it arrives: sentences, list items, rows, quotations, code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["sentence", "row", "quotation", "code", "other"]

MAX_SENTENCE_CHARS = 1500
"""A longer sentence is cut, so that what waits has a bound."""

_MAX_SPAN_CHARS = 400

_SEEN_AHEAD = 6
"""Characters that tell how a line begins."""

_INDENT = re.compile(r"\s+")
_OPENING_FENCE = re.compile(r"[ \t>]*+(?P<fence>`{3,}+|~{3,}+)[^`\n]*+")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+\u2022]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")
_RULE = re.compile(r"[ \t]*(?:[-=_*|:][ \t]*){3,}")
_BLOCK_START = re.compile(r"[ \t]*(?:[-*+\u2022][ \t]|\d{1,3}[.)][ \t]|#{1,6}[ \t]|```|~~~|\||>|\n)")
_CITATIONS = re.compile(r"(?:[ ]?(?:\u2248?\[[^\[\]\n]{1,60}\](?!\()|\(unverified\)))*[.!?]?")
_BEGUN_CITATION = re.compile(r"[ ]?(?:\u2248?(?:\[[^\[\]\n]{0,60}\]?)?|\([unverif]{0,10})$")
_SCAN = re.compile(
    r"(?P<code>(?P<ticks>`{1,3})[^`\n]{1,400}(?P=ticks))"
    r"|(?P<quote>\"[^\"\n]{1,400}\"|\u201c[^\u201c\u201d\n]{1,400}\u201d)"
    r"|(?P<end>[.!?]+[)\"'\u201d\u2019*_]{0,4}|[\u3002\uff01\uff1f])"
    r"|(?P<line>\n)|(?P<open>[`\"\u201c])"
)
_BEGINS_SENTENCE = re.compile(r"\s*[^\W\d_a-z]|\s*[`\"'*_(\[\u201c\u2018\d]")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|resp|incl|fig|no|dr|mr|mrs|ms|st|al)|\b[A-Za-z])\.$", re.IGNORECASE
)
_LAST_WORD_CHARS = 8
_GOES_ON = -1


@dataclass(frozen=True, slots=True)
class Block:
    """A part of an answer; the texts of all blocks together are the answer.

    :ivar text: as written. :ivar code: of a code block that ends here, its lines.
    """

    kind: BlockKind
    text: str
    code: str = ""


@dataclass
class StatementSplitter:
    """Collects text, and gives each block as soon as its end is known; lines of code are passed on at once."""

    _text: str = ""
    _is_line_start: bool = True
    _is_end: bool = False
    _fence: str = ""
    _code: list[str] = field(default_factory=list)
    _is_in_table: bool = False

    def add(self, text: str) -> Iterator[Block]:
        """The blocks that a piece completes."""
        self._text += text
        yield from self._ready()

    def end(self) -> Iterator[Block]:
        """The blocks that only the end completes."""
        self._is_end = True
        yield from self._ready()
        if self._code:
            yield Block("code", "", "".join(self._code))
        self._code = []

    def _ready(self) -> Iterator[Block]:
        while self._text and (block := self._next()) is not None:
            self._text = self._text[len(block.text) :]
            if block.text:
                self._is_line_start = block.text.endswith("\n")
            yield block

    def _next(self) -> Block | None:
        """The first block of what waits; None while it may go on."""
        if self._fence:
            return self._line_of_code()
        if not self._is_line_start:
            return self._sentence()
        space = _INDENT.match(self._text)
        if space is not None and "\n" in space.group():
            self._is_in_table = False
            return Block("other", self._text[: self._text.rfind("\n", 0, space.end()) + 1])
        if space is not None and space.end() > MAX_SENTENCE_CHARS:
            return Block("other", space.group())
        if len(self._text.lstrip()) < _SEEN_AHEAD and "\n" not in self._text and not self._is_end:
            return None
        return self._line()

    def _line(self) -> Block | None:
        """A line by what it begins with."""
        begin = self._text.lstrip()[:3]
        is_row = begin.startswith("|")
        if begin in ("```", "~~~") or begin.startswith(("#", "|", ">")) or _RULE.match(self._text):
            line = self._whole_line()
            if line is None:
                return None
            kind = self._kind_of(line)
            self._is_in_table = is_row
            if kind is not None:
                return Block(kind, line)
        self._is_in_table = False
        item = _LIST_ITEM.match(self._text)
        if item is not None and item.end() < len(self._text):
            self._is_line_start = False
            return Block("other", item.group())
        if item is not None and not self._is_end:
            return None
        return self._sentence()

    def _kind_of(self, line: str) -> BlockKind | None:
        bare = line.rstrip("\n")
        fence = _OPENING_FENCE.fullmatch(bare)
        if fence is not None:
            self._fence = fence["fence"]
            return "other"
        if _HEADING.match(line) or _RULE.fullmatch(bare):
            return "other"
        if line.lstrip().startswith("|"):
            return "row" if self._is_in_table else "other"  # the first row is the table's heading
        return "quotation" if line.lstrip().startswith(">") else None

    def _line_of_code(self) -> Block | None:
        line = self._whole_line()
        if line is None:
            return None
        bare = line.strip().lstrip("> ")
        if len(bare) >= len(self._fence) and set(bare) == {self._fence[0]}:
            code, self._code, self._fence = "".join(self._code), [], ""
            return Block("code", line, code)
        self._code.append(line)
        return Block("other", line)

    def _whole_line(self) -> str | None:
        end = self._text.find("\n")
        if end >= 0:
            return self._text[: end + 1]
        return self._text if self._is_end or len(self._text) > MAX_SENTENCE_CHARS else None

    def _sentence(self) -> Block | None:
        """A sentence without the white space behind it, which is a block of its own."""
        space = _INDENT.match(self._text)
        if space is not None:
            return Block("other", space.group())
        end = self._sentence_end()
        if end is None:
            return None
        text = self._text[:end].rstrip()
        is_said = any(map(str.isalpha, text))
        return Block("sentence" if is_said else "other", text or self._text[:end])

    def _sentence_end(self) -> int | None:
        for match in _SCAN.finditer(self._text, 0, MAX_SENTENCE_CHARS + 1):
            end = self._end_at(match)
            if end != _GOES_ON:
                return end
        if len(self._text) > MAX_SENTENCE_CHARS:
            return self._text.rfind(" ", 1, MAX_SENTENCE_CHARS) + 1 or MAX_SENTENCE_CHARS
        return len(self._text) if self._is_end else None

    def _end_at(self, match: re.Match[str]) -> int | None:
        """Where the sentence ends that may end at a mark; None while what follows is not known."""
        if match["end"]:
            return self._end_behind(match)
        if match["line"]:
            return self._end_of_line(match)
        behind = self._text[match.end() :]
        may_close = bool(match["open"]) and "\n" not in behind and len(behind) <= _MAX_SPAN_CHARS
        return None if may_close and not self._is_end else _GOES_ON

    def _end_of_line(self, match: re.Match[str]) -> int | None:
        """The paragraph's end when the next line begins something else."""
        behind = self._text[match.end() :]
        if len(behind.lstrip(" \t")) < _SEEN_AHEAD and "\n" not in behind and not self._is_end:
            return None
        return match.start() if not behind or _BLOCK_START.match(behind) else _GOES_ON

    def _end_behind(self, match: re.Match[str]) -> int | None:
        """The end behind a full stop, and behind the citations that follow it."""
        cited = _CITATIONS.match(self._text, match.end())
        end = cited.end() if cited else match.end()
        behind = self._text[end:]
        if _BEGUN_CITATION.fullmatch(behind) or not behind.strip():
            return end if self._is_end or behind.count("\n") > 1 else None
        if match["end"][0] in "\u3002\uff01\uff1f":
            return end
        if not behind[0].isspace():
            return _GOES_ON
        before = self._text[max(0, match.start() - _LAST_WORD_CHARS) : match.start() + 1]
        is_end = _BEGINS_SENTENCE.match(behind) is not None or "\n\n" in behind[: len(behind) - len(behind.lstrip())]
        return end if is_end and _ABBREVIATION.search(before) is None else _GOES_ON
