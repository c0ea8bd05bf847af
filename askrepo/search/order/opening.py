"""The opening of a page: what stands for it when a question says nothing that a section could answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from askrepo.search.banners import telling
from askrepo.search.candidates import File, Pool, Ranked
from askrepo.search.order.slots import MIN_OVERVIEW_SHARE
from askrepo.search.question.generic import GENERIC
from askrepo.search.signals.prior import is_root_licence, is_root_readme
from askrepo.text.terms import text_terms
from askrepo.types import Chunk

MAX_TOLD = 3.0
"""Rarity of the question's words together, but for generic ones, up to which they tell nothing."""

LICENCE_TERMS = text_terms("licence license licences licenses licensed licensing")
"""Words that only name the page."""

MIN_WORDS = 8
"""Words of a line that says something; badges, menus and headings have fewer."""

_MARKUP = re.compile(r"<[^<>]*>|!?\[[^\[\]]*\]\([^()]*\)|https?://\S+|\|[^|\s]+\|")
_WORD = re.compile(r"[^\W\d_]{2,}")


def with_opening(listing: Sequence[Ranked], pool: Pool) -> list[Ranked]:
    """The listing with the opening of root READMEs and licences in the place of their best chunks, for such questions.

    A licence says at its top which one it is: "which licence is it under" says no more than its name.

    Vectors alone would choose otherwise: to a question of hardly more than the project's name they bring the chunk that
    says the name most often. Of nine such questions to each of 23 repositories .77 instead of .36 show one of the first
    40 lines of the README among the first three hits (measured 2026-11).

    :param listing: best first.
    """
    if pool.shares.get("overview", 0.0) < MIN_OVERVIEW_SHARE:
        return list(listing)
    told = {term: rarity for term, rarity in pool.rarity.items() if term in pool.terms and term not in GENERIC}
    opens = [is_root_readme] if sum(told.values()) <= MAX_TOLD else []
    if sum(rarity for term, rarity in told.items() if term not in LICENCE_TERMS) <= MAX_TOLD:
        opens.append(is_root_licence)
    pages: dict[File, list[int]] = {}
    for at, each in enumerate(listing):
        if any(is_opened(each.candidate.chunk) for is_opened in opens):
            pages.setdefault(each.candidate.file, []).append(at)
    opened = list(listing)
    for places in pages.values():
        saying = [at for at in places if says_something(listing[at].candidate.chunk)]
        opening = min(saying or places, key=lambda at: listing[at].candidate.chunk.start_line)
        _exchange(opened, places[0], opening)
    first = min((places[0] for places in pages.values()), default=0)
    if not told and first:  # "what is it?", wherever the name of the project stands most
        _exchange(opened, 0, first)
    return opened


def says_something(chunk: Chunk) -> bool:
    """Whether a line is a sentence, as far as its number of words tells; front matter and comments say nothing."""
    lines = chunk.text.split("\n")
    tells = telling(lines, language=chunk.language, start_line=chunk.start_line)
    said = (line for line, tell in zip(lines, tells, strict=True) if tell)
    return any(len(_WORD.findall(_MARKUP.sub(" ", line))) >= MIN_WORDS for line in said)


def _exchange(listing: list[Ranked], one: int, other: int) -> None:
    """Exchange two candidates; scores stay in their places."""
    first, second = listing[one], listing[other]
    listing[one] = Ranked(second.candidate, first.score)
    listing[other] = Ranked(first.candidate, second.score)
