from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askrepo.search.candidates import Candidate, KindShares, Pool
from askrepo.search.ranking import SIGNALS
from askrepo.search.signals import (
    coherence,
    definition,
    file_match,
    named_path,
    names,
    namesake,
    path_words,
    source_code,
    topic_page,
)
from tests.core.pools import CODE, MIXED, OVERVIEW, USAGE, chunk_at, pool_of

QUESTIONS = [
    "Who is responsible for security in this project?",
    "where is Session.send_request defined",
    "send",
    "what does src/session.py do",
    "retry policy of failed requests",
    "?!",
]


def of_paths(signal, question, *paths, **options):
    return signal(pool_of(question, [Candidate(0, chunk_at(path)) for path in paths], **options))


# --- all signals ----------------------------------------------------------------------------------------------------


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Any pool of distinct chunks, whose fused scores differ as far as they are above 0."""
    path = st.sampled_from(["src/session.py", "lib/send.go", "SECURITY.md", "docs/retry policy.md", "a", "send/x.rs"])
    spots = draw(st.lists(st.tuples(st.integers(0, 1), path, st.sampled_from([1, 11, 21])), unique=True, max_size=8))
    count = len(spots)
    symbols = st.lists(st.sampled_from(["Session", "send", "send_request", "retryPolicy", "x"]), max_size=3).map(tuple)
    found = st.none() | st.floats(0.01, 50)
    candidates = [
        Candidate(
            at,
            chunk_at(where, line, kind="doc" if where.endswith(".md") else "source", symbols=draw(symbols)),
            bm25=draw(found),
        )
        for at, where, line in spots
    ]
    fused = draw(st.lists(st.floats(0.01, 1), min_size=count, max_size=count, unique=True))
    question = draw(st.sampled_from(QUESTIONS))
    shares = draw(st.sampled_from([CODE, USAGE, OVERVIEW, MIXED]))
    weights = draw(st.lists(st.floats(0, 12), min_size=20, max_size=20))
    terms = pool_of(question, []).terms
    return pool_of(question, candidates, shares=shares, fused=fused, rarity=dict(zip(terms, weights, strict=False)))


@given(pool=pools())
def test_every_candidate_has_one_finite_amount_not_below_0(pool):
    for name, (_, signal) in SIGNALS.items():
        amounts = signal(pool)
        assert len(amounts) == len(pool.candidates), name
        assert all(math.isfinite(amount) and amount >= 0 for amount in amounts), name


@given(pool=pools(), order=st.randoms(use_true_random=False))
def test_amounts_do_not_depend_on_the_order_of_the_candidates(pool, order):
    positions = list(range(len(pool.candidates)))
    order.shuffle(positions)
    shuffled = Pool(
        pool.question,
        pool.shares,
        tuple(pool.candidates[at] for at in positions),
        terms=pool.terms,
        rarity=pool.rarity,
        fused=tuple(pool.fused[at] for at in positions),
        priors=tuple(pool.priors[at] for at in positions),
    )
    for name, (_, signal) in SIGNALS.items():
        amounts = signal(pool)
        assert list(signal(shuffled)) == pytest.approx([amounts[at] for at in positions]), name


@pytest.mark.parametrize("name", SIGNALS)
def test_nothing_speaks_for_a_chunk_that_has_nothing_of_the_question(name):
    candidates = [Candidate(0, chunk_at("src/alpha.py", symbols=("Beta",))), Candidate(0, chunk_at("b.md", kind="doc"))]
    assert SIGNALS[name][1](pool_of("how zebras are striped", candidates, shares=USAGE)) == [0, 0]


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("question", ["?!", "zebra"])
def test_nothing_found_has_no_amounts(name, question):
    assert SIGNALS[name][1](pool_of(question, [])) == []


@pytest.mark.parametrize("name", SIGNALS)
def test_a_question_without_a_word_says_nothing(name):
    candidates = [Candidate(0, chunk_at("src/alpha.py", symbols=("Beta",)))]
    assert SIGNALS[name][1](pool_of("?!", candidates, shares=USAGE)) == [0]


# --- definition -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "symbols", "path", "amount"),
    [
        ("who calls send_request", ("send_request",), "src/http.py", 1),
        ("who calls send_request", ("other", "send_request"), "src/http.py", 1),
        ("what does Session.send do", ("send",), "src/http.py", 1),
        ("what does Session.send do", ("Session.send",), "src/http.py", 1),
        ("where is HttpClient made", ("HttpClient",), "src/http_client.py", definition.NAMESAKE),
        ("where is HttpClient made", ("HTTPClient",), "src/http.py", 0),
        ("who calls send_request", ("send",), "src/http.py", 0),
        ("who calls send_request", (), "src/send_request.py", 0),
        ("how is a session opened", ("session", "opened"), "src/session.py", 0),
        ("Session", ("Session",), "src/http.py", definition.ONE_WORD),
        ("Session", ("Session",), "src/session.py", definition.ONE_WORD * definition.NAMESAKE),
        ("httpclient", ("HttpClient",), "src/http.py", definition.ONE_WORD * definition.OTHER_CASE),
        ("send_request", ("sendRequest",), "src/http.py", definition.ONE_WORD * definition.OTHER_CASE),
        ("empty?", ("empty?",), "lib/list.rb", definition.ONE_WORD),
    ],
)
def test_chunk_that_defines_a_name_of_the_question_is_lifted(question, symbols, path, amount):
    pool = pool_of(question, [Candidate(0, chunk_at(path, symbols=symbols))])
    assert definition.definition(pool) == [amount]


def test_a_definition_in_another_case_does_not_count_beside_the_exact_one():
    chunks = chunk_at("src/session.py", symbols=("Session",)), chunk_at("src/http.py", symbols=("session",))
    pool = pool_of("session", [Candidate(0, chunk) for chunk in chunks])
    assert definition.definition(pool) == [0, definition.ONE_WORD]


# --- names ----------------------------------------------------------------------------------------------------------


def of_names(question, *chunks, **options):
    return names.names(pool_of(question, [Candidate(0, chunk) for chunk in chunks], **options))


def test_names_that_say_the_question_are_lifted_by_its_share():
    whole, half, none = of_names(
        "retry policies",
        chunk_at("a", symbols=("RetryPolicy",)),
        chunk_at("b", symbols=("policy_of",)),
        chunk_at("retry/policy.py", symbols=("other",)),
    )
    assert (whole, half, none) == (1, 0.5, 0)


def test_enclosing_names_count_too():
    assert of_names("retry policy", chunk_at("a", symbols=("policy",), scope=("Retry",))) == [1]


def test_rare_words_count_more():
    rare, common = of_names(
        "zebra get",
        chunk_at("a", symbols=("zebra",)),
        chunk_at("b", symbols=("get",)),
        rarity={"zebra": 9.0, "get": 1.0},
    )
    assert (rare, common) == (0.9, 0.1)


# --- paths ----------------------------------------------------------------------------------------------------------


def test_a_word_of_the_file_name_counts_more_than_one_of_a_folder_and_nearer_folders_only():
    file, folder, far, none = of_paths(
        path_words.path_words, "session retry", "src/session.py", "session/a.py", "session/b/c/d.py", "src/a.py"
    )
    assert file > folder > far == none == 0
    assert folder == file * path_words.FOLDER


def test_a_beginning_counts_a_little_less_than_the_word_and_short_ones_nothing():
    same, longer, short = of_paths(
        path_words.path_words, "config of go", "src/config.py", "src/configuration.py", "src/gonzo.py"
    )
    assert same > longer > short == 0


def test_a_path_with_the_whole_question_has_all_and_a_common_word_alone_lifts_little():
    assert of_paths(path_words.path_words, "retry policy", "src/retry_policy.py") == [1]
    assert of_paths(path_words.path_words, "get", "src/get.py", rarity={"get": 0.4})[0] < 0.1


@pytest.mark.parametrize(
    ("question", "better", "worse"),
    [
        ("JSON object with named fields", "gson/JsonObject.java", "gson/JsonReader.java"),
        ("JSON object with named fields", "gson/JsonObject.java", "gson/JsonObjectTypeAdapterFactory.java"),
        ("how are sessions closed", "src/session.py", "src/session_pool_metrics.py"),
        ("reading configuration", "src/config.py", "src/convert.py"),
    ],
)
def test_file_whose_whole_name_is_said_is_lifted_most(question, better, worse):
    best, other = of_paths(namesake.namesake, question, better, worse)
    assert 1 >= best > 2 * other


def test_a_common_word_is_no_namesake_to_speak_of():
    common, rare = (
        of_paths(namesake.namesake, "which type has a visa", "src/type.py", rarity={"type": weight, "visa": 6.0})
        for weight in (0.5, 6.0)
    )
    assert common[0] < 0.2
    assert rare == [1]


def test_folders_are_no_namesakes():
    assert of_paths(namesake.namesake, "session", "session/other.py") == [0]


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("what does src/http/session.py do", {"src/http/session.py"}),
        ("what does session.py do", {"src/http/session.py", "session.py"}),
        ("what does ./http/session.py do", {"src/http/session.py"}),
        ("what does ession.py do", set()),
        ("what does session do", set()),
        ("is the README.md current", {"README.md"}),
    ],
)
def test_named_file_is_lifted(question, meant):
    paths = ("src/http/session.py", "session.py", "src/my_session.py", "README.md")
    amounts = of_paths(named_path.named_path, question, *paths)
    assert {path for path, amount in zip(paths, amounts, strict=True) if amount} == meant
    assert set(amounts) <= {0, 1}


def test_every_chunk_of_the_named_file_is_lifted():
    candidates = [Candidate(0, chunk_at("a.py", line)) for line in (1, 11)]
    assert named_path.named_path(pool_of("what is in a.py", candidates)) == [1, 1]


def test_a_name_of_many_files_means_none():
    paths = [f"src/{n}/__init__.py" for n in range(named_path.MAX_FILES + 1)]
    assert set(of_paths(named_path.named_path, "what is in __init__.py", *paths)) == {0}
    assert set(of_paths(named_path.named_path, "what is in __init__.py", *paths[1:])) == {1}
    assert of_paths(named_path.named_path, "what is in 1/__init__.py", *paths)[1] == 1


# --- files ----------------------------------------------------------------------------------------------------------


def test_file_that_matches_in_many_places_is_lifted_as_a_whole():
    candidates = [
        Candidate(0, chunk_at("often.py", 1), bm25=6.0),
        Candidate(0, chunk_at("often.py", 11), bm25=6.0),
        Candidate(0, chunk_at("often.py", 21)),
        Candidate(0, chunk_at("once.py"), bm25=6.0),
        Candidate(0, chunk_at("never.py"), cosine=0.9),
        Candidate(1, chunk_at("often.py")),
    ]
    first, second, unmatched, once, never, other_alias = file_match.file_match(pool_of("any", candidates))
    assert first == second == unmatched == 1
    assert 0 < once < 1
    assert never == other_alias == 0


def test_long_file_of_weak_matches_does_not_outweigh_a_strong_one():
    weak = [Candidate(0, chunk_at("long.py", line), bm25=2.0) for line in range(1, 500, 10)]
    strong = Candidate(0, chunk_at("short.py"), bm25=5.0)
    amounts = file_match.file_match(pool_of("any", [*weak, strong]))
    assert amounts[-1] == max(amounts) > amounts[0]


def test_matches_of_a_file_count_in_the_order_of_their_strength():
    weak, strong = Candidate(0, chunk_at("a.py", 1), bm25=1.0), Candidate(0, chunk_at("a.py", 11), bm25=8.0)
    other = Candidate(0, chunk_at("b.py"), bm25=8.5)
    amounts = file_match.file_match(pool_of("any", [weak, strong, other]))
    assert amounts == pytest.approx([1, 1, 8.5 / (8.0 + file_match.DEPTH * 1.0)])


def test_match_of_an_unlikely_file_counts_less():
    candidates = [Candidate(0, chunk_at(path), bm25=6.0) for path in ("tests/a.py", "a.py")]
    assert file_match.file_match(pool_of("any", candidates, priors=[0.4, 1.0])) == pytest.approx([0.4, 1.0])


def test_best_chunk_of_a_file_that_was_found_often_is_lifted():
    candidates = [Candidate(0, chunk_at("often.py", line)) for line in (1, 11, 21)]
    alone = Candidate(0, chunk_at("once.py"))
    amounts = coherence.coherence(pool_of("any", [*candidates, alone], fused=[0.4, 0.5, 0.3, 0.6]))
    assert amounts == pytest.approx([0, 1, 0, 0.6 / 1.2])


def test_that_counts_less_for_questions_about_pages():
    candidates = [Candidate(0, chunk_at("a.md", kind="doc"))]
    for shares in (USAGE, OVERVIEW):
        assert coherence.coherence(pool_of("any", candidates, fused=[1.0], shares=shares)) == [coherence.PAGES]


# --- kinds ----------------------------------------------------------------------------------------------------------


def test_source_is_lifted_as_much_as_the_question_is_about_code():
    candidates = [Candidate(0, chunk_at("a", kind=kind)) for kind in ("source", "doc", "test")]
    cases: list[tuple[KindShares, float]] = [(CODE, 1), ({"code": 0.3, "usage": 0.7}, 0.3), (OVERVIEW, 0)]
    for shares, amount in cases:
        assert source_code.source_code(pool_of("any", candidates, shares=shares)) == [amount, 0, 0]


def test_source_is_not_lifted_over_the_kind_of_file_that_a_question_names():
    candidates = [Candidate(0, chunk_at("a", kind=kind)) for kind in ("source", "test")]
    assert source_code.source_code(pool_of("how is the parser tested", candidates)) == [0, 0]


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("How do I contribute a patch?", "CONTRIBUTING.md"),
        ("how do I open a pull request", "docs/development.rst"),
        ("How are vulnerabilities reported?", "SECURITY.md"),
        ("I found a hole, whom do I tell privately", ".github/SECURITY.md"),
        ("Is it free for commercial use?", "LICENSE"),
        ("Under which licence is it?", "licence.txt"),
        ("what is the code of conduct", ".github/CODE_OF_CONDUCT.md"),
        ("somebody was rude to me, whom do I tell", "CODE_OF_CONDUCT.md"),
        ("how often is there a new release", "docs/contributing/release_process.md"),
        ("can I compile it myself", "BUILD.md"),
        ("how do I run its tests", "DEVELOPMENT.md"),
        ("where can I ask a question", "SUPPORT.md"),
        ("where do I ask usage questions", ".github/ISSUE_TEMPLATE.md"),
        ("how is the code organised", "docs/architecture.md"),
        ("is it faster than gson", "docs/benchmarks.md"),
        ("Who sponsors the project?", ".github/FUNDING.yml"),
        ("Who maintains it?", "MAINTAINERS.md"),
        ("How long is a release supported?", "docs/LTS.md"),
        ("Are there breaking changes when I upgrade?", "docs/UPGRADING.md"),
        ("How do I migrate from 4?", "docs/guide/v4-migration.md"),
        ("what breaks when I go from version 2 to 3", "UPGRADE.md"),
        ("Do I have to sign something before my patch is taken?", "CONTRIBUTING.rst"),
        ("Which companies use it?", "docs/commercial-users.md"),
        ("who is using this in production", "ADOPTERS.md"),
        ("What are its design goals?", "docs/Reference/Principles.md"),
        ("known issues on Windows", "docs/limitations.md"),
        ("which options are deprecated", "docs/deprecations.md"),
        ("Which third-party packages are there?", "docs/Ecosystem.md"),
        ("what is planned next", "ROADMAP.md"),
        ("are there future plans", "ROADMAP.md"),
        ("how does it differ from make", "docs/comparison.md"),
        ("why not use argparse", "docs/why.md"),
        ("how do I get started", "docs/01-getting-started.md"),
        ("where do I report an exploit", "BUG-BOUNTY.md"),
        ("found a memory corruption, whom should I tell", "SECURITY.md"),
        ("coming from version 3, what was thrown out", "UPGRADING.md"),
        ("how long are deprecated features kept", "docs/backwards-compatibility.rst"),
        ("whose ideas inspired it", "INFLUENCES.md"),
        ("under which terms may I redistribute it", "LICENSE"),
        ("who are the people behind it", "AUTHORS"),
        ("how do I cite it in a paper", "CITATION.cff"),
    ],
)
def test_page_that_by_custom_answers_the_topic_is_lifted(question, path):
    candidates = [Candidate(0, chunk_at(each, kind="doc")) for each in (path, "docs/other.md")]
    assert topic_page.topic_page(pool_of(question, candidates, shares=OVERVIEW)) == [1, 0]
    assert topic_page.topic_page(pool_of("What is it for?", candidates, shares=OVERVIEW)) == [0, 0]


@pytest.mark.parametrize(
    ("question", "paths"),
    [
        ("which licence does it have", ["LICENSE", "third_party/zlib/LICENSE.txt", "package.json"]),
        ("which licence does it have", ["legal/LICENSE.txt", "package.json"]),
        ("which licence does it have", ["package.json", "README.md"]),
        ("who maintains it", ["MAINTAINERS.md", "package.json"]),
        ("who looks after it nowadays", ["MAINTAINERS.md", "package.json"]),
        ("who maintains it", ["package.json", "README.md"]),
        ("how do I open a pull request", ["CONTRIBUTING.md", "CODE_OF_CONDUCT.md"]),
    ],
)
def test_only_the_surest_page_of_a_topic_is_lifted(question, paths):
    candidates = [Candidate(0, chunk_at(path, kind="config" if "." in path else "doc")) for path in paths]
    amounts = topic_page.topic_page(pool_of(question, candidates, shares=OVERVIEW))
    assert amounts == [1] + [0] * (len(paths) - 1)


@pytest.mark.parametrize(
    ("path", "amount"),
    [
        ("Dapper/Dapper.csproj", 1),
        ("src/Dapper/Dapper.csproj", 1),
        ("packages/dapper/package.json", 1),
        ("Dapper.Extras/Dapper.Extras.csproj", 0),
        ("examples/dapper/package.json", 0),
        ("a/b/dapper/package.json", 0),
    ],
)
def test_the_manifest_in_the_folder_named_like_the_repository_tells_as_the_roots_does(path, amount):
    chunk = chunk_at(path, repository="DapperLib/Dapper", kind="config")
    pool = pool_of("which libraries does it depend on", [Candidate(0, chunk)], shares=OVERVIEW)
    assert topic_page.topic_page(pool) == [amount]


@pytest.mark.parametrize(
    "question",
    [
        "oldest interpreter that it needs",
        "minimum Ruby version",
        "which Python versions does it run on",
        "what version of Go do I need",
        "which libraries does the framework drag in at run time?",
        "does it pull in any other packages",
        "which crates does it depend on",
        "what are its dependencies",
    ],
)
@pytest.mark.parametrize(
    ("path", "kind"),
    [("pyproject.toml", "config"), ("setup.py", "source"), ("puma.gemspec", "source"), ("package.json", "config")],
)
def test_what_a_project_requires_is_told_by_its_manifest(question, path, kind):
    candidates = [Candidate(0, chunk_at(each, kind=kind)) for each in (path, f"examples/shop/{path}", "src/a.toml")]
    assert topic_page.topic_page(pool_of(question, candidates, shares=OVERVIEW)) == [1, 0, 0]
    assert topic_page.topic_page(pool_of("What is it for?", candidates, shares=OVERVIEW)) == [0, 0, 0]


@pytest.mark.parametrize(
    "question",
    [
        "how does dependency injection work with it",
        "run a task only when its dependency has changed",
        "set the minimum TLS version",
        "which HTTP version did the server speak",
        "how do I bring the window in front",
        "what comes along with an error",
    ],
)
def test_who_asks_for_other_requirements_is_not_sent_to_the_manifest(question):
    manifest = Candidate(0, chunk_at("pyproject.toml", kind="config"))
    assert topic_page.topic_page(pool_of(question, [manifest], shares=OVERVIEW)) == [0]


def test_topic_page_counts_as_much_as_the_question_is_about_the_project():
    page = Candidate(0, chunk_at("SECURITY.md", kind="doc"))
    half: KindShares = {"overview": 0.5, "code": 0.5}
    assert topic_page.topic_page(pool_of("security of tokens", [page], shares=half)) == [0.5]
    assert topic_page.topic_page(pool_of("security of tokens", [page], shares={"usage": 1.0})) == [0.5]
    assert topic_page.topic_page(pool_of("security of tokens", [page], shares=CODE)) == [0]


def test_source_is_no_topic_page():
    source = Candidate(0, chunk_at("src/security.py"))
    assert topic_page.topic_page(pool_of("security policy", [source], shares=OVERVIEW)) == [0]
