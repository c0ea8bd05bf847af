"""The ranking: candidates fused, raised by signals, weighed by priors. Everything of it is pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

from askrepo.search.banners import says_nothing
from askrepo.search.candidates import Candidate, File, KindShares, Pool, Ranked, in_order, pages_share
from askrepo.search.editions import ARCHIVE_FACTOR, editions_named, superseded
from askrepo.search.fusion import fuse
from askrepo.search.question.question import Question
from askrepo.search.signals.coherence import coherence
from askrepo.search.signals.definition import definition
from askrepo.search.signals.file_match import file_match
from askrepo.search.signals.home import home_factors
from askrepo.search.signals.named_path import named_path
from askrepo.search.signals.names import names
from askrepo.search.signals.namesake import namesake
from askrepo.search.signals.path_words import path_words
from askrepo.search.signals.prior import doc_comment_prior, kind_prior, page_factor
from askrepo.search.signals.source_code import source_code
from askrepo.search.signals.topic_page import topic_page
from askrepo.types import Chunk

Signal = Callable[[Pool], Sequence[float]]
"""From the pool to what speaks for each of its candidates; 0 when nothing does."""

Signals = Mapping[str, tuple[float, Signal]]
"""Weight and signal, by name."""

_Scored = list[tuple[float, int]]
"""Scores of candidates and their places in the pool."""

Prior = Callable[[Chunk, Question, KindShares], float]

# Weights in units of the best fused candidate's score. They were tuned by coordinate ascent on half of the questions
# and checked on the other half; steps that helped only the half they were tuned on were not taken (see
# docs/lab-notebook.md). The optimum is flat: half or twice one of them changed NDCG@10 by about .01 at most.
SIGNALS: Signals = MappingProxyType(
    {
        "definition": (0.85, definition),  # the surest sign there is, for the questions that name an identifier
        "names": (0.55, names),
        "path words": (0.85, path_words),
        "namesake": (0.45, namesake),
        "named path": (1.4, named_path),  # above all others: the user pointed at the file
        "file match": (0.5, file_match),
        "coherence": (0.35, coherence),  # less for pages, see there
        "source code": (0.5, source_code),
        "topic page": (0.6, topic_page),
    }
)
"""The signals of the default ranking."""

CONTEXT_SIGNALS: Signals = MappingProxyType({name: each for name, each in SIGNALS.items() if name != "file match"})
"""The signals of a context. Which file answers matters less there than which of its chunks, and "file match" lifts all
chunks of a long file alike: without it 8,000 tokens show .70 instead of .67 of the lines asked for (85 development
questions about code, measured 2026-11)."""

POOL = 100
"""Chunks taken from each ranking into the fusion. 30 to 200 rank alike (measured 2026-11)."""

DENSE_WEIGHT_CODE = 0.35
"""Share of the vectors in the fusion for questions about code, the rest is BM25's: code says what the question says."""

DENSE_WEIGHT_PAGES = 0.65
"""Likewise for other questions: pages say things in words of their own. With .5 for both the public benchmark is .006
lower, files@10 .03 and pages@3 .01 (255 development questions, measured 2026-11)."""

DENSE_WEIGHT_ONE_WORD = 0.3
"""Likewise for a single word: usually a name, which BM25 finds exactly and a vector only by likeness."""

DEFINITION_WEIGHT = 1.0
"""Weight of the definitions of what the question names, beside those two shares: hundreds of callers say a name
more often than the one chunk that defines it, which vectors and BM25 may then both miss."""

LEAD_PAGES = 0.5
"""For questions about pages the share of how good a chunk is by itself, beside its place among the others: the page
that answers is often far ahead of all others, which a place does not tell. With it, and with less of *coherence*, .77
instead of .75 of 158 questions of the confirmation half find their page among the first three without vectors, .46
instead of .42 as the first; of 132 with vectors the same and .52 instead of .50. All of it (1) puts .83 instead of .90
of 60 among the first three. Questions about code keep their places (measured 2026-11-29)."""

SILENT_FACTOR = 0.3
"""On a passage of a page that has badges and adverts only: it says the project's name, and nothing of it."""

ELSEWHERE_FACTOR = 0.6
"""On what is in another repository than the one that the question names: "which licence does X have"."""

_NAME = re.compile(r"\w[\w.-]*\w|\w")

MAX_DEFINITIONS = 5
"""A name with more definitions (`get`, `new`) means none of them in particular."""


def ranked(pool: Pool, *, signals: Signals = SIGNALS) -> list[Ranked]:
    """Every candidate, best first: (fused + sum of weight x signal) x prior."""
    amounts = [(weight, signal(pool)) for weight, signal in signals.values()]
    scores = (
        (fused + sum(weight * amount[at] for weight, amount in amounts)) * prior
        for at, (fused, prior) in enumerate(zip(pool.fused, pool.priors, strict=True))
    )
    return in_order([Ranked(*pair) for pair in zip(pool.candidates, scores, strict=True)])


def pooled(
    question: Question,
    candidates: Sequence[Candidate],
    *,
    shares: KindShares,
    terms: Sequence[str],
    rarity: Mapping[str, float],
    prior: Prior = kind_prior,
) -> Pool:
    """The pool of candidates, fused.

    The prior reorders BM25's candidates before its best are taken: in a whole repository tests and changelogs repeat
    every word, and would fill them. What is neither fused nor named by the question is dropped.
    """
    of_file: dict[File, tuple[float, float]] = {}
    for candidate in candidates:
        if candidate.file not in of_file:
            chunk = candidate.chunk
            of_file[candidate.file] = prior(chunk, question, shares), page_factor(chunk, question, shares)
    pages = {candidate.chunk.path for candidate in candidates if candidate.chunk.kind == "doc"}
    earlier = superseded(pages, editions_named(question.text))
    named = _named_repositories({candidate.chunk.repository for candidate in candidates}, question.text)
    lowered = [
        (ARCHIVE_FACTOR if candidate.chunk.path in earlier else 1.0)
        * (SILENT_FACTOR if _is_silent(candidate.chunk) else 1)
        * (ELSEWHERE_FACTOR if named and candidate.chunk.repository not in named else 1)
        for candidate in candidates
    ]
    kinds = [
        (of_file[candidate.file][0] + doc_comment_prior(candidate.chunk, shares)) * factor
        for candidate, factor in zip(candidates, lowered, strict=True)
    ]
    dense = [(each.cosine, at) for at, each in enumerate(candidates) if each.cosine is not None]
    lexical = [(each.bm25 * kinds[at], at) for at, each in enumerate(candidates) if each.bm25 is not None]
    weight = _dense_weight(question, shares)
    defining = _definitions(question, candidates)
    fused = fuse([(weight, _best(dense)), (1 - weight, _best(lexical)), (DEFINITION_WEIGHT, defining)])
    fused = _led(fused, dense=dense, lexical=lexical, weight=weight, pages=pages_share(shares))
    kept = [at for at, each in enumerate(candidates) if at in fused or each.is_named]
    homes = home_factors([candidates[at] for at in kept], terms)
    return Pool(
        question,
        shares,
        tuple(candidates[at] for at in kept),
        terms=tuple(terms),
        rarity=rarity,
        fused=tuple(fused.get(at, 0.0) for at in kept),
        priors=tuple(kinds[at] * home for at, home in zip(kept, homes, strict=True)),
        editions=tuple(lowered[at] * of_file[candidates[at].file][1] for at in kept),
    )


def _is_silent(chunk: Chunk) -> bool:
    return chunk.kind == "doc" and says_nothing(chunk.text, language=chunk.language, start_line=chunk.start_line)


def _named_repositories(repositories: Collection[str], question: str) -> frozenset[str]:
    """Those of several repositories that the question names, without their owners; none where it names all."""
    words = frozenset(_NAME.findall(question.lower())) if len(repositories) > 1 else frozenset()
    named = frozenset(each for each in repositories if each.rpartition("/")[2].lower() in words)
    return named if len(named) < len(repositories) else frozenset()


def _led(
    fused: Mapping[int, float], *, dense: _Scored, lexical: _Scored, weight: float, pages: float
) -> dict[int, float]:
    """The fused places, mixed with how good each chunk is by itself, as far as the question is about pages.

    :param weight: of the vectors. :param pages: share of the question that is about pages.
    """
    by_vector = _of_best(dense, above=min((score for score, _ in dense), default=0.0))
    by_words = _of_best(lexical)
    vectors = weight if by_vector else 0.0
    share = LEAD_PAGES * pages
    good = {at: vectors * by_vector.get(at, 0.0) + (1 - vectors) * by_words.get(at, 0.0) for at in fused}
    mixed = {at: (1 - share) * place + share * good[at] for at, place in fused.items()}
    best = max(mixed.values(), default=0.0) or 1.0
    return {at: amount / best for at, amount in mixed.items()}


def _of_best(scored: _Scored, *, above: float = 0.0) -> dict[int, float]:
    """Each score as a share of the best one, both counted from `above`; 1 where all are alike."""
    span = max((score for score, _ in scored), default=above) - above
    return {at: (score - above) / span if span > 0 else 1.0 for score, at in scored}


def _dense_weight(question: Question, shares: KindShares) -> float:
    """Share of the vectors in the fusion."""
    if question.is_one_word:
        return DENSE_WEIGHT_ONE_WORD
    code = shares.get("code", 0.0)
    return code * DENSE_WEIGHT_CODE + (1 - code) * DENSE_WEIGHT_PAGES


def _definitions(question: Question, candidates: Sequence[Candidate]) -> list[int]:
    """The candidates that define an identifier of the question, when they are few.

    None for a question of one word, which the definition signal answers alone.
    """
    names = frozenset() if question.is_one_word else frozenset(question.identifiers)
    found = [at for at, each in enumerate(candidates) if names.intersection(each.chunk.symbols)]
    return found if len(found) <= MAX_DEFINITIONS else []


def _best(scored: _Scored) -> list[int]:
    return [at for _, at in sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:POOL]]
