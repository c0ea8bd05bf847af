"""A regression of the ranking: seventy odd questions of every kind about a small made-up project.

`frozen/ferry.txt` holds the project's files, each below a line with its path; `frozen/questions.jsonl` the questions.
Each says which file must be `first`, or which must be among the first `three`; that there is `nothing` to find; or
which names are said to be `absent`, with the `nearest` one. `vectors`: only with them. `open`: what the ranking does
not do yet; the mark goes when it does. Nothing else is changed to make a new ranking pass.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from askrepo.aliases.readers import AliasReader
from askrepo.search.search import absent_names, search
from askrepo.types import Hit
from tests.datasets import build_alias

FROZEN = Path(__file__).resolve().parent / "frozen"
QUESTIONS = [json.loads(line) for line in (FROZEN / "questions.jsonl").read_text(encoding="utf-8").splitlines()]


def files() -> dict[str, str]:
    """Texts by path."""
    parts = ("\n" + (FROZEN / "ferry.txt").read_text(encoding="utf-8")).split("\n=== ")[1:]
    return {path: f"{text.rstrip()}\n" for path, text in (part.split("\n", 1) for part in parts)}


def label(question: dict[str, Any]) -> str:
    return f"{question['kind']}: {question['query']}"


OPEN = pytest.mark.xfail(reason="not done yet", strict=False)
EACH = [pytest.param(each, id=label(each), marks=[OPEN] if each.get("open") else []) for each in QUESTIONS]
EACH_WITHOUT_VECTORS = [each for each in EACH if not each.values[0].get("vectors")]


@pytest.fixture(scope="module")
def ferry(tmp_path_factory: pytest.TempPathFactory) -> AliasReader:
    return build_alias(tmp_path_factory.mktemp("ferry"), files(), name="ferry", embedder="local").reader


def test_questions_are_of_every_kind_and_about_files_that_exist() -> None:
    assert len(QUESTIONS) == len({label(question) for question in QUESTIONS}) >= 60
    asked_for = {path for question in QUESTIONS for path in (*question.get("first", ()), *question.get("three", ()))}
    assert asked_for <= set(files())
    assert len(Counter(question["kind"] for question in QUESTIONS)) >= 20


@pytest.mark.parametrize("question", EACH)
def test_the_right_file_comes_first(ferry: AliasReader, question: dict[str, Any]) -> None:
    check(question, search(question["query"], readers=[ferry]))


@pytest.mark.parametrize("question", EACH_WITHOUT_VECTORS)
def test_it_comes_first_without_vectors_too(ferry: AliasReader, question: dict[str, Any]) -> None:
    check(question, search(question["query"], readers=[ferry], strategy="signals"))


def check(question: dict[str, Any], hits: Sequence[Hit]) -> None:
    paths = [hit.chunk.path for hit in hits]
    assert bool(paths) != question.get("nothing", False)
    assert "first" not in question or paths[0] in question["first"], paths
    assert set(question.get("three", ())) <= set(paths[:3]), paths


@pytest.mark.parametrize("question", EACH)
def test_absent_is_what_stands_nowhere_and_nothing_else(ferry: AliasReader, question: dict[str, Any]) -> None:
    absent = absent_names(question["query"], readers=[ferry])
    known = {each.name for each in absent}
    assert known == set(question.get("absent", ()))
    assert {each.nearest[0] for each in absent if each.nearest} == set(filter(None, [question.get("nearest")]))
