"""What of a statement can be looked up: quotations, names in code font, numbers with a unit, paths, code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from askrepo.answer import citation_spellings as spelled
from askrepo.answer.quantities import NUMBER

PartKind = Literal["quote", "name", "number", "path", "code"]


@dataclass(frozen=True, slots=True)
class Part:
    """Words of a statement that must stand in what it cites.

    :ivar text: as it is looked up, without the marks around it.
    :ivar start: where it begins in the statement, marks included; end: where it ends.
    """

    kind: PartKind
    text: str
    start: int
    end: int


_CODE = re.compile(r"(?<!`)(?P<ticks>`{1,3})(?P<code>[^`\n]{1,300})(?P=ticks)(?!`)")
_QUOTE = re.compile(
    r"\"(?P<straight>[^\"\n]{2,400})\"|\u201c(?P<curly>[^\u201c\u201d]{2,400})\u201d|\u00ab(?P<french>[^\u00ab\u00bb]{2,400})\u00bb"
    r"|(?<!\w)'(?P<single>[^'\n]{2,200})'(?!\w)|\u2018(?P<raised>[^\u2018\u2019]{2,200})\u2019(?!\w)"
)
_PATH = re.compile(r"(?<![\w./@:-])(?:\.{0,2}/)?(?:[\w@+-][\w.@+-]{0,80}/){0,12}[\w@+-][\w.@+-]{0,80}(?![\w/(])")
_ENDING = re.compile(r"\.[a-z][a-z0-9]{0,4}$", re.IGNORECASE)
_CITATION = re.compile(r"\[[^\[\]\n]{1,60}: unresolved\]|(?<![\w`\])])\[\d{1,4}\]|\u2248\[\d{1,4}\]")
_LINES_BEHIND = re.compile(r"`?(?::L?\d|#L?\d|,? lines? \d|@[0-9a-f]{7}|`? \(unverified\))")
_NAMES_LINES = re.compile(r".{0,200}\S:L?\d+(?:-L?\d+)?$|.{0,200}#L\d+(?:-L?\d+)?$|\[\d+(?:: unresolved)?\]$")

_PLAIN_NAME = re.compile(r"(?<![\w.:/@#$&=%<-])[A-Za-z]\w{0,80}_\w{0,80}[A-Za-z0-9](?:\(\))?(?![\w/@:=>-]|\.\w)")

# Values and types that every program has: that a function returns `None` is no name of the repository's.
_COMMON_WORDS = """
none null nil true false undefined void self this super str string int integer bool boolean float double char byte
object any list dict set tuple map array optional error exception async await return yield if else for while try
except catch finally throw raise class def fn func function struct enum interface trait impl type import from export
const let var static public private protected final abstract new delete with as in is not and or main get post put
patch head options number unknown never nan
"""
COMMON_WORDS = frozenset(_COMMON_WORDS.split())


def parts_of(text: str) -> tuple[Part, ...]:
    """The parts of a statement in Markdown, in order; what a citation consists of is none of them."""
    found = list(_code_parts(text))
    masked = _masked(text, found)
    masked = _masked(masked, _CITATION.finditer(masked))
    masked = _masked(masked, spelled.URL.finditer(masked))
    for read in (_quote_parts, _number_parts, _path_parts, _plain_name_parts):
        parts = list(read(masked))
        masked = _masked(masked, parts)
        found += parts
    found = [part for part in found if part.text]
    return tuple(sorted(found, key=lambda part: part.start))


def _masked(text: str, taken: Iterator[re.Match[str]] | Sequence[Part]) -> str:
    """The text, blank where something was taken from it."""
    shown, at = [], 0
    for each in taken:
        start, end = (each.start, each.end) if isinstance(each, Part) else each.span()
        shown += [text[at:start], " " * (end - start)]
        at = end
    return "".join([*shown, text[at:]])


def _code_parts(text: str) -> Iterator[Part]:
    for match in _CODE.finditer(text):
        code = match["code"].strip()
        if _NAMES_LINES.match(code) or _LINES_BEHIND.match(text, match.end()):
            yield Part("name", "", match.start(), match.end())
        else:
            is_path = _is_path(code) and not code.endswith(")")
            is_common = code.strip("()\"'").lower() in COMMON_WORDS or not re.search(r"\w", code)
            yield Part("path" if is_path else "name", "" if is_common else code, match.start(), match.end())


def _plain_name_parts(text: str) -> Iterator[Part]:
    """Names without code font whose underscores tell that they are some; small models forget the backticks."""
    for match in _PLAIN_NAME.finditer(text):
        yield Part("name", match[0], match.start(), match.end())


def _quote_parts(text: str) -> Iterator[Part]:
    for match in _QUOTE.finditer(text):
        quoted = next(filter(None, match.groups())).strip()
        is_telling = re.search(r"\w\w", quoted) and quoted.lower() not in COMMON_WORDS
        yield Part("quote", quoted if is_telling else "", match.start(), match.end())


def _number_parts(text: str) -> Iterator[Part]:
    for match in NUMBER.finditer(text):
        yield Part("number", match.group(), match.start(), match.end())


def _path_parts(text: str) -> Iterator[Part]:
    for match in _PATH.finditer(text):
        path = match.group().rstrip(".-")
        end = match.start() + len(path)
        is_cited = _LINES_BEHIND.match(text, end) is not None
        if not is_cited and _is_path(path) and ("/" in path or spelled.SOURCE_FILE.fullmatch(path)):
            yield Part("path", path, match.start(), end)


def _is_path(text: str) -> bool:
    """Whether a reader takes it for a file of the repository: with a folder and an ending, or an ending of sources."""
    if not re.fullmatch(r"[\w./@+-]{3,240}", text) or text.startswith(("--", "//")) or not re.search(r"[A-Za-z]", text):
        return False
    if "/" in text:
        return _ENDING.search(text) is not None and text.rpartition("/")[2].count(".") <= 3
    return spelled.SOURCE_FILE.fullmatch(text) is not None and text.count(".") <= 2
