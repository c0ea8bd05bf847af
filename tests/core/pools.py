"""Chunks, candidates and pools for tests of the ranking, without a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from askrepo.search.candidates import Candidate, KindShares, Pool, Ranked
from askrepo.search.question.question import Question
from askrepo.types import Chunk

CODE: KindShares = {"code": 1.0}
USAGE: KindShares = {"usage": 1.0}
OVERVIEW: KindShares = {"overview": 1.0}
MIXED: KindShares = {"code": 0.5, "usage": 0.3, "overview": 0.2}


def chunk_at(
    path: str,
    line: int = 1,
    *,
    kind: str = "source",
    repository: str = "owner/name",
    symbols: tuple[str, ...] = (),
    scope: tuple[str, ...] = (),
    text: str | None = None,
) -> Chunk:
    """A chunk of ten lines; its text is its own unless one is given."""
    identity = f"{repository} {path}:{line}"
    return Chunk(
        identity, repository, path, "", kind, symbols, scope, line, line + 9, 1, identity if text is None else text
    )


def pool_of(
    question: str,
    candidates: Sequence[Candidate],
    *,
    shares: KindShares = CODE,
    rarity: Mapping[str, float] | None = None,
    fused: Sequence[float] | None = None,
    priors: Sequence[float] | None = None,
) -> Pool:
    """A pool in which, where nothing is said, every term weighs 4, nothing is fused and priors are neutral."""
    parsed = Question.parse(question)
    return Pool(
        parsed,
        shares,
        tuple(candidates),
        terms=parsed.terms,
        rarity=dict.fromkeys(parsed.terms, 4.0) if rarity is None else rarity,
        fused=tuple(fused or [0.0] * len(candidates)),
        priors=tuple(priors or [1.0] * len(candidates)),
    )


def ranked_chunks(*scored: tuple[Chunk, float]) -> list[Ranked]:
    """Chunks of the first alias with their scores, as they are given."""
    return [Ranked(Candidate(0, chunk), score) for chunk, score in scored]


def places(ranked: Sequence[Ranked]) -> list[tuple[str, int]]:
    """Path and first line of each."""
    return [(each.candidate.chunk.path, each.candidate.chunk.start_line) for each in ranked]
