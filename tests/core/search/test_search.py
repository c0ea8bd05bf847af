from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from askrepo.aliases.readers import open_alias
from askrepo.embedders.embedder import open_embedder
from askrepo.errors import EmbedderMismatchError, UsageError
from askrepo.langchain.retriever import AskrepoRetriever
from askrepo.search.search import MAX_K, STRATEGIES, search, search_context, search_with
from askrepo.search.strategies import by_bm25, hybrid
from askrepo.store.reader import Filter
from askrepo.types import Definition
from tests.datasets import build_alias, run_stages

BACKOFF = '''\
def backoff_delay(attempt: int) -> float:
    """Seconds to wait before the next attempt: doubles each time."""
    return 0.5 * 2**attempt
'''
CLIENT = '''\
class HttpClient:
    """Sends requests and retries failed ones with backoff."""

    def post(self, url: str) -> bytes:
        return self.transport.send("POST", url)
'''
FILES = {
    "README.md": "# Pigeon\n\nPigeon delivers messages for small teams who want to keep their own post office.\n",
    "docs/usage.md": "# Usage\n\nSet the delay of retries in `pigeon.toml`.\n",
    "CHANGELOG.md": "# Changes\n\n- 1.1: HttpClient retries failed requests with backoff delay\n",
    "src/pigeon/backoff.py": BACKOFF,
    "src/pigeon/client.py": CLIENT,
    "src/pigeon/stamps.py": "def price_of_stamp(country):\n    return PRICES[country]\n",
    "tests/test_backoff.py": "def test_backoff_delay_doubles():\n    assert backoff_delay(1) == 1.0\n",
    **{f"src/pigeon/routes/route{n}.py": f"def route_{n}(letter):\n    return letter.street({n})\n" for n in range(12)},
}
OTHER = {"owl.py": "def night_flight(speed):\n    return speed * 2\n", "README.md": "# Owl\n\nFlies at night.\n"}


@pytest.fixture(scope="module")
def alias(tmp_path_factory):
    return build_alias(tmp_path_factory.mktemp("search"), FILES, name="pigeon")


@pytest.fixture(scope="module")
def reader(alias):
    return alias.reader


@pytest.fixture(scope="module")
def other(alias, tmp_path_factory):
    root = tmp_path_factory.mktemp("other")
    return build_alias(root, OTHER, alias="other", name="owl", workspace=alias.workspace).reader


WITH_FALLING_SCORES = [strategy for strategy in STRATEGIES if strategy != "mmr"]
WITHOUT_EMBEDDER = ["bm25", "signals"]


def no_embedder(spec: str):
    raise AssertionError("no embedder is needed")


def paths(hits) -> list[str]:
    return [hit.chunk.path for hit in hits]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_finds_the_function_asked_for(reader, strategy):
    hits = search("delay before the next attempt", readers=[reader], strategy=strategy)
    assert "src/pigeon/backoff.py" in paths(hits)[:3]
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_hit_says_where_it_is_from(alias, reader, strategy):
    hit = search("price of a stamp", readers=[reader], strategy=strategy, k=1)[0]
    assert (hit.alias, hit.commit) == ("main", alias.repositories[0].git("rev-parse", "HEAD"))
    assert hit.url == alias.repositories[0].url
    stored = FILES[hit.chunk.path].splitlines()
    assert hit.chunk.text.splitlines() == stored[hit.chunk.start_line - 1 : hit.chunk.end_line]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_same_question_has_same_answer(alias, strategy):
    assert search("route of a letter", readers=[alias.reader], strategy=strategy) == search(
        "route of a letter", readers=[alias.reader], strategy=strategy
    )


@pytest.mark.parametrize("strategy", WITH_FALLING_SCORES)
def test_scores_fall(reader, strategy):
    scores = [hit.score for hit in search("retry a letter", readers=[reader], strategy=strategy)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("k", [1, 3, MAX_K])
def test_at_most_k_hits_and_fewer_k_is_the_beginning_of_more(reader, strategy, k):
    hits = search("route of a letter", readers=[reader], strategy=strategy, k=k)
    assert len(hits) <= k
    assert search("route of a letter", readers=[reader], strategy=strategy, k=MAX_K)[:k] == hits


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_filter_is_obeyed(reader, strategy):
    hits = search("backoff delay", readers=[reader], strategy=strategy, where=Filter(path=("tests/*",)))
    assert set(paths(hits)) == {"tests/test_backoff.py"}


@pytest.mark.parametrize("strategy", ["hybrid", "signals"])
def test_who_and_why_questions_bring_the_readme_first(reader, strategy):
    assert paths(search("Who is pigeon for?", readers=[reader], strategy=strategy))[0] == "README.md"
    assert paths(search("Why should small teams use pigeon?", readers=[reader], strategy=strategy))[0] == "README.md"


def test_code_question_ranks_source_over_tests_and_changelog(reader):
    found = paths(search("backoff delay of retries", readers=[reader], k=MAX_K))
    source = found.index("src/pigeon/backoff.py")
    assert source < found.index("tests/test_backoff.py")
    assert source < found.index("CHANGELOG.md")


def test_question_that_names_tests_brings_tests(reader):
    assert "tests/test_backoff.py" in paths(search("how is backoff_delay tested", readers=[reader]))[:2]
    assert paths(search("tests of doubling the delay", readers=[reader]))[0] == "tests/test_backoff.py"


def test_one_word_is_looked_up_by_name(reader):
    assert paths(search("HttpClient", readers=[reader]))[0] == "src/pigeon/client.py"


@pytest.mark.parametrize("strategy", WITHOUT_EMBEDDER)
@pytest.mark.parametrize("find", [search, search_context])
@pytest.mark.parametrize("question", ["backoff_delay", "Who is pigeon for?", "How do I set the delay of retries?"])
def test_words_alone_open_no_embedder(reader, strategy, find, question):
    lexical_only = replace(reader, open_embedder=no_embedder)
    assert find(question, readers=[lexical_only], strategy=strategy)


@pytest.mark.parametrize("strategy", WITHOUT_EMBEDDER)
def test_words_alone_find_nothing_without_a_shared_one(reader, strategy):
    assert search("zeppelin", readers=[reader], strategy=strategy) == []
    assert search("?!", readers=[reader], strategy=strategy) == []


def test_embedder_is_opened_once_and_the_question_embedded_once_for_all_aliases(reader, other):
    embedder = open_embedder("hash", cache=Path())
    asked = []

    class Counting:
        spec, fingerprint = embedder.spec, embedder.fingerprint

        def embed_question(self, text):
            asked.append(text)
            return embedder.embed_question(text)

    readers = [replace(each, open_embedder=lambda spec: Counting()) for each in (reader, other)]
    search("night flight", readers=readers)
    assert asked == ["night flight"]


def test_another_embedder_is_refused_with_the_way_out(reader):
    class Stranger:
        spec, fingerprint = "hash", "f" * 64

    stranger = replace(reader, open_embedder=lambda spec: Stranger())
    with pytest.raises(EmbedderMismatchError, match=r"main.*hash.*ffffffffffff.*rebuild.*--strategy bm25"):
        search("backoff", readers=[stranger])
    for strategy in WITHOUT_EMBEDDER:
        assert search("backoff", readers=[stranger], strategy=strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_of_several_aliases_the_one_with_the_answer_leads(reader, other, strategy):
    hits = search("night flight speed", readers=[reader, other], k=20, strategy=strategy)
    assert hits[0].alias == "other"
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert search("price of a stamp", readers=[other, reader], strategy=strategy)[0].alias == "main"


@pytest.mark.parametrize("strategy", WITH_FALLING_SCORES)
def test_scores_of_several_aliases_fall(reader, other, strategy):
    scores = [hit.score for hit in search("speed of a letter", readers=[reader, other], k=20, strategy=strategy)]
    assert scores == sorted(scores, reverse=True)


def test_aliases_of_different_embedders_are_searched_together(reader, other):
    stamp = replace(other.entry.manifest.embedder, fingerprint="f" * 32)
    manifest = replace(other.entry.manifest, embedder=stamp)

    class Renamed:
        spec, fingerprint = "hash", "f" * 32
        embed_question = staticmethod(open_embedder("hash", cache=Path()).embed_question)

    renamed = replace(other, entry=replace(other.entry, manifest=manifest), open_embedder=lambda spec: Renamed())
    hits = search("night flight speed", readers=[reader, renamed], strategy="cosine")
    assert {hit.alias: hit.score for hit in reversed(hits)} == {"main": 1, "other": 1}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_chunk_of_two_aliases_is_one_hit_of_the_first(alias, reader, tmp_path, strategy):
    same = Definition("twin", alias.definition.repositories, embedder="hash")
    run_stages(same, workspace=alias.workspace, settings=alias.settings)
    twin = open_alias("twin", workspace=alias.workspace, settings=alias.settings)
    hits = search("backoff delay", readers=[twin, reader], k=MAX_K, strategy=strategy)
    assert len({hit.chunk.id for hit in hits}) == len(hits)
    assert {hit.alias for hit in hits} == {"twin"}


def test_two_repositories_of_one_alias_are_searched_as_one(tmp_path):
    built = build_alias(tmp_path, {"a.py": FILES["src/pigeon/backoff.py"]}, name="pigeon", others={"owl": OTHER})
    hits = search("night flight or backoff delay", readers=[built.reader])
    commits = {repository.path.name: repository.git("rev-parse", "HEAD") for repository in built.repositories}
    assert {hit.chunk.repository: hit.commit for hit in hits} == commits


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_hundred_thousand_characters_are_searched(reader, strategy):
    question = "backoff delay " + " ".join(f"filler{number}" for number in range(10_000))
    assert len(question) > 100_000
    assert search(question, readers=[reader], strategy=strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "question",
    ["back\x00off", "backoff \ud83d", 'it\'s "backoff"', "' OR 1=1 --", "backoff\n\\'; DROP", "*?[%_] delay"],
)
def test_hostile_characters_are_only_text(reader, strategy, question):
    hits = search(question, readers=[reader], strategy=strategy)
    assert all(hit.alias == "main" for hit in hits)
    assert hits or strategy in WITHOUT_EMBEDDER


@pytest.mark.parametrize("question", ["", "  \n", "\x00"])
def test_blank_question_is_refused(reader, question):
    with pytest.raises(UsageError, match="question is empty"):
        search(question, readers=[reader])


@pytest.mark.parametrize("k", [0, -1, MAX_K + 1])
def test_k_out_of_bounds_is_refused(reader, k):
    with pytest.raises(UsageError, match=f"between 1 and 100, found {k}"):
        search("backoff", readers=[reader], k=k)


def test_unknown_strategy_is_refused_with_those_there_are(reader):
    with pytest.raises(UsageError, match="no strategy 'magic'; use one of: hybrid, signals, cosine, mmr, bm25"):
        search("backoff", readers=[reader], strategy="magic")


def test_no_alias_is_refused():
    with pytest.raises(UsageError, match="no alias"):
        search("backoff", readers=[])


# --- context, retriever, parts of the recipe ----------------------------------------------------------------------

QUESTIONS = [
    "Who is pigeon for?",
    "How do I set the delay of retries?",
    "where is the price of a stamp looked up",
    "HttpClient",
    "what is in src/pigeon/routes/route3.py",
]


def ids(hits) -> list[str]:
    return [hit.chunk.id for hit in hits]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("question", QUESTIONS)
def test_context_holds_the_same_chunks_as_the_listing(reader, other, strategy, question):
    readers = [reader, other]
    shown = search_context(question, readers=readers, strategy=strategy)
    assert sorted(ids(shown)) == sorted(ids(search(question, readers=readers, strategy=strategy, k=MAX_K)))
    assert [hit.rank for hit in shown] == list(range(1, len(shown) + 1))


@pytest.mark.parametrize("strategy", ["cosine", "mmr", "bm25"])
def test_strategies_for_comparison_have_one_order(reader, strategy):
    question = "route of a letter"
    assert search_context(question, readers=[reader], strategy=strategy, limit=7) == search(
        question, readers=[reader], strategy=strategy, k=7
    )


@pytest.mark.parametrize("strategy", ["hybrid", "signals"])
def test_context_begins_with_the_best_of_the_listing_and_its_scores_fall(reader, other, strategy):
    question = "where does a letter go"
    listed = search(question, readers=[reader, other], strategy=strategy)
    shown = search_context(question, readers=[reader, other], strategy=strategy, limit=12)
    assert len(shown) == 12
    assert ids(shown)[:5] == ids(listed)[:5]
    assert [hit.score for hit in shown] == sorted((hit.score for hit in shown), reverse=True)


@pytest.mark.parametrize("strategy", ["hybrid", "signals"])
def test_listing_shows_many_files_and_context_the_best_one_deeply(tmp_path, strategy):
    long = "\n\n".join(
        f"def sort_{n}(letter):\n    return shelf_of(letter, {n})\n" + "    # sort\n" * 60 for n in range(12)
    )
    names = "attic barn cellar depot eaves garage hall inn jetty kiosk lodge mill".split()  # noqa: SIM905
    others = {f"src/{name}.py": f"def keep_{n}(letter):\n    return letter.sort({n})\n" for n, name in enumerate(names)}
    built = build_alias(tmp_path, {"src/sort.py": long, **others})
    question = "how are letters sorted by shelf"
    listed = paths(search(question, readers=[built.reader], strategy=strategy, k=12))
    shown = paths(search_context(question, readers=[built.reader], strategy=strategy, limit=12))
    assert len(set(listed[:8])) >= 6
    assert listed[0] == shown[0] == "src/sort.py"
    assert shown.count("src/sort.py") > 2 * listed.count("src/sort.py")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "between 1 and 100"),
        ({"limit": MAX_K + 1}, "between 1 and 100"),
        ({"strategy": "magic"}, "no strategy 'magic'"),
        ({"readers": []}, "no alias"),
    ],
    ids=["no limit", "too many", "strategy", "readers"],
)
def test_context_refuses_what_search_refuses(reader, options, message):
    with pytest.raises(UsageError, match=message):
        search_context("backoff", **{"readers": [reader], **options})


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("where", [Filter(), Filter(kind=("source", "doc"))], ids=["all", "filtered"])
def test_retriever_gives_the_ranking_of_search(reader, other, strategy, question, where):
    readers = [reader, other]
    hits = search(question, readers=readers, strategy=strategy, k=15, where=where)
    retriever = AskrepoRetriever(readers=readers, strategy=strategy, k=15, where=where)
    documents = retriever.invoke(question)
    assert [document.id for document in documents] == ids(hits)
    assert [document.metadata["score"] for document in documents] == [hit.score for hit in hits]


def test_a_ranker_of_one_s_own_is_run_as_those_of_the_strategies(reader):
    question = "backoff delay of retries"
    assert search_with(hybrid, question, readers=[reader], k=10) == search(question, readers=[reader])
    assert ids(search_with(by_bm25, question, readers=[reader], k=10)) != ids(search(question, readers=[reader]))


# --- a repository with more chunks than a pool --------------------------------------------------------------------

TALK = "Teams use letters. Why teams should use letters is what teams ask. " * 3
LARGE = {
    "README.md": "# Heron\n\nMakes villages reachable for anybody without a postman.\n",
    "docs/guide/parcels.md": "# Parcels\n\nGive the parcel a ribbon: `ribbon = true` in the settings.\n",
    "src/plain.py": "x = 1\n",
    "src/desk.py": "class Desk:\n    def weigh_parcel(self, parcel):\n"
    + "".join(f"        drawer{n} = self.shelf{n} + self.lamp{n}\n" for n in range(40)),
    **{f"docs/letters/teams{n}.md": f"# Teams {n}\n\n{TALK}\n" for n in range(150)},
    **{
        f"src/parcels/kind{n}.py": f"def ribbon_kind{n}(parcel):\n"
        + "    weigh_parcel(parcel, ribbon, weigh_parcel)\n" * 5
        for n in range(350)
    },
}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return build_alias(tmp_path_factory.mktemp("large"), LARGE, name="heron").reader


@pytest.mark.parametrize("strategy", ["hybrid", "signals"])
@pytest.mark.parametrize("find", [search, search_context])
@pytest.mark.parametrize(
    "question",
    ["Why should teams use heron?", "Who is heron for?", "Why should teams use letters?", "What is heron?"],
)
def test_readme_with_words_of_its_own_is_among_the_first_three(large, strategy, find, question):
    assert "README.md" in paths(find(question, readers=[large], strategy=strategy))[:3]


@pytest.mark.parametrize("strategy", ["hybrid", "signals"])
@pytest.mark.parametrize(
    "question",
    ["How do I give a parcel a ribbon?", "how to set the ribbon of a parcel", "how to tie a ribbon around a parcel"],
)
def test_question_about_usage_has_documentation_among_the_first_three(large, strategy, question):
    first = search(question, readers=[large], strategy=strategy, k=3)
    assert "doc" in {hit.chunk.kind for hit in first}


@pytest.mark.parametrize("strategy", ["hybrid", "signals"])
def test_file_that_the_question_names_comes_first(large, strategy):
    question = "which ribbon of a parcel is in src/plain.py"
    assert paths(search(question, readers=[large], strategy=strategy))[0] == "src/plain.py"


@pytest.mark.parametrize("strategy", ["hybrid", "signals"])
def test_definition_that_words_and_vectors_rank_far_below_comes_first(large, strategy):
    for ranking in ("bm25", "cosine"):
        assert "src/desk.py" not in paths(search("weigh_parcel", readers=[large], strategy=ranking, k=MAX_K))
    assert paths(search("weigh_parcel", readers=[large], strategy=strategy))[0] == "src/desk.py"


@pytest.mark.parametrize("strategy", ["hybrid", "signals"])
@pytest.mark.parametrize("question", ["where is weigh_parcel defined?", "what does Desk::weigh_parcel do"])
def test_definition_asked_for_in_a_sentence_is_among_the_first(large, strategy, question):
    assert "src/desk.py" in paths(search(question, readers=[large], strategy=strategy))[:3]


def test_definition_that_words_find_but_rank_below_the_pool_comes_first(large):
    where = Filter(path=("src/desk.py", "src/parcels/kind1*"))
    ranked = paths(search("weigh_parcel", readers=[large], strategy="bm25", k=MAX_K, where=where))
    assert "src/desk.py" not in ranked
    assert paths(search("weigh_parcel", readers=[large], strategy="signals", where=where))[0] == "src/desk.py"


@pytest.mark.parametrize("strategy", ["hybrid", "signals"])
@pytest.mark.parametrize("question", ["weigh_parcel", "Who is heron for?", "what is in src/plain.py"])
def test_filter_holds_for_what_is_looked_up(large, strategy, question):
    where = Filter(path=("docs/letters/*",))
    hits = search(question, readers=[large], strategy=strategy, where=where, k=MAX_K)
    assert all(where.admits(hit.chunk) for hit in hits)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_listing_of_many_files_is_full_and_total(large, strategy):
    hits = search("weigh_parcel ribbon", readers=[large], strategy=strategy, k=MAX_K)
    assert len(set(ids(hits))) == MAX_K
    assert hits == search("weigh_parcel ribbon", readers=[large], strategy=strategy, k=MAX_K)


def test_copies_of_a_page_come_after_other_pages(tmp_path):
    page = "# Retries\n\nThe delay of retries doubles with each of the retries.\n"
    copies = {f"docs/v{n}/retries.md": page for n in range(3)}
    built = build_alias(tmp_path, {**copies, "docs/other.md": "# Other\n\nNone of the retries has a delay.\n"})
    found = paths(search("delay of retries", readers=[built.reader]))
    assert found[0] in copies
    assert found[1] == "docs/other.md"
