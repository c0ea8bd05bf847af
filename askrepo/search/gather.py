"""Gathers the candidates for a question: nearest vectors, best by BM25, and what it names outright."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from askrepo.search.candidates import Candidate, KindShares
from askrepo.search.exact import Absent, Exact, exact
from askrepo.search.nearest_vectors import nearest
from askrepo.search.order.slots import MIN_OVERVIEW_SHARE, is_page, may_want_pages
from askrepo.search.question.kinds import kind_model_fits, kind_shares
from askrepo.search.request import SearchRequest
from askrepo.search.signals.topic_page import TopicPages, may_want_topic_page
from askrepo.store.reader import ScoredChunk
from askrepo.types import Chunk

NEAREST = 100
"""Chunks asked of the vectors: as many as are fused, since the prior does not reorder them."""

LEXICAL = 240
"""Chunks asked of BM25. The prior reorders them before the best are fused, so more are needed than are fused: NDCG@10
on whole repositories is .907 with 240 and with 300, .901 with 200 (measured 2026-11)."""

MAX_NAMED = 100
"""Chunks that one look-up by name adds at most."""

MAX_TOPIC_PAGES = 8
"""Pages looked up for the topics of a question: more are no custom but a folder of articles."""

LEAST_COSINE = 0.35
"""Of a chunk that the local embedder finds for words that stand nowhere: fifteen such words, made up and real, came to
.35 at most in four repositories, so that what is nearest to them is chance. Some pairs of them come to .42, as near as
what answers some questions in other words (measured 2026-11)."""

LOCAL_EMBEDDERS = frozenset({"local", "hash"})

_ANY_WORD = re.compile(r"\w")

READMES = (
    *("README.md", "README.rst", "README.adoc", "README.txt", "README", "readme.md", "Readme.md"),
    *("README.markdown", "README.org", "README.mdx", "README.rdoc", ".github/README.md"),
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the datasets know about a question.

    :ivar rarity: inverse document frequency of each term over all aliases: ln(1 + (N - n + .5) / (n + .5)).
    """

    candidates: tuple[Candidate, ...]
    shares: KindShares
    rarity: Mapping[str, float]


def gather(requests: Sequence[SearchRequest], *, use_vectors: bool) -> Gathered:
    """Every chunk found for a question in any way, once, in the order in which it was found.

    BM25 and the look-ups run beside the vectors' scan, which takes longest.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:
        words = beside.submit(_by_words, requests)
        shares = _shares(requests[0], use_vectors=use_vectors)
        pages = beside.submit(_readmes, requests, shares)
        customary = beside.submit(_topic_pages, requests, shares)
        dense = nearest(requests, limit=NEAREST) if use_vectors else []
        by_words, readmes, topical = words.result(), pages.result(), customary.result()
    likest = max((scored.score for _, scored in _each(dense)), default=0.0)
    if not topical and _is_about_nothing(requests, by_words, likest=likest):
        return Gathered((), shares, by_words.rarity)
    candidates = {(at, scored.chunk.id): Candidate(at, scored.chunk, scored.score) for at, scored in _each(dense)}
    for at, scored in _each(by_words.lexical):
        known = candidates.get((at, scored.chunk.id))
        cosine = known.cosine if known else None
        candidates[at, scored.chunk.id] = Candidate(at, scored.chunk, cosine, scored.score)
    if may_want_pages(shares) and not any(is_page(each.chunk) for each in candidates.values()):
        for at, scored in _each([_pages(request) for request in requests]):
            candidates[at, scored.chunk.id] = Candidate(at, scored.chunk, bm25=scored.score)
    for at, chunk in [*by_words.named, *readmes, *topical]:
        known = candidates.get((at, chunk.id)) or Candidate(at, chunk)
        candidates[at, chunk.id] = replace(known, is_named=True)
    for found in by_words.exact:
        known = candidates.get((found.at, found.chunk.id)) or Candidate(found.at, found.chunk)
        held = (*known.held, (found.mention, found.holds))
        candidates[found.at, found.chunk.id] = replace(known, is_named=True, held=held)
    if not candidates:  # the words that tell little must do
        said = [replace(request, terms=request.question.terms) for request in requests]
        for at, scored in _each([_lexical(request) for request in said]):
            candidates[at, scored.chunk.id] = Candidate(at, scored.chunk, bm25=scored.score)
    return Gathered(tuple(candidates.values()), shares, by_words.rarity)


@dataclass(frozen=True, slots=True)
class _ByWords:
    """What needs no vector."""

    lexical: Sequence[Sequence[ScoredChunk]]
    named: Sequence[tuple[int, Chunk]]
    rarity: Mapping[str, float]
    exact: Sequence[Exact]
    absent: Sequence[Absent]


def _is_about_nothing(requests: Sequence[SearchRequest], by_words: _ByWords, *, likest: float) -> bool:
    """Whether nothing in the datasets can be what is asked for, however near its vector is to something.

    So it is with a text without a word, with a single name that stands nowhere, and with words of which none does, when
    no chunk is like them either. Other embedders have other scales, and may know another language.

    :param likest: cosine of the nearest chunk.
    """
    question = requests[0].question
    if by_words.exact:
        return False
    if not _ANY_WORD.search(question.text) or (question.is_name and by_words.absent):
        return True
    is_local = all(request.reader.entry.manifest.embedder.spec in LOCAL_EMBEDDERS for request in requests)
    known = (request.reader.dataset.frequencies(question.terms) for request in requests)
    stands_nowhere = bool(question.terms) and not any(count for counts in known for count in counts.values())
    return stands_nowhere and is_local and likest < LEAST_COSINE


def _by_words(requests: Sequence[SearchRequest]) -> _ByWords:
    named = [(at, chunk) for at, request in enumerate(requests) for chunk in _named(request)]
    return _ByWords([_lexical(request) for request in requests], named, _rarity(requests), *exact(requests))


def _lexical(request: SearchRequest) -> list[ScoredChunk]:
    return request.reader.dataset.lexical(request.terms, limit=LEXICAL, where=request.where) if request.terms else []


def _pages(request: SearchRequest) -> list[ScoredChunk]:
    """Documentation alone, where all that was found is source: a slot needs a page to hold."""
    if not request.terms or request.where.kind:
        return []
    documentation = replace(request.where, kind=("doc",))
    return request.reader.dataset.lexical(request.terms, limit=MAX_NAMED, where=documentation)


def _named(request: SearchRequest) -> list[Chunk]:
    """Chunks that define an identifier of the question, and those of files that it names."""
    dataset, question = request.reader.dataset, request.question
    defining = dataset.defining(question.identifiers, limit=MAX_NAMED, where=request.where)
    return [*defining, *dataset.of_files(question.paths, limit=MAX_NAMED, where=request.where)]


def _topic_pages(requests: Sequence[SearchRequest], shares: KindShares) -> list[tuple[int, Chunk]]:
    """Chunks of the pages that by custom answer the question: `SECURITY.md` has few words of "whom do I tell?"."""
    pages = TopicPages(requests[0].question.text)
    if not pages or not may_want_topic_page(shares):
        return []
    found: list[tuple[int, Chunk]] = []
    for at, request in enumerate(requests):
        dataset = request.reader.dataset
        paths = pages.nearest_to_root(dataset.paths(), limit=MAX_TOPIC_PAGES)
        found += [(at, chunk) for chunk in dataset.at_paths(paths, limit=MAX_NAMED, where=request.where)]
    return found


def _readmes(requests: Sequence[SearchRequest], shares: KindShares) -> list[tuple[int, Chunk]]:
    """Chunks of the root's README, for which a question about the project has a slot."""
    if shares.get("overview", 0.0) < MIN_OVERVIEW_SHARE:
        return []
    return [
        (at, chunk)
        for at, request in enumerate(requests)
        for chunk in request.reader.dataset.at_paths(READMES, limit=MAX_NAMED, where=request.where)
    ]


def _rarity(requests: Sequence[SearchRequest]) -> dict[str, float]:
    chunks = sum(request.reader.entry.manifest.chunks for request in requests)
    counts = [request.reader.dataset.frequencies(request.terms) for request in requests]
    having = {term: sum(count[term] for count in counts) for term in requests[0].terms}
    return {term: math.log(1 + (chunks - n + 0.5) / (n + 0.5)) for term, n in having.items()}


def _shares(request: SearchRequest, *, use_vectors: bool) -> KindShares:
    """What kind of question it is; its vector helps when it is of the embedder that the model of kinds learned from."""
    fits = use_vectors and kind_model_fits(request.reader.entry.manifest.embedder.fingerprint)
    return kind_shares(request.question, projects=request.projects, vector=request.vector() if fits else None)


def _each(rankings: Sequence[Sequence[ScoredChunk]]) -> Iterator[tuple[int, ScoredChunk]]:
    return ((at, scored) for at, ranking in enumerate(rankings) for scored in ranking)
