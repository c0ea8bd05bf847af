from __future__ import annotations

import math
from dataclasses import replace

import pytest

from askrepo.search.gather import LEXICAL, NEAREST, gather
from askrepo.search.question.kinds import trained_models
from askrepo.search.request import requests_for
from askrepo.search.search import EVERYTHING
from askrepo.store.reader import Filter
from tests.datasets import build_alias

CALLS = "\n".join(["    dispatch_letter(dispatch_letter(stamp))"] * 4)
CALLERS = 400
FILES = {
    "README.md": "# Pigeon\n\nMessages for a village.\n",
    "docs/README.md": "# Pages\n\nAll pages.\n",
    "LICENSE.txt": "Permission is hereby granted, free of charge.\n",
    "docs/guide/SECURITY.md": "# Flights\n\nWrite to the keeper.\n",
    "src/office.py": "def dispatch_letter(stamp):\n"
    + "\n".join(f"    branch{n} = window{n} + drawer{n}" for n in range(30))
    + "\n",
    "src/empty.rb": "class Bag\n  def vacant?\n    true\n  end\nend\n",
    **{f"src/callers/caller{n}.py": f"def call{n}(stamp):\n{CALLS}\n" for n in range(CALLERS)},
}
OTHER = {"README.md": "# Owl\n\nAt night.\n", "src/owl.py": "def night_flight(letter):\n    return letter\n"}


@pytest.fixture(scope="module")
def alias(tmp_path_factory):
    return build_alias(tmp_path_factory.mktemp("gather"), FILES, name="pigeon")


@pytest.fixture(scope="module")
def reader(alias):
    return alias.reader


@pytest.fixture(scope="module")
def other(alias, tmp_path_factory):
    root = tmp_path_factory.mktemp("other")
    return build_alias(root, OTHER, alias="other", name="owl", workspace=alias.workspace).reader


def gathered(question, *readers, where=EVERYTHING, use_vectors=True):
    return gather(requests_for(question, readers=readers, where=where), use_vectors=use_vectors)


def of_path(found, path):
    return [each for each in found.candidates if each.chunk.path == path]


def test_vectors_and_words_each_bring_their_best_and_every_chunk_comes_once(reader):
    found = gathered("where is the stamp of dispatch_letter", reader)
    assert sum(each.cosine is not None for each in found.candidates) == NEAREST
    assert sum(each.bm25 is not None for each in found.candidates) == LEXICAL
    keys = [(each.at, each.chunk.id) for each in found.candidates]
    assert len(set(keys)) == len(keys)
    assert any(each.cosine is not None and each.bm25 is not None for each in found.candidates)


def test_a_chunk_found_in_both_ways_has_the_scores_of_both(reader):
    request = requests_for("night dispatch_letter", readers=[reader], where=EVERYTHING)[0]
    nearest = {each.chunk.id: each.score for each in reader.dataset.nearest(request.vector(), limit=NEAREST)}
    lexical = {each.chunk.id: each.score for each in reader.dataset.lexical(request.terms, limit=LEXICAL)}
    for each in gather([request], use_vectors=True).candidates:
        assert each.cosine == nearest.get(each.chunk.id)
        assert each.bm25 == lexical.get(each.chunk.id)


def test_definition_far_from_the_best_by_words_is_looked_up(reader):
    named = of_path(gathered("who prints dispatch_letter", reader, use_vectors=False), "src/office.py")
    plain = of_path(gathered("who prints a letter to dispatch", reader, use_vectors=False), "src/office.py")
    assert [(each.bm25, each.cosine) for each in named] == [(None, None)]
    assert plain == []


@pytest.mark.parametrize("question", ["Which letters use dispatch_letter?", "dispatch_letter?", "DISPATCH_LETTER"])
def test_a_name_is_looked_up_whatever_its_case_and_the_mark_behind_it(reader, question):
    assert of_path(gathered(question, reader, use_vectors=False), "src/office.py")


def test_a_name_with_a_mark_of_its_own_is_looked_up(reader):
    assert of_path(gathered("vacant?", reader, use_vectors=False), "src/empty.rb")


@pytest.mark.parametrize("question", ["what letter is in src/office.py", "which stamp has office.py?"])
def test_chunks_of_a_file_that_the_question_names_are_looked_up(reader, question):
    everything = reader.dataset.file_chunks(reader.entry.manifest.snapshots[0].name, "src/office.py")
    found = of_path(gathered(question, reader, use_vectors=False), "src/office.py")
    assert {each.chunk for each in found} == set(everything)


def test_readme_of_the_root_is_looked_up_for_a_question_about_the_project(reader):
    question = "Who should dispatch letters of the caller?"
    found = gathered(question, reader, use_vectors=False)
    assert of_path(found, "README.md")
    assert not of_path(found, "docs/README.md")
    assert not of_path(gathered("dispatch letters of the caller", reader, use_vectors=False), "README.md")


def test_words_that_tell_little_must_do_where_nothing_else_is_found(tmp_path):
    files = {"src/solver.py": "def solve(problem):\n    return problem\n"}
    bare = build_alias(tmp_path, files, alias="bare", name="gull").reader
    question = "What problem does gull solve?"
    assert requests_for(question, readers=[bare], where=EVERYTHING)[0].terms == ()
    assert of_path(gathered(question, bare, use_vectors=False), "src/solver.py")


@pytest.mark.parametrize(
    "question", ["who prints dispatch_letter", "what letter is in src/office.py", "Who should dispatch letters?"]
)
@pytest.mark.parametrize("use_vectors", [True, False])
def test_filter_holds_for_whatever_is_gathered(reader, question, use_vectors):
    where = Filter(path=("src/callers/*",))
    found = gathered(question, reader, where=where, use_vectors=use_vectors)
    assert {where.admits(each.chunk) for each in found.candidates} == {True}


def test_every_alias_is_searched_and_its_candidates_know_which(reader, other):
    found = gathered("Who should send a letter?", reader, other)
    assert {each.at for each in of_path(found, "README.md")} == {0, 1}
    assert {each.at for each in of_path(found, "src/owl.py")} == {1}
    assert {each.at for each in found.candidates if each.chunk.path.startswith("src/callers")} == {0}


def test_rarity_is_that_of_bm25_over_all_aliases(reader, other):
    found = gathered("night zebra dispatch", reader, other)
    chunks = reader.entry.manifest.chunks + other.entry.manifest.chunks
    dispatching = sum(each.dataset.frequencies(["dispatch"])["dispatch"] for each in (reader, other))
    assert dispatching > CALLERS
    expected = {"night": 2, "zebra": 0, "dispatch": dispatching}
    assert found.rarity == pytest.approx(
        {term: math.log(1 + (chunks - n + 0.5) / (n + 0.5)) for term, n in expected.items()}
    )
    assert found.rarity["zebra"] > found.rarity["night"] > found.rarity["dispatch"] > 0


@pytest.mark.parametrize("fingerprint", ["f" * 32, None], ids=["any embedder", "the one that kinds were learned with"])
def test_without_vectors_no_embedder_is_opened(reader, fingerprint):
    def refuse(spec):
        raise AssertionError("no embedder is needed")

    stamp = replace(reader.entry.manifest.embedder, fingerprint=fingerprint or trained_models().fingerprint)
    entry = replace(reader.entry, manifest=replace(reader.entry.manifest, embedder=stamp))
    found = gathered("the letter of a stamp", replace(reader, entry=entry, open_embedder=refuse), use_vectors=False)
    assert found.candidates
    assert all(each.cosine is None for each in found.candidates)


@pytest.mark.parametrize("question", ["?!", "\N{BENGALI CURRENCY NUMERATOR ONE} ...", "zzz"])
def test_a_question_without_a_known_word_finds_nothing_by_words(reader, question):
    assert gathered(question, reader, use_vectors=False).candidates == ()


def test_same_question_gathers_the_same_in_the_same_order(reader):
    first, second = (gathered("where is the stamp of dispatch_letter", reader) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("question", "path"),
    [("What is the licence?", "LICENSE.txt"), ("Whom do I tell of a vulnerability?", "docs/guide/SECURITY.md")],
)
@pytest.mark.parametrize("use_vectors", [True, False])
def test_the_page_of_a_topic_is_looked_up_though_it_has_no_word_of_the_question(reader, question, path, use_vectors):
    assert [each.is_named for each in of_path(gathered(question, reader, use_vectors=use_vectors), path)] == [True]


def test_it_is_not_looked_up_for_code_and_must_pass_the_filter(reader):
    about_code = "where does Reader.vulnerability call dispatch_letter"
    assert not of_path(gathered(about_code, reader, use_vectors=False), "docs/guide/SECURITY.md")
    filtered = gathered("What is the licence?", reader, where=Filter(path=("docs/**",)), use_vectors=False)
    assert not of_path(filtered, "LICENSE.txt")
