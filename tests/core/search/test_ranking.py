from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askrepo.search.candidates import Candidate
from askrepo.search.question.question import Question
from askrepo.search.ranking import CONTEXT_SIGNALS, MAX_DEFINITIONS, POOL, SIGNALS, SILENT_FACTOR, pooled, ranked
from askrepo.search.signals.home import AWAY
from tests.core.pools import CODE, OVERVIEW, chunk_at, places, pool_of


def pool(question, *candidates, shares=CODE, **options):
    parsed = Question.parse(question)
    rarity = dict.fromkeys(parsed.terms, 4.0)
    return pooled(parsed, candidates, shares=shares, terms=parsed.terms, rarity=rarity, **options)


README = chunk_at("README.md", kind="doc")


def any_file(chunk, question, shares):
    return 1.0


# --- the pool -------------------------------------------------------------------------------------------------------


def test_candidate_best_by_both_is_1_and_one_found_by_neither_is_0():
    found = pool(
        "retry policy",
        Candidate(0, chunk_at("named.py"), is_named=True),
        Candidate(0, chunk_at("second.py"), cosine=0.4),
        Candidate(0, chunk_at("best.py"), cosine=0.5, bm25=9.0),
    )
    assert found.fused[0] == 0
    assert 0 < found.fused[1] < found.fused[2] == 1


def test_aliases_are_fused_as_one():
    found = pool(
        "retry policy",
        Candidate(0, chunk_at("weak.py"), cosine=0.1),
        Candidate(1, chunk_at("strong.py"), cosine=0.9, bm25=9.0),
        Candidate(1, chunk_at("fair.py"), cosine=0.5),
    )
    weak, strong, fair = found.fused
    assert strong > fair > weak > 0


def test_prior_reorders_words_but_not_vectors_before_they_are_fused():
    test, source = chunk_at("tests/a.py", kind="test"), chunk_at("a.py")
    by_words = pool("retry policy", Candidate(0, test, bm25=9.0), Candidate(0, source, bm25=8.0))
    by_vectors = pool("retry policy", Candidate(0, test, cosine=0.9), Candidate(0, source, cosine=0.8))
    assert by_words.fused[0] < by_words.fused[1]
    assert by_vectors.fused[0] > by_vectors.fused[1]


def test_tests_that_repeat_every_word_do_not_crowd_source_out():
    tests = [Candidate(0, chunk_at(f"tests/{n}.py", kind="test"), bm25=20.0) for n in range(POOL)]
    source = Candidate(0, chunk_at("a.py"), bm25=12.0)
    found = pool("retry policy", *tests, source)
    assert found.candidates[-1] is source
    assert found.fused[-1] == 1
    assert len(found.candidates) == POOL


def test_what_is_neither_among_the_best_nor_looked_up_is_dropped():
    best = [Candidate(0, chunk_at(f"{n}.py"), cosine=0.5 - n / 1000, bm25=9.0 - n / 100) for n in range(POOL)]
    left = Candidate(0, chunk_at("left.py"), cosine=0.1, bm25=0.1)
    looked_up = Candidate(0, chunk_at("looked up.py"), is_named=True)
    left_but_looked_up = Candidate(0, chunk_at("both.py"), cosine=0.1, bm25=0.1, is_named=True)
    found = pool("retry policy", left, *best, looked_up, left_but_looked_up)
    assert found.candidates == (*best, looked_up, left_but_looked_up)
    assert len(found.fused) == len(found.priors) == POOL + 2
    assert found.fused[-2:] == (0, 0)


def test_the_definition_of_what_a_question_names_is_found_by_that_alone():
    callers = [Candidate(0, chunk_at(f"{n}.py"), cosine=0.5 - n / 1000, bm25=9.0 - n / 100) for n in range(POOL)]
    defining = Candidate(0, chunk_at("post.py", symbols=("weigh_parcel",)), is_named=True)
    assert pool("where is weigh_parcel defined", *callers, defining).fused[-1] > 0.4
    assert pool("where is another_one defined", *callers, defining).fused[-1] == 0


def test_a_name_with_many_definitions_means_none_in_particular():
    many = [Candidate(0, chunk_at(f"{n}.py", symbols=("do_it",)), is_named=True) for n in range(MAX_DEFINITIONS + 1)]
    assert set(pool("where is do_it defined", *many).fused) == {0}
    assert 0 not in pool("where is do_it defined", *many[1:]).fused


def test_vectors_count_least_for_a_single_word_and_most_for_pages():
    candidates = [Candidate(0, chunk_at("like.py"), cosine=0.9), Candidate(0, chunk_at("named.py"), bm25=9.0)]

    def share(question, shares):
        like, named = pool(question, *candidates, prior=any_file, shares=shares).fused
        return like / (like + named)

    assert share("policy", CODE) == pytest.approx(0.3)
    assert share("retry policy", CODE) == pytest.approx(0.35)
    assert share("retry policy", {"code": 0.5, "usage": 0.5}) == pytest.approx(0.5)
    assert share("retry policy", OVERVIEW) == pytest.approx(0.65)


@pytest.mark.parametrize("score", ["bm25", "cosine"])
def test_a_lead_counts_for_pages_and_only_the_place_for_code(score):
    found = ((chunk_at(f"{at}.md"), amount) for at, amount in enumerate((9.0, 5.0, 4.9, 1.0)))
    candidates = [
        Candidate(0, chunk, bm25=amount) if score == "bm25" else Candidate(0, chunk, cosine=amount)
        for chunk, amount in found
    ]
    for_code = pool("retry policy", *candidates, shares=CODE, prior=any_file).fused
    assert for_code == pytest.approx([1, 61 / 62, 61 / 63, 61 / 64])
    for_pages = pool("retry policy", *candidates, shares=OVERVIEW, prior=any_file).fused
    assert for_pages[0] == 1
    assert for_pages[1] < 0.8
    assert for_pages[1] - for_pages[2] < 0.05


def test_priors_weigh_the_kind_of_file_and_its_place():
    found = pool(
        "retry policy",
        Candidate(0, chunk_at("name/a.py"), bm25=1.0),
        Candidate(0, chunk_at("tools/a.py"), bm25=1.0),
        Candidate(0, chunk_at("tests/a.py", kind="test"), bm25=1.0),
    )
    source, away, test = found.priors
    assert source == 1
    assert away == AWAY
    assert test < 1


def test_another_prior_can_be_given():
    found = pool("who is it for", Candidate(0, README, bm25=1.0), shares=OVERVIEW, prior=any_file)
    assert found.priors == (1,)


# --- the ranking ----------------------------------------------------------------------------------------------------

CANDIDATES = [Candidate(0, chunk_at(path)) for path in ("a.py", "b.py", "c.py")]


def lifts(*amounts):
    return lambda _: amounts


def test_score_is_fused_plus_weighed_signals_times_prior():
    given_pool = pool_of("any", CANDIDATES, fused=[1.0, 0.5, 0.0], priors=[1.0, 0.5, 0.8])
    signals = {"one": (0.5, lifts(0, 1, 0)), "two": (2.0, lifts(0, 0.5, 1))}
    scores = {place: each.score for each in ranked(given_pool, signals=signals) for place in places([each])}
    assert scores == pytest.approx({("a.py", 1): 1.0, ("b.py", 1): (0.5 + 0.5 + 1.0) * 0.5, ("c.py", 1): 2.0 * 0.8})


def test_without_signals_the_fused_score_times_prior_remains():
    given_pool = pool_of("any", CANDIDATES, fused=[0.2, 1.0, 0.6], priors=[1.0, 0.5, 1.0])
    assert places(ranked(given_pool, signals={})) == [("c.py", 1), ("b.py", 1), ("a.py", 1)]


@pytest.mark.parametrize("name", SIGNALS)
def test_each_default_signal_lifts_its_candidate(name):
    weight, _ = SIGNALS[name]
    assert weight > 0
    given_pool = pool_of("any", CANDIDATES, fused=[1.0, 0.5, 0.5])
    lifted = ranked(given_pool, signals={name: (weight, lifts(0, 0, 1))})
    assert next(each.score for each in lifted if each.candidate is CANDIDATES[2]) == pytest.approx(0.5 + weight)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("who calls send_request", "defines.py"),
        ("what is in b/named.py", "b/named.py"),
        ("the parcel_office", "parcel_office.py"),
    ],
)
def test_what_the_question_names_outright_leads_over_what_is_only_alike(question, first):
    alike = [Candidate(0, chunk_at(f"alike{n}.py"), cosine=0.9 - n / 100, bm25=9.0 - n) for n in range(5)]
    named = [
        Candidate(0, chunk_at("defines.py", symbols=("send_request",)), bm25=3.0),
        Candidate(0, chunk_at("b/named.py"), is_named=True),
        Candidate(0, chunk_at("parcel_office.py"), bm25=3.0),
    ]
    assert places(ranked(pool(question, *alike, *named)))[0] == (first, 1)


@st.composite
def candidate_lists(draw: st.DrawFn) -> list[Candidate]:
    """Distinct chunks with distinct scores, found in any combination of ways."""
    spots = draw(
        st.lists(
            st.tuples(
                st.integers(0, 1),
                st.sampled_from(["name/session.py", "tests/session.py", "README.md", "tools/send.py"]),
                st.sampled_from([1, 11, 21]),
            ),
            unique=True,
            max_size=10,
        )
    )
    cosines = draw(st.lists(st.floats(-1, 1), min_size=len(spots), max_size=len(spots), unique=True))
    words = draw(st.permutations(range(1, len(spots) + 1)))
    ways = draw(
        st.lists(st.sampled_from(["both", "dense", "words", "named"]), min_size=len(spots), max_size=len(spots))
    )
    kinds = {"README.md": "doc", "tests/session.py": "test"}
    return [
        Candidate(
            at,
            chunk_at(path, line, kind=kinds.get(path, "source")),
            cosine=cosine if way in ("both", "dense") else None,
            bm25=7.0**word if way in ("both", "words") else None,
            is_named=way == "named",
        )
        for (at, path, line), cosine, word, way in zip(spots, cosines, words, ways, strict=True)
    ]


QUESTIONS = st.sampled_from(["where is Session.send", "session", "who is it for", "what is in session.py", "?!"])


@given(candidate_lists(), QUESTIONS)
def test_every_candidate_is_ranked_once_by_a_finite_score_that_falls(candidates, question):
    order = ranked(pool(question, *candidates))
    assert sorted(id(each.candidate) for each in order) == sorted(map(id, candidates))
    scores = [each.score for each in order]
    assert all(map(math.isfinite, scores))
    assert scores == sorted(scores, reverse=True)


@given(candidate_lists(), QUESTIONS)
def test_equal_pools_are_ranked_equally(candidates, question):
    assert ranked(pool(question, *candidates)) == ranked(pool(question, *candidates))


def test_for_a_context_the_chunk_counts_more_than_its_file():
    best = Candidate(0, chunk_at("short.py"), bm25=9.0)
    others = [Candidate(0, chunk_at(f"{n}.py"), bm25=8.5) for n in range(20)]
    long = [Candidate(0, chunk_at("long.py", line), bm25=8.0) for line in (1, 50, 100)]
    found = pool("retry policy", best, *others, *long)

    assert ranked(found)[0].candidate in long
    assert ranked(found, signals=CONTEXT_SIGNALS)[0].candidate is best


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("which licence does quokka have", "acme/quokka"),
        ("which licence does wombat.js have?", "acme/wombat.js"),
        ("which licence does Quokka have, and wombat.js", None),
        ("which licence is it", None),
    ],
)
def test_the_repository_that_the_question_names_comes_before_others(question, first):
    found = [
        Candidate(0, chunk_at("README.md", kind="doc", repository=repository), bm25=5.0)
        for repository in ("acme/quokka", "acme/wombat.js")
    ]
    parsed = Question.parse(question)
    pool = pooled(parsed, found, shares=OVERVIEW, terms=parsed.terms, rarity={})
    best = dict(zip(("acme/quokka", "acme/wombat.js"), pool.priors, strict=True))
    assert best["acme/quokka"] == best["acme/wombat.js"] if first is None else max(best, key=best.__getitem__) == first
    assert first is None or len(set(best.values())) == 2


def test_a_passage_of_badges_alone_comes_behind_one_that_says_something():
    badges, text = "[![quokka](a.svg)](https://quokka.example)\n", "[Quokka](quokka.md) keeps copies.\n"
    found = [
        Candidate(0, replace(chunk_at("README.md", line, kind="doc", text=each), language="markdown"), bm25=5.0)
        for line, each in ((1, badges), (11, text))
    ]
    question = Question.parse("what is quokka")
    pool = pooled(question, found, shares=OVERVIEW, terms=question.terms, rarity={})
    assert pool.priors[0] == pytest.approx(SILENT_FACTOR * pool.priors[1])
