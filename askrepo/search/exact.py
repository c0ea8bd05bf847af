"""Looks up what a question names verbatim, and puts it before everything else: what `rg -w NAME` finds comes first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from askrepo.search.candidates import Pool, Ranked
from askrepo.search.nearest_names import nearest_names
from askrepo.search.question.mentions import Holds, Mention
from askrepo.search.question.question import Question
from askrepo.search.request import SearchRequest
from askrepo.search.verbatim import (
    defines_in_package,
    defines_last_part,
    distance,
    holds,
    is_copy,
    is_double,
    is_named_like,
)
from askrepo.text.terms import query_terms, whole_terms
from askrepo.types import Chunk

LOOKED_AT = 240
"""Chunks looked at for one name, best by BM25 of its words; a name on more of them is hardly one that must be found."""

DEFINITIONS = 100
"""Definitions of one name looked at."""

RARE = 20
"""Chunks up to which a bare name puts all that hold it first; more are in the order of the ranking."""

FIRST = 3
"""Chunks that other names put first: a sentence is about more than its names."""

SHORT_FLAG = 2
"""Characters of a flag of one letter, which stands in most shell scripts: it is looked for as programs declare it."""

OPTION_FORMS = ("{}, -", "{}/-", "{}|-", ", {} ", '"{}"', "'{}'", "`{}`")

HOMES = (Holds.DEFINES, Holds.NAMES_FILE)
"""Where a name is at home, whatever a question wants of it."""

TELLING = 2
"""Other words that a question must have to be about something else than a name."""

ASIDE = frozenset(query_terms("set setting default value configure define declare call use mean work return do"))
"""Terms that only say what is wanted of a name: "where is X set", "what does X return"."""

_VERSION = re.compile(r"[vV]?\d+\.\d[-+.\w]*")
_QUALIFIED = re.compile(r"[^\W\d]\w*(?:(?:::|->|[.#:])[^\W\d]\w*[?!]?)+")
_CALL = re.compile(r"([^\W\d][\w.:>#-]*)\(.*\)?")
_FLAG_WITH_VALUE = re.compile(r"(--?[A-Za-z][\w-]*)[= ].*")
_PRODUCT = re.compile(r"[A-Z][a-z]*[A-Z][A-Za-z]*")
_ASKS_FOR_VALUE = re.compile(
    r"\b(?:set|sets|setting|default|defaults|value|configured?|assigned|documented)\b", re.IGNORECASE
)


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
    """
    found: list[Exact] = []
    absent: list[Absent] = []
    for place, mention in enumerate(requests[0].question.mentions):
        held = _held(requests, mention, place)
        if not held and mention.is_sure and not (mention.is_plain and _has_words(requests, mention)):
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


def _has_words(requests: Sequence[SearchRequest], mention: Mention) -> bool:
    """Whether other forms of a plain word stand in a dataset: `cached` for "caching"."""
    terms = query_terms(mention.text)
    return any(count for request in requests for count in request.reader.dataset.frequencies(terms).values())


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
    for shape in (_CALL, _FLAG_WITH_VALUE):
        if match := shape.fullmatch(bare):
            yield match[1]
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
    chunks = (chunk for repository, path in files[:FIRST] for chunk in dataset.file_chunks(repository, path))
    return [
        chunk for chunk in chunks if chunk.start_line <= mention.line <= chunk.end_line and request.where.admits(chunk)
    ]


def exact_first(listing: Sequence[Ranked], pool: Pool) -> list[Ranked]:
    """The listing with the chunks that hold a name of the question first; a sentence's are few.

    Where it is defined comes first, then where it is set or documented, then where it is used; copies, tests and lists
    of changes come behind its home. Of several names each has a chunk before any has a second. Scores stay in place.

    :param listing: best first.
    """
    first = _first(listing, pool)
    chosen = set(first)
    order = [*first, *(at for at in range(len(listing)) if at not in chosen)]
    return [Ranked(listing[at].candidate, listing[place].score) for place, at in enumerate(order)]


def _first(listing: Sequence[Ranked], pool: Pool) -> list[int]:
    """Places of the chunks that come before everything else, in order."""
    question = pool.question
    editions = zip(pool.candidates, pool.editions, strict=True) if pool.editions else ()
    copies = {(each.at, each.chunk.id) for each, factor in editions if factor < 1}
    order = sorted(
        enumerate(question.mentions), key=lambda pair: not pair[1].is_message
    )  # what an error says tells most
    queues = [_of_one_name(listing, place, mention, question, copies) for place, mention in order]
    longest = max(map(len, queues), default=0)
    turns = dict.fromkeys(queue[turn] for turn in range(longest) for queue in queues if turn < len(queue))
    names = {term for mention in question.mentions for term in query_terms(mention.text)}
    asks_for_it_alone = bool(turns) and len(set(question.terms) - names - ASIDE) < TELLING
    is_rare = (question.is_name or asks_for_it_alone) and len(turns) <= RARE
    return list(turns)[: len(turns) if is_rare else max(FIRST, len(queues))]


def _of_one_name(
    listing: Sequence[Ranked], place: int, mention: Mention, question: Question, copies: Collection[tuple[int, str]]
) -> list[int]:
    """Places of the chunks that hold a name, its home first; the ranking decides among equals.

    A sentence says by its other words whether it is after a value or a use, which the ranking knows; and of a plain
    word only definitions count.

    :param copies: alias and id of the chunks of translations and of other versions of a page.
    """
    held = ((at, dict(each.candidate.held).get(place)) for at, each in enumerate(listing))
    how = {at: found for at, found in held if found is not None}
    if mention.may_be_prose and _says_more(mention, question):
        how = {at: found for at, found in how.items() if found in HOMES and _is_one_name(mention, listing[at])}
    elif mention.is_plain and not _is_slip(mention, [listing[at] for at in how]):
        how = {at: found for at, found in how.items() if found in HOMES}
    if not question.is_name and not _ASKS_FOR_VALUE.search(question.text):
        how = {at: found if found in HOMES else Holds.USES for at, found in how.items()}
    if _may_be_a_proper_name(mention, how.values(), question):
        return []
    chunks = {at: listing[at].candidate.chunk for at in how}
    doubles = {at for at in how if is_double(chunks[at]) or (listing[at].candidate.at, chunks[at].id) in copies}
    is_home = any(found in HOMES for at, found in how.items() if at not in doubles)
    made_here = {at for at, found in how.items() if found is Holds.DEFINES and not is_copy(chunks[at])}
    behind = doubles if is_home or how.keys() <= doubles - made_here else doubles - made_here
    far = {at: distance(chunks[at], mention) if how[at] is Holds.DEFINES else 0 for at in how}
    return sorted(how, key=lambda at: (how[at] + len(Holds) * (at in behind), far[at], at))


def _says_more(mention: Mention, question: Question) -> bool:
    """Whether a question is about more than what may be no name ("real-time"), so that only its home comes first."""
    return not _ASKS_FOR_VALUE.search(question.text) and _others(mention, question) >= TELLING


def _is_slip(mention: Mention, held: Sequence[Ranked]) -> bool:
    """Whether chunks were found for what is spelled nearly like the name, which they do not have."""
    return not any(mention.text.lower() in each.candidate.chunk.text.lower() for each in held)


def _is_one_name(mention: Mention, home: Ranked) -> bool:
    """Whether a home of what may be two words ("join/leave") has both: a path, not a definition of the second."""
    return "/" not in mention.text or mention.text in home.candidate.chunk.path


def _others(mention: Mention, question: Question) -> int:
    """How many words a question has beside a name; none when it is nothing else."""
    return 0 if question.is_name else len(set(question.terms) - set(query_terms(mention.text)))


def _may_be_a_proper_name(mention: Mention, how: Iterable[Holds], question: Question) -> bool:
    """Whether a name may be one of the world, said beside what is asked for: "PowerShell completion generation".

    Nothing defines it, it is spelled as people spell products, and the question has more to say.
    """
    is_spelled_so = _PRODUCT.fullmatch(mention.text) is not None
    return is_spelled_so and _others(mention, question) >= TELLING and Holds.DEFINES not in how
