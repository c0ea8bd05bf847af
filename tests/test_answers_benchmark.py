"""The benchmark of checked answers, on installed packages of pinned versions: what it promises holds for a sample.

Not on this project's own files: those change with every commit, and the sample with them.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from types import ModuleType

import click
import jinja2
import pytest
import rich

from benchmarks.answers import Figures, measure, state_of
from benchmarks.chat_trial import counts_of, judged, shares, shortcomings
from benchmarks.made_answers import Corpus, make_answers, mutations

PACKAGES = (click, jinja2, rich)


def corpus_of(package: ModuleType) -> Corpus:
    folder = Path(package.__path__[0])
    texts = {str(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.py"))}
    return Corpus.of_files(package.__name__, texts)


@pytest.fixture(scope="module")
def figures() -> Figures:
    return measure([corpus_of(package) for package in PACKAGES], answers=120, mutated=450, rng=random.Random(7))


def test_false_statements_are_marked(figures: Figures) -> None:
    assert sum(states.total() for states in figures.mutated.values()) >= 350
    assert figures.mutated_marked >= 0.98, figures.wrong


def test_units_are_changed_where_the_source_tells_them() -> None:
    page = "# Waiting\n\nA request waits for {0} seconds at most and is then put into a queue of its own.\n"
    files = {f"{number}/wait.md": page.format(number) for number in range(31, 51)}
    rng = random.Random(7)
    answers = make_answers(Corpus.of_files("wait", files), 20, rng)
    made = [(answer, each) for answer in answers for each in answer.statements if each.kind == "number"]
    items = [(answer, each, item) for answer, each in made for item in mutations(each, answer, "unit", rng)]
    checked = [state_of(answer, each.text(item)) for answer, each, item in items]
    assert len(items) == 4 * len(made) > 40
    assert {each.state for each in checked if each} == {"not found"}


def test_true_statements_are_left_alone(figures: Figures) -> None:
    assert sum(states.total() for states in figures.true.values()) == 600
    assert figures.true_marked <= 0.02, figures.wrong


def test_wrong_citations_are_corrected_and_missing_ones_found(figures: Figures) -> None:
    assert figures.misplaced["repaired, to its source"] >= 0.7 * figures.misplaced.total(), figures.misplaced
    assert figures.uncited["attributed, to its source"] >= 0.7 * figures.uncited.total(), figures.uncited


@pytest.mark.parametrize(
    ("state", "source", "counted"),
    [
        ("verified", "verified", "verified"),
        ("repaired", "repaired", "repaired"),
        ("not found", "not found", "unverified"),
        ("cited", "cited", "unverified"),
        ("not found", "attributed", "uncited"),
        ("attributed", "attributed", "uncited"),
    ],
)
def test_statements_of_a_real_model_are_counted_as_they_are_told(state: str, source: str, counted: str) -> None:
    assert judged({"state": state, "sources": [{"state": source}]}) == counted


def test_an_answer_that_says_nothing_is_none() -> None:
    assert counts_of({"answer": None, "statements": [], "steps": []})["failed"] == 1


def test_a_statement_without_any_source_is_uncited() -> None:
    assert judged({"state": "nothing", "sources": []}) == "uncited"


@pytest.mark.parametrize(("answer", "unmarked"), [("It waits [1] (quote not found).", 1), ("It waits [1].", 2)])
def test_what_was_not_found_and_no_mark_tells_of_is_counted(answer: str, unmarked: int) -> None:
    missing = {"state": "not found", "sources": [{"state": "not found"}]}
    held = {"state": "verified", "sources": [{"state": "verified"}]}
    counts = counts_of({"answer": answer, "statements": [missing, missing, held, held], "steps": [{}]})
    assert (counts["verified"], counts["unverified"], counts["unmarked"], counts["steps"]) == (2, 2, unmarked, 1)
    assert shares(counts) == f"100% cited, 50% verified or repaired, {unmarked} not found and not marked"


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"verified": 6, "repaired": 1, "unverified": 2, "uncited": 1}, []),
        ({"verified": 7, "uncited": 2, "unverified": 1}, ["80% cited, wanted 90%"]),
        ({"verified": 6, "unverified": 4}, ["60% verified or repaired, wanted 70%"]),
        ({"verified": 9, "unmarked": 1}, ["1 not found and not marked, wanted none"]),
        ({"verified": 9, "failed": 1}, ["1 question without an answer"]),
    ],
)
def test_what_is_not_as_wanted_is_told(counts: dict[str, int], said: list[str]) -> None:
    assert shortcomings(Counter(counts)) == said
    assert len(shortcomings(Counter())) == 2
