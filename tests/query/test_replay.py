from __future__ import annotations

import pytest

from tests.datasets import build_alias
from tests.fakes import OpenAIServer, Schema
from tests.query.conftest import KEY, Run, json_lines


def last_id(run_main: Run) -> str:
    return json_lines(run_main("log", "-n", "1", "--json"))[0]["id"]


def test_the_messages_come_from_the_receipt_alone_to_the_byte(
    run: Run, server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    built = build_alias(tmp_path_factory.mktemp("gone"), {"a.py": "def wait():\n    return 'caf\xe9 \x1b[2J'\n"})
    server.replies.append("Yes [1].")
    run("ask", "what does wait return", "--workspace", built.workspace.url)
    built.workspace.delete_folder("datasets")
    built.workspace.delete_folder("aliases")
    sent = server.requests[-1].body["messages"]
    (told,) = json_lines(run("replay", last_id(run), "--json"))
    assert told["messages"] == sent
    shown = run("replay", last_id(run)).stdout
    assert shown.startswith("--- system\nYou answer questions about source repositories")
    assert "\x1b" not in shown
    server.replies.append("No [1].")
    assert run("replay", last_id(run), "--ask").exit_code == 0
    assert server.requests[-1].body["messages"] == sent


@pytest.mark.parametrize("schema", ["ignored", "taken"])
def test_asked_again_the_answers_are_compared(run_main: Run, server: OpenAIServer, schema: Schema) -> None:
    server.schema = schema
    server.replies += ["It waits [1]. Then `retry_limit` ends it [1]."] * 2 + ["It waits [1]. Never ends [1]."]
    run_main("ask", "backoff")
    same = run_main("replay", last_id(run_main), "--ask")
    assert same.exit_code == 0
    assert "the same answer" in same.stderr
    (other,) = json_lines(run_main("replay", last_id(run_main), "--ask", "--json"))
    assert server.requests[-1].body["messages"] == server.requests[0].body["messages"]
    assert server.requests[-1].body.get("response_format") == server.requests[0].body.get("response_format")
    assert (other["diff"][0], other["diff"][1]) == ("--- kept", "+++ asked again")
    assert any(line.startswith("+") and "Never ends" in line for line in other["diff"][2:])


def test_without_a_chat_model_nothing_is_asked(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append("Yes [1].")
    run_main("ask", "backoff")
    result = run_main("replay", last_id(run_main), "--ask", env={"ASKREPO_CHAT_MODEL": ""})
    assert result.exit_code == 2
    assert "no chat model configured to ask again" in result.stderr
    assert KEY not in result.output


def test_an_unknown_answer_is_one_line(run_main: Run) -> None:
    result = run_main("replay", "0123456789")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
