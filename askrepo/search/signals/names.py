"""Chunks whose own names say what the question says."""

from __future__ import annotations

from askrepo.search.candidates import Pool
from askrepo.text.terms import text_terms
from askrepo.types import Chunk


def names(pool: Pool) -> list[float]:
    """For each candidate the share, in [0, 1], of the question's words among the names it defines or is inside of.

    Rare words count more, as in BM25.
    """
    total = sum(pool.rarity.get(term, 0.0) for term in pool.terms)
    if not total:
        return [0.0] * len(pool.candidates)
    return [_weight(pool, _terms_of(candidate.chunk)) / total for candidate in pool.candidates]


def _weight(pool: Pool, having: frozenset[str]) -> float:
    return sum(pool.rarity.get(term, 0.0) for term in pool.terms if term in having)


def _terms_of(chunk: Chunk) -> frozenset[str]:
    return text_terms(" ".join((*chunk.symbols, *chunk.scope)))
