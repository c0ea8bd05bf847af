from __future__ import annotations

from askrepo.search.candidates import Candidate, Ranked, in_order
from tests.core.pools import chunk_at, places, ranked_chunks


def test_best_comes_first():
    ranked = ranked_chunks((chunk_at("a"), 0.1), (chunk_at("b"), 0.9), (chunk_at("c"), -0.5))
    assert places(in_order(ranked)) == [("b", 1), ("a", 1), ("c", 1)]


def test_equal_scores_are_ordered_by_place_whatever_came_first():
    ranked = ranked_chunks((chunk_at("b"), 1.0), (chunk_at("a", 10), 1.0), (chunk_at("a", 9), 1.0))
    assert places(in_order(ranked)) == [("a", 9), ("a", 10), ("b", 1)]
    assert in_order(ranked[::-1]) == in_order(ranked)


def test_equal_scores_of_one_chunk_in_two_aliases_are_ordered_by_alias():
    ranked = [Ranked(Candidate(at, chunk_at("a")), 1.0) for at in (1, 0)]
    assert [each.candidate.at for each in in_order(ranked)] == [0, 1]


def test_same_path_of_another_alias_or_repository_is_another_file():
    candidates = [
        Candidate(0, chunk_at("README.md")),
        Candidate(1, chunk_at("README.md")),
        Candidate(0, chunk_at("README.md", repository="owner/other")),
        Candidate(0, chunk_at("README.md", 50)),
    ]
    assert len({candidate.file for candidate in candidates}) == 3
    assert candidates[0].file == candidates[3].file
