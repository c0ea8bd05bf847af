"""Files whose path says what the question says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from askrepo.search.candidates import Pool
from askrepo.text.terms import folder_terms, name_terms

FOLDER = 0.5
"""A word of a folder's name, relative to one of the file's own name."""

BEGINNING = 0.8
"""A word that begins like another (`config`, `configuration`), relative to an equal one."""

MIN_BEGINNING = 3
"""Characters that a beginning must have to mean anything."""

MIN_RARITY = 8.0
"""The shares of a question whose words are all common are divided by this at least, or one common word would lift
every path that has it."""

Likeness = Callable[[str], Mapping[str, float]]
"""From a word to the terms that are like it, each in (0, 1]; most words have none."""


def path_words(pool: Pool) -> list[float]:
    """For each candidate the share, in [0, 1], of the question's words that its path has, rare ones counting more."""
    total = max(sum(pool.rarity.get(term, 0.0) for term in pool.terms), MIN_RARITY)
    like = likeness_to(pool.terms)
    shares: dict[str, float] = {}
    for candidate in pool.candidates:
        path = candidate.chunk.path
        if path not in shares:
            shares[path] = sum(pool.rarity.get(term, 0.0) * best for term, best in _said_by(path, like).items()) / total
    return [shares[candidate.chunk.path] for candidate in pool.candidates]


def likeness_to(terms: Sequence[str]) -> Likeness:
    """How like each of the terms any word is: 1 when equal, less when one begins like the other."""
    known: dict[str, Mapping[str, float]] = {}

    def like(word: str) -> Mapping[str, float]:
        if word not in known:
            known[word] = {term: 1.0 if term == word else BEGINNING for term in terms if _is_like(term, word)}
        return known[word]

    return like


def _said_by(path: str, like: Likeness) -> dict[str, float]:
    """The terms that a path has, each as like as its best word."""
    said: dict[str, float] = {}
    for weight, words in ((1.0, name_terms(path)), (FOLDER, folder_terms(path))):
        for word in words:
            for term, likeness in like(word).items():
                said[term] = max(said.get(term, 0.0), weight * likeness)
    return said


def _is_like(term: str, word: str) -> bool:
    if term == word:
        return True
    if min(len(term), len(word)) < MIN_BEGINNING:
        return False
    return word.startswith(term) or term.startswith(word)
