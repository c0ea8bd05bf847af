from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askrepo.search.candidates import Candidate, Ranked
from askrepo.search.order.nearness import (
    LOOKED_AT,
    MAYBE_CODE_SHARE,
    MIN_PAGES_SHARE,
    WEIGHTS,
    by_nearness,
    first_of_files,
    known_of,
)
from askrepo.search.order.orders import listing
from askrepo.search.question.question import Question
from askrepo.search.ranking import pooled
from tests.core.pools import CODE, OVERVIEW, USAGE, chunk_at, places, pool_of

PAGE, OTHER_PAGE = chunk_at("docs/page.md", kind="doc"), chunk_at("docs/other.md", kind="doc")
SOURCE, TEST = chunk_at("src/a.py"), chunk_at("tests/test_a.py", kind="test")


def found(chunk, score, *, cosine=0.2, bm25=None):
    return Ranked(Candidate(0, chunk, cosine, bm25), score)


def ordered(*ranked, shares=USAGE):
    return by_nearness(ranked, pool_of("any question", [each.candidate for each in ranked], shares=shares))


def paths(ranked):
    return [path for path, _ in places(ranked)]


def test_page_whose_vector_is_far_nearer_comes_first():
    ranked = ordered(found(OTHER_PAGE, 1.0), found(PAGE, 0.9, cosine=0.7), found(SOURCE, 0.1, cosine=0.1))
    assert paths(ranked) == ["docs/page.md", "docs/other.md", "src/a.py"]


def test_page_that_says_far_more_of_the_question_comes_first():
    ranked = ordered(found(OTHER_PAGE, 1.0, bm25=1.0), found(PAGE, 0.9, bm25=9.0))
    assert paths(ranked) == ["docs/page.md", "docs/other.md"]


@pytest.mark.parametrize("shares", [USAGE, OVERVIEW])
@pytest.mark.parametrize("other", [SOURCE, TEST])
def test_among_files_alike_the_page_comes_before_source_and_tests(shares, other):
    assert paths(ordered(found(other, 1.0), found(PAGE, 0.99), shares=shares))[0] == "docs/page.md"


def test_another_version_of_a_page_is_no_nearer_for_saying_the_same():
    versions = [
        found(chunk_at(f"docs/{at}/page.md", kind="doc"), 1 - at / 9, cosine=0.7, bm25=9.0) for at in (2.1, 2.0)
    ]
    ranked = ordered(*versions, found(OTHER_PAGE, 0.8, cosine=0.6, bm25=6.0), found(SOURCE, 0.1, cosine=0.1))
    assert paths(ranked)[:2] == ["docs/2.1/page.md", "docs/other.md"]


def test_the_file_that_a_linked_page_leads_to_is_no_nearer_for_saying_the_same():
    page, linked = (chunk_at(path, kind="doc", text="The same.") for path in ("README.md", "docs/README.md"))
    copies = [found(page, 1.0, cosine=0.7, bm25=9.0), found(linked, 0.9, cosine=0.7, bm25=9.0)]
    ranked = ordered(*copies, found(OTHER_PAGE, 0.8, cosine=0.6, bm25=6.0), found(SOURCE, 0.1, cosine=0.1))
    assert paths(ranked)[:2] == ["README.md", "docs/other.md"]


@pytest.mark.parametrize("other", ["LICENSE", "docs/de/page.md", "archive/docs/pool.md"])
def test_nearness_of_what_is_no_current_documentation_counts_less(other):
    near = found(chunk_at(other, kind="doc"), 0.95, cosine=0.7, bm25=9.0)
    chunks = [found(PAGE, 1.0, cosine=0.6, bm25=6.0), near, found(SOURCE, 0.1, cosine=0.1)]
    question = Question.parse("how do I size the pool")
    pool = pooled(question, [each.candidate for each in chunks], shares=USAGE, terms=(), rarity={})
    assert paths(by_nearness(chunks, pool))[0] == PAGE.path
    assert paths(by_nearness(chunks, replace(pool, editions=())))[0] == other


def test_for_use_source_that_explains_itself_comes_before_other_source():
    commented = replace(chunk_at("src/b.py"), text="# How to use it.\n# Call it.")
    assert paths(ordered(found(SOURCE, 0.5), found(commented, 0.5))) == ["src/b.py", "src/a.py"]
    assert paths(ordered(found(SOURCE, 0.5), found(commented, 0.5), shares=OVERVIEW)) == ["src/a.py", "src/b.py"]


def test_for_use_an_example_comes_before_a_page_and_for_the_project_behind_it():
    example = chunk_at("examples/a.py", kind="example")
    assert paths(ordered(found(PAGE, 1.0), found(example, 1.0)))[0] == "examples/a.py"
    assert paths(ordered(found(example, 1.0), found(PAGE, 1.0), shares=OVERVIEW))[0] == "docs/page.md"


def test_readme_of_the_root_comes_before_other_pages_for_the_project():
    readme = chunk_at("README.md", kind="doc")
    assert paths(ordered(found(PAGE, 1.0), found(readme, 1.0), shares=OVERVIEW))[0] == "README.md"


def test_list_of_changes_is_no_documentation():
    changes = chunk_at("CHANGELOG.md", kind="doc")
    assert paths(ordered(found(changes, 1.0), found(PAGE, 1.0)))[0] == "docs/page.md"


@pytest.mark.parametrize("shares", [CODE, {"code": 1 - MIN_PAGES_SHARE + 0.01, "usage": MIN_PAGES_SHARE - 0.01}])
def test_question_about_code_keeps_its_order(shares):
    ranked = [found(OTHER_PAGE, 1.0), found(PAGE, 0.9, cosine=0.7)]
    assert ordered(*ranked, shares=shares) == ranked


def test_without_vectors_the_order_is_kept():
    ranked = [found(OTHER_PAGE, 1.0, cosine=None, bm25=1.0), found(PAGE, 0.9, cosine=None, bm25=9.0)]
    assert ordered(*ranked) == ranked


def test_source_that_came_first_stays_first_where_the_question_may_be_about_code():
    ranked = [found(SOURCE, 1.0), found(OTHER_PAGE, 0.9), found(PAGE, 0.8, cosine=0.9)]
    doubtful = {"code": MAYBE_CODE_SHARE, "usage": 1 - MAYBE_CODE_SHARE}
    assert paths(ordered(*ranked, shares=doubtful)) == ["src/a.py", "docs/page.md", "docs/other.md"]
    surer = {"code": MAYBE_CODE_SHARE - 0.01, "usage": 1 - MAYBE_CODE_SHARE + 0.01}
    assert paths(ordered(*ranked, shares=surer))[0] == "docs/page.md"
    assert paths(ordered(*ranked[1:], shares=doubtful))[0] == "docs/page.md"


def test_scores_stay_in_their_places():
    ranked = [found(OTHER_PAGE, 1.0), found(PAGE, 0.9, cosine=0.7)]
    assert [each.score for each in ordered(*ranked)] == [1.0, 0.9]


def test_further_chunks_of_a_file_keep_their_places_and_count_for_it():
    second = replace(PAGE, id="second", start_line=50, end_line=60)
    ranked = ordered(found(OTHER_PAGE, 1.0), found(PAGE, 0.9), found(SOURCE, 0.5), found(second, 0.4, cosine=0.9))
    assert places(ranked) == [("docs/page.md", 1), ("docs/other.md", 1), ("src/a.py", 1), ("docs/page.md", 50)]


def test_files_behind_those_looked_at_keep_their_places():
    many = [found(chunk_at(f"src/{n}.py"), 1 - n / 1000) for n in range(LOOKED_AT)]
    last = found(PAGE, 0.9, cosine=0.9)
    assert ordered(*many, last)[-1] == last
    assert ordered(*many[:-1], last)[0].candidate == last.candidate


def test_nothing_found_is_ordered_as_nothing():
    assert ordered() == []


def test_listing_is_ordered_so():
    pool = pool_of(
        "any question", [found(OTHER_PAGE, 1.0).candidate, found(PAGE, 0.9, cosine=0.7).candidate], shares=USAGE
    )
    ranked = [Ranked(candidate, score) for candidate, score in zip(pool.candidates, (1.0, 0.9), strict=True)]
    assert paths(listing(ranked, pool))[0] == "docs/page.md"


@given(
    st.lists(
        st.tuples(
            st.sampled_from([PAGE, OTHER_PAGE, SOURCE, TEST]),
            st.floats(0.0, 1.0),
            st.none() | st.floats(-1.0, 1.0),
            st.none() | st.floats(0.01, 50.0),
        )
    )
)
def test_amounts_are_shares_and_have_weights(drawn):
    ranked = [found(chunk, score, cosine=cosine, bm25=bm25) for chunk, score, cosine, bm25 in drawn]
    pool = pool_of("any question", [each.candidate for each in ranked], shares=USAGE)
    files = [ranked[at] for at in first_of_files(ranked)]
    best_first = sorted(files, key=lambda each: -each.score)
    for known in known_of(best_first, pool):
        assert set(known) <= set(WEIGHTS)
        assert all(0.0 <= amount <= 1.0 + 1e-9 for amount in known.values())
