from __future__ import annotations

from dataclasses import replace

import pytest

from askrepo.embedders import open_embedder
from askrepo.errors import EmbedderMismatchError, UsageError
from askrepo.search import MAX_K, STRATEGIES, search
from askrepo.sources import open_alias
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


@pytest.mark.parametrize("strategy", ["hybrid", "cosine", "bm25"])
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


def test_who_and_why_questions_bring_the_readme_first(reader):
    assert paths(search("Who is pigeon for?", readers=[reader]))[0] == "README.md"
    assert paths(search("Why should small teams use pigeon?", readers=[reader]))[0] == "README.md"


def test_code_question_ranks_source_over_tests_and_changelog(reader):
    found = paths(search("backoff delay of retries", readers=[reader]))
    source = found.index("src/pigeon/backoff.py")
    assert source < found.index("tests/test_backoff.py")
    assert source < found.index("CHANGELOG.md")


def test_question_that_names_tests_brings_tests(reader):
    assert paths(search("how is backoff_delay tested", readers=[reader]))[0] == "tests/test_backoff.py"


def test_one_word_is_looked_up_by_name(reader):
    assert paths(search("HttpClient", readers=[reader]))[0] == "src/pigeon/client.py"


def test_bm25_opens_no_embedder(reader):
    lexical_only = replace(reader, open_embedder=no_embedder)
    assert search("backoff_delay", readers=[lexical_only], strategy="bm25")


def test_bm25_finds_nothing_without_a_shared_word(reader):
    assert search("zeppelin", readers=[reader], strategy="bm25") == []
    assert search("?!", readers=[reader], strategy="bm25") == []


def test_embedder_is_opened_once_and_the_question_embedded_once_for_all_aliases(reader, other):
    embedder = open_embedder("hash", cache=None)
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
    assert search("backoff", readers=[stranger], strategy="bm25")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_of_several_aliases_the_one_with_the_answer_leads(reader, other, strategy):
    hits = search("night flight speed", readers=[reader, other], k=20, strategy=strategy)
    assert hits[0].alias == "other"
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert search("price of a stamp", readers=[other, reader], strategy=strategy)[0].alias == "main"


@pytest.mark.parametrize("strategy", ["hybrid", "cosine", "bm25"])
def test_scores_of_several_aliases_fall(reader, other, strategy):
    scores = [hit.score for hit in search("speed of a letter", readers=[reader, other], k=20, strategy=strategy)]
    assert scores == sorted(scores, reverse=True)


def test_aliases_of_different_embedders_are_searched_together(reader, other):
    stamp = replace(other.entry.manifest.embedder, fingerprint="f" * 32)
    manifest = replace(other.entry.manifest, embedder=stamp)

    class Renamed:
        spec, fingerprint = "hash", "f" * 32
        embed_question = staticmethod(open_embedder("hash", cache=None).embed_question)

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
    assert hits or strategy == "bm25"


@pytest.mark.parametrize("question", ["", "  \n", "\x00"])
def test_blank_question_is_refused(reader, question):
    with pytest.raises(UsageError, match="question is empty"):
        search(question, readers=[reader])


@pytest.mark.parametrize("k", [0, -1, MAX_K + 1])
def test_k_out_of_bounds_is_refused(reader, k):
    with pytest.raises(UsageError, match=f"between 1 and 100, found {k}"):
        search("backoff", readers=[reader], k=k)


def test_unknown_strategy_is_refused_with_those_there_are(reader):
    with pytest.raises(UsageError, match="no strategy 'magic'; use one of: hybrid, cosine, mmr, bm25"):
        search("backoff", readers=[reader], strategy="magic")


def test_no_alias_is_refused():
    with pytest.raises(UsageError, match="no alias"):
        search("backoff", readers=[])
