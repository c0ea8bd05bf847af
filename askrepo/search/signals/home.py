"""The home folder: where a repository of several packages keeps the one that it is named after."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from askrepo.search.candidates import Candidate
from askrepo.text.terms import text_terms
from askrepo.types import Chunk

AWAY = 0.8
"""Factor on source outside of the home folder: macros, extras, installers and benchmarks of a project repeat the
words of its main package. A factor of .6 ranks alike on the public benchmark (NDCG@10 .901 and .899, .890 without),
and loses evidence in repositories whose extras people ask about (files@10 .82 and .84, 85 development questions about
code, measured 2026-11)."""

CORE = "core"
"""A package `name-core` or `Name.Core` is the name's as well: .875 instead of .869 of these files are found, and .67
instead of .65 of the lines in 8,000 tokens, at .002 of the public benchmark."""

HEADERS = frozenset({"include", "includes", "headers"})
"""Folders of public headers: they declare what `lib/` or `src/` does, and are no home though named so."""

ANY_FOLDER = text_terms("src source lib libs packages crates modules pkg cmd internal app core main common tools")
"""Words of folders of any repository, which no question means."""

DEPTH = 2
"""Folders in which the name counts: `tokio/`, `src/flask/`, `lib/phoenix/`; deeper ones name namespaces."""


def home_factors(candidates: Sequence[Candidate], terms: Sequence[str] = ()) -> list[float]:
    """For each candidate 1, or AWAY for source outside of its repository's home folder where there is one.

    :param terms: of the question: a package whose own name they say is not lowered.
    """
    chunks = [candidate.chunk for candidate in candidates]
    at_home = [_is_home(chunk.repository, chunk.path.rpartition("/")[0]) for chunk in chunks]
    having = {chunk.repository for chunk, home in zip(chunks, at_home, strict=True) if home}
    return [
        AWAY
        if chunk.kind == "source" and chunk.repository in having and not home and not _is_said(chunk, terms)
        else 1.0
        for chunk, home in zip(chunks, at_home, strict=True)
    ]


@functools.lru_cache(maxsize=10_000)
def _is_home(repository: str, folder: str) -> bool:
    name = _folded(repository.rpartition("/")[2])
    parts = folder.split("/")[:DEPTH]
    return parts[0] not in HEADERS and any(_folded(part) in (name, name + CORE) for part in parts)


def is_named_after(repository: str, folder: str) -> bool:
    """Whether a folder near the root has the repository's name: `Dapper`, `packages/vite`."""
    if folder.count("/") >= DEPTH:
        return False
    return _folded(folder.rpartition("/")[2]) == _folded(repository.rpartition("/")[2])


def _is_said(chunk: Chunk, terms: Sequence[str]) -> bool:
    """Whether the question says a word of the package's name that is not the repository's: `axum-extra` by "extra"."""
    return not _own_words(chunk.repository, chunk.path.rpartition("/")[0]).isdisjoint(terms)


@functools.lru_cache(maxsize=10_000)
def _own_words(repository: str, folder: str) -> frozenset[str]:
    """The words of the outermost folders' names that neither the repository's name has nor every repository."""
    outer = " ".join(folder.split("/")[:DEPTH])
    return text_terms(outer) - text_terms(repository.rpartition("/")[2]) - ANY_FOLDER


@functools.lru_cache(maxsize=10_000)
def _folded(name: str) -> str:
    return name.translate({ord(mark): None for mark in "-_. "}).lower()
