from __future__ import annotations

from askrepo.search.candidates import Candidate, in_order
from askrepo.search.decay import decayed
from askrepo.types import Chunk


def candidate(path: str, start_line: int, score: float, repository: str = "r") -> Candidate:
    identity = f"{repository} {path}:{start_line}"
    chunk = Chunk(identity, repository, path, "", "source", (), (), start_line, start_line, 1, "")
    return Candidate(chunk, fused=score, score=score)


def test_further_chunks_of_a_file_are_halved_again_and_again():
    ranked = decayed([candidate("a", line, 1.0) for line in (1, 2, 3)])
    assert [(each.chunk.start_line, each.score) for each in ranked] == [(1, 1.0), (2, 0.5), (3, 0.25)]


def test_other_files_come_before_the_second_chunk_of_the_best():
    ranked = decayed([candidate("a", 1, 1.0), candidate("a", 2, 0.9), candidate("b", 1, 0.5)])
    assert [each.chunk.path for each in ranked] == ["a", "b", "a"]


def test_same_path_in_two_repositories_is_two_files():
    ranked = decayed([candidate("README.md", 1, 1.0), candidate("README.md", 1, 0.9, repository="other")])
    assert [each.score for each in ranked] == [1.0, 0.9]


def test_equal_scores_are_ordered_by_place_whatever_came_first():
    candidates = [candidate("b", 1, 1.0), candidate("a", 9, 1.0), candidate("a", 1, 1.0)]
    places = [(each.chunk.path, each.chunk.start_line) for each in in_order(candidates)]
    assert places == [("a", 1), ("a", 9), ("b", 1)]
    assert in_order(candidates[::-1]) == in_order(candidates)
