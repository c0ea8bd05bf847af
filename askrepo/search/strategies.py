"""The strategies: how chunks are ranked for a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from askrepo.search.candidates import Candidate, Pool, Ranked
from askrepo.search.folding import files
from askrepo.search.gather import Gathered, gather
from askrepo.search.mmr import mmr_order
from askrepo.search.nearest_vectors import nearest
from askrepo.search.order.orders import context, listing
from askrepo.search.ranking import CONTEXT_SIGNALS, POOL, SIGNALS, Prior, Signals, pooled, ranked
from askrepo.search.request import SearchRequest
from askrepo.search.signals.prior import kind_prior
from askrepo.store.reader import ScoredChunk
from askrepo.types import Strategy

MMR_RELEVANCE_WEIGHT = 0.5
"""Lambda of the `mmr` strategy: LangChain's default, kept because this strategy exists for comparison."""

Order = Callable[[Sequence[Ranked], Pool], Sequence[Ranked]]
"""From the ranked candidates and their pool to the order in which they are shown."""

Ranking = list[ScoredChunk]
Ranker = Callable[[Sequence[SearchRequest]], list[Ranking]]
"""From one request per alias to one ranking per alias, with scores that can be compared between them."""


def hybrid(requests: Sequence[SearchRequest]) -> list[Ranking]:
    """Vectors and BM25 fused by reciprocal rank, moved by signals and priors: the listing for a person.

    Scores: 1 is the best candidate of all aliases, before signals, priors and decay.
    """
    return _ranked(requests, listing)


def hybrid_files(requests: Sequence[SearchRequest]) -> list[Ranking]:
    """`hybrid` with each file once, and its other chunks that answer under its first."""
    return _ranked(requests, files)


def without_vectors_files(requests: Sequence[SearchRequest]) -> list[Ranking]:
    """`without_vectors` likewise."""
    return _ranked(requests, files, use_vectors=False)


def without_vectors(requests: Sequence[SearchRequest]) -> list[Ranking]:
    """`hybrid` of BM25 alone: opens no embedder."""
    return _ranked(requests, listing, use_vectors=False)


def _ranked(requests: Sequence[SearchRequest], order: Order, *, use_vectors: bool = True) -> list[Ranking]:
    """A ranking per alias: gather, pool, rank, put in order."""
    return _in_order(gather(requests, use_vectors=use_vectors), requests, order)


def for_context(requests: Sequence[SearchRequest], strategy: Strategy) -> tuple[list[Ranking], tuple[Candidate, ...]]:
    """A ranking per alias in the order for a chat model, and all that was looked at for them.

    That order is diverse, then deep, and without what lifts whole files. Strategies other than `hybrid` and `signals`
    have one order for people and models, and look at what they rank.
    """
    if strategy in GATHERING:
        gathered = gather(requests, use_vectors=GATHERING[strategy])
        return _in_order(gathered, requests, context, signals=CONTEXT_SIGNALS), gathered.candidates
    rankings = RANKERS[strategy](requests)
    return rankings, tuple(_looked_at(rankings, by_words=strategy == "bm25"))


def _looked_at(rankings: Sequence[Ranking], *, by_words: bool) -> Iterator[Candidate]:
    for at, ranking in enumerate(rankings):
        for scored in ranking:
            cosine, bm25 = (None, scored.score) if by_words else (scored.score, None)
            yield Candidate(at, scored.chunk, cosine, bm25)


def _in_order(
    gathered: Gathered, requests: Sequence[SearchRequest], order: Order, *, signals: Signals = SIGNALS
) -> list[Ranking]:
    pool = pool_for(requests, gathered)
    return by_alias(order(ranked(pool, signals=signals), pool), len(requests))


def pool_for(requests: Sequence[SearchRequest], gathered: Gathered, *, prior: Prior = kind_prior) -> Pool:
    """The pool of what was gathered for a question."""
    return pooled(
        requests[0].question,
        gathered.candidates,
        shares=gathered.shares,
        terms=requests[0].terms,
        rarity=gathered.rarity,
        prior=prior,
    )


def by_alias(ordered: Sequence[Ranked], aliases: int) -> list[Ranking]:
    """The chunks of each alias, in the order given."""
    rankings: list[Ranking] = [[] for _ in range(aliases)]
    for each in ordered:
        rankings[each.candidate.at].append(ScoredChunk(each.candidate.chunk, each.score, each.more))
    return rankings


def by_cosine(requests: Sequence[SearchRequest]) -> list[Ranking]:
    """The nearest chunks of each alias; see `askrepo.search.nearest_vectors`."""
    return nearest(requests, limit=POOL)


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


RANKERS: Mapping[Strategy, Ranker] = MappingProxyType(
    {"hybrid": hybrid, "signals": without_vectors, "cosine": by_cosine, "mmr": by_mmr, "bm25": by_bm25}
)

GATHERING: Mapping[Strategy, bool] = MappingProxyType({"hybrid": True, "signals": False})
"""Strategies that look for candidates in several ways, and whether by vectors too."""

FILE_RANKERS: Mapping[Strategy, Ranker] = MappingProxyType({"hybrid": hybrid_files, "signals": without_vectors_files})
"""Strategies that can rank files, each once; the others are kept for comparison and rank chunks."""
