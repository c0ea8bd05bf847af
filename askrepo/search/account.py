"""Why a file's best chunk has its rank for a question: what each part of the ranking gave it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from askrepo.aliases.readers import AliasReader
from askrepo.search.candidates import Candidate, Pool, Ranked
from askrepo.search.gather import gather
from askrepo.search.order.orders import listing
from askrepo.search.question.mentions import Holds
from askrepo.search.ranking import SIGNALS, ranked
from askrepo.search.request import requests_for
from askrepo.search.search import EVERYTHING
from askrepo.search.strategies import pool_for
from askrepo.types import Chunk


@dataclass(frozen=True, slots=True)
class Account:
    """The rank of a chunk and where it comes from: score = (fused + the sum of signals) x prior, then the order.

    :ivar rank: 1-based, in the listing that `search` shows; candidates: how many were ranked.
    :ivar cosine: None when its vector is not among the nearest; bm25: None when it is not among the best by words.
    :ivar signals: what each gave, weight included; those that gave nothing are left out.
    :ivar holds: for each name of the question that it holds verbatim, whether it defines, sets, documents or uses it.
    """

    rank: int
    candidates: int
    chunk: Chunk
    score: float
    cosine: float | None
    bm25: float | None
    fused: float
    prior: float
    signals: Mapping[str, float]
    holds: Mapping[str, Holds]


def account_for(
    path: str,
    repository: str,
    question: str,
    *,
    readers: Sequence[AliasReader],
    use_vectors: bool = True,
) -> tuple[Account | None, int]:
    """The account of a file's best chunk, None when none of its chunks is a candidate; and the number of candidates.

    :param path: as stored. :param use_vectors: as `hybrid` does; without them as `signals`.
    :raises UsageError: the question is blank.
    """
    requests = requests_for(question, readers=readers, where=EVERYTHING)
    gathered = gather(requests, use_vectors=use_vectors)
    pool = pool_for(requests, gathered)
    scored = ranked(pool)
    order = listing(scored, pool)
    scores = {(each.candidate.at, each.candidate.chunk.id): each.score for each in scored}
    for rank, each in enumerate(order, start=1):
        chunk = each.candidate.chunk
        if (chunk.repository, chunk.path) == (repository, path):
            return _account(rank, each, pool, scores[each.candidate.at, chunk.id]), len(order)
    return None, len(order)


def _account(rank: int, each: Ranked, pool: Pool, score: float) -> Account:
    candidate = each.candidate
    at = next(place for place, other in enumerate(pool.candidates) if _is(other, candidate))
    given = {name: weight * signal(pool)[at] for name, (weight, signal) in SIGNALS.items()}
    names = pool.question.mentions
    return Account(
        rank=rank,
        candidates=len(pool.candidates),
        chunk=candidate.chunk,
        score=score,
        cosine=candidate.cosine,
        bm25=candidate.bm25,
        fused=pool.fused[at],
        prior=pool.priors[at],
        signals={name: amount for name, amount in given.items() if amount},
        holds={names[place].text: how for place, how in candidate.held if place < len(names)},
    )


def _is(one: Candidate, other: Candidate) -> bool:
    return (one.at, one.chunk.id) == (other.at, other.chunk.id)
