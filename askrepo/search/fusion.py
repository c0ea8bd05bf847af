"""Reciprocal rank fusion: one ranking out of several whose scores cannot be compared."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)

RANK_CONSTANT = 60
"""K of Cormack, Clarke and Buettcher, SIGIR 2009; 10 to 100 rank alike on our questions (measured 2026-11)."""


def fuse(rankings: Iterable[tuple[float, Sequence[Item]]]) -> dict[Item, float]:
    """Every ranked item with the sum of weight / (K + rank) over the rankings, divided by the largest sum.

    :param rankings: pairs of a weight and the items, best first; ranks count from 1.
    :returns: scores in (0, 1], best first; empty when nothing is ranked. Equal scores keep the order of first sight.
    """
    scores: dict[Item, float] = {}
    for weight, items in rankings:
        for rank, item in enumerate(items, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (RANK_CONSTANT + rank)
    best = max(scores.values(), default=0.0)
    ordered = sorted(scores.items(), key=lambda pair: -pair[1])
    return {item: score / best for item, score in ordered if score > 0}
