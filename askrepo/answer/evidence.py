"""Whether a dataset holds anything that a question is about."""

from __future__ import annotations

from collections.abc import Sequence

from askrepo.aliases.readers import AliasReader
from askrepo.search.candidates import Candidate
from askrepo.search.request import SearchRequest
from askrepo.search.search import LookedUp, look_for_context
from askrepo.search.strategies import cosine
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
    found = look_for_context(question, readers=readers, limit=limit, strategy=strategy, where=where)
    return found.hits if has_evidence(found, use_vectors=strategy not in WITHOUT_VECTORS) else []


def has_evidence(found: LookedUp, *, use_vectors: bool = True) -> bool:
    """Whether any chunk that was looked at shares words with the question, or is near enough in meaning.

    A nearest vector always exists, so that it alone proves nothing: see MIN_COSINES. Nothing is searched again and the
    embedder is not called, unless the aliases have several embedders: their likeness is then told by a scan each.

    :param use_vectors: False for a strategy without an embedder; any shared word counts then.
    """
    of_alias: dict[int, list[Candidate]] = {at: [] for at in range(len(found.requests))}
    for candidate in found.candidates:
        of_alias[candidate.at].append(candidate)
    is_comparable = len({request.reader.entry.manifest.embedder.fingerprint for request in found.requests}) == 1
    for at, request in enumerate(found.requests):
        shared = _most_shared_terms(request.question.terms, of_alias[at])
        if shared and (not use_vectors or shared >= min(len(request.question.terms), ENOUGH_TERMS)):
            return True
        if use_vectors:
            likest = _likest(of_alias[at]) if is_comparable else _nearest_cosine(request)
            if likest >= MIN_COSINES[shared]:
                return True
    return False


def _likest(candidates: Sequence[Candidate]) -> float:
    return max((candidate.cosine for candidate in candidates if candidate.cosine is not None), default=-1.0)


def _nearest_cosine(request: SearchRequest) -> float:
    """Where embedders differ, what was gathered has shares of each alias's best cosine in place of cosines."""
    return max((scored.score for scored in cosine(request)), default=-1.0)


def _most_shared_terms(terms: Sequence[str], candidates: Sequence[Candidate]) -> int:
    """Distinct terms of the question in the chunk that holds most of them, ENOUGH_TERMS at most."""
    from askrepo.text.terms import index_terms

    asked, most = set(terms), 0
    for chunk in (candidate.chunk for candidate in candidates):
        most = max(most, len(asked.intersection(index_terms(chunk.text, path=chunk.path, scope=chunk.scope))))
        if most >= min(len(asked), ENOUGH_TERMS):
            break
    return most
