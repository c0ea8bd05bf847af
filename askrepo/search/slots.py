"""Slots: places near the top kept for a page that a doubtful question may be after."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from askrepo.search.candidates import KindShares, Pool, Ranked
from askrepo.search.prior import is_changelog, is_root_readme
from askrepo.types import Chunk

SLOT = 3
"""Rank of the slot. On questions about code a page there costs .001 of NDCG@10; of questions about usage 97 % instead
of 86 % find their page among the first three (development halves, measured 2026-11)."""

MIN_DOCUMENTED_SHARE = 0.05
"""Share of overview and usage in a question from which a page of documentation gets a slot."""

MIN_OVERVIEW_SHARE = 0.5
"""Share of overview from which the root's README gets a slot: it answers "who is it for" with words of its own."""


def with_slots(listing: Sequence[Ranked], pool: Pool) -> list[Ranked]:
    """The listing with its best documentation, and the root's README, at SLOT where the question may be after them.

    :param listing: best first.
    """
    kept = list(listing)
    if may_want_pages(pool.shares):
        kept = _kept(kept, is_page)
    if pool.shares.get("overview", 0.0) >= MIN_OVERVIEW_SHARE:
        kept = _kept(kept, is_root_readme)
    return kept


def may_want_pages(shares: KindShares) -> bool:
    """Whether the question may be after a page of documentation."""
    return 1 - shares.get("code", 0.0) >= MIN_DOCUMENTED_SHARE


def is_page(chunk: Chunk) -> bool:
    """Whether the chunk explains something: documentation that is no list of changes."""
    return chunk.kind == "doc" and not is_changelog(chunk)


def _kept(listing: list[Ranked], wanted: Callable[[Chunk], bool]) -> list[Ranked]:
    """The listing with its first wanted chunk at SLOT, when it comes later; its score is that of the place."""
    at = next((at for at, each in enumerate(listing) if wanted(each.candidate.chunk)), 0)
    if at < SLOT:
        return listing
    moved = Ranked(listing[at].candidate, listing[SLOT - 1].score)
    return [*listing[: SLOT - 1], moved, *listing[SLOT - 1 : at], *listing[at + 1 :]]
