"""The second hop: where what a hit defines is used, and where what it uses is defined, from stored names alone.

A link says where the same name stands, not what a compiler would take it for. A name that is defined in many places
means none of them, and has no link.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from askrepo.aliases.readers import AliasReader
from askrepo.files.kinds import CONFIGURATION_LANGUAGES
from askrepo.files.languages import PROSE
from askrepo.search.excerpts import symbol_for
from askrepo.search.lines import IMPORT, definition_line, use_lines
from askrepo.search.question.mentions import has_code_shape
from askrepo.search.signals.prior import is_changelog
from askrepo.search.verbatim import is_double
from askrepo.store.reader import DatasetReader, Filter
from askrepo.text.terms import whole_terms
from askrepo.types import Chunk, Hit

FIRST = 3
"""Hits whose links a listing shows."""

MAX_LINKS = 5
"""Places of each kind that a hit has."""

MAX_DEFINITIONS = 3
"""A name with more definitions outside of tests and copies means none of them in particular."""

LOOKED_AT = 40
"""Chunks looked at for the uses of one name."""

LOOKED_UP = 10
"""Definitions of one name looked up, those in tests included; one with more hardly means one of them."""

MAX_NAMES = 24
"""Names of one chunk that are looked up."""

MIN_NAME_CHARS = 3
"""Shorter names are those of loops and receivers."""

FAMILIES = (
    ("javascript", "typescript", "tsx", "vue", "svelte", "astro"),
    ("c", "cpp", "objc"),
    ("java", "kotlin", "scala", "groovy"),
    ("csharp", "fsharp"),
    ("elixir", "erlang"),
    ("ruby", "embedded_template"),
)
"""Languages that call each other by name."""

SOURCE = Filter(kind=("source",))

_NAME = re.compile(r"[^\W\d]\w*[?!]?")
_CALL = re.compile(r"(?<![ \t])[ \t]*(?:!?\(|::)")
_CODE_FONT = re.compile(r"`([^`\n]{1,200})`")
_QUOTED = re.compile(r"\"[^\"\n]{0,400}\"|'[^'\n]{0,400}'")
_COMMENT = re.compile(r"\s*(?:#(?![\[!]|\s*(?:include|define))|//|/?\*|--\s|\"\"\"|''')")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file.

    :ivar line: 1-based.
    :ivar symbol: the name that is defined there, or around a use; "" where none is known.
    """

    repository: str
    path: str
    line: int
    symbol: str


@dataclass(frozen=True, slots=True)
class Links:
    """What leads on from a hit: at most MAX_LINKS places each, source before tests, near files first.

    :ivar definition: where the name is defined that the hit is about; empty when it is about none.
    :ivar used_by: other chunks that use this name. :ivar uses: definitions of names that the hit uses.
    """

    definition: tuple[Place, ...] = ()
    used_by: tuple[Place, ...] = ()
    uses: tuple[Place, ...] = ()


def first_links(hits: Sequence[Hit], *, readers: Sequence[AliasReader], terms: Collection[str] = ()) -> list[Links]:
    """The links of the first FIRST hits, each from the alias that it is of; see `links_of`."""
    first = hits[:FIRST]
    found: dict[int, Links] = {}
    for reader in readers:
        own = [hit for hit in first if hit.alias == reader.alias]
        found.update(zip((hit.rank for hit in own), links_of(own, reader=reader, terms=terms), strict=True))
    return [found[hit.rank] for hit in first]


def links_of(hits: Sequence[Hit], *, reader: AliasReader, terms: Collection[str] = ()) -> list[Links]:
    """The links of each hit; one look-up finds the definitions for all.

    :param reader: the alias that the hits are of.
    :param terms: of the question; among several names that a hit defines they tell which one it is about.
    """
    chunks = [hit.chunk for hit in hits]
    subjects = [_subject(chunk, terms) for chunk in chunks]
    used = [_names_used(chunk) for chunk in chunks]
    names = dict.fromkeys([*subjects, *_in_turns(used)])
    known = reader.dataset.definitions_of([*names], limit=LOOKED_UP)
    return [
        Links(
            definition=_definition(chunk, subject, known),
            used_by=_used_by(chunk, subject, known, reader.dataset),
            uses=_uses(chunk, names_used, known)[:MAX_LINKS],
        )
        for chunk, subject, names_used in zip(chunks, subjects, used, strict=True)
    ]


def definitions_used(chunks: Sequence[Chunk], *, reader: AliasReader) -> list[Place]:
    """Where the names are defined that the chunks use and do not define themselves, in the order of their first use.

    :param chunks: of the reader's alias; their texts may be cut.
    """
    used = [_names_used(chunk) for chunk in chunks]
    known = reader.dataset.definitions_of([*dict.fromkeys(_in_turns(used))], limit=LOOKED_UP)
    return list(dict.fromkeys(chain.from_iterable(_uses(*each, known) for each in zip(chunks, used, strict=True))))


Known = Mapping[str, Sequence[Chunk]]
"""Chunks that define a name, by name; without names that hardly mean one of them."""


def _in_turns(lists: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first of each list, then the second of each: where few are looked up, each hit has some."""
    return (name for turn in zip_longest(*lists) for name in turn if name is not None)


def _homes(name: str, known: Known) -> list[Chunk]:
    return [chunk for chunk in known.get(name, ()) if not is_double(chunk)]


def _subject(chunk: Chunk, terms: Collection[str]) -> str:
    """The name that a chunk of code is about: one that it defines, else the innermost around it."""
    if chunk.language in PROSE:
        return ""
    name = symbol_for(chunk, terms) or (chunk.scope[-1] if chunk.scope else "")
    return name if len(name) >= MIN_NAME_CHARS and not name.startswith("__") else ""


def _definition(chunk: Chunk, subject: str, known: Known) -> tuple[Place, ...]:
    if subject and subject in chunk.symbols:
        return (_defined_at(chunk, subject),)
    return _nearest(chunk, _homes(subject, known), subject, _defined_at)[:MAX_DEFINITIONS]


def _used_by(chunk: Chunk, subject: str, known: Known, dataset: DatasetReader) -> tuple[Place, ...]:
    if subject not in known or not _is_particular(chunk, subject, len(_homes(subject, known))):
        return ()
    others = [
        each
        for each in _using(subject, dataset)
        if each.id != chunk.id and not is_changelog(each) and _may_use(each, chunk, subject)
    ]
    return _nearest(chunk, others, subject, _used_at)


def _is_particular(chunk: Chunk, subject: str, homes: int) -> bool:
    """Whether a use of the name is one of this definition: a plain word must have no other, a test's name no home."""
    if is_double(chunk):
        return not homes
    return 1 <= homes <= (MAX_DEFINITIONS if has_code_shape(subject) else 1)


def _using(name: str, dataset: DatasetReader) -> list[Chunk]:
    """Chunks that use a name and do not define it; where more than are looked at hold it, those of source first."""
    terms = whole_terms(name)
    holding = dataset.holding(terms, limit=LOOKED_AT)
    if len(holding) == LOOKED_AT:
        holding = [*dataset.holding(terms, limit=LOOKED_AT, where=SOURCE), *holding]
    distinct = {chunk.id: chunk for chunk in holding}.values()
    return [each for each in distinct if name not in each.symbols and _says(each, name) and any(use_lines(each, name))]


def _says(chunk: Chunk, name: str) -> bool:
    """Whether a page means a name that may be a word of plain language: it stands in code font, or is called."""
    if chunk.language not in PROSE or has_code_shape(name):
        return True
    return f"`{name}" in chunk.text or f"{name}(" in chunk.text


def _may_use(user: Chunk, home: Chunk, name: str) -> bool:
    """Whether what is written in one language may use what another defines; pages and settings with long names may."""
    if user.language in PROSE or home.language in PROSE or not (user.language and home.language):
        return True
    if {user.language, home.language} & CONFIGURATION_LANGUAGES:
        return has_code_shape(name) or user.language == home.language
    return _family(user.language) == _family(home.language)


def _family(language: str) -> str:
    return next((family[0] for family in FAMILIES if language in family), language)


def _uses(chunk: Chunk, names: Sequence[str], known: Known) -> tuple[Place, ...]:
    """Where the names are defined that mean something in particular, in their order; in the file itself if it does."""
    found = ((name, _homes_for(chunk, name, known)) for name in names)
    places = (_nearest(chunk, others, name, _defined_at) for name, others in found if len(others) <= MAX_DEFINITIONS)
    return tuple(near[0] for near in places if near)


def _homes_for(chunk: Chunk, name: str, known: Known) -> list[Chunk]:
    others = [home for home in _homes(name, known) if home.id != chunk.id and _may_use(chunk, home, name)]
    own = [home for home in others if (home.repository, home.path) == (chunk.repository, chunk.path)]
    return own or others


def _nearest(
    chunk: Chunk, others: Iterable[Chunk], name: str, place_in: Callable[[Chunk, str], Place]
) -> tuple[Place, ...]:
    """The place in the nearest chunk of each file."""
    ordered = sorted(others, key=lambda other: _distance(chunk, other))
    of_file = {(other.repository, other.path): other for other in reversed(ordered)}
    return tuple(place_in(other, name) for other in list(reversed(of_file.values()))[:MAX_LINKS])


def _distance(one: Chunk, other: Chunk) -> tuple[bool, int, bool, int]:
    """How far away a chunk is: other repositories last, before them tests, then by the folders between the files.

    The file itself comes behind other source: who reads a hit sees what is beside it.
    """
    left, right = one.path.split("/"), other.path.split("/")
    shared = 0
    for pair in zip(left, right, strict=False):
        if pair[0] != pair[1]:
            break
        shared += 1
    is_elsewhere = one.repository != other.repository
    return is_elsewhere, _standing(other), one.path == other.path, len(left) + len(right) - 2 * shared


def _standing(chunk: Chunk) -> int:
    """Source before pages and configuration, tests and copies last."""
    return 2 if is_double(chunk) else int(chunk.kind != "source")


def _names_used(chunk: Chunk) -> list[str]:
    """Names in the chunk that stand for something defined elsewhere, in order: on a page those in code font."""
    if chunk.language in PROSE:
        texts = _CODE_FONT.findall(chunk.text)
        found = [name for text in texts for name in _NAME.findall(text) if has_code_shape(name) or name[0].isupper()]
    else:
        lines = (_QUOTED.sub(" ", line) for line in chunk.text.split("\n") if not _COMMENT.match(line))
        found = [name for line in lines for name in _names_in(line)]
    own = {*chunk.symbols, *chunk.scope}
    return [name for name in dict.fromkeys(found) if len(name) >= MIN_NAME_CHARS and name not in own][:MAX_NAMES]


def _names_in(line: str) -> Iterator[str]:
    """Names of types, of what is called and of what is imported; what `.get()` calls may be anything."""
    is_import = IMPORT.match(line) is not None
    for match in _NAME.finditer(line):
        name = match[0]
        is_code = has_code_shape(name)
        is_called = _CALL.match(line, match.end()) and (is_code or line[match.start() - 1 : match.start()] != ".")
        if name[0].isupper() or is_called or (is_import and is_code):
            yield name


def _defined_at(chunk: Chunk, name: str) -> Place:
    return Place(chunk.repository, chunk.path, definition_line(chunk, name) or chunk.start_line, name)


def _used_at(chunk: Chunk, name: str) -> Place:
    line = next(use_lines(chunk, name), chunk.start_line)
    return Place(chunk.repository, chunk.path, line, _around(chunk, line))


def _around(chunk: Chunk, line: int) -> str:
    """The innermost name around a line of the chunk, as far as the chunk tells; a heading on a page."""
    before = [(at, name) for name in chunk.symbols if (at := definition_line(chunk, name)) and at <= line]
    return max(before)[1] if before else (chunk.scope[-1] if chunk.scope else "")
