"""Answers in a form: a list of statements, each with its sources and a quotation, asked for by JSON schema.

A model that is asked for prose may cite nothing at all; one that fills in a form cites in every statement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

FIELDS = ("sources", "quote", "text")
"""In the order in which they are written: a model that has copied the lines first writes what they say."""

MAX_STATEMENTS = 200
"""Statements read of one answer; a model that repeats itself must not fill the screen."""

MAX_REPEATS = 3
"""Statements of one answer that say again what it has said; small models go round in circles until they are cut off."""

ROUND_CHARS, ROUNDS, ROUNDS_WITHIN_CHARS = 60, 4, 4000
"""A statement whose last 60 characters stand four times in its last 4,000 goes round in circles as well."""

MAX_SOURCES = 8
"""Sources of one statement."""

REREAD_SHARE = 1 / 50
"""How much an unfinished statement must have grown to be read once more, so that reading stays linear."""

_HEAD_CHARS = 40
_FORM_BEGIN = re.compile(r"\s*(?:```(?:json|JSON)?\s*)?(?:\{\s*\"|\[\s*[\"{])")
_MAY_BE_FORM = re.compile(r"\s*(?:`{0,3}|```(?:j|js|jso|json|J|JS|JSO|JSON)?\s*)(?:[{\[]\s*)?")
_FENCED = r"\s*(?:```\w{0,10}\s*)?"
_LIST_BEGIN = re.compile(rf"{_FENCED}(?:\{{\s*\"\w{{1,40}}\"\s*:\s*)?\[")
_ONE_BEGIN = re.compile(rf"{_FENCED}(?=\{{\s*\"(?:text|sources|quote)\")")
_BETWEEN = re.compile(r"[\s,]*")
_LEFT_OVER = re.compile(r"[\s{}\[\],`]{0,200}(?:\"(?:text|statements)\"\s{0,20}:\s{0,20}\"?)?")
_SENTENCES = re.compile(r".*[.!?](?=\s|\Z)", re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)
_BLOCK = re.compile(r"\s*(?:[-*+\u2022] |\d{1,3}[.)] |#{1,6} |```|\||>)")
_RULES = """\
Reply with JSON only: {"statements": [{"sources": [1], "quote": "…", "text": "…"}]}. The sources of a statement are \
the numbers of the sources that it comes from, at least one. Its quote is a short passage, a few words to one line, \
copied exactly from one of these sources. Its text answers the question, or a part of it, in one or two sentences, in \
Markdown and without citations. Names of code stand in `backticks`. Say nothing twice. \
When the sources do not hold the answer, the only statement says what is missing, with the sources that come nearest."""


@dataclass(frozen=True, slots=True)
class Said:
    """A statement as the model filled it in.

    :ivar text: Markdown. :ivar sources: numbers, whether there are such sources or not.
    :ivar quote: empty when it gave none.
    """

    text: str
    sources: tuple[int, ...] = ()
    quote: str = ""

    @property
    def begins_block(self) -> bool:
        """Whether it is a list item, a heading, code or the like, which begins a line."""
        return _BLOCK.match(self.text) is not None


def schema_for(numbers: Collection[int]) -> dict[str, Any]:
    """The JSON schema of an answer from the sources of these numbers."""
    kinds = {
        "sources": {"type": "array", "items": {"type": "integer", "enum": sorted(numbers)}},
        "quote": {"type": "string"},
        "text": {"type": "string"},
    }
    statement = {
        "type": "object",
        "properties": {name: kinds[name] for name in FIELDS},
        "required": list(FIELDS),
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"statements": {"type": "array", "items": statement}},
        "required": ["statements"],
        "additionalProperties": False,
    }


def with_form_rules(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages of an answer with the rules of the form at their end: what is before stays cached."""
    *others, last = messages
    return [*others, last.model_copy(update={"content": f"{last.content}\n\n{_RULES}"})]


class FormReader:
    """A reply that may be a form or prose: iterate over `prose`, then over `statements`.

    :param is_asked: whether a form was asked for, known when the first piece is there; else all of it is prose.
    :ivar is_form: whether it began as a form; known when the first of `prose` is there, or it has ended.
    """

    def __init__(self, pieces: Iterable[str], *, is_asked: Callable[[], bool] = lambda: True) -> None:
        self._is_asked = is_asked
        self._pieces = iter(pieces)
        self._text = ""
        self._at: int | None = None
        self._length_read = 0
        self._given = 0
        self._repeats = 0
        self._goes_round = False
        self._texts: set[str] = set()
        self._is_said = False
        self.is_form = False

    def prose(self) -> Iterator[str]:
        """The pieces of a reply that is no form; none of one that is."""
        for piece in self._pieces:
            self._text += piece
            if not self._is_asked():
                break
            if _FORM_BEGIN.match(self._text):
                self.is_form = True
                return
            if len(self._text.lstrip()) > _HEAD_CHARS or not _MAY_BE_FORM.fullmatch(self._text):
                break
        yield from filter(None, [self._text])
        yield from self._pieces

    def statements(self) -> Iterator[Said]:
        """The statements of a form, each as soon as it is whole; what is no JSON comes as text, so that none is lost.

        An error of the pieces is raised after what had arrived.
        """
        if not self.is_form:
            return
        error: Exception | None = None
        yield from self._whole_statements()
        try:
            for piece in self._pieces:
                self._text += piece
                if "}" in piece:
                    yield from self._whole_statements()
                self._end_rounds()
                if self.has_enough:
                    break
        except Exception as raised:  # noqa: BLE001 - told below, behind what had arrived
            error = raised
        self._length_read = 0
        yield from self._whole_statements()
        yield from self._rest()
        if error is not None:
            raise error

    def _whole_statements(self) -> Iterator[Said]:
        """The statements that are whole by now and were not given."""
        if self._at is None:
            begin = _LIST_BEGIN.match(self._text) or _ONE_BEGIN.match(self._text)
            self._at = begin.end() if begin else None
        while self._at is not None and not self.has_enough:
            between = _BETWEEN.match(self._text, self._at)
            start = between.end() if between else self._at
            waiting = len(self._text) - start
            if self._text[start : start + 1] in ("", "]") or waiting < self._length_read * (1 + REREAD_SHARE):
                return
            try:
                value, self._at = _DECODER.raw_decode(self._text, start)
            except (ValueError, RecursionError):
                self._length_read = waiting
                return
            self._length_read = 0
            self._given += 1
            if (said := _said(value)) is not None and self._is_new(said):
                self._is_said = True
                yield said

    @property
    def has_enough(self) -> bool:
        """Whether no more of the answer is read."""
        return self._given >= MAX_STATEMENTS or self._repeats >= MAX_REPEATS or self._goes_round

    def _end_rounds(self) -> None:
        """Where the unfinished statement goes round in circles, leave it the first round only."""
        start = max(self._at or 0, len(self._text) - ROUNDS_WITHIN_CHARS)
        last = self._text[-ROUND_CHARS:]
        if len(last) == ROUND_CHARS and self._text.count(last, start) >= ROUNDS:
            self._goes_round = True
            self._text = self._text[: self._text.index(last, start) + ROUND_CHARS]

    def _is_new(self, said: Said) -> bool:
        """Whether this was not said before; counts what was."""
        text = " ".join(said.text.split())
        self._repeats += text in self._texts
        is_new = text not in self._texts
        self._texts.add(text)
        return is_new

    def _rest(self) -> Iterator[Said]:
        """What the end left: the beginning of a statement, or text that is no JSON."""
        rest = self._text[self._at or 0 :]
        between = _BETWEEN.match(rest)
        rest = rest[between.end() :] if between else rest
        if self._is_said and (rest.startswith("]") or (self.has_enough and not self._goes_round)):
            return
        value = _unfinished(rest)
        said = _said(value)
        if said is None and self._is_said and _is_begun(value):
            return
        if said is None and not self._is_said:  # JSON of something else
            said = Said(self._text.strip())
        if said is None:
            left = _LEFT_OVER.match(rest)
            said = Said(rest[left.end() if left else 0 :].strip())
        if self._goes_round and (whole := _SENTENCES.match(said.text)):
            said = replace(said, text=whole[0])
        if any(map(str.isalnum, said.text)):
            yield said


def _unfinished(text: str) -> Any:
    """The value that a JSON text begins; None when it is no JSON."""
    import jiter

    try:
        return jiter.from_json(text.encode("utf-8", "replace"), partial_mode="trailing-strings")
    except ValueError:
        return None


def _is_begun(value: Any) -> bool:
    """Whether a value is a statement whose text has not come."""
    return isinstance(value, dict) and value.keys() <= set(FIELDS) and not value.get("text")


def _said(statement: Any) -> Said | None:
    """A statement of any shape as far as it says something."""
    if isinstance(statement, str):
        return Said(statement) if statement.strip() else None
    if not isinstance(statement, dict) or not isinstance(statement.get("text"), str) or not statement["text"].strip():
        return None
    numbers = statement.get("sources")
    listed = numbers if isinstance(numbers, list) else [numbers]
    sources = tuple(dict.fromkeys(number for each in listed if (number := _number(each)) is not None))
    quote = statement.get("quote")
    quoted = quote.strip() if isinstance(quote, str) else ""
    if not any(map(str.isalnum, quoted)):  # small models copy the "…" of the rules
        quoted = ""
    return Said(statement["text"].strip(), sources[:MAX_SOURCES], quoted)


def _number(value: Any) -> int | None:
    if isinstance(value, str):
        value = int(digits) if (digits := value.strip("[] "))[:6].isascii() and digits.isdigit() else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**6 else None
