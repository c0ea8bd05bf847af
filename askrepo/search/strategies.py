"""The strategies: how chunks are ranked for a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from askrepo.search.candidates import Evidence, pooled
from askrepo.search.decay import decayed
from askrepo.search.mmr import mmr_order
from askrepo.search.request import SearchRequest
from askrepo.search.signals import moved
from askrepo.store.reader import ScoredChunk
from askrepo.types import Strategy

POOL = 100
"""Chunks taken from each ranking. 30 to 200 rank alike; below 100 a clustered index also probes too little and
misses neighbours (measured 2026-11)."""

DENSE_WEIGHT = 0.5
"""Share of the vectors in the fusion, the rest is BM25's; .4 to .7 rank alike (measured 2026-11)."""

DENSE_WEIGHT_ONE_WORD = 0.3
"""Likewise for a single word: usually a name, which BM25 finds exactly and a vector only by likeness."""

MMR_RELEVANCE_WEIGHT = 0.5
"""Lambda of the `mmr` strategy: LangChain's default, kept because this strategy exists for comparison."""

Ranking = list[ScoredChunk]
Ranker = Callable[[Sequence[SearchRequest]], list[Ranking]]
"""From one request per alias to one ranking per alias, with scores that can be compared between them."""


def hybrid(requests: Sequence[SearchRequest]) -> list[Ranking]:
    """Vectors and BM25 fused by reciprocal rank, moved by signals, decayed within each file.

    Scores: 1 is the best candidate of all aliases, before signals and decay.
    """
    dense_weight = DENSE_WEIGHT_ONE_WORD if requests[0].question.is_one_word else DENSE_WEIGHT
    lexical = Evidence(1 - dense_weight, by_bm25(requests))  # first: the embedder may still be loading
    dense = Evidence(dense_weight, by_cosine(requests))
    pools = pooled([dense, lexical], limit=POOL)
    ranked = [decayed(moved(pool, request)) for pool, request in zip(pools, requests, strict=True)]
    return [[ScoredChunk(candidate.chunk, candidate.score) for candidate in candidates] for candidates in ranked]


def by_cosine(requests: Sequence[SearchRequest]) -> list[Ranking]:
    """`cosine` of each alias; where embedders differ, cosines mean different things and become shares of the best."""
    rankings = [cosine(request) for request in requests]
    embedders = {request.reader.entry.manifest.embedder.fingerprint for request in requests}
    return rankings if len(embedders) == 1 else [_relative(ranking) for ranking in rankings]


def by_bm25(requests: Sequence[SearchRequest]) -> list[Ranking]:
    """`bm25` of each alias. A word's weight is its rarity in one dataset, which sharded search engines accept too."""
    return [bm25(request) for request in requests]


def by_mmr(requests: Sequence[SearchRequest]) -> list[Ranking]:
    """`mmr` of each alias."""
    return [mmr(request) for request in requests]


def cosine(request: SearchRequest) -> list[ScoredChunk]:
    """The nearest chunks by vector; scores are cosines in [-1, 1]."""
    return request.reader.dataset.nearest(request.vector(), limit=POOL, where=request.where)


def bm25(request: SearchRequest) -> list[ScoredChunk]:
    """The chunks that share terms with the question, by BM25 (score > 0); opens no embedder."""
    if not request.question.terms:
        return []
    return request.reader.dataset.lexical(request.question.terms, limit=POOL, where=request.where)


def mmr(request: SearchRequest) -> list[ScoredChunk]:
    """The nearest chunks by vector, each chosen unlike those before it; scores are cosines, so they do not fall."""
    import numpy as np

    nearest = cosine(request)
    if not nearest:
        return []
    vectors = request.reader.dataset.vectors_of([scored.chunk.id for scored in nearest])
    rows = np.stack([vectors[scored.chunk.id] for scored in nearest])
    order = mmr_order(request.vector(), rows, k=len(nearest), relevance_weight=MMR_RELEVANCE_WEIGHT)
    return [nearest[number] for number in order]


def _relative(ranking: Ranking) -> Ranking:
    best = max((scored.score for scored in ranking), default=0.0)
    return [ScoredChunk(scored.chunk, scored.score / best) for scored in ranking] if best > 0 else ranking


RANKERS: Mapping[Strategy, Ranker] = MappingProxyType(
    {"hybrid": hybrid, "cosine": by_cosine, "mmr": by_mmr, "bm25": by_bm25}
)
