"""The names of code that a question mentions, as they were typed: what must be found verbatim."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum

MAX_MENTIONS = 8
"""Names looked up for one question: a pasted log holds hundreds, and each costs a look-up."""

HEAD_CHARS = 1000
"""Characters of a question that are read for names; what follows is usually pasted text."""

MAX_NAME_CHARS = 200
"""Characters of a quoted message or a name; longer ones are pasted text."""

_IDENTIFIER = r"[^\W\d]\w*"
_SEPARATORS = r"::|->|\.|#|\\|/|:"
_LAST_PART = re.compile(rf"(?:{_SEPARATORS})(?=[^\W\d])")
_QUALIFIED = rf"{_IDENTIFIER}(?:(?:::|->|[.#\\:]){_IDENTIFIER})+"
_KEBAB = rf"{_IDENTIFIER}(?:-\w+)+"
_WORD = re.compile(r"\w")
_LINE = re.compile(r"(?::|#L?|[\"']?,? line |\()(\d{1,7})(?:-L?\d{1,7}|:\d{1,7})?\)?")
"""The lines behind a path, as compilers, tracebacks, editors and web pages write them."""
_PATH_END = re.compile(r"(?:\.[^\W\d]\w*|/[\w.@+-]*)\Z")

_WEB_PLACE = re.compile(
    r"https?://[^\s/]+/[^\s/]+/[^\s/]+/(?:-/)?(?:blob|raw|blame|src)/(?:branch/|commit/)?[^\s/]+/(?=\S)"
)
"""What a web page of a file has before its path."""
_GO_METHOD = re.compile(r"\bfunc \((?:\w+ )?\*?(\w+)\) (\w+)")
"""The head of a method of Go, with the type that it is of."""
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]{2}")
"""Scripts without spaces between words, in which a whole sentence is one word."""

_QUOTED_WORD = re.compile(r"(`{1,3}|[\"'])([^`\"'\s]+)\1")

# Words before or behind a plain word that make it a name: "the function task", "task macro".
_NOUNS = (
    r"function|method|class|struct|trait|interface|enum|macro|constant|variable|setting|option|decorator|attribute"
    r"|parameter|env(?:ironment)?\s+variable"
)
_KEYWORDS = (
    r"(?:pub )?(?:async )?(?:fn|def|func|fun|function|class|struct|enum|trait|interface|module|namespace|impl"
    r"|macro_rules!|defmodule|defp|defmacro|sub|proc)"
)
"""What a question begins with that is the beginning of a definition: "def paths", "fn spawn"."""
_PLAIN = r"[^\W\d]\w*(?:-\w+)*"
_JOINED = re.compile(r"[A-Za-z]?[a-z]+/[A-Za-z]?[a-z]+")
_PLAIN_WORD = re.compile(_IDENTIFIER)
_HUMPS = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]{2}|[A-Za-z]\d+[A-Za-z]")
_ANY_CASE = re.IGNORECASE
_ARTICLE = r"(?:^|\b(?:the|an?|is|of|does)\s+)"
_CALLED = r"(?:(?:called|named)\s+)?"
_MADE = r"set|defined|declared|implemented"
_BEHIND = r"(?=\s*(?:[?.!,]|$)|\s+(?:is|are|was|do|does|did|works?|returns?|means?|gets?|in|from|of|for|with|and|or)\b)"
_NO_NAME_WORDS = """
a an and any are as base be by called can default defined do does first for from given has have how i in is it its last
main my named new of on or other our same set that the their them then there this to used using was we were what when
where which who why with you your
"""
_NOT_NAMES = frozenset(_NO_NAME_WORDS.split())


class Holds(IntEnum):
    """What a chunk has of a name, the best first."""

    DEFINES = 0
    NAMES_FILE = 1
    SETS = 2
    DOCUMENTS = 3
    USES = 4


@dataclass(frozen=True, slots=True)
class Mention:
    """A name, a path or a message that a question mentions.

    :ivar text: as it must stand in the repository: without quotes, backticks and what a call adds.
    :ivar is_sure: it looks like code, or the question says that it is a name; others count only where the repository
        defines or sets them.
    :ivar is_message: several words, quoted.
    :ivar line: the first line asked for behind a path, from 1; 0 when there is none.
    """

    text: str
    is_sure: bool = True
    is_message: bool = False
    line: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether it may be a word of plain language, which other forms of the word answer as well."""
        return _PLAIN_WORD.fullmatch(self.text) is not None and not has_code_shape(self.text)

    @property
    def is_flag(self) -> bool:
        """Whether it is an option of a command."""
        return self.text.startswith("-")

    @property
    def may_be_prose(self) -> bool:
        """Whether it may be words of plain language that a sentence joins: "real-time", "join/leave"."""
        return not self.is_sure or _JOINED.fullmatch(self.text) is not None

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a qualified name, outermost first; the whole of any other."""
        if self.is_message or self.is_flag:
            return (self.text,)
        parts = (part.strip("()*&") for part in _LAST_PART.split(self.text.lstrip("@$%:&").replace("()", "")))
        return tuple(filter(None, parts))

    @property
    def name(self) -> str:
        """The last part: what a definition of it is called."""
        return self.parts[-1] if self.parts else self.text


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to write a name; what it matches is not read again as another form."""

    pattern: re.Pattern[str]
    is_sure: bool = True
    is_name: Callable[[str], bool] = lambda _text: True


def has_code_shape(text: str) -> bool:
    """Whether an identifier is one that plain language does not have: `a_b`, `aB`, `ABc`, `ALL_CAPS`, `a1b`."""
    inner = text.strip("_")
    return ("_" in text and any(map(str.isalpha, text))) or _HUMPS.search(inner) is not None


_QUOTES = (
    _Form(re.compile(r"[\"\u201c]([^\"\u201c\u201d\n]{2,200})[\"\u201d]")),
    _Form(re.compile(r"(?<!\w)'([^'\n]{2,200})'(?!\w)")),
)
_ASKS = re.compile(r"(?:how|what|why|when|where|which|who|should|could|would|can|do|does|is|are|i|we)\b", _ANY_CASE)
_ERROR = r"(?:\w*(?:error|exception)|fatal|panic|warning|assertion failed)"
_FORMS: tuple[_Form, ...] = (
    # Messages, with whatever they quote: of three words and more, or behind what only an error begins with.
    _Form(re.compile(r"(?<!\w)\"((?:[^\s\"]+ ){2,}[^\"\n]{1,150})\"(?!\w)")),
    _Form(re.compile(r"\u201c((?:[^\s\u201d]+ ){2,}[^\u201d\n]{1,150})\u201d")),
    _Form(
        re.compile(rf"(?:^|[\s:]){_ERROR}(?: \([^()\n]*\))?: +([^\n?]{{5,200}}?)\s*(?=$|\n|\?)", re.IGNORECASE),
        is_name=lambda text: len(text.split()) > 1 and not _ASKS.match(text),
    ),
    _Form(re.compile(r"`+([^`\n]{1,200})`+")),
    *_QUOTES,
    _Form(re.compile(r"(?<![\w-])(--[A-Za-z][\w-]*|-[A-Za-z])(?![\w-])")),
    # Paths, and names of files: with a folder or an ending.
    _Form(re.compile(r"(?<![\w/])((?:\.{0,2}/)?(?:[\w.@+-]+/)+[\w.@+-]*\w)(?![\w/])")),
    _Form(re.compile(r"(?<!\w)(@?[^\W\d][\w-]*(?:\.[\w-]+)+)(?![\w])"), is_name=lambda text: not _is_prose(text)),
    _Form(re.compile(rf"(?<![\w.])([@$]?{_QUALIFIED}[?!]?)(?!\w)"), is_name=lambda text: not _is_prose(text)),
    _Form(re.compile(rf"(?<!\w)({_IDENTIFIER})(?=\(\))")),
    _Form(re.compile(rf"(?<!\w)({_IDENTIFIER})(?=\((?!e?s\))[^\s()]+\))"), is_sure=False),
    _Form(re.compile(rf"(?<!\w)([@$]{_IDENTIFIER})")),
    _Form(re.compile(rf"(?<!\w)({_IDENTIFIER}!)(?=\s|\(|$)"), is_sure=False),
    _Form(re.compile(r"(?<![\w.])(v?\d+\.\d+(?:\.\d+)+(?:[-+.]?[A-Za-z]\w*)*)(?!\w)")),
    _Form(re.compile(r"(?<!\w)([A-Z]{1,8}-?\d{3,})(?!\w)")),
    _Form(re.compile(r"(?<![\w-])((?:X|[A-Z][a-z]+|[A-Z]{2,})(?:-(?:[A-Z][a-z]*|[A-Z]+|[Ii]d)){2,}|X(?:-[A-Z]\w+)+)(?![\w-])")),
    _Form(re.compile(rf"(?<![\w-])({_KEBAB})(?![\w-])"), is_sure=False),
    _Form(re.compile(rf"(?<!\w)({_IDENTIFIER})(?!\w)"), is_name=has_code_shape),
    _Form(re.compile(rf"^(?:{_KEYWORDS})\s+({_PLAIN}[?!]?)\s*(?:[(<{{:].*)?$"), is_sure=False),
    _Form(re.compile(rf"{_ARTICLE}(?:{_NOUNS})\s+{_CALLED}({_PLAIN}){_BEHIND}", _ANY_CASE), is_sure=False),
    _Form(re.compile(rf"\bthe\s+({_PLAIN})\s+(?:{_NOUNS}){_BEHIND}", _ANY_CASE), is_sure=False),
    _Form(re.compile(rf"\bwhere\s+(?:is|are)\s+({_PLAIN})\s+(?:{_MADE})\b", _ANY_CASE), is_sure=False),
    _Form(re.compile(rf"\bwhat\s+does\s+({_PLAIN})\s+do\b", _ANY_CASE), is_sure=False),
)  # fmt: skip


def mentions(text: str) -> tuple[Mention, ...]:
    """The names in a question, in its order, each once, at most MAX_MENTIONS; a bare word is one whatever it is."""
    head = _GO_METHOD.sub(r"\1.\2", _WEB_PLACE.sub("", text[:HEAD_CHARS].strip()))
    found = [_bare(head)] if _is_bare(head) else _found(head)
    kept = {each.text: each for each in reversed(found) if _WORD.search(each.text)}
    return tuple(kept[each.text] for each in dict.fromkeys(found) if kept.get(each.text) is each)[:MAX_MENTIONS]


def is_name(text: str) -> bool:
    """Whether a question is nothing but one name, or one quoted message."""
    asked = text.strip()
    found = mentions(asked)
    return _is_bare(asked) or (len(found) == 1 and len(found[0].text) >= len(asked.strip("`\"'\u201c\u201d?!. ()")))


def _is_bare(text: str) -> bool:
    return len(text.split(maxsplit=1)) == 1 and len(text) <= MAX_NAME_CHARS


def _bare(text: str) -> Mention:
    """A question of one word, without quotes around it and the lines behind a path."""
    quoted = _QUOTED_WORD.fullmatch(text)
    if quoted and _WORD.search(quoted[2]):
        return _bare(quoted[2].removesuffix("()"))
    for lines in _LINE.finditer(text):
        if lines.end() == len(text) and _is_path(text[: lines.start()]):
            return Mention(text[: lines.start()], line=int(lines[1]))
    return Mention(text, is_sure=_WORD.search(text) is not None and _UNSPACED.search(text) is None)


def _found(text: str) -> list[Mention]:
    taken: list[tuple[int, int]] = []
    found: list[tuple[int, Mention]] = []
    for form in _FORMS:
        for match in form.pattern.finditer(text):
            start, end = match.span(1)
            if form.is_name(match[1]) and not any(start < other_end and other < end for other, other_end in taken):
                mention = _mention(match[1], form)
                if mention is not None:
                    taken.append((start, end))
                    found.append((start, _with_line(mention, text, end)))
    return [mention for _, mention in sorted(found, key=lambda pair: pair[0])]


def _with_line(mention: Mention, text: str, end: int) -> Mention:
    """The mention with the line that stands behind it, if it is a path."""
    lines = _LINE.match(text, end)
    return replace(mention, line=int(lines[1])) if lines and _is_path(mention.text) else mention


def _is_path(text: str) -> bool:
    """Whether a text ends as paths do, and is no address of the web."""
    return "://" not in text and _PATH_END.search(text) is not None


def _mention(text: str, form: _Form) -> Mention | None:
    """The mention of what a form matched; None for a word of plain language."""
    name = text.strip().removesuffix("()").strip()
    if not name or name.lower() in _NOT_NAMES:
        return None
    is_message = len(name.split()) > 1
    # 'single' words in quotes are as often irony as names.
    is_plain = form in _QUOTES and not is_message and _PLAIN_WORD.fullmatch(name) and not has_code_shape(name)
    return Mention(name, form.is_sure and not is_plain, is_message)


def _is_prose(text: str) -> bool:
    """`e.g`, `i.e` and a sentence's end without a space behind it."""
    parts = text.split(".")
    return all(len(part) == 1 for part in parts)
