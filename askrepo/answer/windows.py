"""Cuts arriving text into windows: whatever the pieces were, each citation is seen whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from askrepo.answer import citation_spellings as spelled

# What may follow a word and still belong to the same citation: `, lines 120-131 (at commit 0123456789)`.
LOOK_AHEAD = 160
# A bracket or a tag is seen whole up to here; a code span up to there, and on longer lines no backtick opens code.
BRACKET_AHEAD = 300
SPAN_AHEAD = 400
# A longer word is read in parts, so that what waits has a bound.
MAX_WORD = 2000
_PART = 1000
_CONTEXT = 260
_MAX_HEADING = 80
_MAX_FENCE_LINE = 120

_SPACE = re.compile(r"\s+")
_LINE_END = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_CITING_IN_CODE = re.compile(r"[\[:#@]")


@dataclass
class Window:
    """Text with what stands around it.

    :ivar text: what is due and what follows it; before: what was read already.
    :ivar due: characters that are to be shown now; whoever reads further raises it.
    :ivar start: position of the text in all that arrived.
    :ivar shown: what to show for the due text when no citation can be in it, else None.
    :ivar continues_word: the beginning of its first word was read already.
    :ivar no_spans: backticks are only backticks until the line ends.
    :ivar is_last: nothing follows.
    """

    text: str
    due: int
    start: int = 0
    before: str = ""
    shown: str | None = None
    in_fence: bool = False
    continues_word: bool = False
    no_spans: bool = False
    is_last: bool = False


@dataclass
class Windows:
    """Collects pieces, and gives a window as soon as its decision cannot depend on what is still to come.

    :ivar mark: put behind a line that looks like the heading of a list of sources.
    """

    mark: str
    _text: str = ""
    _at: int = 0
    _dropped: int = 0
    _fence: str = ""
    _is_heading: bool = False
    _no_spans: bool = False
    _continues: bool = False
    _is_end: bool = False

    @property
    def is_in_fence(self) -> bool:
        """Whether a code block has not been closed."""
        return bool(self._fence)

    def add(self, piece: str) -> Iterator[Window]:
        """The windows that a piece completes."""
        self._text += piece
        yield from self._ready()
        drop = max(0, self._at - _CONTEXT)
        self._text, self._at, self._dropped = self._text[drop:], self._at - drop, self._dropped + drop

    def end(self) -> Iterator[Window]:
        """The windows that only the end completes."""
        self._is_end = True
        yield from self._ready()
        if self._is_heading:
            yield Window("", 0, shown=self.mark)

    def _ready(self) -> Iterator[Window]:
        while self._at < len(self._text) and (window := self._next()) is not None:
            yield window
            yield from self._pass(window)

    def _pass(self, window: Window) -> Iterator[Window]:
        """Go on behind what was read."""
        read = self._text[self._at : self._at + window.due]
        self._at += window.due
        self._no_spans = window.no_spans
        if window.shown is None and _LINE_END.search(read):
            yield from self._line_ended()

    def _line_ended(self) -> Iterator[Window]:
        self._no_spans = False
        if self._is_heading:
            self._is_heading = False
            yield Window("", 0, shown=self.mark)

    def _next(self) -> Window | None:
        space = _SPACE.match(self._text, self._at)
        if space is not None:
            return self._spaces(space.group())
        word = spelled.WORD.match(self._text, self._at, self._at + MAX_WORD + 1)
        length = word.end() - self._at if word else 0
        if length > MAX_WORD:
            return self._part()
        if self._at + length == len(self._text) and not self._is_end:
            return None
        return self._word(length)

    def _spaces(self, spaces: str) -> Window:
        """White space is never held back; a heading is marked where its line ends."""
        self._continues = False
        end = _LINE_END.search(spaces)
        if end is None:
            return self._settled(spaces)
        self._no_spans = False
        mark = self.mark if self._is_heading else ""
        self._is_heading = False
        return self._settled(spaces, shown=spaces[: end.start()] + mark + spaces[end.start() :])

    def _part(self) -> Window:
        """The first part of a word that is too long to wait for."""
        window = self._window(_PART, self._at + MAX_WORD)
        self._continues = True
        return window

    def _word(self, length: int) -> Window | None:
        word = self._text[self._at : self._at + length]
        seen, _ = spelled.normal(word)
        line = self._line_so_far()
        heading = self._looks_like_heading(line, seen)
        if heading is None:
            return None
        if self._fence:
            return self._word_of_code(word, line)
        if spelled.BEFORE_FENCE.fullmatch(line) and seen.startswith(("```", "~~~")):
            line_end = self._line_end(_MAX_FENCE_LINE)
            if line_end is None:
                return None
            fence = spelled.FENCE.match(self._text, self._at, line_end)
            if fence is not None and fence.end() == line_end:
                self._fence = fence["fence"]
                return self._window(line_end - self._at, line_end, in_fence=True)
        if spelled.is_dull(seen):
            return self._settled(word)
        return self._with_look_ahead(word, seen)

    def _with_look_ahead(self, word: str, seen: str) -> Window | None:
        end = self._at + len(word)
        if spelled.SIMPLE.match(self._text, self._at) and end <= len(self._text) and not self._continues:
            return self._window(len(word), end)
        ahead = SPAN_AHEAD if "`" in seen else BRACKET_AHEAD if re.search(r"[\[<&(]", seen) else LOOK_AHEAD
        blank = _BLANK_LINE.search(self._text, end, end + ahead)
        if blank is not None:
            return self._window(len(word), blank.start() + 1, is_last=True)
        if len(self._text) < end + ahead and not self._is_end:
            return None
        return self._window(len(word), end + ahead, is_last=self._is_end and len(self._text) <= end + ahead)

    def _word_of_code(self, word: str, line: str) -> Window | None:
        if not line.strip(" \t>") and set(word) == {self._fence[0]} and len(word) >= len(self._fence):
            line_end = self._line_end(_MAX_FENCE_LINE)
            if line_end is None:
                return None
            if not self._text[self._at + len(word) : line_end].strip():
                self._fence = ""
                return self._settled(word)
        if not _CITING_IN_CODE.search(spelled.normal(word)[0]):
            return self._settled(word)
        return self._window(len(word), self._at + len(word), in_fence=True)

    def _looks_like_heading(self, line: str, seen: str) -> bool | None:
        """Whether the line is the heading of a list of sources; None while it cannot be told."""
        if re.search(r"[^\W\d_]|\d\s*$", spelled.normal(line)[0]) or not re.search(r"[^\W\d_]", seen):
            return False
        end = self._line_end(_MAX_HEADING)
        known, _ = spelled.normal(self._text[self._at : self._at + _MAX_HEADING if end is None else end])
        if not spelled.may_head(known if end is not None else known.rpartition(" ")[0]):
            return False
        if end is None:
            return None
        if self._is_line_end(end) and spelled.is_heading(known):
            self._is_heading = True
        return self._is_heading

    def _line_so_far(self) -> str:
        """What was read of the line, or of a long line its last part."""
        before = self._text[max(0, self._at - _MAX_HEADING) : self._at]
        return (before + "|").splitlines()[-1][:-1]

    def _line_end(self, bound: int) -> int | None:
        """Where the line ends, or what is read of it when it is longer; None while neither has arrived."""
        end = _LINE_END.search(self._text, self._at, self._at + bound)
        if end is not None:
            return end.start()
        if len(self._text) >= self._at + bound:
            return self._at + bound
        return len(self._text) if self._is_end else None

    def _is_line_end(self, position: int) -> bool:
        return position == len(self._text) or _LINE_END.match(self._text, position) is not None

    def _settled(self, text: str, shown: str | None = None) -> Window:
        return Window(text, len(text), shown=text if shown is None else shown, no_spans=self._no_spans)

    def _window(self, due: int, end: int, *, in_fence: bool = False, is_last: bool = False) -> Window:
        continues, self._continues = self._continues, False
        return Window(
            self._text[self._at : end],
            due,
            start=self._dropped + self._at,
            before="" if continues else self._text[max(0, self._at - _CONTEXT) : self._at],
            in_fence=in_fence,
            continues_word=continues,
            no_spans=self._no_spans,
            is_last=is_last,
        )
