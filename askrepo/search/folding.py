"""A listing of files: each once, with its other chunks that answer folded under its best one."""

from __future__ import annotations

from collections.abc import Sequence

from askrepo.search.candidates import File, Pool, Ranked
from askrepo.search.order.orders import listing

MIN_SHARE = 0.7
"""Share of its file's best score from which a further chunk answers too."""


def files(ranked: Sequence[Ranked], pool: Pool) -> list[Ranked]:
    """The listing for a person with each file once, in the place of its first chunk, with all others that answer.

    :param ranked: best first.
    """
    return folded(listing(ranked, pool), ranked)


def folded(listed: Sequence[Ranked], ranked: Sequence[Ranked]) -> list[Ranked]:
    """Each file once, in the place of its first listed chunk, with those of its others that answer.

    A chunk that holds a name of the question verbatim answers whatever its score.

    :param listed: in the order for a person. :param ranked: the same chunks, best first.
    """
    scores = {id(each.candidate): each.score for each in ranked}
    best: dict[File, float] = {}
    for each in ranked:
        best.setdefault(each.candidate.file, each.score)
    of_file: dict[File, list[Ranked]] = {}
    for each in listed:
        of_file.setdefault(each.candidate.file, []).append(each)

    def answers(each: Ranked) -> bool:
        candidate = each.candidate
        return bool(candidate.held) or scores[id(candidate)] >= MIN_SHARE * best[candidate.file]

    return [
        Ranked(first.candidate, first.score, tuple(each.candidate.chunk for each in further if answers(each)))
        for first, *further in of_file.values()
    ]
