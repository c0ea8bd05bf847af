from __future__ import annotations

import numpy as np
import pytest
from langchain_core.vectorstores.utils import maximal_marginal_relevance

from askrepo.search.mmr import mmr_order


def unit_rows(*shape: int, seed: int = 7):
    rows = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.mark.parametrize("weight", [0.1, 0.5, 1.0])
def test_order_is_langchains(weight):
    question, vectors = unit_rows(16), unit_rows(100, 16, seed=8)
    expected = maximal_marginal_relevance(question, list(vectors), lambda_mult=weight, k=10)
    assert mmr_order(question, vectors, k=10, relevance_weight=weight) == expected


def test_near_duplicate_waits_for_something_else():
    vectors = np.array([[1, 0, 0], [0.999, 0.0447, 0], [0.6, 0, 0.8]], dtype=np.float32)
    assert mmr_order(np.array([0.9, 0, 0.436], dtype=np.float32), vectors, k=3) == [0, 2, 1]


def test_fewer_choices_are_the_first_of_more():
    question, vectors = unit_rows(16), unit_rows(50, 16, seed=9)
    assert mmr_order(question, vectors, k=50)[:5] == mmr_order(question, vectors, k=5)


@pytest.mark.parametrize(("rows", "k", "expected"), [(0, 5, 0), (3, 5, 3), (3, 0, 0)])
def test_never_more_than_there_is_or_is_wanted(rows, k, expected):
    order = mmr_order(unit_rows(4), unit_rows(rows, 4) if rows else np.empty((0, 4), np.float32), k=k)
    assert len(order) == len(set(order)) == expected
