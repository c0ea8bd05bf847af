"""Files whose whole name the question says: `JsonObject.java` for "JSON object with named fields"."""

from __future__ import annotations

from askrepo.search.candidates import Pool
from askrepo.search.signals.path_words import Likeness, likeness_to
from askrepo.text.terms import name_terms

EXPONENT = 4
"""Punishes names of which only a part is said: three of four words count a third."""

ENOUGH_RARITY = 4.0
"""What the words said must weigh together: "type" alone says nothing of `type.py`."""


def namesake(pool: Pool) -> list[float]:
    """For each candidate 0 to 1: how much of its file's own name the question says."""
    like = likeness_to(pool.terms)
    found: dict[str, float] = {}
    for candidate in pool.candidates:
        path = candidate.chunk.path
        if path not in found:
            found[path] = _said(name_terms(path), pool, like)
    return [found[candidate.chunk.path] for candidate in pool.candidates]


def _said(name: frozenset[str], pool: Pool, like: Likeness) -> float:
    matches = {word: like(word) for word in name}
    if not any(matches.values()):
        return 0.0
    unknown = max(pool.rarity.values(), default=1.0)
    weights = {word: pool.rarity.get(word, unknown) for word in name}
    whole = sum(weights.values()) or 1.0
    said = sum(weights[word] * max(terms.values(), default=0.0) for word, terms in matches.items())
    rarity = sum(pool.rarity.get(term, 0.0) for term in {term for terms in matches.values() for term in terms})
    return (said / whole) ** EXPONENT * min(1.0, rarity / ENOUGH_RARITY)
