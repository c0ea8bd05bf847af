"""The candidates of a hybrid search: what signals raise and lower before the ranking is read off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from askrepo.search.fusion import fuse
from askrepo.store.reader import ScoredChunk
from askrepo.types import Chunk


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk on its way to becoming a hit.

    :ivar fused: what fusion alone gave, relative to the best candidate: in (0, 1].
    :ivar score: fused, as far as the signals have moved it.
    """

    chunk: Chunk
    fused: float
    score: float

    def scaled(self, factor: float) -> Self:
        """The candidate with its score multiplied."""
        return replace(self, score=self.score * factor)

    def raised(self, amount: float) -> Self:
        """The candidate with its score increased."""
        return replace(self, score=self.score + amount)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one way of searching found: a ranking per alias, with scores that can be compared between them."""

    weight: float
    rankings: Sequence[Sequence[ScoredChunk]]


def pooled(evidence: Sequence[Evidence], *, limit: int) -> list[list[Candidate]]:
    """The candidates of each alias, scored by reciprocal rank fusion over all aliases as if they were one.

    An alias with nothing to say is so not heard as loudly as one with the answer.

    :param limit: items taken from each way of searching, best first.
    :returns: one list per ranking, in the same order.
    """
    fused = fuse((each.weight, [(at, found.chunk.id) for at, found in _best(each, limit)]) for each in evidence)
    chunks = {(at, found.chunk.id): found.chunk for each in evidence for at, found in _best(each, limit)}
    pools: list[list[Candidate]] = [[] for _ in evidence[0].rankings]
    for (at, chunk_id), score in fused.items():
        pools[at].append(Candidate(chunks[at, chunk_id], fused=score, score=score))
    return pools


def _best(evidence: Evidence, limit: int) -> list[tuple[int, ScoredChunk]]:
    """The best chunks of all aliases, each with its alias's position."""
    found = [(at, scored) for at, ranking in enumerate(evidence.rankings) for scored in ranking]
    return sorted(found, key=lambda item: -item[1].score)[:limit]


def in_order(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Best first; equal scores in the order of the tree, so that one question has one answer."""
    return sorted(candidates, key=lambda candidate: (-candidate.score, *place(candidate.chunk)))


def place(chunk: Chunk) -> tuple[str, str, int, int, str]:
    """Where a chunk stands among all chunks of a dataset: a total order."""
    return chunk.repository, chunk.path, chunk.start_line, chunk.end_line, chunk.id
