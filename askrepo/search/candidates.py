"""The candidates of a search: every chunk that some way of searching found, with what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from askrepo.search.question.mentions import Holds
from askrepo.search.question.question import Question, QuestionKind
from askrepo.types import Chunk

File = tuple[int, str, str]
"""A file among all aliases searched: position of the alias, repository, path."""

KindShares = Mapping[QuestionKind, float]
"""How much of a question is of each kind; the shares sum to 1."""


def pages_share(shares: KindShares) -> float:
    """How much of a question is about the project or its use, which pages answer."""
    return 1 - shares.get("code", 0.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk on its way to becoming a hit.

    :ivar at: position of its alias among those searched.
    :ivar cosine: likeness to the question in [-1, 1]; None when it is not among the nearest.
    :ivar bm25: above 0; None when it is not among the best by BM25.
    :ivar is_named: whether it was looked up by a name, whatever else found it.
    :ivar held: for each name of the question that its chunk holds verbatim the name's place in the question and what
        the chunk has of it.
    """

    at: int
    chunk: Chunk
    cosine: float | None = None
    bm25: float | None = None
    is_named: bool = False
    held: tuple[tuple[int, Holds], ...] = ()

    @property
    def file(self) -> File:
        """The file it is of."""
        return self.at, self.chunk.repository, self.chunk.path


@dataclass(frozen=True, slots=True)
class Pool:
    """All candidates of one question: what a signal may look at. Sequences run parallel to the candidates.

    :ivar shares: what kind of question it is.
    :ivar terms: lexical terms of the question that tell something in these repositories.
    :ivar rarity: weight of each term: its inverse document frequency, as BM25 has it.
    :ivar fused: reciprocal rank fusion of vectors and BM25: 1 is the best, 0 when neither found it.
    :ivar priors: how likely a file of that kind, at that place, answers such a question; 1 is neutral.
    :ivar editions: the part of it that is about a page's text, in (0, 1]: less for terms, translations and what an
        earlier version said.
    """

    question: Question
    shares: KindShares
    candidates: tuple[Candidate, ...]
    terms: tuple[str, ...] = ()
    rarity: Mapping[str, float] = field(default_factory=dict)
    fused: tuple[float, ...] = ()
    priors: tuple[float, ...] = ()
    editions: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score in a ranking.

    :ivar more: chunks of its file that are shown under it, best first.
    """

    candidate: Candidate
    score: float
    more: tuple[Chunk, ...] = ()

    def scaled(self, factor: float) -> Ranked:
        """The same with its score multiplied."""
        return Ranked(self.candidate, self.score * factor)


def in_order(ranked: Sequence[Ranked]) -> list[Ranked]:
    """Best first; equal scores in the order of the tree, so that one question has one answer."""
    return sorted(ranked, key=lambda each: (-each.score, each.candidate.at, *place(each.candidate.chunk)))


def place(chunk: Chunk) -> tuple[str, str, int, int, str]:
    """Where a chunk stands among all chunks of a dataset: a total order."""
    return chunk.repository, chunk.path, chunk.start_line, chunk.end_line, chunk.id
