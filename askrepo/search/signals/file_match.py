"""Files that as a whole match the question's words."""

from __future__ import annotations

from collections import defaultdict

from askrepo.search.candidates import File, Pool

DEPTH = 0.5
"""Factor per better chunk of the same file: a long file matches everything a little."""


def file_match(pool: Pool) -> list[float]:
    """For each candidate the BM25 of its file's chunks together, times the file's prior, relative to the best file."""
    scores: dict[File, list[float]] = defaultdict(list)
    for candidate, prior in zip(pool.candidates, pool.priors, strict=True):
        if candidate.bm25:
            scores[candidate.file].append(prior * candidate.bm25)
    files = {
        file: sum(score * DEPTH**n for n, score in enumerate(sorted(found, reverse=True)))
        for file, found in scores.items()
    }
    largest = max(files.values(), default=0.0) or 1.0
    return [files.get(candidate.file, 0.0) / largest for candidate in pool.candidates]
