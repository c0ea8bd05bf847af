"""Source code in colours, for a terminal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from askrepo.text.display import plain

if TYPE_CHECKING:
    from pygments.lexer import Lexer

TAB_COLUMNS = 4

MAX_CHARS = 400_000
"""Longer files are shown without colours: they would be waited for."""

MAX_S = 1.0
"""Likewise what takes longer: lexers are regular expressions, which a file may have been written to stall."""

# The first that a token's type is, or is a kind of.
_STYLES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Comment", {"fg": "bright_black"}),
    ("Literal.String.Doc", {"fg": "bright_black"}),
    ("Literal.String", {"fg": "green"}),
    ("Literal.Number", {"fg": "cyan"}),
    ("Keyword", {"fg": "magenta"}),
    ("Operator.Word", {"fg": "magenta"}),
    ("Name.Function", {"fg": "blue", "bold": True}),
    ("Name.Class", {"fg": "blue", "bold": True}),
    ("Name.Decorator", {"fg": "yellow"}),
    ("Name.Tag", {"fg": "blue"}),
    ("Name.Builtin", {"fg": "cyan"}),
    ("Generic.Heading", {"fg": "blue", "bold": True}),
    ("Generic.Subheading", {"fg": "blue"}),
)


def highlighted(lines: Sequence[str], *, path: str, language: str) -> list[str]:
    """The lines of a whole file in colours and safe for a terminal; plain when no lexer fits, or it takes too long."""
    text = "\n".join(lines)
    shown = [plain(line) for line in lines]
    if len(text) > MAX_CHARS or threading.current_thread() is not threading.main_thread():
        return shown
    try:
        with _time_limit():
            lexer = _lexer(path, language)
            coloured = None if lexer is None else "".join(_pieces(lexer, text)).split("\n")
    except _TooLongError:
        return shown
    return coloured if coloured is not None and len(coloured) == len(lines) else shown


class _TooLongError(Exception):
    pass


@contextmanager
def _time_limit() -> Iterator[None]:
    """Python looks for signals while a regular expression runs."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, MAX_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _lexer(path: str, language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
    from pygments.util import ClassNotFound

    options = {"stripnl": False, "ensurenl": False}
    for find, name in ((get_lexer_by_name, language), (get_lexer_for_filename, path.rpartition("/")[2])):
        try:
            return find(name, **options)
        except ClassNotFound:
            continue
    return None


def _pieces(lexer: Lexer, text: str) -> Iterator[str]:
    """The text, each of its tokens in its colour, which ends with the line."""
    for kind, value in lexer.get_tokens(text):
        style = next((style for name, style in _STYLES if f"{kind}.".startswith(f"Token.{name}.")), None)
        parts = (plain(part) for part in value.split("\n"))
        yield "\n".join(click.style(part, **style) if style and part.strip() else part for part in parts)
