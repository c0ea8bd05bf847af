"""The nearest chunks of several aliases, with scores that can be compared between them."""

from __future__ import annotations

from collections.abc import Sequence

from askrepo.search.request import SearchRequest
from askrepo.store.reader import ScoredChunk


def nearest(requests: Sequence[SearchRequest], *, limit: int) -> list[list[ScoredChunk]]:
    """The nearest chunks of each alias by cosine in [-1, 1], best first.

    Where embedders differ, cosines mean different things and become shares of the alias's best.
    """
    rankings = [
        request.reader.dataset.nearest(request.vector(), limit=limit, where=request.where) for request in requests
    ]
    embedders = {request.reader.entry.manifest.embedder.fingerprint for request in requests}
    return rankings if len(embedders) == 1 else [_relative(ranking) for ranking in rankings]


def _relative(ranking: list[ScoredChunk]) -> list[ScoredChunk]:
    best = max((scored.score for scored in ranking), default=0.0)
    return [ScoredChunk(scored.chunk, scored.score / best) for scored in ranking] if best > 0 else ranking
