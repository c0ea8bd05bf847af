from __future__ import annotations

import pytest

from askrepo.search.candidates import Candidate, Ranked
from askrepo.search.folding import MIN_SHARE, files
from askrepo.search.question.mentions import Holds
from askrepo.search.search import MORE_PASSAGES, STRATEGIES, search, search_files
from askrepo.types import Chunk
from tests.core.pools import CODE, chunk_at, places, pool_of, ranked_chunks
from tests.datasets import build_alias


def folded(ranked: list[Ranked]) -> list[Ranked]:
    return files(ranked, pool_of("how does it work", [each.candidate for each in ranked], shares=CODE))


def lines(chunks: tuple[Chunk, ...]) -> list[int]:
    return [chunk.start_line for chunk in chunks]


def test_each_file_is_listed_once_with_what_else_of_it_answers():
    ranked = folded(
        ranked_chunks(*((chunk_at("a", line), 1 - line / 100) for line in (1, 11, 21)), (chunk_at("b"), 0.6))
    )
    assert places(ranked) == [("a", 1), ("b", 1)]
    assert [lines(each.more) for each in ranked] == [[11, 21], []]


def test_passage_far_below_the_best_of_its_file_is_no_answer():
    near, far = MIN_SHARE + 0.01, MIN_SHARE - 0.01
    ranked = folded(ranked_chunks((chunk_at("a", 1), 1.0), (chunk_at("a", 11), near), (chunk_at("a", 21), far)))
    assert [lines(each.more) for each in ranked] == [[11]]


def test_passage_that_holds_a_name_of_the_question_answers_whatever_its_score():
    held = Candidate(0, chunk_at("a", 21), held=((0, Holds.USES),))
    ranked = folded([*ranked_chunks((chunk_at("a", 1), 1.0)), Ranked(held, 0.1)])
    assert [lines(each.more) for each in ranked] == [[21]]


@pytest.mark.parametrize("other", [Candidate(0, chunk_at("a", repository="owner/other")), Candidate(1, chunk_at("a"))])
def test_same_path_of_another_repository_or_alias_is_another_file(other):
    assert len(folded([*ranked_chunks((chunk_at("a", 11), 1.0)), Ranked(other, 0.9)])) == 2


def test_nothing_stays_nothing():
    assert folded([]) == []


BODY = "    pass\n" * 70
PARTS = "\n\n".join(f'def stamp_{n}(letter):\n    """Puts stamp {n} on the letter."""\n{BODY}' for n in range(12))


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    others = {f"src/route{n}.py": f"def route_{n}(letter):\n    return letter.street({n})\n" for n in range(12)}
    return build_alias(tmp_path_factory.mktemp("folding"), {"src/stamps.py": PARTS, **others}).reader


@pytest.mark.parametrize("strategy", ["hybrid", "signals"])
def test_files_are_distinct_and_each_shows_few_passages(reader, strategy):
    hits = search_files("stamp of a letter", readers=[reader], strategy=strategy)
    assert len({hit.chunk.path for hit in hits}) == len(hits) == 10
    assert max(len(hit.more) for hit in hits) == MORE_PASSAGES
    for hit in hits:
        assert {more.path for more in hit.more} <= {hit.chunk.path}
        assert hit.chunk.id not in {more.id for more in hit.more}


def test_first_passages_are_in_the_order_of_the_listing_of_chunks(reader):
    listed = list(dict.fromkeys(hit.chunk.path for hit in search("stamp of a letter", readers=[reader], k=100)))
    found = search_files("stamp of a letter", readers=[reader], k=100)
    assert [hit.chunk.path for hit in found] == listed
    assert [hit.rank for hit in found] == list(range(1, len(found) + 1))


def test_fewer_files_than_asked_for_show_more_passages(reader):
    from askrepo.store.reader import Filter

    hits = search_files("stamp of a letter", readers=[reader], k=8, where=Filter(path=("src/stamps.py",)))
    assert len(hits) == 1
    assert len(hits[0].more) == 7


@pytest.mark.parametrize("strategy", [each for each in STRATEGIES if each not in {"hybrid", "signals"}])
def test_strategies_for_comparison_list_chunks(reader, strategy):
    assert search_files("stamp of a letter", readers=[reader], strategy=strategy) == search(
        "stamp of a letter", readers=[reader], strategy=strategy
    )


def test_nothing_found_is_an_empty_list(reader):
    assert search_files("zzzzqqqq", readers=[reader], strategy="signals") == []
