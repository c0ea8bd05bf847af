"""Slots: places near the top kept for a page that a doubtful question may be after."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from askrepo.search.candidates import KindShares, Pool, Ranked, pages_share
from askrepo.search.signals.prior import is_changelog, is_community_page, is_root_readme
from askrepo.search.signals.topic_page import TopicPages, may_want_topic_page, page_file
from askrepo.types import Chunk

SLOT = 3
"""Rank of the slot. On questions about code a page there costs .001 of NDCG@10; of questions about usage 97 % instead
of 86 % find their page among the first three (development halves, measured 2026-11)."""

TOPIC_SLOT = 2
"""Rank of the page that by custom answers the question. Of 120 questions about projects .84 and .95 instead of .81 and
.93 find theirs among the first three (79 of the development half, 41 about five other repositories), of the
confirmation half as many as before; of 48 about six repositories on which nothing was chosen .85 instead of .81 with
the other changes of that day. With manifests for what a project requires, and the pages of its origins and its promises
of compatibility, .87 instead of .85 of 79 of the confirmation half (measured 2026-11-29)."""

MIN_DOCUMENTED_SHARE = 0.04
"""Share of overview and usage in a question from which a page of documentation gets a slot: what asks for a page can
look like a question about code. With .05 .83 instead of .84 of 132 questions about pages of the confirmation half find
theirs among the first three; with .02 as many as with .04, and flask's code comes later (NDCG@10 .878 instead of .888
without vectors, measured 2026-11-29)."""

MIN_OVERVIEW_SHARE = 0.5
"""Share of overview from which the root's README gets a slot: it answers "who is it for" with words of its own."""


def with_slots(listing: Sequence[Ranked], pool: Pool) -> list[Ranked]:
    """The listing with its best documentation, and the root's README, at SLOT where the question may be after them.

    Documentation that would lose its place to the README moves one up instead: of overview questions without a vector
    .80 instead of .79 find their page among the first three, .87 instead of .85 with one (measured 2026-11).

    :param listing: best first, with what holds a name of the question before everything else, of which a chunk for each
        name stays before the slot.
    """
    kept = list(listing)
    names = len({mention for each in pool.candidates for mention, _ in each.held})
    topics = TopicPages(pool.question.text)
    if may_want_pages(pool.shares):
        is_about_use = not topics and pool.shares.get("usage", 0.0) > pool.shares.get("overview", 0.0)
        kept = _kept(kept, is_page_of_use if is_about_use else is_page, max(SLOT, names + 1))
    topical = topics.among(each.candidate.chunk for each in kept) if may_want_topic_page(pool.shares) else frozenset()

    def is_topical(chunk: Chunk) -> bool:
        return page_file(chunk) in topical

    if topical:
        kept = _kept(kept, is_topical, max(TOPIC_SLOT, names + 1))
    slot = max(SLOT, names + 2)
    if pool.shares.get("overview", 0.0) >= MIN_OVERVIEW_SHARE and _place(kept, is_root_readme) >= slot:
        if _place(kept, is_page) == slot - 1 and not is_topical(kept[slot - 2].candidate.chunk):
            kept = _moved(kept, slot - 1, slot - 2)
        kept = _kept(kept, is_root_readme, slot)
    return kept


def may_want_pages(shares: KindShares) -> bool:
    """Whether the question may be after a page of documentation."""
    return pages_share(shares) >= MIN_DOCUMENTED_SHARE


def is_page(chunk: Chunk) -> bool:
    """Whether the chunk explains something: documentation that is no list of changes."""
    return chunk.kind == "doc" and not is_changelog(chunk)


def is_page_of_use(chunk: Chunk) -> bool:
    """Whether the chunk explains something else than terms and how people work together on the project."""
    return is_page(chunk) and not is_community_page(chunk.path)


def _kept(listing: list[Ranked], wanted: Callable[[Chunk], bool], slot: int) -> list[Ranked]:
    """The listing with its first wanted chunk at the slot, when it comes later."""
    at = _place(listing, wanted)
    return _moved(listing, at, slot - 1) if at >= slot else listing


def _place(listing: Sequence[Ranked], wanted: Callable[[Chunk], bool]) -> int:
    """Where the first wanted chunk is, from 0; 0 too when there is none, since then nothing is to be moved."""
    return next((at for at, each in enumerate(listing) if wanted(each.candidate.chunk)), 0)


def _moved(listing: Sequence[Ranked], at: int, to: int) -> list[Ranked]:
    """The listing with an item at a better place, whose score it takes."""
    moved = Ranked(listing[at].candidate, listing[to].score)
    return [*listing[:to], moved, *listing[to:at], *listing[at + 1 :]]
