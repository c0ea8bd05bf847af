"""Whether a dataset holds anything that a question is about."""

from __future__ import annotations

from collections.abc import Sequence

from askrepo.aliases.sources import AliasReader
from askrepo.search.request import SearchRequest, requests_for
from askrepo.search.search import search_context
from askrepo.search.strategies import bm25, cosine
from askrepo.store.reader import Filter
from askrepo.types import Hit

MIN_COSINES = (0.35, 0.2)
"""Cosine of the nearest chunk from which a question counts as answered here, when no chunk holds a term of it, and
when one holds a single one; two terms in one chunk, or all there are, need no likeness. The local embedder puts
questions about dinosaurs and football at .12 to .32 from the nearest chunk of this project's code, and questions about
the code at .34 to .60. One term is weak: "best pasta recipe" finds a "best" in most repositories (measured 2026-11)."""

ENOUGH_TERMS = len(MIN_COSINES)

WITHOUT_VECTORS = frozenset({"bm25", "signals"})
"""Strategies that need no embedder."""


def relevant_hits(
    question: str, *, readers: Sequence[AliasReader], limit: int, strategy: str, where: Filter
) -> list[Hit]:
    """The hits of `search_context`, or none when none of them is evidence."""
    hits = search_context(question, readers=readers, limit=limit, strategy=strategy, where=where)
    if hits and has_evidence(question, readers=readers, where=where, use_vectors=strategy not in WITHOUT_VECTORS):
        return hits
    return []


def has_evidence(question: str, *, readers: Sequence[AliasReader], where: Filter, use_vectors: bool = True) -> bool:
    """Whether any chunk shares words with the question, or is near enough in meaning.

    A nearest vector always exists, so that it alone proves nothing: see MIN_COSINES.

    :param use_vectors: False needs no embedder; any shared word counts then.
    """
    requests = requests_for(question, readers=readers, where=where)
    if not use_vectors:
        return any(bm25(request) for request in requests)
    return any(_is_evidence(request) for request in requests)


def _is_evidence(request: SearchRequest) -> bool:
    shared = _most_shared_terms(request)
    if shared and shared >= min(len(request.question.terms), ENOUGH_TERMS):
        return True
    return _nearest_cosine(request) >= MIN_COSINES[shared]


def _nearest_cosine(request: SearchRequest) -> float:
    return max((scored.score for scored in cosine(request)), default=-1.0)


def _most_shared_terms(request: SearchRequest) -> int:
    """Distinct terms of the question in the chunk that holds most of them."""
    from askrepo.text.terms import index_terms

    terms = set(request.question.terms)
    chunks = (scored.chunk for scored in bm25(request))
    found = (terms.intersection(index_terms(chunk.text, path=chunk.path, scope=chunk.scope)) for chunk in chunks)
    return max(map(len, found), default=0)
