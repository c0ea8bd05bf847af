from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from askrepo_query.reading import NO_TOOLS
from tests.fakes import OpenAIServer, Raw, Schema, called, json_answer, may_call, spoken
from tests.query.conftest import HOSTILE_PATH, Run, json_lines, run_on_terminal

READ = ("read", {"path": "src/queue.ts", "start": 1, "end": 2})


@pytest.fixture(autouse=True)
def reads(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model takes tools, and may look further as often as by default."""
    monkeypatch.delenv("ASKREPO_STEPS")


def asked_with_tools(server: OpenAIServer) -> list[bool]:
    return [may_call(request) for request in server.requests]


def test_what_was_read_can_be_cited_and_the_last_request_must_be_answered(run_main: Run, server: OpenAIServer) -> None:
    server.calls.append([READ])
    server.replies.append("Messages are pushed [2].")
    (answer,) = json_lines(run_main("ask", "backoff", "--path", "src/*", "-k", "1", "--json"))
    assert asked_with_tools(server) == [True, True, False]
    assert [(source["n"], source["path"], source["start_line"], source["end_line"]) for source in answer["sources"]][
        1:
    ] == [(2, "src/queue.ts", 1, 2)]
    assert [(cited["n"], cited["path"]) for cited in answer["citations"]] == [(2, "src/queue.ts")]
    final = server.requests[-1].body["messages"]
    assert [message["role"] for message in final] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert "export function enqueue" in final[3]["content"]
    assert "Question: backoff" in final[-1]["content"]


def test_json_holds_the_steps(run_main: Run, server: OpenAIServer) -> None:
    server.calls += [[READ, ("grep", {"x": 1})], [READ]]
    server.replies.append("Pushed [2].")
    (answer,) = json_lines(run_main("ask", "backoff", "--json", "-k", "1"))
    told = [(step["step"], step["tool"], step["outcome"], step["sources"]) for step in answer["steps"]]
    assert told == [(1, "read", "done", [2]), (1, "grep", "refused", []), (2, "read", "repeated", [])]
    first = answer["steps"][0]
    assert (first["told"], first["arguments"]) == ("reading src/queue.ts:1-2", READ[1])
    assert first["tokens"] > 0
    assert first["seconds"] >= 0


@pytest.mark.parametrize("args", [["--no-read"], ["--steps", "0"]])
@pytest.mark.parametrize("command", ["ask", "chat"])
def test_reading_can_be_left_out(run_main: Run, server: OpenAIServer, command: str, args: list[str]) -> None:
    server.replies.append("It waits [1].")
    asked = ["backoff"] if command == "ask" else []
    result = run_main(command, *asked, *args, "--json", input="backoff\n")
    assert asked_with_tools(server) == [False]
    assert json_lines(result)[0]["steps"] == []


def test_steps_are_bounded_by_the_option_over_the_setting(run_main: Run, server: OpenAIServer) -> None:
    server.calls += [[("find", {"name": f"name_{n}"})] for n in range(20)]
    run_main("ask", "backoff", "--steps", "2", env={"ASKREPO_STEPS": "9"})
    assert asked_with_tools(server) == [True, True, False]


def test_the_budget_of_tokens_is_a_setting(run_main: Run, server: OpenAIServer) -> None:
    server.calls.append([READ])
    run_main("ask", "backoff", env={"ASKREPO_READING_TOKENS": "200"})
    assert asked_with_tools(server) == [False]


def test_no_read_and_steps_contradict_each_other(run_main: Run) -> None:
    result = run_main("ask", "x", "--no-read", "--steps", "3")
    assert result.exit_code == 2
    assert "give one of the two" in result.stderr


def test_a_server_without_tools_is_said_once_and_answers_from_one_search(run_main: Run, server: OpenAIServer) -> None:
    server.takes_tools = False
    server.replies += ["It waits [1].", "backoff?", "It still waits [1]."]
    result = run_main("chat", input="backoff\nbackoff\n")
    assert result.stderr.count(NO_TOOLS) == 1
    assert result.stdout.count("waits [1].") == 2
    assert asked_with_tools(server).count(True) == 1


def test_a_failure_of_the_first_request_is_one_error(run_main: Run, server: OpenAIServer) -> None:
    server.fail_next(status=401)
    result = run_main("ask", "backoff")
    assert (result.exit_code, len(server.requests), len(result.stderr.splitlines())) == (4, 1, 1)


def test_without_evidence_no_model_is_asked(run_main: Run, server: OpenAIServer) -> None:
    assert run_main("ask", "anything", "--path", "no/such/*").exit_code == 1
    assert server.requests == []


def test_a_person_sees_each_step(run_main: Run, server: OpenAIServer) -> None:
    server.calls += [[READ, ("search", {"query": "what is\x1b[2J this"})], [("read", {"path": HOSTILE_PATH})]]
    server.replies.append("Pushed [1].")
    shown = run_on_terminal("ask", "backoff", "-k", "1").screen
    assert "reading src/queue.ts:1-2\r\n" in shown
    assert r'searching "what is\x1b[2J this"' in shown
    assert r"reading src/evil\x1b[2J\u202e.py:1-2" in shown
    assert "\x1b[2J" not in shown


def test_nobody_is_told_of_steps_in_a_pipe(run_main: Run, server: OpenAIServer) -> None:
    server.calls.append([READ])
    server.replies.append("Pushed [1].")
    assert "reading" not in run_main("ask", "backoff").stderr


def test_ctrl_c_while_reading_answers_from_what_was_read(run_main: Run, server: OpenAIServer) -> None:
    server.calls.append([READ])
    server.replies.append("Pushed [2].")
    hang = {"on": False}

    def stall(request):
        if may_call(request) and len(server.requests) > 1:
            hang["on"] = True
            server._released.wait(20)

    server.answer = stall
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[2]),
                   "ASKREPO_CHAT_TIMEOUT_S": "30"}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "askrepo_query", "ask", "backoff", "-k", "1"],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + 60
    interrupted = False
    while time.monotonic() < deadline:
        if hang["on"] and not interrupted and b"reading src/queue.ts" in shown:
            process.send_signal(signal.SIGINT)
            interrupted = True
        if select.select([ours], [], [], 0.1)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
    os.close(ours)
    assert process.wait(timeout=30) == 0, shown
    assert b"the answer comes from what was read so far" in shown
    assert b"Pushed [2]." in shown
    assert b"src/queue.ts:1-2" in shown


@pytest.mark.parametrize("schema", ["ignored", "taken"])
def test_every_request_begins_with_all_of_the_one_before(run_main: Run, server: OpenAIServer, schema: Schema) -> None:
    server.schema = schema
    server.calls += [[READ, ("grep", {})], [("find", {"name": "enqueue"})], [("read", {"path": "src/retry.py"})]]
    server.replies.append("Pushed [2].")
    assert run_main("ask", "backoff", "-k", "1").exit_code == 0
    bodies = [request.body for request in server.requests]
    assert len(bodies) == 5
    for before, after in pairwise(bodies):
        assert after["messages"][: len(before["messages"])] == before["messages"]
        assert len(after["messages"]) > len(before["messages"])
        assert json.dumps(after["tools"]) == json.dumps(before["tools"])
    assert [body.get("tool_choice") for body in bodies] == [None] * 4 + ["none"]


def test_a_model_that_looks_at_nothing_is_asked_as_it_is_without_reading(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "taken"
    server.replies += ["It waits [1]."] * 2
    run_main("ask", "backoff")
    run_main("ask", "backoff", "--no-read")
    reading, final, alone = (request.body for request in server.requests)
    assert (final["tools"], final["tool_choice"]) == (reading["tools"], "none")
    assert final["messages"][0] == reading["messages"][0] == alone["messages"][0]
    question = final["messages"][1]["content"].rindex("backoff")  # behind the sources
    assert reading["messages"][1]["content"][:question] == final["messages"][1]["content"][:question]
    fences = [body["messages"][1]["content"].split("\n")[0][5:-1] for body in (final, alone)]
    assert final["messages"][1]["content"].replace(*fences) == alone["messages"][1]["content"]


REFUSAL = json_answer({"error": {"message": "Conversation roles must alternate user/assistant/user"}}, status=400)


@pytest.mark.parametrize(
    "instead",
    [
        REFUSAL,
        json_answer({"error": {"message": "extra fields not permitted: tool_choice"}}, status=422),
        json_answer({"error": {"message": "template: unexpected role tool"}}, status=500),
        called(READ),
        spoken('<tool_call>\n{"name": "read", "arguments": {"path": "a"}}\n</tool_call>'),
    ],
    ids=["roles", "tool_choice", "template", "calls", "writes a call"],
)
def test_a_model_that_does_not_answer_where_it_read_is_asked_anew(
    run_main: Run, server: OpenAIServer, instead: Raw
) -> None:
    server.answer = lambda request: instead if request.body.get("tool_choice") == "none" else None
    server.calls += [[READ], [], [READ]]
    server.replies += ["Pushed [2].", "backoff", "Pushed [2]."]
    result = run_main("chat", "-k", "1", input="backoff\nand then\n")
    assert result.stdout.count("Pushed [2].") == 2
    choices = [(request.body.get("tool_choice"), "tools" in request.body) for request in server.requests]
    refused = len(choices) - choices[::-1].index(("none", True))
    assert choices[refused:].count((None, True)) == 2  # the second question knows
    anew = server.requests[refused].body["messages"]
    assert [message["role"] for message in anew] == ["system", "user"]
    assert "export function enqueue" in anew[1]["content"]


def test_a_conversation_that_outgrew_the_window_is_left_for_the_sources(run_main: Run, server: OpenAIServer) -> None:
    long = json_answer({"error": {"message": "This model's maximum context length is 4096 tokens"}}, status=400)
    server.answer = lambda request: long if len(request.body["messages"]) > 4 else None
    server.calls.append([READ])
    server.replies.append("Pushed [2].")
    (answer,) = json_lines(run_main("ask", "backoff", "-k", "1", "--json"))
    assert [cited["n"] for cited in answer["citations"]] == [2]
    assert [message["role"] for message in server.requests[-1].body["messages"]] == ["system", "user"]


def test_an_answer_behind_reading_is_replayed_to_the_byte(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "taken"
    server.calls.append([READ])
    server.replies += ["Pushed [2]."] * 2
    run_main("ask", "backoff", "-k", "1")
    sent = server.requests[-1].body
    (kept,) = json_lines(run_main("log", "-n", "1", "--json"))
    (told,) = json_lines(run_main("replay", kept["id"], "--json"))
    assert told["messages"] == sent["messages"]
    assert "\nread {" in run_main("replay", kept["id"]).stdout
    assert "the same answer" in run_main("replay", kept["id"], "--ask").stderr
    assert server.requests[-1].body == sent
    server.answer = lambda request: REFUSAL
    refused = run_main("replay", kept["id"], "--ask")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "behind calls of tools" in refused.stderr
