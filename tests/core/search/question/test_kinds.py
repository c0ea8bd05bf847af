from __future__ import annotations

import subprocess
import sys

import pytest

from askrepo.embedders.embedder import open_embedder
from askrepo.embedders.minilm import DIMENSION
from askrepo.search.question.cues import CUE_NAMES, CUES, cues_of, mask_projects
from askrepo.search.question.kinds import kind_model_fits, kind_shares, trained_models
from askrepo.search.question.phrases import phrases_of
from askrepo.search.question.question import HEAD_CHARS, Question
from tests.growth import is_linear

PROJECTS = ["quokka"]
BOTH = [
    # settled by the precise patterns
    ("Who should use quokka?", "overview"),
    ("quokka vs wombat", "overview"),
    ("How do I rotate the signing key?", "usage"),
    # told by the model
    ("is quokka ready for production workloads", "overview"),
    ("does quokka have a roadmap, and what are its goals", "overview"),
    ("what are the downsides of adopting quokka for a small team?", "overview"),
    ("are contributions from newcomers welcome in this project?", "overview"),
    ("is commercial support for quokka available", "overview"),
    ("set a proxy for all outgoing calls", "usage"),
    ("please disable colours when I pipe the output to a file", "usage"),
    ("I want to skip the cache only when a flag is given", "usage"),
    ("example of a custom encoder", "usage"),
    ("exclude a folder from the watch list", "usage"),
    ("my uploads time out, which setting do I need", "usage"),
    ("quokka behind a load balancer that ends TLS", "usage"),
    ("keep a copy of every mail on a second disk", "usage"),
    ("what happens to queued jobs when quokka is upgraded", "code"),
    ("where is the retry delay computed", "code"),
    ("how is a lock released after a crash", "code"),
    ("how quokka resolves symbolic links internally", "code"),
    ("which class owns the connection queue?", "code"),
    ("why does the parser keep a stack of open scopes", "code"),
    ("parsing of nested brackets", "code"),
    ("connection pool eviction", "code"),
    ("tokenizer buffer overflow handling", "code"),
    ("Fix race between flush and close", "code"),
    ("retry", "code"),
]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    return open_embedder("local", cache=tmp_path_factory.mktemp("model"), threads=1)


def shares(text, *, vector=None, projects=PROJECTS):
    return kind_shares(Question.parse(text), projects=projects, vector=vector)


def largest(kinds):
    return max(kinds, key=kinds.get)


@pytest.mark.parametrize(("text", "kind"), BOTH)
def test_largest_share_by_words_alone(text, kind):
    found = shares(text)
    assert largest(found) == kind, found
    assert sum(found.values()) == pytest.approx(1)


@pytest.mark.parametrize(("text", "kind"), BOTH)
def test_largest_share_with_the_local_embedders_vector(text, kind, local):
    found = shares(text, vector=local.embed_question(text))
    assert largest(found) == kind, found
    assert sum(found.values()) == pytest.approx(1)


def test_vector_tells_what_words_cannot(local):
    text = "list of people with commit rights"
    assert largest(shares(text)) == "usage"
    assert largest(shares(text, vector=local.embed_question(text))) == "overview"


def test_long_phrase_is_left_to_the_model():
    short, long = "nightly dump to a bucket", "nightly dump of all tables that changed to a bucket"
    assert shares(long)["usage"] > shares(short)["usage"] + 0.3


@pytest.mark.parametrize("text", ["set the pool in HttpClient", "is max_size worth it", "what `drain` waits for"])
def test_names_of_code_lean_to_code_and_rule_out_overview(text, local):
    for vector in (None, local.embed_question(text)):
        found = shares(text, vector=vector)
        assert found["overview"] == 0
        assert found["code"] >= 0.5


def test_bare_phrase_and_look_up_lean_to_code_more_than_a_wish():
    wish, bare = shares("I want connection draining"), shares("connection draining")
    assert bare["code"] > wish["code"] + 0.3


@pytest.mark.parametrize(
    ("work", "look_up"),
    [
        ("building from source on windows", "building the syntax tree on windows"),
        ("running the tests locally", "running the callbacks at exit"),
        ("running the benchmarks", "running the callbacks"),
        ("upgrading to version 3", "upgrading a connection"),
    ],
)
def test_work_on_the_project_is_no_look_up_though_it_begins_as_one(work, look_up):
    assert shares(work)["code"] < 0.9 < shares(look_up)["code"]


def test_projects_own_name_is_masked_as_a_whole_word_in_any_case():
    assert mask_projects("Go-Task and task, not tasks", ["task", "go-task", ""]) == "PROJECT and PROJECT, not tasks"
    assert cues_of("does Quokka scale", projects=PROJECTS) == cues_of("does PROJECT scale", projects=())
    assert shares("does quokka scale") == shares("does wombat scale", projects=["wombat"])
    assert shares("does quokka scale") != shares("does quokka scale", projects=())


def test_project_named_like_code_is_no_name_of_code():
    assert "overview" in shares("is my_quokka worth a migration", projects=["my_quokka"])
    assert shares("is my_quokka worth a migration of the_other", projects=["my_quokka"])["overview"] == 0


def test_project_name_is_taken_literally():
    assert mask_projects("c++ and cc", ["c++"]) == "PROJECT and cc"


def test_only_the_head_of_a_question_counts():
    head = "where is the delay computed " + "x" * HEAD_CHARS
    assert cues_of(head, projects=()) == cues_of(head[:HEAD_CHARS] + " how do I install it?" * 1000, projects=())


@pytest.mark.parametrize(
    "unit", ["a", " ", "? ", "how ", "how  is ", "the project ", "a(a):", "Error", "_", "what\t", "where is ", "-"]
)
def test_hostile_long_question_is_judged_in_linear_time(unit):
    for start in ("", "x "):
        assert is_linear(lambda times: cues_of(start + unit * times, projects=PROJECTS), 100_000)  # noqa: B023


def test_only_the_embedder_that_the_model_was_trained_with_fits(local, tmp_path):
    assert kind_model_fits(local.fingerprint)
    assert not kind_model_fits(open_embedder("hash", cache=tmp_path).fingerprint)
    assert not kind_model_fits("")


def test_vector_of_another_length_is_refused(local):
    with pytest.raises(ValueError, match="weights"):
        shares("connection pool eviction", vector=local.embed_question("a")[:100])


def test_weights_were_trained_with_these_cues_and_phrases():
    models = trained_models()
    assert models.cues == CUE_NAMES
    assert set(CUES) < set(CUE_NAMES)
    words = len(CUE_NAMES) + len(models.phrases)
    assert {len(row) for row in models.without_vector.weights} == {words}
    assert {len(row) for row in models.with_vector.weights} == {words + DIMENSION}
    assert all(phrase in phrases_of(phrase.removeprefix("^ ")) for phrase in models.phrases)


def test_import_needs_no_numpy():
    code = "import sys, askrepo.search.question.kinds, askrepo.search.question.cues; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
