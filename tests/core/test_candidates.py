from __future__ import annotations

from askrepo.search.candidates import Evidence, pooled
from askrepo.store.reader import ScoredChunk
from askrepo.types import Chunk


def found(*scores: tuple[str, float]) -> list[ScoredChunk]:
    return [ScoredChunk(Chunk(key, "r", key, "", "source", (), (), 1, 1, 1, ""), score) for key, score in scores]


def test_pool_holds_each_chunk_once_with_its_fused_score():
    dense = Evidence(0.5, [found(("a", 0.9), ("b", 0.8))])
    lexical = Evidence(0.5, [found(("a", 12.0))])
    [pool] = pooled([dense, lexical], limit=10)
    assert [each.chunk.id for each in pool] == ["a", "b"]
    assert pool[0].score == pool[0].fused == 1


def test_aliases_are_fused_as_one_so_that_the_better_one_leads():
    dense = Evidence(0.5, [found(("weak", 0.1)), found(("strong", 0.9), ("fair", 0.5))])
    lexical = Evidence(0.5, [[], found(("strong", 9.0))])
    weak, strong = pooled([dense, lexical], limit=10)
    assert strong[0].fused == 1
    assert weak[0].fused < strong[1].fused


def test_limit_counts_over_all_aliases():
    dense = Evidence(0.5, [found(("a", 0.1)), found(("b", 0.9))])
    assert [len(pool) for pool in pooled([dense], limit=1)] == [0, 1]


def test_same_chunk_of_two_aliases_is_a_candidate_of_both():
    dense = Evidence(0.5, [found(("a", 0.9)), found(("a", 0.9))])
    assert [len(pool) for pool in pooled([dense], limit=10)] == [1, 1]


def test_nothing_found_is_no_candidate():
    assert pooled([Evidence(0.5, [[], []]), Evidence(0.5, [[], []])], limit=10) == [[], []]
