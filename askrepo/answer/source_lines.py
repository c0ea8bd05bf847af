"""The lines of a source, ready to look words, names and numbers up in them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath

from askrepo.answer.comparable_text import ComparableLines
from askrepo.answer.context import Source
from askrepo.answer.quantities import number_values, numbers_given, said_keys, stored_keys
from askrepo.answer.statement_parts import Part
from askrepo.text.terms import query_terms
from askrepo.types import Citation

NEAR_LINES = 3
"""Lines between a number and the words that say what it counts."""

NEAR_TERMS = 2
"""Words of a statement that stand that near, when no name of it does."""

_NUMBERED = re.compile(r"\d+\t")
_CALL = re.compile(r"(?P<name>[^\W\d][\w.:>$@-]{0,100})\((?P<arguments>[^()\n]{0,200})\)")
_CALLED_ON = re.compile(r"(?P<owner>\w{1,80})(?:::|->|\.|#)(?=\w{1,80}\()")
_ARGUMENT = re.compile(r"\s*[*&]{0,2}\w+(?:=[\w.'\"-]+)?\s*|\s*\.\.\.\s*|\s*\u2026\s*|")
_SEPARATOR = re.compile(r"::|->|\.|#")
_QUALIFIED = re.compile(r"[@$]?\w+[!?]?(?:(?:::|->|\.|#)\w+[!?]?)+")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Span:
    """Lines of a source in which something stands: indices of the first and the last, inclusive."""

    first: int
    last: int


@dataclass(frozen=True)
class SourceLines:
    """Lines that a statement may rest on. Compared by what they are of, since a source may hold thousands.

    :ivar number: of the source, None for lines that were named by path or found in the dataset.
    :ivar citation: which lines they are; url: where they are on the web.
    :ivar lines: one for each line of the citation, without numbers.
    :ivar names: what else the source is called by: what it defines and is within.
    """

    number: int | None
    citation: Citation
    url: str
    lines: tuple[str, ...] = field(compare=False, repr=False)
    names: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    @classmethod
    def of(cls, source: Source) -> SourceLines:
        """The source as the chat model saw it."""
        chunk = source.hit.chunk
        lines = tuple(map(_without_number, source.text.split("\n")))
        return cls(source.number, source.citation, source.url, lines, frozenset((*chunk.symbols, *chunk.scope)))

    @cached_property
    def exact(self) -> ComparableLines:
        """The lines as they are compared with names and code."""
        return ComparableLines.of(self.lines)

    @cached_property
    def folded(self) -> ComparableLines:
        """The lines as they are compared with quotations, in any case of letters."""
        return ComparableLines.of(self.lines, any_case=True)

    @cached_property
    def terms(self) -> dict[str, list[int]]:
        """Each term of the lines, with the indices of the lines that have it."""
        found: dict[str, list[int]] = {}
        for at, line in enumerate(self.lines):
            for term in query_terms(line):
                found.setdefault(term, []).append(at)
        return found

    @cached_property
    def numbers(self) -> dict[str, list[int]]:
        """Each number of the lines with its unit, with the indices of the lines that have it."""
        found: dict[str, list[int]] = {}
        for at, line in enumerate(self.lines):
            for key in stored_keys(line):
                found.setdefault(key, []).append(at)
        return found

    @cached_property
    def given(self) -> dict[int, list[tuple[str, set[float]]]]:
        """By index, the lines that give a number to a name, with the names and their numbers: `retries = 3`."""
        given = ((at, numbers_given(line)) for at, line in enumerate(self.lines))
        return {at: names for at, names in given if names}

    @cached_property
    def path_names(self) -> frozenset[str]:
        """The parts of the path and of the repository's name, and the file's name without its ending."""
        path = PurePosixPath(self.citation.path)
        repository = self.citation.repository
        return frozenset((*path.parts, path.stem, repository, *repository.split("/")))

    def cited(self, span: Span) -> Citation:
        """Lines of the source as a citation."""
        start = self.citation.start_line
        return replace(self.citation, start_line=start + span.first, end_line=start + span.last)

    def find(self, part: Part) -> Span | None:
        """Where a quotation, a name, a path or code stands; None when it does not, and for numbers."""
        if part.kind == "quote":
            return self._quote(part.text)
        if part.kind == "path":
            return self._path(part.text)
        return self._name(part.text) if part.kind in ("name", "code") else None

    def lines_with(self, part: Part) -> list[int]:
        """Indices of the lines in which a name or a quotation begins."""
        if part.kind == "quote":
            return self.folded.all(part.text.lower())
        return self.exact.all(part.text.removesuffix("()"))

    def find_number(
        self, part: Part, named: Collection[int], terms: Collection[str], names: Collection[str]
    ) -> Span | None:
        """Where a number stands, with its unit or none, next to what it is said of: a name, a quotation or two words.

        :param named: lines with the statement's names and quotations; terms: its words. With neither, any place counts.
        :param names: the words of its names when a number of another name cannot be meant, see `gives_others`.
        """
        wanted = min(NEAR_TERMS, sum(term in self.terms for term in terms))
        values = set(number_values(part.text))
        for at in sorted({at for key in said_keys(part.text) for at in self.numbers.get(key, ())}):
            if self._is_anothers(at, values, terms, names):
                continue
            around = range(at - NEAR_LINES, at + NEAR_LINES + 1)
            if any(line in named for line in around) or (wanted and self._terms_in(around, terms) >= wanted):
                return Span(at, at)
            if not named and not terms:
                return Span(at, at)
        return None

    def gives_others(self, names: Collection[str], said: Collection[float]) -> bool:
        """Whether numbers are given here to some of the names, and none of these is said of them."""
        given = [values for each in self.given.values() for name, values in each if name in names]
        return bool(given) and all(values.isdisjoint(said) for values in given)

    def _is_anothers(self, at: int, values: set[float], terms: Collection[str], names: Collection[str]) -> bool:
        """Whether a line gives the number to a name that a statement about these names does not mention."""
        owners = [name for name, given in self.given.get(at, ()) if given & values] if names else []
        return bool(owners) and not any(
            name in names or any(term in terms for term in query_terms(name)) for name in owners
        )

    def _terms_in(self, lines: range, terms: Collection[str]) -> int:
        return sum(any(at in lines for at in self.terms.get(term, ())) for term in terms)

    def _quote(self, text: str) -> Span | None:
        found = self.folded.find(text.lower(), is_prose=True)
        return Span(*found) if found else None

    def _path(self, path: str) -> Span | None:
        bare = path.removeprefix("./").lstrip("/")
        stored = f"{self.citation.repository}/{self.citation.path}"
        if stored.endswith("/" + bare):
            return Span(0, 0)
        found = self.exact.find(path) or self.exact.find(bare)
        return Span(*found) if found else None

    def _name(self, name: str) -> Span | None:
        bare = name.strip().removesuffix("()")
        found = self.exact.find(bare)
        if found:
            return Span(*found)
        if bare in self.path_names or bare in self.names:
            return Span(0, 0)
        return self._qualified(bare) or self._called_on(name) or self._call(name) or self._as_written(bare)

    def _called_on(self, text: str) -> Span | None:
        """`Session.send(request)` where `send(request)` stands, called on some session, and `Session` does as well."""
        match = _CALLED_ON.match(text)
        if match is None:
            return None
        found = self.exact.find(text[match.end() :])
        is_known = match["owner"] in self.path_names | self.names or self.exact.find(match["owner"])
        return Span(*found) if found and is_known else None

    def _as_written(self, name: str) -> Span | None:
        """Where a name stands in what is not compared, such as the target of a link."""
        if not _WORD.fullmatch(name.replace("-", "_")):
            return None
        whole = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        at = next((at for at, line in enumerate(self.lines) if name in line and whole.search(line)), None)
        return None if at is None else Span(at, at)

    def _qualified(self, name: str) -> Span | None:
        """`Session.send` where `send` stands, and `Session` stands there too or encloses it."""
        if not _QUALIFIED.fullmatch(name):
            return None
        *owners, last = (part for part in _SEPARATOR.split(name.lstrip("@$")) if part)
        found = self.exact.find(last)
        around = self.path_names | self.names
        if found and all(owner in around or self.exact.find(owner) or _is_receiver(owner) for owner in owners):
            return Span(*found)
        return None

    def _call(self, text: str) -> Span | None:
        """`connect(url, timeout)` where these words follow each other within a few lines: a signature, or a call."""
        match = _CALL.fullmatch(text)
        if match is None or not all(map(_ARGUMENT.fullmatch, match["arguments"].split(","))):
            return None
        words = _WORD.findall(match["arguments"])
        found = self._name(match["name"])
        starts = self.exact.all(match["name"].rpartition(".")[2]) if found else []
        for start in dict.fromkeys([*starts, *([found.first] if found else [])]):
            said = set(_WORD.findall("\n".join(self.lines[start : start + 1 + 2 * NEAR_LINES])))
            if all(word in said for word in words):
                return Span(start, start)
        return None


def _without_number(line: str) -> str:
    number = _NUMBERED.match(line)
    return line[number.end() :] if number else line


def _is_receiver(word: str) -> bool:
    """Whether a word before a dot is what every program calls its own object."""
    return word in {"self", "this", "cls", "super"}
