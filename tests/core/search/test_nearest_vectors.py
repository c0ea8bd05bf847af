from __future__ import annotations

from types import SimpleNamespace

import pytest

from askrepo.search.nearest_vectors import nearest
from askrepo.store.reader import ScoredChunk
from tests.core.pools import chunk_at


def request(fingerprint, *cosines):
    found = [ScoredChunk(chunk_at("a.py", line), cosine) for line, cosine in enumerate(cosines, start=1)]
    manifest = SimpleNamespace(embedder=SimpleNamespace(fingerprint=fingerprint))
    dataset = SimpleNamespace(nearest=lambda vector, *, limit, where: found[:limit])
    reader = SimpleNamespace(dataset=dataset, entry=SimpleNamespace(manifest=manifest))
    return SimpleNamespace(reader=reader, vector=lambda: None, where=None)


def scores(*requests):
    return [[scored.score for scored in ranking] for ranking in nearest(requests, limit=2)]


def test_cosines_of_one_embedder_stay_as_they_are():
    assert scores(request("one", 0.8, 0.4, 0.2), request("one", 0.3)) == [[0.8, 0.4], [0.3]]


def test_cosines_of_different_embedders_become_shares_of_the_best():
    assert scores(request("one", 0.8, 0.4), request("other", 0.2, 0.1), request("third")) == [
        pytest.approx([1, 0.5]),
        pytest.approx([1, 0.5]),
        [],
    ]


def test_nothing_that_is_near_has_no_share():
    assert scores(request("one", -0.1, -0.2), request("other", 0.2)) == [[-0.1, -0.2], [1]]
