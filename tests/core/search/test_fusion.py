from __future__ import annotations

import pytest

from askrepo.search.fusion import RANK_CONSTANT, fuse


def test_best_of_both_rankings_scores_one():
    fused = fuse([(0.5, ["a", "b", "c"]), (0.5, ["a", "c"])])
    assert list(fused) == ["a", "c", "b"]
    assert fused["a"] == 1


def test_score_is_the_weighted_sum_of_reciprocal_ranks_relative_to_the_best():
    fused = fuse([(0.3, ["a", "b"]), (0.7, ["b"])])
    best = 0.3 / (RANK_CONSTANT + 2) + 0.7 / (RANK_CONSTANT + 1)
    assert fused["b"] == 1
    assert fused["a"] == pytest.approx(0.3 / (RANK_CONSTANT + 1) / best)


def test_item_in_both_rankings_beats_the_first_of_one():
    assert next(iter(fuse([(0.5, ["x", "both"]), (0.5, ["y", "both"])]))) == "both"


def test_nothing_ranked_is_nothing_fused():
    assert fuse([(0.5, []), (0.5, [])]) == {}


def test_ranking_without_weight_adds_nothing():
    assert fuse([(1.0, ["a"]), (0.0, ["b"])]) == {"a": 1.0}


def test_equal_scores_keep_the_order_of_first_sight():
    assert list(fuse([(0.5, ["b"]), (0.5, ["a"])])) == ["b", "a"]
