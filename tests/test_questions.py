"""The question sets are what their README says."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

from askrepo.search.evaluation import EvaluationQuestion
from askrepo.search.question import kinds
from benchmarks.question_sets import HALVES, OWN_CATEGORIES, UNTUNED, QuestionSet, read_sets

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks" / "questions"
PROTOTYPES = FOLDER.parent / "question_kinds" / "prototypes.jsonl"
WEIGHTS = Path(kinds.__file__).with_name(kinds.WEIGHTS_FILE)
FILES = sorted(FOLDER.glob("*.jsonl"))
INDEX = json.loads((FOLDER / "repositories.json").read_text(encoding="utf-8"))
SETS = read_sets(FOLDER)


def test_every_repository_has_questions_and_every_file_a_repository() -> None:
    assert [entry["name"] for entry in INDEX] == [each.name for each in SETS]
    assert {each.name for each in SETS} == {file.stem for file in FILES}


def test_four_repositories_in_three_languages_at_least() -> None:
    assert len({entry["url"] for entry in INDEX}) == len(INDEX) >= 4
    assert len({entry["language"] for entry in INDEX}) >= 3
    assert all(re.fullmatch(r"https://\S+", entry["url"]) for entry in INDEX)
    assert all(re.fullmatch(r"[0-9a-f]{40}", entry["commit"]) for entry in INDEX)


@pytest.mark.parametrize("category", OWN_CATEGORIES)
def test_forty_questions_of_each_category_at_least(category: str) -> None:
    assert Counter(question.category for each in SETS for question in each.questions)[category] >= 40


def test_categories_are_the_three_and_each_is_in_both_halves() -> None:
    parts = {(asked.category, part) for each in SETS for asked, part in zip(each.questions, each.parts, strict=True)}
    assert parts == {(category, part) for category in OWN_CATEGORIES for part in (*HALVES, UNTUNED)}


def test_six_repositories_in_six_languages_at_least_are_left_untuned() -> None:
    untuned = [each for each in SETS if each.is_untuned]
    assert len({each.url for each in untuned}) >= 6
    assert len({each.language for each in untuned}) >= 6
    assert all(set(each.parts) == {UNTUNED} for each in untuned)
    for each in untuned:
        assert Counter(question.category for question in each.questions) == dict.fromkeys(OWN_CATEGORIES, 8)


def test_nothing_of_an_untuned_repository_is_in_a_half() -> None:
    assert [each.name for each in SETS if each.is_untuned for half in HALVES if each.of_half(half).questions] == []


@pytest.mark.parametrize("read", read_sets(FOLDER.parent / "questions_read"), ids=lambda each: each.name)
def test_repositories_whose_misses_were_read_are_none_of_these(read: QuestionSet) -> None:
    assert read.url not in {each.url for each in SETS}
    assert Counter(question.category for question in read.questions) == {"overview": 10, "usage": 10}
    assert all(question.targets for question in read.questions)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_line_is_one_question_with_its_answer(file: Path) -> None:
    """No blank line, since the number of a line decides its half."""
    lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    values = [json.loads(line) for line in lines]
    assert [list(value) for value in values] == [["query", "category", "relevant", "note"]] * len(values)
    assert all(value["note"].strip() for value in values)


@pytest.mark.parametrize("each", SETS, ids=lambda each: each.name)
def test_no_question_is_asked_twice(each) -> None:
    queries = Counter(" ".join(question.query.lower().split()) for question in each.questions)
    assert [query for query, times in queries.items() if times > 1] == []


@pytest.mark.parametrize("each", SETS, ids=lambda each: each.name)
def test_evidence_is_pages_for_documentation_and_lines_for_code(each) -> None:
    assert [question.query for question in each.questions if not well_formed(question)] == []


def test_prototypes_are_of_the_three_kinds_and_no_questions_of_the_sets() -> None:
    prototypes = [json.loads(line) for line in PROTOTYPES.read_text(encoding="utf-8").splitlines()]
    assert {prototype["kind"] for prototype in prototypes} == set(OWN_CATEGORIES)
    asked = {words_of(question.query) for each in SETS for question in each.questions}
    assert asked.isdisjoint(words_of(prototype["query"]) for prototype in prototypes)


def test_weights_are_those_of_the_prototypes() -> None:
    """Else `benchmarks/question_kinds/train.py` has not been run since they were changed."""
    weights = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    assert weights["prototypes"] == hashlib.sha256(PROTOTYPES.read_bytes()).hexdigest()


def words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def well_formed(question: EvaluationQuestion) -> bool:
    paths = [PurePosixPath(target.path) for target in question.targets]
    relative = not any(path.is_absolute() or ".." in path.parts for path in paths)
    plain = [str(path) for path in paths] == [target.path for target in question.targets]
    has_lines = {target.start_line is not None for target in question.targets}
    distinct = len(set(question.targets)) == len(question.targets)
    return relative and plain and distinct and has_lines == {question.category == "code"}
