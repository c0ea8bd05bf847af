"""Files that the question names."""

from __future__ import annotations

from askrepo.search.candidates import Pool

MAX_FILES = 5
"""A name that fits more files (`index.js`, `__init__.py`) means none in particular."""


def named_path(pool: Pool) -> list[float]:
    """For each candidate 1 when its path is, or ends with, one that the question names; else 0."""
    meant = {path for name in pool.question.paths for path in _fitting(name, pool)}
    return [float(candidate.chunk.path in meant) for candidate in pool.candidates]


def _fitting(name: str, pool: Pool) -> set[str]:
    paths = {candidate.chunk.path for candidate in pool.candidates}
    fitting = {path for path in paths if path == name or path.endswith(f"/{name}")}
    return fitting if len(fitting) <= MAX_FILES else set()
