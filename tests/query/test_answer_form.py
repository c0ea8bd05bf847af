"""Answers in a form: asked for where the endpoint takes it, shown as prose, found out once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes import OpenAIServer, form
from tests.query.conftest import Run, json_lines

QUOTE = "Seconds to wait before the next attempt"
SENTENCE = "It waits longer each time"


def asked_in_form(server: OpenAIServer) -> list[bool]:
    return ["response_format" in request.body for request in server.requests]


def test_a_form_is_shown_as_prose_with_citations(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "taken"
    server.replies.append(form((f"{SENTENCE}.", [1], QUOTE), ("`retry_limit` bounds it.", [1], "no such words here")))
    result = run_main("ask", "backoff")
    assert result.stdout.startswith(
        f"{SENTENCE} [1]. `retry_limit` (not found) bounds it [1] (quote not found).\n\nSources\n[1] parcel@"
    )
    assert "2 statements: 1 verified, 1 not found \u00b7 not found: retry_limit, no such words here\n" in result.stderr
    assert result.exit_code == 0


def test_the_schema_names_the_sources_there_are(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "taken"
    server.replies.append("Yes.")
    (answer,) = json_lines(run_main("ask", "message backoff", "--json"))
    sent = server.requests[-1].body
    items = sent["response_format"]["json_schema"]["schema"]["properties"]["statements"]["items"]
    assert items["properties"]["sources"]["items"]["enum"] == [source["n"] for source in answer["sources"]]
    assert "Reply with JSON only" in sent["messages"][-1]["content"]
    assert answer["answer"] == "Yes [1]."


def test_a_quotation_of_another_source_corrects_the_citation(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append("Yes [1].")
    (told,) = json_lines(run_main("ask", "backoff pending message", "--json"))
    numbers = {source["path"]: source["n"] for source in told["sources"]}
    retry, queue = numbers["src/retry.py"], numbers["src/queue.ts"]
    server.schema = "taken"
    server.replies.append(form(("It is sent.", [retry], "pending.push(message)")))
    result = run_main("ask", "backoff pending message", env={"ASKREPO_CHAT_MODEL": "another"})
    assert result.stdout.startswith(f"It is sent [{queue}] (corrected from [{retry}]).\n")
    assert "1 statement: 1 repaired\n" in result.stderr


def test_a_quotation_bears_out_all_sentences_of_its_statement(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "taken"
    server.replies.append(form((f"It does so in time. {SENTENCE}.", [1], QUOTE)))
    result = run_main("ask", "backoff")
    assert result.stdout.startswith(f"It does so in time. {SENTENCE} [1].\n")
    assert "1 statement: 1 verified\n" in result.stderr


def test_a_refused_form_is_asked_for_in_prose_and_never_again(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "refused"
    server.replies += [f"{SENTENCE} [1].", f"{SENTENCE} [1]."]
    for _ in range(2):
        assert run_main("ask", "backoff").stdout.startswith(f"{SENTENCE} [1].\n")
    assert asked_in_form(server) == [True, False, False]
    assert "Reply with JSON" not in server.requests[1].body["messages"][0]["content"]


def test_an_ignored_form_is_prose_and_is_not_asked_for_again(run_main: Run, server: OpenAIServer) -> None:
    server.replies += [f"{SENTENCE} [1].", f"{SENTENCE} [1]."]
    for _ in range(2):
        assert run_main("ask", "backoff").stdout.startswith(f"{SENTENCE} [1].\n")
    assert asked_in_form(server) == [True, False]


def test_a_form_that_is_taken_is_asked_for_again(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "taken"
    server.replies += [SENTENCE, SENTENCE]
    for _ in range(2):
        assert run_main("ask", "backoff").stdout.startswith(f"{SENTENCE} [1]\n")
    assert asked_in_form(server) == [True, True]


@pytest.mark.parametrize("value", ["off", "no", "0", " OFF "])
def test_a_form_that_is_turned_off_is_never_asked_for(run_main: Run, server: OpenAIServer, value: str) -> None:
    server.schema = "taken"
    server.replies.append(f"{SENTENCE} [1].")
    result = run_main("ask", "backoff", env={"ASKREPO_ANSWER_FORM": value})
    assert result.stdout.startswith(f"{SENTENCE} [1].\n")
    assert asked_in_form(server) == [False]
    assert "Reply with JSON" not in server.requests[0].body["messages"][-1]["content"]


def test_another_model_at_the_endpoint_is_asked_on_its_own(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "refused"
    server.replies += ["One [1].", "Two [1]."]
    run_main("ask", "backoff")
    run_main("ask", "backoff", env={"ASKREPO_CHAT_MODEL": "another"})
    assert asked_in_form(server) == [True, False, True, False]


def test_broken_json_is_shown_as_text(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "broken"
    server.replies.append(form((f"{SENTENCE}.", [1], QUOTE)))
    result = run_main("ask", "backoff")
    assert result.stdout.startswith(SENTENCE)
    assert result.exit_code == 1


def test_a_form_that_is_cut_off_is_shown_as_far_as_it_came(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "truncated"
    server.replies.append(form((f"{SENTENCE}.", [1], QUOTE), ("It stops at last, after so many attempts.", [1], QUOTE)))
    result = run_main("ask", "backoff")
    assert result.stdout.startswith(f"{SENTENCE} [1]. It stops")
    assert "incomplete: it was cut off at the model's limit of length" in result.stderr
    assert result.exit_code == 2


def test_numbers_that_are_no_source_are_marked(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "other numbers"
    server.replies.append(f"{SENTENCE}.")
    result = run_main("ask", "backoff")
    assert result.stdout.startswith(f"{SENTENCE} [97: unresolved].")
    assert "name nothing that is stored: [97]" in result.stderr
    assert result.exit_code == 1


@pytest.mark.parametrize("failure", [{"status": 401}, {"status": 429, "retry_after": 0, "times": 2}, {"status": 404}])
def test_other_refusals_are_told_and_nothing_is_learned_from_them(
    run_main: Run, server: OpenAIServer, failure: dict, clean_home: Path
) -> None:
    server.fail_next(**failure)
    assert run_main("ask", "backoff").exit_code in (2, 4)
    assert all(asked_in_form(server))
    assert list(clean_home.rglob("answer-forms.json")) == []


def test_lists_and_code_of_a_form_have_lines_of_their_own(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "taken"
    code = "```python\nreturn 2.0**attempt\n```"
    server.replies.append(
        form(("The parts:", [1], ""), ("- `backoff`", [1], ""), ("- `Retrier`", [1], ""), (code, [1], ""))
    )
    answer = run_main("ask", "backoff").stdout.partition("\n\nSources\n")[0]
    assert answer == f"The parts [1]:\n\n- `backoff` [1]\n- `Retrier` [1]\n{code} [1]"


def test_a_form_is_one_answer_under_json(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "taken"
    server.replies.append(form((f"{SENTENCE}.", [1], QUOTE)))
    (answer,) = json_lines(run_main("ask", "backoff", "--json"))
    (statement,) = answer["statements"]
    assert (statement["state"], [source["n"] for source in statement["sources"]]) == ("verified", [1])
    assert statement["quotes"] == [
        {"kind": "quote", "text": QUOTE, "found": True, "path": "src/retry.py", "start_line": 8, "end_line": 8}
    ]
    assert json.dumps(answer)
