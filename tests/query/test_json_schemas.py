"""What `--json` prints, compared with the schemas in docs/schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.datasets import BuiltAlias
from tests.fakes import OpenAIServer
from tests.query.conftest import Run, json_lines

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
COMMANDS = {
    "search": ["search", "retry backoff"],
    "context": ["search", "--context", "retry backoff"],
    "ask": ["ask", "how long does backoff wait, frobnicate_x"],
    "status": ["status"],
}


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_every_schema_is_of_a_command() -> None:
    assert {file.stem for file in SCHEMAS.iterdir()} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_printed_is_what_the_schema_says(run_main: Run, built: BuiltAlias, name: str) -> None:
    lines = json_lines(run_main(*COMMANDS[name], "--json"))
    (rests,) = lines[0]["rests_on"]
    assert [error.message for line in lines for error in validator(name).iter_errors(line)] == []
    assert lines[0]["schema"] == 1
    assert (rests["alias"], rests["entry"]) == ("main", built.reader.entry.number)


def test_without_a_chat_model_the_passages_have_their_text(run_main: Run) -> None:
    (answer,) = json_lines(run_main("ask", "how long does backoff wait", "--json"))
    assert (answer["model"], answer["answer"]) == (None, None)
    assert "exponential backoff" in answer["sources"][0]["text"]


def test_an_answer_is_what_the_schema_says(run_main: Run, server: OpenAIServer) -> None:
    server.replies = ["It waits with exponential backoff [1]."]
    (answer,) = json_lines(run_main("ask", "how long does backoff wait", "--json"))
    assert [error.message for error in validator("ask").iter_errors(answer)] == []
    assert answer["citations"][0]["n"] == 1
