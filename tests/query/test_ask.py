from __future__ import annotations

import json
from pathlib import Path

import pytest

from askrepo.search.search import search_context
from askrepo.text.display import plain
from tests.datasets import BuiltAlias, build_alias
from tests.fakes import OpenAIServer, Raw, Request, chunk, json_answer, spoken, sse
from tests.query.conftest import KEY, Run, json_lines, run_on_terminal

JSON_KEYS = [
    "schema", "question", "standalone_question", "answer", "finish_reason", "citations", "unresolved", "statements",
    "sources", "steps", "absent", "alias", "dataset", "model", "rests_on",
]  # fmt: skip
CITATION_KEYS = ["n", "repository", "commit", "path", "start_line", "end_line", "url", "resolved"]


def test_an_answer_is_printed_with_the_sources_it_cites(run_main: Run, server: OpenAIServer, built: BuiltAlias) -> None:
    server.replies.append("It waits 2**attempt seconds [1].")
    result = run_main("ask", "how", "long", "does", "exponential", "backoff", "wait")
    commit = built.reader.entry.manifest.snapshots[0].commit
    assert result.exit_code == 0
    assert result.stdout.startswith("It waits 2**attempt seconds [1].\n\nSources\n[1] parcel@" + commit[:10])
    assert "main: " in result.stderr


def test_a_citation_of_nothing_is_marked_and_reported(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append("It waits [1], see [99] and src/retry.py:8-9 and src/retry.py:1-9999.")
    result = run_main("ask", "backoff")
    assert "[99: unresolved]" in result.stdout
    assert "src/retry.py:1-9999 (unverified)" in result.stdout
    assert "src/retry.py:8-9 and" in result.stdout
    assert "[99], src/retry.py:1-9999" in result.stderr


def test_an_answer_without_citations_is_called_unreliable(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append("It just works.")
    result = run_main("ask", "backoff")
    assert result.exit_code == 1
    assert "cites no source" in result.stderr


def test_an_answer_without_citations_shows_what_was_read(run_main: Run, server: OpenAIServer) -> None:
    server.replies += ["It just works."] * 2
    answer, _, listed = run_main("ask", "backoff").stdout.partition("\n\nSources read, none of them cited\n")
    (told,) = json_lines(run_main("ask", "backoff", "--json"))
    assert answer == "It just works."
    assert [line.split()[-1] for line in listed.splitlines() if line.startswith("[")] == [
        plain(f"{source['path']}:{source['start_line']}-{source['end_line']}") for source in told["sources"]
    ]
    assert told["citations"] == []


def test_what_cites_only_sources_that_are_not_there_exits_1(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append("It waits [99].")
    result = run_main("ask", "backoff")
    assert result.exit_code == 1
    assert "Sources read" in result.stdout


def test_json_is_one_object(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append("It waits [1] [99].")
    (answer,) = json_lines(run_main("ask", "backoff", "--json"))
    assert list(answer) == JSON_KEYS
    assert answer["question"] == answer["standalone_question"] == "backoff"
    assert answer["answer"] == "It waits [1] [99: unresolved]."
    assert answer["unresolved"] == ["[99]"]
    assert [list(citation) for citation in answer["citations"]] == [CITATION_KEYS]
    assert (answer["citations"][0]["n"], answer["citations"][0]["resolved"]) == (1, True)
    assert (answer["alias"], answer["model"]) == ("main", "fake-model")


def test_statements_are_compared_with_what_they_cite(run_main: Run, server: OpenAIServer) -> None:
    said = (
        "`Retrier.backoff` doubles the delay [{}]. `pending.push(message)` sends it [{}]. `retry_limit` bounds it [{}]."
    )
    server.replies += [said, said]
    (told,) = json_lines(run_main("ask", "backoff pending message", "--json"))
    numbers = {source["path"]: source["n"] for source in told["sources"]}
    retry, queue = numbers["src/retry.py"], numbers["src/queue.ts"]
    server.replies[:] = [said.format(retry, retry, retry)] * 2
    result = run_main("ask", "backoff pending message")
    assert f"`pending.push(message)` sends it [{queue}] (corrected from [{retry}])." in result.stdout
    assert "`retry_limit` (not found) bounds it" in result.stdout
    assert "3 statements: 1 verified, 1 repaired, 1 not found \u00b7 not found: retry_limit\n" in result.stderr
    (answer,) = json_lines(run_main("ask", "backoff pending message", "--json"))
    verified, repaired, absent = answer["statements"]
    assert [each["state"] for each in answer["statements"]] == ["verified", "repaired", "not found"]
    assert verified["quotes"][0] == {"kind": "name", "text": "Retrier.backoff", "found": True, "path": "src/retry.py",
                                     "start_line": 7, "end_line": 7}  # fmt: skip
    assert [(source["n"], source["state"]) for source in repaired["sources"]] == [
        (retry, "not found"),
        (queue, "repaired"),
    ]
    assert absent["quotes"][0]["found"] is False


def test_an_answer_of_which_nothing_stands_in_the_cited_lines_exits_1(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append("`retry_limit` bounds it [1].")
    result = run_main("ask", "backoff")
    assert result.exit_code == 1
    assert "nothing of the answer stands in the lines that it cites" in result.stderr


def test_what_cites_nothing_is_attributed_and_still_exits_1(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append("`backoff` returns the seconds to wait before the next attempt.")
    result = run_main("ask", "backoff")
    assert result.exit_code == 1
    assert "before the next attempt \u2248[1]." in result.stdout


def test_every_citation_resolves_to_stored_lines(run_main: Run, server: OpenAIServer, built: BuiltAlias) -> None:
    server.replies.append("See [1][2][3] and src/queue.ts:2-3.")
    (answer,) = json_lines(run_main("ask", "message backoff", "--json"))
    dataset = built.reader.dataset
    assert len(answer["citations"]) == 4
    for cited in answer["citations"]:
        chunks = dataset.file_chunks(cited["repository"], cited["path"])
        assert 1 <= cited["start_line"] <= cited["end_line"] <= max(chunk.end_line for chunk in chunks)


def test_sources_are_sent_numbered_and_fenced(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append("Yes [1].")
    run_main("ask", "sabotage")
    system, human = (message["content"] for message in server.requests[-1].body["messages"])
    fence = human.split("\n")[0].removeprefix("F is ").removesuffix(".")
    assert fence.isdigit()
    assert fence not in system  # which stays the same for every question, so that endpoints keep it in their caches
    assert "<source N F>" in system
    assert human.split("\n")[2] == f"<source 1 {fence}>"
    assert human.count(f"</source 1 {fence}>") == 1
    assert "\x1b" not in human


def test_escape_sequences_of_the_model_never_reach_the_terminal(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append("Look \x1b[2J\x1b]0;owned\x07 \u202e[1].")
    result = run_main("ask", "backoff")
    assert r"Look \x1b[2J\x1b]0;owned\x07 \u202e[1]." in result.stdout


def test_without_a_model_the_best_passages_are_shown(run_main: Run) -> None:
    result = run_main("ask", "exponential", "backoff")
    assert result.exit_code == 0
    assert result.stdout.startswith("[1] parcel@")
    assert "src/retry.py" in result.stdout.splitlines()[0]
    for name in ("ASKREPO_CHAT_MODEL", "OPENAI_API_KEY", "ASKREPO_OPENAI_BASE_URL"):
        assert name in result.stderr


def test_without_a_model_an_excerpt_is_cited_by_its_own_lines(run_main: Run, tmp_path: Path) -> None:
    page = "".join(f"## Part {n}\n\n{'Retries of parcels wait and wait again. ' * 20}\n\n" for n in range(6))
    long = build_alias(tmp_path / "long", {"README.md": page}, alias="long")
    question = "retries of parcels"
    first = run_main("ask", question, "--alias", "long", "--workspace", long.workspace.url).stdout.splitlines()[0]
    best = search_context(question, readers=[long.reader])[0].chunk
    assert first.endswith(f" README.md:{best.start_line}-{best.end_line}")
    assert best.end_line < len(page.splitlines())


def test_without_a_model_json_cites_the_passages(run_main: Run) -> None:
    (answer,) = json_lines(run_main("ask", "backoff", "--json"))
    assert (answer["answer"], answer["model"]) == (None, None)
    assert answer["citations"][0]["path"] == "src/retry.py"


def test_no_evidence_is_said_exits_1_and_asks_no_model(run_main: Run, server: OpenAIServer) -> None:
    result = run_main("ask", "anything", "--path", "no/such/*")
    assert (result.exit_code, result.stdout, server.requests) == (1, "", [])
    assert "no evidence" in result.stderr


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        ({"status": 401}, 4, "refused the API key"),
        ({"status": 429, "retry_after": 0, "times": 2}, 2, "slow down"),
        ({"status": 500, "times": 2}, 2, "failed (HTTP 500)"),
        ({"fault": "malformed"}, 2, "not a chat completion"),
        ({"fault": "hang", "times": 2}, 2, "was silent for 0.5 s"),
        ({"fault": "cut"}, 2, "incomplete"),
        ({"fault": "stall"}, 2, "incomplete"),
    ],
    ids=lambda value: str(value.get("status") or value["fault"]) if isinstance(value, dict) else "",
)
def test_each_failure_of_the_endpoint_is_one_error(
    run_main: Run, server: OpenAIServer, failure: dict, code: int, message: str
) -> None:
    server.fail_next(**failure)
    result = run_main("ask", "backoff", env={"ASKREPO_CHAT_TIMEOUT_S": "0.5"})
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert KEY not in result.output


def test_a_missing_key_exits_4(run_main: Run) -> None:
    result = run_main("ask", "backoff", env={"ASKREPO_CHAT_MODEL": "gpt-5-mini"})
    assert result.exit_code == 4
    assert "OPENAI_API_KEY" in result.stderr


def test_a_wrong_key_exits_4_and_is_not_repeated(run_main: Run, server: OpenAIServer) -> None:
    result = run_main("ask", "backoff", env={"OPENAI_API_KEY": "sk-wrong-key"})
    assert result.exit_code == 4
    assert "sk-wrong-key" not in result.output


def test_an_answer_streams_onto_a_terminal_once_the_model_is_known(run_main: Run, server: OpenAIServer) -> None:
    broken_off = [chunk(content="It waits "), chunk(content="two [1] to "), b": cut\n\n"]
    server.answers += [spoken("It retries [1]."), spoken("How long is the backoff?"), sse(*broken_off, end=[])]
    shown = run_on_terminal("chat", typed="what is the backoff\nhow long is it\n/exit\n")
    assert "It waits two [1]" in shown.screen
    assert "incomplete" in shown.screen


LATE = [
    "It retries [1].",
    "How long is the backoff?",
    "They ask how long [1].</think>\nPowers of two [1].",
]


def test_thoughts_that_a_terminal_has_shown_already_are_told(run_main: Run, server: OpenAIServer) -> None:
    server.replies += LATE
    shown = run_on_terminal("chat", typed="what is the backoff\nhow long is it\n/exit\n")
    assert "They ask how long [1].</think>" in shown.screen
    assert "what stands before the closing tag (such as </think>) is the model's reasoning" in shown.screen


@pytest.mark.parametrize("options", [["--json"], []], ids=["json", "text"])
def test_thoughts_of_a_later_answer_are_left_out_where_nobody_watches(
    run_main: Run, server: OpenAIServer, options: list[str]
) -> None:
    server.replies += LATE
    result = run_main("chat", *options, input="what is the backoff\nhow long is it\n")
    assert "Powers of two [1]" in result.stdout
    assert "They ask" not in result.stdout
    assert "reasoning" not in result.stderr


class TestChat:
    def test_piped_lines_are_questions_and_follow_ups_stand_alone(self, run_main: Run, server: OpenAIServer) -> None:
        server.replies += ["It retries [1].", "How long does the backoff wait?", "Powers of two [1]."]
        result = run_main("chat", "--json", input="what is the backoff\nand how long?\n/exit\nnever asked\n")
        first, second = (json.loads(line) for line in result.stdout.splitlines())
        assert (first["answer"], second["answer"]) == ("It retries [1].", "Powers of two [1].")
        assert (second["question"], second["standalone_question"]) == (
            "and how long?",
            "How long does the backoff wait?",
        )
        assert result.stderr.count("searched: How long does the backoff wait?\n") == 1
        assert "Assistant: It retries [1]." in server.requests[1].body["messages"][1]["content"]
        assert (result.exit_code, len(server.requests)) == (0, 3)

    def test_without_a_model_each_question_shows_passages(self, run_main: Run) -> None:
        result = run_main("chat", input="backoff\n\nenqueue\n")
        assert result.exit_code == 0
        assert result.stdout.count("[1] parcel@") == 2

    def test_nothing_found_for_any_question_exits_1(self, run_main: Run) -> None:
        assert run_main("chat", "--path", "no/such/*", input="backoff\n").exit_code == 1

    def test_a_failure_ends_piped_questions_with_its_code(self, run_main: Run, server: OpenAIServer) -> None:
        server.fail_next(status=401)
        assert run_main("chat", input="backoff\nand?\n").exit_code == 4
        assert len(server.requests) == 1

    def test_a_failure_on_a_terminal_ends_the_turn_only(self, run_main: Run, server: OpenAIServer) -> None:
        server.fail_next(status=401)
        server.replies.append("It retries [1].")
        shown = run_on_terminal("chat", typed="what is the backoff\nwhat is the backoff\n/exit\n")
        assert "refused the API key" in shown.screen
        assert "It retries [1]." in shown.screen
        assert shown.exit_code == 0


def test_a_model_with_a_small_window_answers_from_fewer_sources(run_main: Run, server: OpenAIServer) -> None:
    refusal = {"error": {"message": "request (9123 tokens) exceeds the available context size (8192 tokens)"}}

    def answer(request: Request) -> Raw | None:
        return json_answer(refusal, status=400) if "<source 2 " in request.body["messages"][-1]["content"] else None

    server.answer = answer
    server.replies.append("It waits [1].")
    result = run_main("ask", "backoff pending message", env={"ASKREPO_STEPS": "2"})
    assert result.exit_code == 0
    assert result.stdout.startswith("It waits [1].")
    assert result.stderr.count("so the answer comes from these") == 1
    (kept,) = json_lines(run_main("log", "--json"))
    assert len(kept["sources"]) == 1
