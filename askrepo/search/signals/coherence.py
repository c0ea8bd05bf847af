"""Files of which many chunks were found."""

from __future__ import annotations

from collections import defaultdict

from askrepo.search.candidates import File, Pool

PAGES = 0.6
"""Factor for questions about pages: a long page has something of every question (measured 2026-11-29)."""


def coherence(pool: Pool) -> list[float]:
    """For the best chunk of each file the file's part of what fusion found, relative to the best file; else 0."""
    sums: dict[File, float] = defaultdict(float)
    best: dict[File, int] = {}
    for at, (candidate, fused) in enumerate(zip(pool.candidates, pool.fused, strict=True)):
        sums[candidate.file] += fused
        if candidate.file not in best or fused > pool.fused[best[candidate.file]]:
            best[candidate.file] = at
    largest = max(sums.values(), default=0.0) or 1.0
    amounts = [0.0] * len(pool.candidates)
    code = pool.shares.get("code", 0.0)
    factor = code + PAGES * (1 - code)
    for file, at in best.items():
        amounts[at] = factor * sums[file] / largest
    return amounts
