"""Statements compared word for word with what they cite: no model is asked.

Every quotation, name in code font, number with a unit, path and code block of a statement is looked for in the lines
that it cites, then in the other sources, then in the dataset.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

from askrepo.answer.quantities import NUMBER, stored_numbers
from askrepo.answer.source_lines import SourceLines, Span
from askrepo.answer.statement_parts import Part, parts_of
from askrepo.text.terms import query_terms
from askrepo.types import Citation

State = Literal["verified", "repaired", "cited", "not found", "attributed", "nothing"]
"""What became of a statement.

`verified`: what can be looked up stands in the lines it cites. `repaired`: it stands in other lines, which are cited
instead. `cited`: it cites stored lines, and holds nothing to look up in them. `not found`: something of it stands
neither in what it cites nor in what else was read. `attributed`: it cites nothing, and its names and rare words stand
together in a source. `nothing`: it rests on nothing.
"""

TOGETHER_LINES = 15
"""Lines within which words stand together: a paragraph, a short function."""

MIN_SHARE = 0.6
"""Share of a sentence's names and rare words, by weight, that stand together in the source it is attributed to."""

MIN_TERMS = 3
"""Of those, so many at least; a sentence with fewer says nothing that can rest on a source."""

NAME_WEIGHT = 3.0
"""A name in code font says as much as so many words of a sentence."""

MIN_COMPANY = 0.5
"""Share of a sentence's words by which another place is about the same, when a name alone could stand anywhere."""

MIN_QUOTE_WORDS = 3
"""Words that make a quotation stand for itself, wherever it is found."""

_LINE_NUMBER = re.compile(r"\d{1,6}(?:\t|\s?[|\u2502:](?:\s|$))")
_CITED = re.compile(r"\[\d{1,4}\]")
_WORD = re.compile(r"\w+")
_CODE_SHAPE = re.compile(r"[_.:/#@$-]|[a-z][A-Z]|[A-Za-z]\d")

MAX_LOOK_UPS = 60
"""Parts of one answer that are looked for in the dataset, each some milliseconds."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, a list item, a row of a table or a code block of an answer.

    :ivar text: in Markdown, with its citations. :ivar cited: what it cites.
    :ivar quotes: words that it says stand there, beside those within quotation marks in its text.
    :ivar code: of a code block, else empty.
    """

    text: str
    cited: tuple[SourceLines, ...] = ()
    quotes: tuple[str, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A part of a statement and where it stands.

    :ivar place: the lines that hold it, None when none do.
    :ivar is_known: it stands somewhere in the dataset, though nowhere that is about the statement.
    """

    part: Part
    place: Citation | None
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Support:
    """A source of a statement, and whether it bears the statement out."""

    source: SourceLines
    state: State


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement, and what was found of it.

    :ivar supports: its sources: those it cites, and those that replace them or were found for it.
    :ivar dropped: cited sources that hold nothing of it, while others do.
    """

    statement: Statement
    state: State
    found: tuple[Found, ...] = ()
    supports: tuple[Support, ...] = ()
    dropped: tuple[SourceLines, ...] = ()

    @property
    def missing(self) -> list[Found]:
        """The parts that stand in nothing it rests on."""
        return [each for each in self.found if each.place is None]


class Elsewhere(Protocol):
    """Where a statement's words are looked for when no source has them: the dataset, or a fake."""

    def places(self, part: Part) -> Sequence[SourceLines]:
        """Lines of the dataset that hold the part, where it is defined first."""


class Nowhere:
    """A dataset that holds nothing."""

    def places(self, _part: Part) -> Sequence[SourceLines]:
        """None."""
        return ()


@dataclass
class Verifier:
    """Checks the statements of one answer.

    :ivar sources: that the answer may cite; more may be added while it arrives.
    """

    sources: list[SourceLines]
    elsewhere: Elsewhere = field(default_factory=Nowhere)
    look_ups: int = field(default=0, init=False)

    def check(self, statement: Statement) -> Checked:
        """The statement with its state, every part of it accounted for."""
        claim = _Claim(statement)
        if not statement.cited:
            return self._uncited(claim)
        held = {source: claim.held_by(source) for source in statement.cited}
        missing = [part for part in claim.parts if not any(part in held[source] for source in statement.cited)]
        if not missing:
            return _borne_out(claim, held)
        return self._repaired(claim, held, missing)

    def _repaired(self, claim: _Claim, held: dict[SourceLines, dict[Part, Span]], missing: list[Part]) -> Checked:
        """The statement with what its citations lack: from the other sources, then from the dataset."""
        others = [source for source in self.sources if source not in held]
        added: dict[SourceLines, dict[Part, Span]] = {}
        missing = self._taken(claim, others, missing, added)
        known: set[Part] = set()
        for part in list(missing):
            places = self._looked_up(part)
            if places:
                known.add(part)
                left = self._taken(claim, places, missing, added, is_only=len(places) == 1)
                missing = left
        return _with_added(claim, held, added, missing, known)

    def _looked_up(self, part: Part) -> Sequence[SourceLines]:
        """Lines of the dataset with a part that can be looked up exactly; numbers stand everywhere."""
        if part.kind == "number" or self.look_ups >= MAX_LOOK_UPS:
            return ()
        self.look_ups += 1
        return self.elsewhere.places(part)

    def _taken(
        self,
        claim: _Claim,
        places: Sequence[SourceLines],
        missing: list[Part],
        added: dict[SourceLines, dict[Part, Span]],
        *,
        is_only: bool = False,
    ) -> list[Part]:
        """What is still missing when the places that hold most of it, and are about the same, are taken in."""
        while missing:
            held = {place: claim.held_by(place) for place in places if place not in added}
            worth = {place: sum(part in held[place] for part in missing) for place in held}
            best = max(worth, key=lambda place: (worth[place], len(held[place])), default=None)
            if best is None or not worth[best]:
                return missing
            taken = [
                part for part in missing if part in held[best] and (is_only or claim.is_about(best, part, held[best]))
            ]
            if not taken:
                places = [place for place in places if place is not best]
                continue
            added[best] = {part: held[best][part] for part in claim.parts if part in held[best]}
            missing = [part for part in missing if part not in taken]
        return missing

    def _uncited(self, claim: _Claim) -> Checked:
        """A statement without citations: attributed to the source in which its words stand together, or to none."""
        known = self._weights(claim.terms)
        best: tuple[float, SourceLines, dict[Part, Span]] | None = None
        for source in self.sources:
            held = claim.held_by(source)
            share = claim.share(source, held, known)
            if share >= MIN_SHARE and (best is None or share > best[0]):
                best = share, source, held
        if best is None:
            found = tuple(map(self._anywhere, claim.parts))
            is_unknown = any(each.place is None and not each.is_known for each in found)
            return Checked(claim.statement, "not found" if is_unknown else "nothing", found)
        _, source, held = best
        found = tuple(Found(part, source.cited(held[part]) if part in held else None) for part in claim.parts)
        if any(each.place is None for each in found):
            return Checked(claim.statement, "not found", found, (Support(source, "attributed"),))
        return Checked(claim.statement, "attributed", found, (Support(source, "attributed"),))

    def _anywhere(self, part: Part) -> Found:
        """A part of a statement that rests on nothing, where it stands at all."""
        for source in self.sources:
            if (span := source.find(part)) is not None:
                return Found(part, source.cited(span))
        return Found(part, None, is_known=part.kind == "number" or bool(self._looked_up(part)))

    def _weights(self, terms: Iterable[str]) -> dict[str, float]:
        """How much each term says: one that stands in every source says little."""
        total = len(self.sources)
        counts = Counter(term for term in terms for source in self.sources if term in source.terms)
        return {term: math.log(1 + total / max(1, counts[term])) for term in terms}


class _Claim:
    """A statement, its parts and its words."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.parts = _all_parts(statement)

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """The terms of the sentence beside its parts and its citations."""
        text = self.statement.text
        for part in reversed(parts_of(text)):
            text = f"{text[: part.start]} {text[part.end :]}" if part.kind != "quote" else text
        return tuple(term for term in query_terms(NUMBER.sub(" ", text)) if not term.isdigit())

    @cached_property
    def names(self) -> frozenset[str]:
        """The words of its names in code font."""
        return frozenset(word for part in self.parts if part.kind == "name" for word in _WORD.findall(part.text))

    @cached_property
    def said(self) -> set[float]:
        """The numbers of its text, in any form, but for those of citations."""
        return stored_numbers(_CITED.sub(" ", self.statement.text))

    def is_told_by(self, part: Part) -> bool:
        """Whether a part says something of the statement: a quotation beside it may be about something else."""
        if part.kind != "quote" or part.start < part.end:
            return True
        return not set(query_terms(self.statement.text)).isdisjoint(query_terms(part.text))

    def held_by(self, source: SourceLines) -> dict[Part, Span]:
        """The parts that a source holds; a number only next to what it is said of."""
        held: dict[Part, Span] = {}
        for part in self.parts:
            if part.kind != "number" and (span := source.find(part)) is not None:
                held[part] = span
        numbers = [part for part in self.parts if part.kind == "number"]
        named = _named_lines(source, held) if numbers else set()
        names = self.names if numbers and source.gives_others(self.names, self.said) else ()
        for part in numbers:
            if (span := source.find_number(part, named, self.terms, names)) is not None:
                held[part] = span
        return held

    def is_about(self, source: SourceLines, part: Part, held: Collection[Part]) -> bool:
        """Whether a place that holds a part is about the statement: it has more of it, or the part tells enough."""
        if part.kind in ("path", "code"):
            return True
        if part.kind == "quote" and len(_WORD.findall(part.text)) >= MIN_QUOTE_WORDS:
            return True
        others = [other for other in held if other != part and other.kind != "number"]
        if others:
            return True
        if part.kind == "name" and _CODE_SHAPE.search(part.text) and source.number is not None:
            return True
        said = sum(term in source.terms for term in self.terms)
        return said >= MIN_TERMS and said >= MIN_COMPANY * len(self.terms)

    def share(self, source: SourceLines, held: dict[Part, Span], weights: dict[str, float]) -> float:
        """Share of the statement's weight that stands together in a source; 0 when that is too little to tell."""
        places: list[tuple[int, object, float]] = [
            (line, term, weights[term]) for term in self.terms for line in source.terms.get(term, ())
        ]
        places += [(span.first, part, NAME_WEIGHT) for part, span in held.items()]
        total = sum(weights.values()) + NAME_WEIGHT * len(self.parts)
        if not places or not total:
            return 0.0
        best, count = _densest(sorted(places, key=lambda place: place[0]))
        return best / total if count + (NAME_WEIGHT - 1) * bool(held) >= MIN_TERMS else 0.0


def _named_lines(source: SourceLines, held: dict[Part, Span]) -> set[int]:
    """Lines with what a number may be said of."""
    spans = {part: span for part, span in held.items() if part.kind != "path"}
    lines = {line for span in spans.values() for line in range(span.first, span.last + 1)}
    return lines | {line for part in spans for line in source.lines_with(part)}


def _densest(places: Sequence[tuple[int, object, float]]) -> tuple[float, int]:
    """The most weight of distinct words within TOGETHER_LINES, and how many words that are.

    :param places: line, word and weight, by line.
    """
    within: Counter[object] = Counter()
    best, weight, start, count = 0.0, 0.0, 0, 0
    for line, word, worth in places:
        weight += worth if not within[word] else 0.0
        within[word] += 1
        while line - places[start][0] >= TOGETHER_LINES:
            _, gone, gone_worth = places[start]
            within[gone] -= 1
            if not within[gone]:
                weight -= gone_worth
                del within[gone]
            start += 1
        if weight > best:
            best, count = weight, len(within)
    return best, count


def _all_parts(statement: Statement) -> tuple[Part, ...]:
    """Parts of the text, the quotations beside it, and the code, line by line."""
    end = len(statement.text)
    quotes = [Part("quote", quote, end, end) for quote in statement.quotes if quote.strip()]
    code = [Part("code", line, end, end) for line in code_lines(statement.code)]
    return tuple(dict.fromkeys((*(() if statement.code else parts_of(statement.text)), *quotes, *code)))


def code_lines(code: str) -> list[str]:
    """The lines of a code block that say something: no comment of the model's own, no lone bracket, no ellipsis."""
    stripped = map(str.strip, code.split("\n"))
    lines = (line[number.end() :].strip() if (number := _LINE_NUMBER.match(line)) else line for line in stripped)
    return [line for line in lines if sum(map(str.isalnum, line)) >= 3 and not _is_comment(line)]


def _is_comment(line: str) -> bool:
    return line.startswith(("# ", "// ", "-- ", "/*", "* ", "<!--", "..."))


def _borne_out(claim: _Claim, held: dict[SourceLines, dict[Part, Span]]) -> Checked:
    """A statement whose citations hold every part of it."""
    found = tuple(Found(part, _place(part, held)) for part in claim.parts)
    told = [part for part in claim.parts if claim.is_told_by(part)]
    supports = tuple(
        Support(source, "verified" if any(part in parts for part in told) else "cited")
        for source, parts in held.items()
    )
    return Checked(claim.statement, "verified" if told else "cited", found, supports)


def _with_added(
    claim: _Claim,
    held: dict[SourceLines, dict[Part, Span]],
    added: dict[SourceLines, dict[Part, Span]],
    missing: Sequence[Part],
    known: Collection[Part],
) -> Checked:
    """A statement some of whose parts stand elsewhere or nowhere."""
    places = {**held, **added}
    found = tuple(
        Found(part, None, part in known) if part in missing else Found(part, _place(part, places))
        for part in claim.parts
    )
    dropped = tuple(source for source, parts in held.items() if not parts and added)
    supports = [Support(source, "verified" if parts else "not found") for source, parts in held.items()]
    supports += [Support(source, "repaired") for source in added]
    state: State = "not found" if missing else "repaired"
    return Checked(claim.statement, state, found, tuple(supports), dropped)


def _place(part: Part, held: dict[SourceLines, dict[Part, Span]]) -> Citation | None:
    return next((source.cited(parts[part]) for source, parts in held.items() if part in parts), None)
