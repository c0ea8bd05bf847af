"""Looks up what a question names verbatim: what `rg -w NAME` finds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from askrepo.search.nearest_names import nearest_names
from askrepo.search.question.mentions import Holds, Mention
from askrepo.search.request import SearchRequest
from askrepo.search.verbatim import (
    defines_in_package,
    defines_last_part,
    holds,
    is_double,
    is_named_like,
)
from askrepo.text.terms import query_terms, whole_terms
from askrepo.types import Chunk

LOOKED_AT = 240
"""Chunks looked at for one name, best by BM25 of its words; a name on more of them is hardly one that must be found."""

DEFINITIONS = 100
"""Definitions of one name looked at."""

FILES_WITH_LINE = 3
"""Files so named of which the line asked for is looked up."""

SHORT_FLAG = 2
"""Characters of a flag of one letter, which stands in most shell scripts: it is looked for as programs declare it."""

OPTION_FORMS = ("{}, -", "{}/-", "{}|-", ", {} ", '"{}"', "'{}'", "`{}`")

HOMES = (Holds.DEFINES, Holds.NAMES_FILE)
"""Where a name is at home, whatever a question wants of it."""

_VERSION = re.compile(r"[vV]?\d+\.\d[-+.\w]*")
_QUALIFIED = re.compile(r"[^\W\d]\w*(?:(?:::|->|[.#:])[^\W\d]\w*[?!]?)+")
_CALL_OF_NAME = re.compile(r"([^\W\d][\w.:>#-]*)\(.*\)?")
_FLAG_WITH_VALUE = re.compile(r"(--?[A-Za-z][\w-]*)[= ].*")


@dataclass(frozen=True, slots=True)
class Exact:
    """A chunk that holds a name of the question.

    :ivar at: position of its alias among those searched.
    :ivar mention: the name's place in the question.
    """

    at: int
    chunk: Chunk
    mention: int
    holds: Holds


@dataclass(frozen=True, slots=True)
class Absent:
    """A name of the question that stands nowhere in the datasets searched.

    :ivar nearest: names that do and are spelled nearly so, best first.
    """

    name: str
    nearest: tuple[str, ...]


def exact(requests: Sequence[SearchRequest]) -> tuple[list[Exact], list[Absent]]:
    """Every chunk that holds a name of the question, as far as looked at, and the names that none holds.

    Another case of letters counts where no chunk has the name's own. A name that may be plain language counts only
    where a chunk defines or sets it. In place of an absent name the nearest one is looked up: a slip of the keyboard.
    Where only others have the last part of a qualified name, these are found, and the name is told absent.
    """
    found: list[Exact] = []
    absent: list[Absent] = []
    for place, mention in enumerate(requests[0].question.mentions):
        held = _held(requests, mention, place)
        if not held and mention.is_sure and not _is_somewhere(requests, mention):
            absent.append(Absent(mention.text, nearest_names(requests, mention)))
            for name in absent[-1].nearest[:1]:
                held = _held(requests, _meant(mention, name), place) or _held(requests, Mention(name), place)
        elif _is_elsewhere_only(held, mention):
            name, meant = _with_owner_meant(requests, mention, place)
            absent.append(Absent(mention.text, (name,)))
            held = meant or held
        found += held
    return found, absent


def _is_elsewhere_only(held: Sequence[Exact], mention: Mention) -> bool:
    """Whether of a qualified name the last part alone was found, defined inside of something else."""
    if not (held and mention.is_sure and _QUALIFIED.fullmatch(mention.text)):
        return False
    return all(holds(each.chunk, mention, any_case=True) is None for each in held) and not any(
        defines_in_package(each.chunk, mention) for each in held
    )


def _with_owner_meant(requests: Sequence[SearchRequest], mention: Mention, place: int) -> tuple[str, list[Exact]]:
    """The name with what qualifies it spelled rightly and what has that, or the last part alone and nothing."""
    owner = mention.parts[-2]
    if not _held(requests, Mention(owner), place):
        for near in nearest_names(requests, Mention(owner)):
            name = mention.text.replace(owner, near)
            held = _held(requests, Mention(name), place)
            if held and not _is_elsewhere_only(held, Mention(name)):
                return name, held
    return mention.name, []


def _meant(mention: Mention, nearest: str) -> Mention:
    """The mention with what is spelled nearly so: of a qualified name the last part alone may be misspelt."""
    if mention.is_message:
        return replace(mention, text=nearest)
    is_last_part = len(mention.parts) > 1 and len(Mention(nearest).parts) == 1
    owner = mention.text.removesuffix(mention.name) if is_last_part and mention.text.endswith(mention.name) else ""
    return Mention(owner + nearest)


def _is_somewhere(requests: Sequence[SearchRequest], mention: Mention) -> bool:
    """Whether other forms of a plain word stand in a dataset (`cached` for "caching"), or a path has the name in it."""
    terms = query_terms(mention.text) if mention.is_plain else []
    if any(count for request in requests for count in request.reader.dataset.frequencies(terms).values()):
        return True
    name = mention.text.lower()
    return any(name in path.lower() for request in requests for _, path in request.reader.dataset.paths())


def _held(requests: Sequence[SearchRequest], mention: Mention, place: int) -> list[Exact]:
    held = _looked_up(requests, mention, place)
    if mention.line and not any(each.holds in HOMES for each in held):
        return _looked_up(requests, Mention(f"{mention.text}:{mention.line}"), place) or held  # "redis.io:6379"
    if held or mention.is_message:
        return held
    projects = requests[0].projects
    others = (replace(mention, text=text) for text in _other_spellings(mention.text, projects))
    return next(filter(None, (_looked_up(requests, other, place) for other in others)), [])


def _other_spellings(text: str, projects: Collection[str]) -> Iterator[str]:
    """Without the marks of its use (`$HOME`, `%HOME%`, `name:`), a path with slashes, a version with and without `v`.

    A call without what it is given, a flag without its value, a path without the repository's name before it.
    """
    bare = text.lstrip("$%@&*#{(`\"' ").removeprefix("env:").rstrip("})%`\"':;,.?! ")
    if bare and bare != text:
        yield bare
    if call := _CALL_OF_NAME.fullmatch(bare):
        yield call[1]
    if flag := _FLAG_WITH_VALUE.fullmatch(bare):
        yield flag[1]
    if text.startswith("-") and "/" in text:
        yield from reversed(text.split("/"))
    first, _, rest = text.partition("/")
    if rest and first in projects:
        yield rest
    if "\\" in text:
        yield text.replace("\\", "/")
    if _VERSION.fullmatch(text):
        yield text[1:] if text[0] in "vV" else f"v{text}"


def _looked_up(requests: Sequence[SearchRequest], mention: Mention, place: int) -> list[Exact]:
    looked_at = [(at, chunk) for at, request in enumerate(requests) for chunk in holding(request, mention)]
    if mention.is_flag and len(mention.text) <= SHORT_FLAG:
        looked_at = [*_scanned(requests, mention), *looked_at]
    return (
        _with_package(list(_judged(looked_at, mention, place, any_case=False)), looked_at, mention)
        or list(_judged(looked_at, mention, place, any_case=True))
        or [Exact(at, chunk, place, Holds.DEFINES) for at, chunk in looked_at if defines_last_part(chunk, mention)]
        or list(_judged(_scanned(requests, mention), mention, place, any_case=False))
    )


def _with_package(held: Sequence[Exact], looked_at: Sequence[tuple[int, Chunk]], mention: Mention) -> list[Exact]:
    """What holds a qualified name; where nothing defines it, with what its package defines: `join` of `rayon::join`."""
    if not held or any(each.holds is Holds.DEFINES and not is_double(each.chunk) for each in held):
        return list(held)
    defining = {(at, chunk.id): chunk for at, chunk in looked_at if defines_in_package(chunk, mention)}
    defined = [Exact(at, chunk, held[0].mention, Holds.DEFINES) for (at, _), chunk in defining.items()]
    return [*defined, *(each for each in held if (each.at, each.chunk.id) not in defining)]


def _scanned(requests: Sequence[SearchRequest], mention: Mention) -> list[tuple[int, Chunk]]:
    """Chunks whose text has the name, found by reading all texts: the words of a common one fill `holding`."""
    if not mention.is_sure:
        return []
    longest = max(mention.text.split(), key=len)
    is_short = mention.is_flag and len(longest) <= SHORT_FLAG
    found = {
        (at, chunk.id): chunk
        for at, request in enumerate(requests)
        for text in ([form.format(longest) for form in OPTION_FORMS] if is_short else [longest])
        for chunk in request.reader.dataset.containing(text, limit=LOOKED_AT, where=request.where)
    }
    return [(at, chunk) for (at, _), chunk in found.items()]


def _judged(looked_at: Sequence[tuple[int, Chunk]], mention: Mention, place: int, *, any_case: bool) -> Iterator[Exact]:
    for at, chunk in looked_at:
        how = holds(chunk, mention, any_case=any_case)
        if how is not None and (mention.is_sure or how < Holds.USES):
            yield Exact(at, chunk, place, how)


def holding(request: SearchRequest, mention: Mention) -> list[Chunk]:
    """Chunks that may hold the name: those that define it, those of a file so named, those with all of its words."""
    dataset, where = request.reader.dataset, request.where
    names = [mention.name, mention.text] if not mention.is_message else []
    chunks = dataset.defining(names, limit=DEFINITIONS, where=where)
    if "." in mention.text or "/" in mention.text:
        chunks += dataset.of_files([mention.text.removeprefix("./").lstrip("/")], limit=DEFINITIONS, where=where)
        chunks += _at_line(request, mention)
    terms = whole_terms(mention.text) or tuple(query_terms(mention.text))
    if terms:
        chunks += [scored.chunk for scored in dataset.lexical(terms, limit=LOOKED_AT, where=where)]
    return list({chunk.id: chunk for chunk in chunks}.values())


def _at_line(request: SearchRequest, mention: Mention) -> list[Chunk]:
    """The chunks that have the line asked for: a long file has more chunks than are looked at."""
    if not mention.line:
        return []
    dataset = request.reader.dataset
    files = sorted(file for file in dataset.paths() if is_named_like(file[1], mention))
    chunks = (chunk for repository, path in files[:FILES_WITH_LINE] for chunk in dataset.file_chunks(repository, path))
    return [
        chunk for chunk in chunks if chunk.start_line <= mention.line <= chunk.end_line and request.where.admits(chunk)
    ]
