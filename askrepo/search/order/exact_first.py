"""The order by exact names: what a question spells out comes before everything else, its home first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from askrepo.search.candidates import Pool, Ranked
from askrepo.search.exact import HOMES
from askrepo.search.question.mentions import Holds, Mention
from askrepo.search.question.question import Question
from askrepo.search.verbatim import distance, is_copy, is_double
from askrepo.text.terms import query_terms

RARE = 20
"""Chunks up to which a question about a name alone puts all that hold it first; more are in the ranking's order."""

FIRST = 3
"""Chunks that other names put first: a sentence is about more than its names."""

TELLING = 2
"""Other words that a question must have to be about something else than a name."""

ASIDE = frozenset(query_terms("set setting default value configure define declare call use mean work return do"))
"""Terms that only say what is wanted of a name: "where is X set", "what does X return"."""

_PRODUCT = re.compile(r"[A-Z][a-z]*[A-Z][A-Za-z]*")
_ASKS_FOR_VALUE = re.compile(
    r"\b(?:set|sets|setting|default|defaults|value|configured?|assigned|documented)\b", re.IGNORECASE
)


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
    order = sorted(enumerate(question.mentions), key=lambda pair: not pair[1].is_message)  # what an error says, first
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

    :param copies: alias and id of the chunks of pages that are no current documentation, see `Pool.editions`.
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
