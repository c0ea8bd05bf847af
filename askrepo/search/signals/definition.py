"""Chunks that define a name the question mentions."""

from __future__ import annotations

from pathlib import PurePosixPath

from askrepo.search.candidates import Candidate, Pool

NAMESAKE = 1.5
"""A file that is named like what it defines is its home (`session.py` of `Session`)."""

ONE_WORD = 2.0
"""A question of one word asks for nothing but that name."""

OTHER_CASE = 0.5
"""`session` for `Session`: counts only for a question of one word, where it is probably meant, and only where nothing
defines the word as it was typed."""


def definition(pool: Pool) -> list[float]:
    """For each candidate 0, or 1 and more when it defines an identifier of the question."""
    names = frozenset(pool.question.identifiers)
    if not names:
        return [0.0] * len(pool.candidates)
    is_defined = any(not names.isdisjoint(candidate.chunk.symbols) for candidate in pool.candidates)
    other_case = OTHER_CASE if pool.question.is_one_word and not is_defined else 0.0
    factor = ONE_WORD if pool.question.is_one_word else 1.0
    return [factor * _defined(names, candidate, other_case) for candidate in pool.candidates]


def _defined(names: frozenset[str], candidate: Candidate, other_case: float) -> float:
    symbols = candidate.chunk.symbols
    stem = _folded(PurePosixPath(candidate.chunk.path).stem)
    exact = names.intersection(symbols)
    if exact:
        return max(NAMESAKE if _folded(name) == stem else 1.0 for name in exact)
    if other_case and {_folded(name) for name in names} & {_folded(symbol) for symbol in symbols}:
        return other_case
    return 0.0


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
