"""Which lines of a chunk to show for a question: those that answer, under the line that says what they are of."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from askrepo.aliases.readers import AliasReader
from askrepo.files.languages import PROSE, SECTIONED
from askrepo.search.banners import telling
from askrepo.search.lines import definition_line
from askrepo.search.question.mentions import Mention
from askrepo.search.question.question import Question
from askrepo.search.request import telling_terms
from askrepo.search.verbatim import whole_name
from askrepo.text.terms import text_terms
from askrepo.types import Chunk

_PLACE = re.compile(r"(.+):(\d+)")
"""A path with a line."""


def asked_terms(question: str, *, readers: Sequence[AliasReader], meant: Sequence[str] = ()) -> frozenset[str]:
    """What an excerpt of an answer should hold: the question's terms, and its names as they were typed.

    The project's name is left out, which its every page has.

    :param meant: names that were searched for in place of absent ones.
    """
    parsed = Question.parse(question)
    snapshots = (snapshot for reader in readers for snapshot in reader.entry.manifest.snapshots)
    projects = {snapshot.name.rpartition("/")[2] for snapshot in snapshots}
    sure = (mention for mention in parsed.mentions if mention.is_sure and mention.text not in projects)
    names = (f"{each.text.lstrip('./')}:{each.line}" if each.line else each.text for each in sure)
    return frozenset((*(parsed.terms if parsed.is_name else telling_terms(parsed.terms, projects)), *names, *meant))


def symbol_for(chunk: Chunk, terms: Collection[str]) -> str:
    """The name of the chunk's symbols that was typed, else has most of the question's terms, the first of equals.

    Where none has any, the one around the line that has most; "" without symbols, or where that line stands before all.
    """
    typed = {Mention(term).name for term in terms if _is_name(term)}
    worth = [(name in typed, len(text_terms(name).intersection(terms))) for name in chunk.symbols]
    if any(map(any, worth)):
        return chunk.symbols[worth.index(max(worth))]
    lines = chunk.text.removesuffix("\n").split("\n")
    told = [(sum(map(_is_name, found)), len(found)) for found in _found(chunk, lines, terms)]
    if len(chunk.symbols) < 2 or not any(map(any, told)):
        return next(iter(chunk.symbols), "")
    best = chunk.start_line + told.index(max(told))
    defined = ((definition_line(chunk, name), name) for name in chunk.symbols)
    return max(((line, name) for line, name in defined if line is not None and line <= best), default=(0, ""))[1]


def scope_of(chunk: Chunk, name: str) -> tuple[str, ...]:
    """What encloses the definition of a name: the chunk's scope, as far as it has not ended before that line.

    A chunk may begin in the rest of one function, or section, and define the next. A definition that stands further
    left than the chunk's first line shows that the innermost has ended; one without indentation, that all have.
    """
    if chunk.language in SECTIONED and name:
        return ()
    scope = tuple(filter(None, chunk.scope))
    line = definition_line(chunk, name) if name else None
    if line is None or chunk.language in PROSE:
        return scope
    lines = chunk.text.split("\n")[: line - chunk.start_line + 1]
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    if indents[-1] >= indents[0]:
        return scope
    return scope[:-1] if indents[-1] else ()


def excerpt_lines(chunk: Chunk, terms: Collection[str], *, size: int) -> list[int]:
    """Places, from 0, of at most `size` lines of the chunk, ascending.

    The window of lines that tells something and has most of the terms; before it, where it is not in it, the line that
    defines the name which `symbol_for` gives. What tells nothing is shown only where nothing else has a term.
    """
    lines = chunk.text.removesuffix("\n").split("\n")
    found = _found(chunk, lines, terms)
    shown = _worth_showing(lines, found, chunk)
    signature = _signature(chunk, terms, shown)
    window = _best_window(shown, lines, found, _heads(shown, lines, chunk.language, signature), size)
    if size > 1 and signature is not None and signature < window[0]:
        later = [at for at in shown if at > signature]
        window = [signature, *_best_window(later, lines, found, (), size - 1)]
    return window


def _found(chunk: Chunk, lines: Sequence[str], terms: Collection[str]) -> list[frozenset[str]]:
    """What each line has of the terms, and of the names among them."""
    found = [text_terms(line).intersection(terms) for line in lines]
    for name in filter(_is_name, terms):
        having = _having(chunk, lines, name)
        found = [each | {name} if at in having else each for at, each in enumerate(found)]
    return found


def _having(chunk: Chunk, lines: Sequence[str], name: str) -> Collection[int]:
    """Places of the lines that have a name, as typed or else in any case; of `file.py:12` that line.

    Of a qualified name that stands nowhere as a whole its last part counts where it is defined.
    """
    place = _PLACE.fullmatch(name)
    if place:
        return {int(place[2]) - chunk.start_line} if f"/{chunk.path}".endswith(f"/{place[1]}") else ()
    for any_case in (False, True):
        spelled = whole_name(name, any_case=any_case)
        having = [at for at, line in enumerate(lines) if spelled.search(line)]
        if having:
            return having
    last = Mention(name).name
    line = definition_line(chunk, last) if last != name and last in chunk.symbols else None
    return () if line is None else {line - chunk.start_line}


def _is_name(term: str) -> bool:
    """Whether it was typed so: a term of the index is letters and digits in lower case."""
    return not term.isalnum() or term != term.lower()


def _worth_showing(lines: Sequence[str], found: Sequence[Collection[str]], chunk: Chunk) -> list[int]:
    """Places of the lines that an excerpt may show; of blank ones no second in a row."""
    tells = telling(lines, language=chunk.language, start_line=chunk.start_line)
    shown = [at for at, says in enumerate(tells) if says]
    if not any(lines[at].strip() for at in shown) or (any(found) and not any(found[at] for at in shown)):
        shown = list(range(len(lines)))
    pairs = zip(["", *(lines[at] for at in shown)], shown, strict=False)
    return [at for before, at in pairs if lines[at].strip() or before.strip()] or [0]


def _signature(chunk: Chunk, terms: Collection[str], shown: Sequence[int]) -> int | None:
    symbol = symbol_for(chunk, terms)
    line = definition_line(chunk, symbol) if symbol else None
    place = None if line is None else line - chunk.start_line
    return place if place in shown else None


def _heads(shown: Sequence[int], lines: Sequence[str], language: str, signature: int | None) -> set[int]:
    """Lines for an excerpt to begin with: the definition with its decorators; of prose the first of each paragraph."""
    if not language or language in PROSE:
        before = [None, *shown]
        return {at for at, last in zip(shown, before, strict=False) if last is None or not lines[last].strip()}
    while signature and lines[signature - 1].lstrip().startswith(("@", "#[")):
        signature -= 1
    return set() if signature is None else {signature}


def _best_window(
    shown: Sequence[int], lines: Sequence[str], found: Sequence[Collection[str]], heads: Collection[int], size: int
) -> list[int]:
    """The window with most of the names, then of the terms, then one that begins with a head, then with most lines.

    Of equal windows the middle one, so that a match has lines around it; the first where no line has a term.
    """

    def worth(first: int) -> tuple[int, int, bool, int]:
        terms = [found[at] for at in shown[first : first + size]]
        distinct = frozenset[str]().union(*terms)
        return sum(map(_is_name, distinct)), len(distinct), shown[first] in heads, sum(map(bool, terms))

    starts = range(len(shown) if any(at in heads for at in shown) else max(1, len(shown) - size + 1))
    best = max(map(worth, starts))
    equal = [first for first in starts if worth(first) == best]
    first = equal[len(equal) // 2] if any(found[at] for at in shown) else equal[0]
    return _stripped(shown[first : first + size], lines)


def _stripped(window: Sequence[int], lines: Sequence[str]) -> list[int]:
    """The window without blank lines at its ends."""
    told = [at for at in window if lines[at].strip()] or window[:1]
    return [at for at in window if told[0] <= at <= told[-1]]
