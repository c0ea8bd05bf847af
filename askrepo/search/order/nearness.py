"""The order by nearness: which files come first for a question that may be after a page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from askrepo.search.candidates import Candidate, File, Pool, Ranked, pages_share
from askrepo.search.editions import COPY_FACTOR, page_of_all_editions
from askrepo.search.signals.prior import explaining, is_changelog, is_root_readme
from askrepo.types import Chunk

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "score": 1.0,  # of the file's best chunk
        "cosine": 0.62,  # of its chunk that is nearest
        "bm25": 0.50,  # of its chunk that says most of the question
        "source, usage": -0.11,
        "test, usage": -0.29,
        "example, usage": 0.32,
        "doc, usage": 0.14,
        "config, usage": -0.12,
        "changelog, usage": 0.05,
        "README, usage": 0.01,
        "doc comment, usage": 0.2,  # by hand: .1 to .3 rank alike
        "source, overview": -0.08,
        "test, overview": -0.09,
        "example, overview": -0.04,
        "doc, overview": 0.09,
        "config, overview": 0.17,
        "changelog, overview": -0.03,
        "README, overview": 0.06,
    }
)
"""Weights of what is known of a file: the first three as shares of the best file's, and all but the first times how
much of the question is about pages, or of that kind. Learned by `benchmarks/nearness.py` from the development halves of
our questions, see there, but for that of doc comments."""

MIN_PAGES_SHARE = 0.1
"""Share of overview and usage in a question from which it is ordered so; from .04 and from .3 pages and code rank
alike (measured 2026-11-29)."""

MAYBE_CODE_SHARE = 0.3
"""Share of code in a question from which source that came first stays first: as many pages and files of code are found
with it, and a bare phrase ("retry policy pause before attempt") keeps what defines its names."""

LOOKED_AT = 30
"""Files, best first, that are ordered; those behind them keep their places."""


def by_nearness(listing: Sequence[Ranked], pool: Pool) -> list[Ranked]:
    """The listing with the best chunks of its first files ordered by what is known of them; scores stay where they are.

    A ranking by places does not see that one page is far ahead by its words or its vector. Of 511 questions about pages
    .67 instead of .65 find theirs first and .89 instead of .88 among the first three; of those about projects in the
    confirmation half .91 instead of .87 (23 repositories, each ordered by what the others taught; measured 2026-11-29).

    :param listing: best first.
    """
    if not is_ordered(pool):
        return list(listing)
    places = first_of_files(listing)
    known = known_of([listing[at] for at in places], pool)
    worth = [sum(WEIGHTS[name] * amount for name, amount in each.items()) for each in known]
    if pool.shares.get("code", 0.0) >= MAYBE_CODE_SHARE and listing[0].candidate.chunk.kind == "source":
        worth[0] = math.inf
    ordered = list(listing)
    for place, (at, _) in zip(places, sorted(zip(places, worth, strict=True), key=lambda pair: -pair[1]), strict=True):
        ordered[place] = Ranked(listing[at].candidate, listing[place].score)
    return ordered


def is_ordered(pool: Pool) -> bool:
    """Whether the question may be after a page, and vectors tell how near it is; without them pages rank alike."""
    return pages_share(pool.shares) >= MIN_PAGES_SHARE and any(each.cosine is not None for each in pool.candidates)


def first_of_files(listing: Sequence[Ranked]) -> list[int]:
    """Where the best chunk of each of the first LOOKED_AT files is.

    :param listing: best first.
    """
    places: dict[File, int] = {}
    for at, each in enumerate(listing):
        if len(places) < LOOKED_AT:
            places.setdefault(each.candidate.file, at)
    return list(places.values())


def known_of(files: Sequence[Ranked], pool: Pool) -> list[dict[str, float]]:
    """What WEIGHTS weighs, of each of the files: amounts in [0, 1]; what is not named is 0.

    :param files: the best chunk of each, best first.
    """
    pages = pages_share(pool.shares)
    score = max((each.score for each in files), default=0.0) or 1.0
    cosine = _of_files(pool, lambda candidate: candidate.cosine, least=min)
    bm25 = _of_files(pool, lambda candidate: candidate.bm25, least=lambda _: 0.0)
    return [
        {
            "score": each.score / score,
            "cosine": pages * factor * cosine.get(each.candidate.file, 0.0),
            "bm25": pages * factor * bm25.get(each.candidate.file, 0.0),
            **_of_kind(each.candidate.chunk, pool),
            "doc comment, usage": pool.shares.get("usage", 0.0) * explaining(each.candidate.chunk),
        }
        for each, factor in zip(files, _copy_factors(files), strict=True)
    ]


def _copy_factors(files: Sequence[Ranked]) -> list[float]:
    """COPY_FACTOR for a page of which a better file is another version, or has the same text; 1 for all others."""
    pages: dict[File, File] = {}
    texts: set[str] = set()
    factors = []
    for each in files:
        file, chunk = each.candidate.file, each.candidate.chunk
        page = (*file[:2], page_of_all_editions(file[2])) if chunk.kind == "doc" else file
        is_copy = pages.setdefault(page, file) != file or (chunk.kind == "doc" and chunk.text in texts)
        factors.append(COPY_FACTOR if is_copy else 1.0)
        texts.add(chunk.text)
    return factors


def _of_kind(chunk: Chunk, pool: Pool) -> dict[str, float]:
    kinds = ["changelog" if is_changelog(chunk) else chunk.kind, *(["README"] if is_root_readme(chunk) else [])]
    known = {f"{kind}, {asked}": pool.shares.get(asked, 0.0) for kind in kinds for asked in ("usage", "overview")}
    return {name: amount for name, amount in known.items() if name in WEIGHTS}


def _of_files(
    pool: Pool, measure: Callable[[Candidate], float | None], *, least: Callable[[Sequence[float]], float]
) -> dict[File, float]:
    """The best of each file's chunks by a measure, from 0 for the least found to 1 for the best of all.

    Less for pages that are no current documentation in the question's language.
    """
    editions = pool.editions or (1.0,) * len(pool.candidates)
    found = [
        (each.file, amount, factor)
        for each, factor in zip(pool.candidates, editions, strict=True)
        if (amount := measure(each)) is not None
    ]
    if not found:
        return {}
    lowest = least([amount for _, amount, _ in found])
    span = max(amount for _, amount, _ in found) - lowest
    best: dict[File, float] = {}
    for file, amount, factor in found:
        best[file] = max(best.get(file, 0.0), factor * ((amount - lowest) / span if span > 0 else 1.0))
    return best
