"""Text as it is compared word for word: what people and models write differently is written in one way."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

# What stands before the text of a line: marks of comments, lists, headings and quotations, when a space follows.
_LINE_MARKS = re.compile(r"[ \t]*+(?:(?:[#/*;%>!+\u2022-]{1,4}|<!--)(?:[ \t]++|$)){0,3}")
_SPACES = re.compile(r"\s+")
_IDLE_SPACE = re.compile(r"(?<!\w) | (?!\w)")
# The dashes of a flag stay apart from those of `a - b`, which loses its spaces.
_FLAG = re.compile(r"(?<![\w)\]-])-{1,2}(?=[A-Za-z])")
_FLAG_DASH = "\ue02d"  # of the private use area: nobody writes it
_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\([^()\s]{1,300}\)")
_BOLD = re.compile(r"(?<!\w)\*\*(?=[^\s*])([^*\n]{1,200})(?<=\S)\*\*(?!\w)")
_ITALIC = re.compile(r"(?<![\w*])\*(?=\w)([^*\n]{1,200})(?<=[\w.,:;!?)])\*(?![\w*])")
_WRITTEN_ALIKE = str.maketrans(
    {
        **dict.fromkeys("\"'`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb", ""),
        **dict.fromkeys("\u2010\u2012\u2013\u2014\u2212", "-"),
        "\u2026": "...",
        "\u200b": "",
        "\u00ad": "",
    }
)
_ENDS = ".,;:!?"
# An ellipsis, a placeholder such as `<name>`; in prose also a word that whoever quotes put in as `[it]`.
_GAP = re.compile(r"\[?(?:\.{3,}|\u2026)\]?|(?<!\w)<[a-z][\w -]{0,40}>")
_PROSE_GAP = re.compile(rf"{_GAP.pattern}|(?<![\w)\]])\[[A-Za-z][\w' -]{{0,40}}\](?!\w)")

MAX_GAP_CHARS = 600
"""Characters that an ellipsis may stand for: a dozen lines. More, and any two words of a file would make a quote."""

MAX_TRIES = 50
"""Places of the first part from which the others are looked for."""

MIN_PART_CHARS = 3
"""Characters on each side of an ellipsis that are worth looking for."""


def comparable(text: str) -> str:
    """One text for all ways to write it on one line or several: white space, quotes and comment marks do not count.

    Spaces stay between words alone, so that `a  = "b"` and `a='b'` are one; operators and the case of letters count.
    """
    return _joined(map(_line, text.split("\n")))


def _line(line: str) -> str:
    mark = _LINE_MARKS.match(line)
    line = line[mark.end() :] if mark else line
    if "](" in line:
        line = _LINK.sub(r"\1", line)
    line = line.replace("\u2011", "-")  # what a word is not to be broken at
    if "-" in line:
        line = _FLAG.sub(lambda dashes: _FLAG_DASH * len(dashes.group()), line)
    line = line.replace('\\"', '"').replace("\\'", "'").translate(_WRITTEN_ALIKE)
    if "**" in line:
        line = _BOLD.sub(r"\1", line)
    if line.count("*") > 1:
        line = _ITALIC.sub(r"\1", line)
    return _IDLE_SPACE.sub("", _SPACES.sub(" ", line.strip()))


def _joined(lines: Iterable[str]) -> str:
    joined: list[str] = []
    last = ""
    for line in filter(None, lines):
        joined.append(_between(last, line) + line)
        last = line[-1]
    return "".join(joined)


def _between(last: str, line: str) -> str:
    return " " if last and _is_word(last) and _is_word(line[0]) else ""


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


@dataclass(frozen=True, slots=True)
class ComparableLines:
    """Lines joined to one comparable text, in which every place knows its line.

    :ivar text: as `comparable` writes it; starts: where each line begins in it.
    """

    text: str
    starts: tuple[int, ...]

    @classmethod
    def of(cls, lines: Sequence[str], *, any_case: bool = False) -> ComparableLines:
        """The lines, in lower case when `any_case`."""
        parts: list[str] = []
        starts: list[int] = []
        length, last = 0, ""
        for line in lines:
            starts.append(length)
            shown = _line(line.lower() if any_case else line)
            if shown:
                part = _between(last, shown) + shown
                parts.append(part)
                length, last = length + len(part), shown[-1]
        return cls("".join(parts), tuple(starts))

    def line_of(self, place: int) -> int:
        """The index of the line that a place is in."""
        return max(0, bisect_right(self.starts, place) - 1)

    def find(self, wanted: str, *, is_prose: bool = False) -> tuple[int, int] | None:
        """Indices of the first and the last line of the first place where the wanted words stand whole; else None.

        Where the wanted text leaves something out (`...`, `[...]`, `<name>`), its parts must follow each other.

        :param is_prose: a word in brackets, `[it]`, was put in by whoever quotes.
        """
        needle = _bare(comparable(wanted))
        if not needle:
            return None
        for start, end in self._places(needle):
            return self.line_of(start), self.line_of(end - 1)
        return self._find_parts((_PROSE_GAP if is_prose else _GAP).split(wanted))

    def all(self, wanted: str) -> list[int]:
        """Indices of the lines in which the wanted words stand whole, as written, at most MAX_TRIES."""
        needle = _bare(comparable(wanted))
        return [self.line_of(start) for start, _ in islice(self._places(needle), MAX_TRIES)] if needle else []

    def _find_parts(self, wanted: Sequence[str]) -> tuple[int, int] | None:
        parts = [_bare(comparable(part)) for part in wanted]
        told = [part for part in parts if len(part) >= MIN_PART_CHARS]
        if len(parts) < 2 or not told:
            return None
        for start, end in islice(self._places(told[0]), MAX_TRIES):
            at = self._follow(end, told[1:])
            if at is not None:
                return self.line_of(start), self.line_of(at - 1)
        return None

    def _follow(self, at: int, parts: Sequence[str]) -> int | None:
        """Where the last of the parts ends, when each begins soon behind the one before it."""
        for part in parts:
            found = next(self._places(part, at, at + MAX_GAP_CHARS + len(part)), None)
            if found is None:
                return None
            at = found[1]
        return at

    def _places(self, needle: str, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]:
        """Where the needle stands and no word goes on before or behind it."""
        stop = len(self.text) if stop is None else min(stop, len(self.text))
        is_flag = needle.startswith(_FLAG_DASH)
        at = self.text.find(needle, start, stop)
        while at >= 0:
            end = at + len(needle)
            before, behind = self.text[at - 1 : at], self.text[end : end + 1]
            goes_on_before = bool(before) and (before == needle[0] if is_flag else _is_word(before))
            goes_on_behind = bool(behind) and (_is_word(behind) or (is_flag and behind == "-"))
            is_cut = (goes_on_before and (is_flag or _is_word(needle[0]))) or (goes_on_behind and _is_word(needle[-1]))
            if not is_cut:
                yield at, end
            at = self.text.find(needle, at + 1, stop)


def _bare(text: str) -> str:
    """The text without the punctuation that ends it, which may be the sentence's and not its own."""
    return text.rstrip(_ENDS).strip()
