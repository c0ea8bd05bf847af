"""Search: from a question to the chunks of one or more aliases that answer it, best first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from askrepo.aliases.readers import AliasReader
from askrepo.errors import UsageError
from askrepo.git.permalinks import permalink
from askrepo.search.candidates import Candidate
from askrepo.search.exact import Absent, exact
from askrepo.search.request import SearchRequest, requests_for
from askrepo.search.strategies import FILE_RANKERS, RANKERS, Ranker, for_context
from askrepo.store.reader import Filter, ScoredChunk
from askrepo.types import Hit, Strategy

__all__ = [
    "DEFAULT_K",
    "EVERYTHING",
    "MAX_K",
    "STRATEGIES",
    "Absent",
    "LookedUp",
    "absent_names",
    "hit_of",
    "look_for_context",
    "search",
    "search_context",
    "search_files",
    "search_files_with",
    "search_with",
]

DEFAULT_K = 10

MAX_K = 100
"""Hits at most: what one ranking holds."""

STRATEGIES: tuple[Strategy, ...] = tuple(RANKERS)

MORE_PASSAGES = 2
"""Further chunks of a file that a listing of files shows: three passages tell whether a file is the right one."""

EVERYTHING = Filter()


def search(
    question: str,
    *,
    readers: Sequence[AliasReader],
    k: int = DEFAULT_K,
    strategy: str = "hybrid",
    where: Filter = EVERYTHING,
) -> list[Hit]:
    """The k best chunks for a question, best first; empty when nothing matches.

    Several aliases are searched as if they were one. A chunk that several of them hold is one hit, of the alias named
    first.

    :param k: 1 to MAX_K. :param strategy: one of STRATEGIES.
    :raises UsageError: the question is blank, or k, the strategy or the readers are not as above.
    :raises EmbedderMismatchError: the strategy needs vectors and the alias was built with another embedder.
    """
    return search_with(RANKERS[_checked(k, strategy, readers)], question, readers=readers, k=k, where=where)


def search_files(
    question: str,
    *,
    readers: Sequence[AliasReader],
    k: int = DEFAULT_K,
    strategy: str = "hybrid",
    where: Filter = EVERYTHING,
) -> list[Hit]:
    """The k best files for a question, each as its best chunk, with up to MORE_PASSAGES others that answer in `more`.

    Where fewer than k files match, `more` is longer, so that about k chunks are found all the same. Strategies other
    than `hybrid` and `signals` give what `search` gives. Parameters and errors as for `search`.
    """
    known = _checked(k, strategy, readers)
    return search_files_with(FILE_RANKERS.get(known) or RANKERS[known], question, readers=readers, k=k, where=where)


def search_files_with(
    ranker: Ranker, question: str, *, readers: Sequence[AliasReader], k: int, where: Filter = EVERYTHING
) -> list[Hit]:
    """As `search_files`, by a ranker of files."""
    hits = search_with(ranker, question, readers=readers, k=k, where=where)
    most = max(MORE_PASSAGES, k // len(hits) - 1) if hits else 0
    return [replace(hit, more=hit.more[:most]) for hit in hits]


def search_context(
    question: str,
    *,
    readers: Sequence[AliasReader],
    limit: int = MAX_K,
    strategy: str = "hybrid",
    where: Filter = EVERYTHING,
) -> list[Hit]:
    """The chunks to show a chat model, best first: some of diverse files, then more of the best files.

    Parameters and errors as for `search`; strategies other than `hybrid` and `signals` have one order for both.
    """
    return look_for_context(question, readers=readers, limit=limit, strategy=strategy, where=where).hits


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The hits of `search_context`, and what they were chosen from.

    :ivar requests: one per alias; a vector of the question that was made is kept with them.
    :ivar candidates: every chunk that was looked at, of all aliases.
    """

    hits: list[Hit]
    requests: Sequence[SearchRequest]
    candidates: Sequence[Candidate]


def look_for_context(
    question: str, *, readers: Sequence[AliasReader], limit: int, strategy: str, where: Filter
) -> LookedUp:
    """`search_context` with what it looked at, for who judges whether that is anything; the same parameters."""
    known = _checked(limit, strategy, readers)
    requests = requests_for(question, readers=readers, where=where)
    rankings, candidates = for_context(requests, known)
    return LookedUp(_best(readers, rankings, limit), requests, candidates)


def search_with(
    ranker: Ranker, question: str, *, readers: Sequence[AliasReader], k: int, where: Filter = EVERYTHING
) -> list[Hit]:
    """The k best chunks in a ranker's order."""
    return _best(readers, ranker(requests_for(question, readers=readers, where=where)), k)


def _best(readers: Sequence[AliasReader], rankings: Sequence[Sequence[ScoredChunk]], k: int) -> list[Hit]:
    best = _first_of_each_chunk(_merged(readers, rankings), k)
    return [hit_of(rank, reader, scored) for rank, (reader, scored) in enumerate(best, start=1)]


def absent_names(question: str, *, readers: Sequence[AliasReader], where: Filter = EVERYTHING) -> list[Absent]:
    """The names of the question that stand nowhere in the datasets, each with names spelled nearly so.

    :raises UsageError: the question is blank.
    """
    return exact(requests_for(question, readers=readers, where=where))[1]


def hit_of(rank: int, reader: AliasReader, scored: ScoredChunk) -> Hit:
    """A ranked chunk together with the alias, the commit and the web page it is from."""
    snapshot = reader.snapshot_of(scored.chunk.repository)
    return Hit(
        rank=rank,
        score=scored.score,
        alias=reader.alias,
        commit=snapshot.commit,
        url=permalink(snapshot, scored.chunk),
        chunk=scored.chunk,
        more=scored.more,
    )


Found = tuple[AliasReader, ScoredChunk]


def _checked(k: int, strategy: str, readers: Sequence[AliasReader]) -> Strategy:
    if not 1 <= k <= MAX_K:
        raise UsageError(f"k must be between 1 and {MAX_K}, found {k}")
    if not readers:
        raise UsageError("no alias to search: name at least one")
    for known in STRATEGIES:
        if strategy == known:
            return known
    raise UsageError(f"no strategy {strategy!r}; use one of: {', '.join(STRATEGIES)}")


def _merged(readers: Sequence[AliasReader], rankings: Sequence[Sequence[ScoredChunk]]) -> Iterator[Found]:
    """The rankings as one: always the better of the next ones, equal ones in the order of the aliases.

    Each ranking keeps its own order, also where its scores rise again (`mmr`).
    """
    pairs = zip(readers, rankings, strict=True)
    found = [[(reader, scored) for scored in ranking] for reader, ranking in pairs]
    return heapq.merge(*found, key=lambda pair: -pair[1].score)


def _first_of_each_chunk(found: Iterator[Found], k: int) -> list[Found]:
    distinct: dict[str, Found] = {}
    for reader, scored in found:
        distinct.setdefault(scored.chunk.id, (reader, scored))
        if len(distinct) == k:
            break
    return list(distinct.values())
