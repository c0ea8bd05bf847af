"""The two orders of a ranking: a listing for a person, a context for a chat model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from askrepo.search.candidates import File, Pool, Ranked, in_order, pages_share
from askrepo.search.editions import COPY_FACTOR, page_of_all_editions
from askrepo.search.order.exact_first import exact_first
from askrepo.search.order.nearness import by_nearness
from askrepo.search.order.opening import with_opening
from askrepo.search.order.slots import with_slots
from askrepo.search.siblings import sibling_factors

FILE_DECAY = 0.5
"""Factor per better chunk of the same file. Softer than one chunk per file, which ranks equally well on large
repositories and starves small ones (NDCG@10 without any decay .832 instead of .870, measured 2026-11)."""

DIVERSE = 5
"""Chunks of diverse files at the head of a context. With 5 instead of 8, and no decay behind them instead of .95,
the passages in 4,000 tokens show .68 instead of .63 of the lines asked for (measured 2026-11)."""

SURE_OF_PAGES = 0.9
"""Share of overview and usage in a question from which a context is the listing: what answers is often one of several
pages that look alike. In 8,000 tokens then stand .94 instead of .93 of the pages for 54 questions about projects, .93
instead of .89 of those for 54 about use (confirmation half of ten repositories), and as much code; with .7 .01
of the lines for questions about code are lost (measured 2026-11-29)."""


def listing(ranked: Sequence[Ranked], pool: Pool) -> list[Ranked]:
    """For a person: several files instead of one file several times."""
    near_first = by_nearness(decayed(ranked), pool)
    return with_opening(with_slots(exact_first(near_first, pool), pool), pool)


def context(ranked: Sequence[Ranked], pool: Pool) -> list[Ranked]:
    """For a chat model: the first DIVERSE of the listing, then the others as they were ranked: the best files, deeply.

    A question that is surely about pages gets all of the listing instead. Scores fall evenly from 1, so that rankings
    of several aliases can be merged.
    """
    listed = listing(ranked, pool)
    head = listed if pages_share(pool.shares) >= SURE_OF_PAGES else listed[:DIVERSE]
    first = {id(each.candidate) for each in head}
    order = [*head, *(each for each in ranked if id(each.candidate) not in first)]
    return [Ranked(each.candidate, 1 - at / len(order)) for at, each in enumerate(order)]


def decayed(ranked: Sequence[Ranked]) -> list[Ranked]:
    """The candidates best first, the n-th best of each file (counted from 0) lowered by FILE_DECAY ** n, copies too.

    :param ranked: best first.
    """
    files: Counter[File] = Counter()
    texts: set[str] = set()
    pages: dict[File, File] = {}
    lowered = []
    for each in ranked:
        file, chunk = each.candidate.file, each.candidate.chunk
        is_copy = chunk.text in texts
        if chunk.kind == "doc":
            is_copy |= pages.setdefault((*file[:2], page_of_all_editions(file[2])), file) != file
        lowered.append(each.scaled(FILE_DECAY ** files[file] * (COPY_FACTOR if is_copy else 1.0)))
        files[file] += 1
        texts.add(chunk.text)
    lowered = in_order(lowered)
    factors = sibling_factors(lowered)
    return in_order([each.scaled(factor) for each, factor in zip(lowered, factors, strict=True)])
