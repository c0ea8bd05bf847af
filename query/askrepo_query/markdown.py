"""An answer's Markdown drawn for a terminal while it arrives: what nothing behind it can change, never drawn anew.

That is a block whose end is known, and of a paragraph the lines that are full.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.color import ColorSystem
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown
from rich.segment import Segment
from rich.text import Text
from rich.theme import Theme

from askrepo.text.display import plain
from askrepo_query.highlight import TAB_COLUMNS, highlighted

AddressOf = Callable[[int], str]
"""Where a citation of this number leads; "" for nowhere."""

# What would hide a part of what was said, or lead elsewhere than it says, stays as it was written. The only links are
# those of citations, to lines that were read.
# A line below a paragraph makes no heading of it: it may have been shown already.
_OFF = ["link", "image", "autolink", "linkify", "reference", "html_inline", "html_block", "entity", "lheading"]
_MAX_LEVELS = 100  # beyond them markdown-it leaves text out
LEVEL_COLUMNS = 12
"""Columns that a list in a list takes: a number of nine digits, the most that Markdown allows, and its margins."""

MAX_BLOCK_CHARS = 20_000
"""A longer block stays as it was written: it would be waited for."""

MAX_OPEN_CHARS = 4000
"""A paragraph is shown line by line while it is shorter: its lines are looked at again with each that is full."""

_GROWTH = 1.1
"""What waits is read again once it has grown by this much: reading a block takes as long as the block is."""

_CONTAINERS = frozenset({"list_item_open", "blockquote_open"})
_LISTS = frozenset({"bullet_list_open", "ordered_list_open"})
_EMPHASIS = frozenset({"em_open", "strong_open", "s_open"})
_CITATION = re.compile(r"\[(\d{1,4})\]")
_ENDS_LIKE_CODE = re.compile(r"[A-Za-z0-9_)\]]$")
_PARAGRAPH = re.compile(r"(?:[^\W\d_]|`[^`])[^\n|]*")
_OPEN_MARK = re.compile(r"[`*~]|(?<!\w)_")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,20} *")
_STYLING = re.compile(r"\x1b\[[\d;]*m|\x1b\]8;[^\x1b]*\x1b\\")
# The terminal's own colours, as everywhere in the command.
_STYLES = {
    "markdown.h1": "bold underline",
    **{f"markdown.h{level}": "bold" for level in range(2, 7)},
    "markdown.code": "cyan",
    "markdown.block_quote": "dim",
    "markdown.item.bullet": "none",
    "markdown.item.number": "none",
    "markdown.link_url": "none",
    "markdown.table.header": "bold",
    "markdown.table.border": "dim",
    "markdown.hr": "dim",
}


def drawn(pieces: Iterable[str], *, width: int, address_of: AddressOf) -> Iterator[str]:
    """Lines to print for an answer that arrives in pieces, safe for a terminal.

    What waits for its end is given when the pieces end, with an error too.

    :param width: columns of the terminal.
    """
    waiting = _Waiting(_Pen(width, address_of))
    try:
        for piece in pieces:
            if shown := waiting.add(piece):
                yield shown
    except Exception:
        yield waiting.end()
        raise
    yield waiting.end()


class _Heading(Heading):
    LEVEL_ALIGN = {}  # noqa: RUF012 - rich's own is centred


class _CodeBlock(CodeBlock):
    """Code within a list or a quotation."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Its lines in the colours of all code."""
        yield Text.from_ansi(_in_colours(str(self.text), self.lexer_name))


class _Markdown(Markdown):
    elements = Markdown.elements | {"heading_open": _Heading, "fence": _CodeBlock, "code_block": _CodeBlock}


class _Waiting:
    """Text whose end is not known yet."""

    def __init__(self, pen: _Pen) -> None:
        self._pen = pen
        self._text = ""
        self._read = 0

    def add(self, piece: str) -> str:
        """The blocks that a piece completes, drawn."""
        self._text += plain(piece)
        if "\n" not in piece:
            return self._pen.draw_open(self._text.lstrip("\n"))
        if len(self._text) < self._read * _GROWTH:
            return ""
        lines = self._text[: self._text.rfind("\n") + 1]
        done, is_in_list = self._pen.complete(lines)
        if not done and len(lines) > MAX_BLOCK_CHARS:
            done = lines
        self._text = self._text[len(done) :]
        self._read = len(self._text)
        return self._pen.draw(done, goes_on=is_in_list)

    def end(self) -> str:
        """What is left, drawn."""
        rest, self._text = self._text, ""
        return self._pen.draw(rest)


class _Pen:
    """Reads and draws Markdown that is safe for a terminal already."""

    def __init__(self, width: int, address_of: AddressOf) -> None:
        self._width = width
        self._address_of = address_of
        self._has_drawn = False
        self._is_in_list = False
        self._number = 0
        self._open: list[str] = []
        self._open_chars = 0

    def complete(self, text: str) -> tuple[str, bool]:
        """As much of whole lines as nothing behind them can change, and whether it ends within a list.

        The items of a list are given one by one.
        """
        tokens = self._reader.parse(text)
        starts = [token.map for token in tokens if token.level == 0 and token.map]
        last = next((token for token in reversed(tokens) if token.level == 0 and token.map), None)
        lines = text.splitlines(keepends=True)
        if last is None or last.map is None:
            return "", False
        items = [token.map[0] for token in tokens if token.type == "list_item_open" and token.level == 1 and token.map]
        if last.type in _LISTS and items[-1] > last.map[0]:
            return "".join(lines[: items[-1]]), True
        is_closed = last.type not in _LISTS | _CONTAINERS and last.map[1] < len(lines)
        return "".join(lines if is_closed else lines[: starts[-1][0]]), False

    def draw(self, text: str, *, goes_on: bool = False) -> str:
        """The blocks with an empty line before each, and a line break behind the last.

        :param goes_on: whether the list that ends it has further items.
        """
        if not text.strip():
            return ""
        gap = "" if self._open else self._gap
        shown = self._as_blocks(text, goes_on=goes_on)
        rest = "\n".join(shown.split("\n")[len(self._open) :]) if shown else self._as_written(text)
        self._has_drawn, self._is_in_list = True, goes_on
        self._open, self._open_chars = [], 0
        return f"{gap}{rest}\n"

    def draw_open(self, text: str) -> str:
        """Those lines of a paragraph that are full, while its end has not come; each is given once."""
        is_due = self._open_chars + self._width <= len(text) <= MAX_OPEN_CHARS
        if not is_due or self._is_in_list or not _PARAGRAPH.fullmatch(text):
            return ""
        self._open_chars = len(text)
        children = [child for token in self._reader.parse(text) for child in token.children or ()]
        if any(child.type == "text" and _OPEN_MARK.search(child.content) for child in children):
            return ""
        full = self._as_blocks(text, goes_on=False).split("\n")[:-1]
        new, gap = full[len(self._open) :], "" if self._open else self._gap
        self._open = full
        return gap + "".join(f"{line}\n" for line in new) if new else ""

    @property
    def _gap(self) -> str:
        return "\n" if self._has_drawn and not self._is_in_list else ""

    def _as_written(self, text: str) -> str:
        """The text as it is, without the words that were shown."""
        if not self._open:
            return text.strip("\n")
        words = len(_STYLING.sub("", " ".join(self._open)).split())
        return " ".join(text.split()[words:])

    def _as_blocks(self, text: str, *, goes_on: bool) -> str:
        """The blocks drawn; nothing where that would take long, has no room, or would leave out what was said.

        The last is so with the cells that a row of a table has beyond its columns.
        """
        if len(text) > MAX_BLOCK_CHARS:
            return ""
        tokens = self._reader.parse(text)
        self._count_on(tokens, goes_on=goes_on)
        if _levels(tokens) * LEVEL_COLUMNS > self._width:
            return ""
        shown = "\n\n".join(self._block(block) for block in _blocks(tokens))
        languages = (token.info for token in tokens if _LANGUAGE.fullmatch(token.info))
        return shown if _letters(_STYLING.sub("", shown) + " ".join(languages)) == _letters(text) else ""

    def _count_on(self, tokens: Sequence[Token], *, goes_on: bool) -> None:
        """Number the items of a list on from those that were drawn before."""
        if self._is_in_list and tokens[0].type == "ordered_list_open":
            tokens[0].attrs["start"] = self._number
        last = [token for token in tokens if token.level == 0 and token.nesting == 1][-1:]
        if goes_on and last and last[0].type == "ordered_list_open":
            begun = tokens[tokens.index(last[0]) :]
            items = sum(token.type == "list_item_open" and token.level == 1 for token in begun)
            self._number = int(last[0].attrs.get("start", 1)) + items

    def _block(self, tokens: Sequence[Token]) -> str:
        if tokens[0].type in ("fence", "code_block"):
            return _in_colours(tokens[0].content, tokens[0].info.partition(" ")[0])  # broken by the terminal alone
        for token in tokens:
            token.children = list(self._linked(_as_said(token.children or [])))
        markdown = _Markdown("")
        markdown.parsed = list(tokens)
        lines = Segment.split_lines(self._console.render(markdown, self._console.options))
        return "\n".join(map(_line, lines)).strip("\n")

    def _linked(self, tokens: Iterable[Token]) -> Iterator[Token]:
        """The tokens of a paragraph, its citations as links."""
        for token in tokens:
            if token.type != "text":
                yield token
                continue
            at = 0
            for match in _CITATION.finditer(token.content):
                if address := self._address_of(int(match[1])):
                    yield _text(token.content[at : match.start()])
                    yield Token("link_open", "a", 1, attrs={"href": address})
                    yield _text(match.group())
                    yield Token("link_close", "a", -1)
                    at = match.end()
            yield _text(token.content[at:])

    @cached_property
    def _reader(self) -> MarkdownIt:
        reader = MarkdownIt("commonmark", {"maxNesting": _MAX_LEVELS}).enable(["table", "strikethrough"])
        return reader.disable(_OFF)

    @cached_property
    def _console(self) -> Console:
        return Console(
            file=io.StringIO(), width=self._width, theme=Theme(_STYLES), force_terminal=True, color_system="standard",
            highlight=False, markup=False, emoji=False, legacy_windows=False, _environ={},
        )  # fmt: skip


def _blocks(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The tokens of each block."""
    begin = 0
    for at, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            yield tokens[begin : at + 1]
            begin = at + 1


def _levels(tokens: Iterable[Token]) -> int:
    """How many lists and quotations stand in each other at most."""
    level = deepest = 0
    for token in tokens:
        if token.type in _CONTAINERS:
            level += 1
            deepest = max(deepest, level)
        elif token.type in ("list_item_close", "blockquote_close"):
            level -= 1
    return deepest


def _as_said(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without emphasis that was not meant: `__init__` is a name, and `2**n` and `3**n` are powers."""
    shown = list(tokens)
    opened: list[int] = []
    for at, token in enumerate(tokens):
        if token.type in _EMPHASIS:
            opened.append(at)
        elif token.type.replace("_close", "_open") in _EMPHASIS:
            begin = opened.pop()
            before = tokens[begin - 1].content if begin else ""
            if token.markup[0] == "_" or _ENDS_LIKE_CODE.search(before):
                shown[begin], shown[at] = _text(token.markup), _text(token.markup)
    return shown


def _in_colours(code: str, language: str) -> str:
    lines = code.rstrip().expandtabs(TAB_COLUMNS).split("\n")
    return "\n".join(highlighted(lines, path="", language=language))


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _letters(text: str) -> Counter[str]:
    """How often each letter stands in a text, and how many citations may begin in it."""
    return Counter(character for character in text if character.isalpha() or character == "[")


def _line(segments: Iterable[Segment]) -> str:
    """A line of the terminal, without the space that fills it."""
    kept = list(segments)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[-1] = kept[-1]._replace(text=kept[-1].text.rstrip())
    return "".join(
        segment.text if segment.style is None else segment.style.render(segment.text, color_system=ColorSystem.STANDARD)
        for segment in kept
        if not segment.control
    )
