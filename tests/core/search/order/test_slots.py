from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askrepo.search.order.slots import MIN_DOCUMENTED_SHARE, MIN_OVERVIEW_SHARE, SLOT, TOPIC_SLOT, with_slots
from tests.core.pools import CODE, OVERVIEW, USAGE, chunk_at, places, pool_of, ranked_chunks

SOURCE = [(chunk_at(f"src/{n}.py"), 1 - n / 100) for n in range(6)]
PAGE = chunk_at("docs/page.md", kind="doc")
README = chunk_at("README.md", kind="doc")
CHANGELOG = chunk_at("CHANGELOG.md", kind="doc")


def slotted(*scored, shares):
    listing = ranked_chunks(*scored)
    return with_slots(listing, pool_of("any question", [each.candidate for each in listing], shares=shares))


def rank_of(path, ranked):
    return [each.candidate.chunk.path for each in ranked].index(path) + 1


@pytest.mark.parametrize("shares", [USAGE, OVERVIEW, {"code": 1 - MIN_DOCUMENTED_SHARE, "usage": MIN_DOCUMENTED_SHARE}])
def test_best_page_comes_third_when_the_question_may_be_after_one(shares):
    ranked = slotted(*SOURCE, (PAGE, 0.5), (chunk_at("docs/worse.md", kind="doc"), 0.4), shares=shares)
    assert rank_of("docs/page.md", ranked) == SLOT
    assert rank_of("docs/worse.md", ranked) == len(ranked)


@pytest.mark.parametrize("shares", [CODE, {"code": 0.985, "usage": 0.015}])
def test_question_about_code_has_no_slot(shares):
    listing = [*SOURCE, (PAGE, 0.5), (README, 0.4)]
    assert slotted(*listing, shares=shares) == ranked_chunks(*listing)


def test_page_near_the_top_stays_where_it_is():
    listing = [SOURCE[0], (PAGE, 0.995), *SOURCE[1:], (README, 0.1)]
    assert slotted(*listing, shares=USAGE) == ranked_chunks(*listing)


def test_page_in_the_fourth_place_moves_to_the_third():
    ranked = slotted(*SOURCE[:3], (PAGE, 0.5), *SOURCE[3:], shares=USAGE)
    assert rank_of("docs/page.md", ranked) == SLOT == 3


def test_changelog_is_no_documentation():
    ranked = slotted(*SOURCE, (CHANGELOG, 0.5), (PAGE, 0.4), shares=USAGE)
    assert rank_of("docs/page.md", ranked) == SLOT
    assert rank_of("CHANGELOG.md", ranked) == len(ranked)


@pytest.mark.parametrize(
    ("shares", "first_three"),
    [
        (OVERVIEW, True),
        ({"overview": MIN_OVERVIEW_SHARE, "code": 1 - MIN_OVERVIEW_SHARE}, True),
        ({"overview": MIN_OVERVIEW_SHARE - 0.01, "usage": 1 - MIN_OVERVIEW_SHARE + 0.01}, False),
    ],
    ids=["overview", "half", "less than half"],
)
def test_readme_comes_third_when_the_question_is_about_the_project(shares, first_three):
    ranked = slotted(*SOURCE, (PAGE, 0.5), (README, 0.4), shares=shares)
    assert (rank_of("README.md", ranked) <= SLOT) is first_three


def test_readme_of_a_folder_is_only_a_page():
    ranked = slotted(*SOURCE, (PAGE, 0.5), (chunk_at("plugins/README.md", kind="doc"), 0.4), shares=OVERVIEW)
    assert rank_of("plugins/README.md", ranked) > SLOT


def test_page_gives_its_place_to_the_readme_and_moves_up():
    ranked = slotted(*SOURCE, (PAGE, 0.5), (README, 0.4), shares=OVERVIEW)
    assert [path for path, _ in places(ranked)][:SLOT] == [SOURCE[0][0].path, PAGE.path, README.path]


def test_page_that_is_better_than_the_slot_keeps_its_place():
    ranked = slotted(SOURCE[0], (PAGE, 0.85), *SOURCE[1:], (README, 0.4), shares=OVERVIEW)
    assert [path for path, _ in places(ranked)][:SLOT] == [SOURCE[0][0].path, PAGE.path, README.path]


@pytest.mark.parametrize(("shares", "kept"), [(USAGE, 2), (OVERVIEW, 1)])
def test_others_keep_their_order_and_the_best_their_places(shares, kept):
    ranked = slotted(*SOURCE, (PAGE, 0.5), (README, 0.4), shares=shares)
    others = [place for place in places(ranked) if place[0].startswith("src/")]
    assert others == [(chunk.path, 1) for chunk, _ in SOURCE]
    assert places(ranked)[:kept] == others[:kept]


CHUNKS = [
    chunk_at(path, line, kind=kind)
    for path, kind in [("a.py", "source"), ("README.md", "doc"), ("docs/b.md", "doc"), ("CHANGELOG.md", "doc")]
    for line in (1, 11)
]


@given(
    st.permutations(CHUNKS),
    st.lists(st.floats(-1, 3), min_size=len(CHUNKS), max_size=len(CHUNKS)),
    st.sampled_from([CODE, USAGE, OVERVIEW]),
)
def test_every_hit_is_kept_once_and_scores_fall(chunks, scores, shares):
    ranked = slotted(*zip(chunks, sorted(scores, reverse=True), strict=True), shares=shares)
    assert sorted(places(ranked)) == sorted((chunk.path, chunk.start_line) for chunk in chunks)
    found = [each.score for each in ranked]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("length", range(SLOT + 1))
def test_short_listings_are_left_alone(length):
    listing = [*SOURCE, (PAGE, 0.1)][-length:] if length else []
    assert len(slotted(*listing, shares=OVERVIEW)) == length


SECURITY = chunk_at("SECURITY.md", kind="doc")


def slotted_for(question, *scored, shares):
    listing = ranked_chunks(*scored)
    return with_slots(listing, pool_of(question, [each.candidate for each in listing], shares=shares))


@pytest.mark.parametrize("shares", [OVERVIEW, USAGE, {"overview": 0.6, "code": 0.4}])
def test_the_page_of_a_topic_comes_second_whatever_its_words(shares):
    ranked = slotted_for("Whom do I tell of a hole?", *SOURCE, (PAGE, 0.5), (SECURITY, 0.1), shares=shares)
    assert rank_of("SECURITY.md", ranked) == TOPIC_SLOT == 2


def test_it_leaves_room_for_the_readme_and_stays_where_it_is_better():
    both = slotted_for("Who reports a hole?", *SOURCE, (SECURITY, 0.2), (README, 0.1), shares=OVERVIEW)
    assert [each.candidate.chunk.path for each in both[:3]] == ["src/0.py", "SECURITY.md", "README.md"]
    first = slotted_for("Who reports a hole?", (SECURITY, 2.0), *SOURCE, shares=OVERVIEW)
    assert rank_of("SECURITY.md", first) == 1


@pytest.mark.parametrize(
    ("question", "page", "shares"),
    [
        ("Whom do I tell of a hole?", SECURITY, CODE),
        ("What is it for?", SECURITY, OVERVIEW),
        ("Whom do I tell of a hole?", chunk_at("security.py"), OVERVIEW),
        ("Whom do I tell of a hole?", chunk_at("examples/shop/SECURITY.md", kind="doc"), OVERVIEW),
        ("Whom do I tell of a hole?", chunk_at("docs/de/security.md", kind="doc"), OVERVIEW),
    ],
    ids=["code", "other topic", "source", "example", "translation"],
)
def test_nothing_else_has_that_place(question, page, shares):
    ranked = slotted_for(question, *SOURCE, (page, 0.1), shares=shares)
    assert rank_of(page.path, ranked) > TOPIC_SLOT


def test_the_readme_does_not_push_it_away():
    ranked = slotted_for("Who reports a hole?", *SOURCE, (PAGE, 0.5), (SECURITY, 0.2), (README, 0.1), shares=OVERVIEW)
    assert [each.candidate.chunk.path for each in ranked[:3]] == ["src/0.py", "SECURITY.md", "README.md"]


COMMUNITY = ["CONTRIBUTING.md", ".github/CODE_OF_CONDUCT.md", "NonCLA.md", "doc/licenses/zlib.txt", "zlib-license.txt"]


@pytest.mark.parametrize("path", ["docs/security.md", "guides/deprecation-notice.md", "docs/contributed-plugins.md"])
def test_documentation_called_alike_keeps_that_place(path):
    listing = [*SOURCE, (chunk_at(path, kind="doc"), 0.5), (PAGE, 0.4)]
    assert rank_of(path, slotted_for("read rows one by one", *listing, shares=USAGE)) == SLOT


@pytest.mark.parametrize("path", COMMUNITY)
@pytest.mark.parametrize(
    ("question", "shares", "first"),
    [
        ("read rows one by one", USAGE, "docs/page.md"),
        ("read rows one by one", OVERVIEW, None),
        ("read rows under which licence, and send patches", {"usage": 0.8, "code": 0.2}, None),
    ],
)
def test_who_asks_for_use_has_no_place_for_terms_and_for_how_people_work_together(path, question, shares, first):
    listing = [*SOURCE, (chunk_at(path, kind="doc"), 0.5), (PAGE, 0.4)]
    assert rank_of(first or path, slotted_for(question, *listing, shares=shares)) <= SLOT
