"""The home folder: where a repository of several packages keeps the one that it is named after."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from askrepo.search.candidates import Candidate

AWAY = 0.8
"""Factor on source outside of the home folder: macros, extras, installers and benchmarks of a project repeat the
words of its main package. A factor of .6 ranks alike on the public benchmark (NDCG@10 .901 and .899, .890 without),
and loses evidence in repositories whose extras people ask about (files@10 .82 and .84, 85 development questions about
code, measured 2026-11)."""

CORE = "core"
"""A package `name-core` or `Name.Core` is the name's as well: .875 instead of .869 of these files are found, and .67
instead of .65 of the lines in 8,000 tokens, at .002 of the public benchmark."""

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
    return any(_folded(part) in (name, name + CORE) for part in folder.split("/")[:DEPTH])


def _folded(name: str) -> str:
    return name.translate({ord(mark): None for mark in "-_. "}).lower()
