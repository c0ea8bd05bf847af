from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askrepo.search.candidates import Candidate, Ranked, in_order
from askrepo.search.editions import COPY_FACTOR
from askrepo.search.order.orders import DIVERSE, FILE_DECAY, SURE_OF_PAGES, context, decayed, listing
from tests.core.pools import CODE, OVERVIEW, USAGE, chunk_at, places, pool_of, ranked_chunks

DEEP = ranked_chunks(
    *((chunk_at("best.py", 10 * n + 1), 1 - n / 100) for n in range(8)),
    *((chunk_at(f"other{n}.py"), 0.5 - n / 100) for n in range(8)),
)
"""One file with all the best chunks, then eight others."""


def pool(ranked, shares=CODE):
    return pool_of("how does it work", [each.candidate for each in ranked], shares=shares)


def test_further_chunks_of_a_file_are_lowered_again_and_again():
    ranked = decayed(ranked_chunks(*((chunk_at("a", line), 1.0) for line in (1, 11, 21))))
    assert [each.score for each in ranked] == [1.0, FILE_DECAY, FILE_DECAY**2]
    assert places(ranked) == [("a", 1), ("a", 11), ("a", 21)]


def test_other_files_come_before_the_second_chunk_of_the_best():
    ranked = decayed(ranked_chunks((chunk_at("a", 1), 1.0), (chunk_at("a", 11), 0.9), (chunk_at("b", 1), 0.5)))
    assert places(ranked) == [("a", 1), ("b", 1), ("a", 11)]


@pytest.mark.parametrize(
    "other",
    [Candidate(0, chunk_at("README.md", repository="owner/other")), Candidate(1, chunk_at("README.md", 11))],
    ids=["repository", "alias"],
)
def test_same_path_elsewhere_is_another_file(other):
    ranked = decayed([Ranked(Candidate(0, chunk_at("README.md")), 1.0), Ranked(other, 0.9)])
    assert [each.score for each in ranked] == [1.0, 0.9]


def test_copies_of_a_better_chunk_are_lowered():
    copies = [(chunk_at(f"docs/{version}/pool.md", text="the same page"), 1.0) for version in ("2", "1", "3")]
    ranked = decayed(ranked_chunks(*copies, (chunk_at("docs/other.md"), 0.6)))
    assert places(ranked)[:2] == [("docs/2/pool.md", 1), ("docs/other.md", 1)]
    assert [each.score for each in ranked] == [1.0, 0.6, COPY_FACTOR, COPY_FACTOR]


def test_listing_shows_other_files_early_and_context_the_best_file_deeply():
    listed, shown = listing(DEEP, pool(DEEP)), context(DEEP, pool(DEEP))
    assert len({path for path, _ in places(listed)[:8]}) > len({path for path, _ in places(shown)[:8]})
    assert places(shown)[:DIVERSE] == places(listed)[:DIVERSE]
    rest = [place for place in places(DEEP) if place not in places(shown)[:DIVERSE]]
    assert places(shown)[DIVERSE:] == rest


@pytest.mark.parametrize("shares", [USAGE, OVERVIEW, {"code": 1 - SURE_OF_PAGES, "usage": SURE_OF_PAGES}])
def test_context_of_a_question_surely_about_pages_is_the_listing(shares):
    assert places(context(DEEP, pool(DEEP, shares))) == places(listing(DEEP, pool(DEEP, shares)))
    doubtful = {"code": 1.01 - SURE_OF_PAGES, "usage": SURE_OF_PAGES - 0.01}
    assert places(context(DEEP, pool(DEEP, doubtful))) != places(listing(DEEP, pool(DEEP, doubtful)))


def test_listing_of_a_question_about_usage_has_its_page_in_the_first_three():
    page = Candidate(0, chunk_at("docs/pool.md", kind="doc"))
    ranked = [*DEEP, Ranked(page, 0.01)]
    assert ("docs/pool.md", 1) in places(listing(ranked, pool(ranked, USAGE)))[:3]
    assert ("docs/pool.md", 1) in places(context(ranked, pool(ranked, USAGE)))[:3]
    assert ("docs/pool.md", 1) not in places(listing(ranked, pool(ranked, CODE)))[:3]


@st.composite
def rankings(draw: st.DrawFn) -> list[Ranked]:
    """Any ranking, best first, of few files, texts and scores so that they repeat."""
    drawn = draw(
        st.dictionaries(
            st.tuples(st.integers(0, 1), st.sampled_from(["a.py", "README.md", "docs/b.md"]), st.integers(1, 9)),
            st.tuples(st.sampled_from([0.0, 0.3, 0.5, 1.0, 2.5]), st.sampled_from(["same", None])),
            max_size=20,
        )
    )
    kinds = {"a.py": "source"}
    return in_order(
        [
            Ranked(Candidate(at, chunk_at(path, line, kind=kinds.get(path, "doc"), text=text)), score)
            for (at, path, line), (score, text) in drawn.items()
        ]
    )


@given(rankings(), st.sampled_from([CODE, USAGE, OVERVIEW]))
def test_both_orders_hold_every_candidate_once_and_scores_fall(ranked, shares):
    for order in (listing, context):
        shown = order(ranked, pool(ranked, shares))
        assert sorted(id(each.candidate) for each in shown) == sorted(id(each.candidate) for each in ranked)
        scores = [each.score for each in shown]
        assert scores == sorted(scores, reverse=True)


@given(rankings())
def test_scores_of_a_context_lie_between_0_and_1(ranked):
    scores = [each.score for each in context(ranked, pool(ranked))]
    assert all(0 < score <= 1 for score in scores)
    assert len(set(scores)) == len(scores)


def test_nothing_stays_nothing():
    assert listing([], pool([])) == context([], pool([])) == []


def test_both_orders_answer_what_a_project_is_with_the_opening_of_its_readme():
    sentence = "Quokka keeps copies of your mail on as many disks as you have.\n"
    ranked = ranked_chunks(
        *((chunk_at("README.md", line, kind="doc", text=f"{sentence}{line}"), line / 100) for line in (21, 11, 1))
    )
    asked = pool_of("what is quokka", [each.candidate for each in ranked], shares=OVERVIEW, rarity={})
    assert places(listing(ranked, asked))[0] == places(context(ranked, asked))[0] == ("README.md", 1)
