"""Chat endpoints as they are: what `ask` prints for each quirk, its exit code and its JSON."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes import DONE, OpenAIServer, Raw, Request, chunk, json_answer, spoken, sse, text_answer, whole
from tests.query.conftest import KEY, Run, json_lines

ANSWER = "It waits 2**attempt seconds [1]."
THOUGHT = "The user asks about SECRETPLAN, see [2]."


@dataclass(frozen=True)
class Case:
    """What an endpoint sends, and what comes of it."""

    sent: Raw
    finish: str | None = "stop"
    code: int = 0
    answer: str | None = ANSWER
    said: str = ""


def parts(*texts: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text} for text in texts]


def error(message: str, **more: object) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


GOOD = {
    "plain": Case(spoken(ANSWER)),
    "no finish but done": Case(spoken(ANSWER, finish=None), finish=None),
    "finish but cut": Case(spoken(ANSWER, end=[], is_whole=False)),
    "finish, never closed": Case(spoken(ANSWER, end=[None])),
    "done, never closed": Case(sse(chunk(ANSWER), end=[DONE, None]), finish=None),
    "stream ignored": Case(whole(ANSWER)),
    "parts": Case(sse(chunk(parts("It waits ", "2**attempt ")), chunk(parts("seconds [1].")), chunk(finish="stop"))),
    "parts, not streamed": Case(whole(parts("It waits 2**attempt ", "seconds [1]."))),
    "mistral's thoughts": Case(
        sse(chunk([{"type": "thinking", "thinking": parts(THOUGHT)}]), chunk(parts(ANSWER)), chunk(finish="stop"))
    ),
    "comments, no blank lines": Case(
        Raw([b": hello\n", b"data: " + json.dumps(chunk(ANSWER)).encode() + b"\n", b"data: [DONE]\n"]), finish=None
    ),
    "carriage returns": Case(
        Raw([b"\xef\xbb\xbfdata:" + json.dumps(chunk(ANSWER)).encode() + b"\r\n\r\ndata:[DONE]\r\n\r\n"]), finish=None
    ),
    "event over several lines": Case(
        Raw([b"".join(b"data: " + line + b"\n" for line in json.dumps(chunk(ANSWER), indent=1).encode().split(b"\n")),
             b"\n", DONE]), finish=None
    ),
    "usage after the end": Case(sse(chunk(ANSWER, finish="stop"), {"choices": [], "usage": {}})),
    "filter results first": Case(sse({"choices": [], "prompt_filter_results": []}, chunk(ANSWER, finish="stop"))),
    "unknown events": Case(sse({"type": "ping"}, {}, chunk(ANSWER, finish="stop"))),
    "message repeated at the end": Case(
        sse(chunk(ANSWER), {"choices": [{"delta": {}, "message": {"content": ANSWER}, "finish_reason": "stop"}]})
    ),
    "two choices": Case(
        sse({"choices": [{"index": 1, "delta": {"content": "Other"}}, {"index": 0, "delta": {"content": ANSWER}}]}),
        finish=None,
    ),
    "no delta": Case(sse({"choices": [{"index": 0, "delta": None}]}, chunk(ANSWER, finish="stop"))),
    "odd end": Case(spoken(ANSWER, finish="eos_token"), finish="eos_token"),
    "reasoning_content": Case(sse(chunk(reasoning_content=THOUGHT), chunk(ANSWER, finish="stop"))),
    "reasoning": Case(sse(chunk("", reasoning=THOUGHT), chunk(ANSWER, finish="stop"))),
    "reasoning, not streamed": Case(whole(ANSWER, reasoning_content=THOUGHT)),
}  # fmt: skip
THINKING = {
    "think": f"<think>{THOUGHT}</think>\n\n{ANSWER}",
    "closing only": f"{THOUGHT}\n</think>\n\n{ANSWER}",
    "closing only, twice": f"{THOUGHT}</think>{THOUGHT}</think>{ANSWER}",
    "empty": f"<think>\n\n</think>\n\n{ANSWER}",
    "capitals": f"<THINK>{THOUGHT}</Think>{ANSWER}",
    "thinking": f"<thinking>{THOUGHT}</thinking>{ANSWER}",
    "reasoning": f"<reasoning>{THOUGHT}</reasoning>{ANSWER}",
    "thought": f"\n<thought>{THOUGHT}</thought>{ANSWER}",
    "attributes": f'<think effort="high">{THOUGHT}</think >{ANSWER}',
    "prefix": f"<seed:think>{THOUGHT}</seed:think>{ANSWER}",
    "brackets": f"[THINK]{THOUGHT}[/THINK]{ANSWER}",
    "triangles": f"◁think▷{THOUGHT}◁/think▷{ANSWER}",
    "nested": f"<think>{THOUGHT}<think>{THOUGHT}</think>{THOUGHT}</think>{ANSWER}",
    "opens another": f"<think>{THOUGHT} A <think> tag.</think>{ANSWER}",
    "channels": f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
    "final channel only": f"{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}<|return|>",
    "bare channels": f"analysis{THOUGHT}assistantfinal{ANSWER}",
    "begin_of_thought": f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|>{ANSWER}",
}
BAD = {
    "length": Case(spoken(ANSWER, finish="length"), "length", 2, ANSWER, "the answer is incomplete: it was cut off at"),
    "length, not streamed": Case(whole(ANSWER, finish="length"), "length", 2, ANSWER, "incomplete"),
    "max_tokens": Case(spoken(ANSWER, finish="MAX_TOKENS"), "MAX_TOKENS", 2, ANSWER, "incomplete"),
    "filtered": Case(spoken(ANSWER, finish="content_filter"), "content_filter", 2, ANSWER, "content filter cut it off"),
    "tool after words": Case(spoken(ANSWER, finish="tool_calls"), "tool_calls", 2, ANSWER, "to call a tool"),
    "refusal after words": Case(
        sse(chunk(ANSWER), chunk(refusal="No more."), chunk(finish="stop")), "refusal", 2, ANSWER, "refused to go on"
    ),
    "cut": Case(spoken(ANSWER, finish=None, end=[]), None, 2, None, "broke its answer off"),
    "cut in a frame": Case(spoken(ANSWER, finish=None, end=[], is_whole=False), None, 2, None, "broke its answer off"),
    "a tool called in passing": Case(
        sse(chunk(ANSWER), chunk(tool_calls=[{"function": {"name": "f"}}]), chunk(finish="stop")),
        "tool_calls", 2, ANSWER, "to call a tool",
    ),
    "no body": Case(Raw(), code=2, said="before its answer began"),
    "no content": Case(Raw(status=202), code=2, said="before its answer began"),
    "no choices, not streamed": Case(json_answer({"id": "x", "choices": []}), code=2, said="not a chat completion"),
    "null": Case(json_answer(None), code=2, said="not a chat completion"),
    "ended by an error": Case(spoken(ANSWER, finish="error"), code=2, said="broke its answer off"),
    "aborted": Case(spoken(ANSWER, finish="abort", end=[]), code=2, said="broke its answer off"),
    "reasoning only": Case(sse(chunk(reasoning=THOUGHT), chunk(finish="stop")), code=2, said="only its reasoning"),
    "unclosed": Case(spoken("<think>" + THOUGHT), code=2, said="only its reasoning"),
    "reasoning, then length": Case(spoken("<think>" + THOUGHT, finish="length"), code=2, said="at its limit of length"),
    "tool call only": Case(
        sse(chunk(tool_calls=[{"index": 0, "function": {"name": "search"}}]), chunk(finish="tool_calls")),
        code=2, said="wants to call search",
    ),
    "tool call, not streamed": Case(
        whole(None, finish="tool_calls", tool_calls=[{"function": {"name": "grep"}}]), code=2, said="wants to call grep"
    ),
    "function call": Case(
        sse(chunk(function_call={"name": "old"}), chunk(finish="function_call")), code=2, said="wants to call old"
    ),
    "refusal only": Case(sse(chunk(refusal="I will not."), chunk(finish="stop")), code=2, said="refused to answer"),
    "refusal, not streamed": Case(whole(None, refusal="I will not."), code=2, said="refused to answer: I will not."),
    "all filtered": Case(spoken("", finish="content_filter"), code=2, said="content filter"),
    "empty": Case(spoken(""), code=2, said="empty answer"),
    "blank": Case(spoken(" \n\n "), code=2, said="empty answer"),
    "no choices at all": Case(sse(), code=2, said="empty answer"),
    "error in the stream": Case(sse(chunk("It "), error("KV cache is full")), code=2, said="KV cache is full"),
    "error as text": Case(sse({"error": "the runner crashed"}), code=2, said="the runner crashed"),
    "error event": Case(
        Raw([b"event: error\ndata: upstream went away\n\n"]), code=2, said="upstream went away"
    ),
    "vllm's error": Case(sse({"object": "error", "message": "bad sampling", "code": 400}), code=2, said="bad sampling"),
    "detail in the stream": Case(sse({"detail": "no such deployment"}), code=2, said="no such deployment"),
    "error with status 200": Case(json_answer(error("overloaded")), code=2, said="overloaded"),
    "limit in the stream": Case(sse(error("slow", code=429)), code=2, said="slow down"),
    "a page": Case(text_answer("<!DOCTYPE html><h1>Welcome</h1>", kind="text/html"), code=2, said="a web page"),
    "plain text": Case(text_answer("It works!"), code=2, said="It works!"),
    "a list": Case(json_answer([1, 2]), code=2, said="not a chat completion"),
    "deep nesting": Case(text_answer("[" * 100_000), code=2, said="not a chat completion"),
    "choices are no list": Case(sse({"choices": "none"}), code=2, said="broke off"),
    "choices are strings": Case(sse({"choices": ["a"]}), code=2, said="not a chat completion"),
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD)
def test_an_answer_is_an_answer_however_it_is_sent(run_main: Run, server: OpenAIServer, case: Case) -> None:
    server.answers.append(case.sent)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = run_main("ask", "backoff", "--json")
    assert result.exit_code == 0, result.stderr
    (told,) = json_lines(result)
    assert (told["answer"], told["finish_reason"]) == (case.answer, case.finish)
    assert [cited["n"] for cited in told["citations"]] == [1]
    assert len(server.requests) == 1


@pytest.mark.parametrize("text", THINKING.values(), ids=THINKING)
def test_thoughts_are_neither_shown_nor_cited(run_main: Run, server: OpenAIServer, text: str) -> None:
    server.answers.append(spoken(text, size=4))
    result = run_main("ask", "backoff")
    assert result.stdout.startswith(ANSWER + "\n\nSources\n[1] parcel@")
    assert "[2]" not in result.stdout
    assert "SECRETPLAN" not in result.output


def test_thoughts_are_not_in_the_history_nor_in_the_condensed_question(run_main: Run, server: OpenAIServer) -> None:
    server.answers += [spoken(THINKING["closing only"]), spoken(f"<think>{THOUGHT}</think>How long is the backoff?")]
    server.answers.append(spoken(ANSWER))
    result = run_main("chat", "--json", input="what is the backoff\nhow long?\n")
    assert json_lines(result)[1]["standalone_question"] == "How long is the backoff?"
    assert "SECRETPLAN" not in json.dumps([request.body for request in server.requests])


def test_whoever_began_plainly_may_still_close_a_thought_later(run_main: Run, server: OpenAIServer) -> None:
    server.answers += [spoken("It waits [1]."), spoken("hm</think>backoff of retries"), spoken("hm</think>Then [1].")]
    server.answers += [spoken("well</think>backoff again"), spoken("hidden</think>More [1].")]
    result = run_main("chat", input="backoff\nand then?\nand now?\n")
    assert "searched: backoff of retries\n" in result.stderr
    assert "hm" not in server.requests[3].body["messages"][-1]["content"]  # the third turn's history
    assert "hidden" not in result.stdout


def test_piped_questions_tell_by_the_code_that_one_answer_was_cut(run_main: Run, server: OpenAIServer) -> None:
    server.answers += [spoken("It waits [1] and", finish="length")]
    assert run_main("chat", input="backoff\n").exit_code == 2


def test_a_limit_that_leaves_no_word_is_named(run_main: Run, server: OpenAIServer) -> None:
    server.answers += [spoken("", finish="length")]
    assert "was cut off at its limit of length before it wrote a word" in run_main("ask", "backoff").stderr


def test_spaces_around_a_base_url_are_forgiven(run_main: Run, server: OpenAIServer) -> None:
    server.answers += [spoken("It waits [1].")]
    assert run_main("ask", "backoff", env={"ASKREPO_OPENAI_BASE_URL": f" {server.base_url}\n"}).exit_code == 0


def test_a_condensed_question_that_was_cut_off_is_not_searched(run_main: Run, server: OpenAIServer) -> None:
    server.answers += [spoken(ANSWER), spoken("How long does the", finish="length"), spoken(ANSWER)]
    result = run_main("chat", "--json", input="what is the backoff\nand the backoff again?\n")
    assert json_lines(result)[1]["standalone_question"] == "and the backoff again?"
    assert "searched:" not in result.stderr


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_what_is_no_good_answer_says_what_came(run_main: Run, server: OpenAIServer, case: Case) -> None:
    server.answers += [case.sent] * 2
    result = run_main("ask", "backoff", "--json")
    assert result.exit_code == case.code
    assert case.said in result.stderr
    assert "Traceback" not in result.stderr
    told = json_lines(result)
    if told:
        assert (told[0]["answer"], told[0]["finish_reason"]) == (case.answer, case.finish)
    else:
        assert len(result.stderr.splitlines()) == 1


def refuses_system_role(said: Raw) -> Any:
    def answer(request: Request) -> Raw:
        roles = [message["role"] for message in request.body["messages"]]
        return said if roles[0] != "user" else spoken(ANSWER)

    return answer


SYSTEM_REFUSALS = {
    "gemma": json_answer({"object": "error", "message": "System role not supported"}, status=400),
    "template": json_answer(error("Conversation roles must alternate user/assistant/user/assistant/..."), status=400),
    "google": json_answer([error("Developer instruction is not enabled for models/gemma-3")], status=400),
    "openai": json_answer(error("Unsupported value: 'messages[0].role' does not support 'system'"), status=400),
    "pydantic": json_answer({"detail": [{"loc": ["messages", 0, "role"], "msg": "Should be 'user'"}]}, status=422),
    "llama.cpp": json_answer(error("Jinja Exception: System role not supported"), status=500),
    "text": text_answer("the system prompt is not allowed", status=400),
    "in the stream": sse(error("System role not supported")),
}  # fmt: skip


@pytest.mark.parametrize("said", SYSTEM_REFUSALS.values(), ids=SYSTEM_REFUSALS)
def test_without_a_system_role_the_rules_go_into_the_users_message(
    run_main: Run, server: OpenAIServer, said: Raw
) -> None:
    server.answer = refuses_system_role(said)
    result = run_main("ask", "backoff")
    assert result.stdout.startswith(ANSWER)
    (message,) = server.requests[-1].body["messages"]
    assert message["role"] == "user"
    assert message["content"].startswith("You answer questions about source repositories")
    assert "<source 1 " in message["content"]
    assert message["content"].index("<source 1 ") < message["content"].rindex("Question: backoff")


STREAM_REFUSALS = {
    "openai": json_answer(
        error("Your organization must be verified to stream this model.", param="stream"), status=400
    ),
    "pydantic": json_answer(
        {"detail": [{"loc": ["body", "stream"], "msg": "Extra inputs are not permitted"}]}, status=422
    ),
    "plain": text_answer("streaming is not implemented", status=501),
}


@pytest.mark.parametrize("said", STREAM_REFUSALS.values(), ids=STREAM_REFUSALS)
def test_where_streams_are_refused_it_is_asked_again_without(run_main: Run, server: OpenAIServer, said: Raw) -> None:
    server.answer = lambda request: said if request.body.get("stream") else whole(ANSWER)
    result = run_main("ask", "backoff")
    assert result.stdout.startswith(ANSWER)
    assert "stream" not in server.requests[-1].body


def test_neither_system_role_nor_stream(run_main: Run, server: OpenAIServer) -> None:
    def answer(request: Request) -> Raw:
        if request.body.get("stream"):
            return STREAM_REFUSALS["plain"]
        return SYSTEM_REFUSALS["gemma"] if len(request.body["messages"]) > 1 else whole(ANSWER)

    server.answer = answer
    assert run_main("ask", "backoff").stdout.startswith(ANSWER)


def test_what_stays_refused_is_not_asked_for_ever(run_main: Run, server: OpenAIServer) -> None:
    server.answer = lambda request: json_answer(error("bad system stream v1/responses role"), status=400)
    result = run_main("ask", "backoff")
    assert result.exit_code == 2
    assert len(server.requests) == 5  # in four ways, and then in prose


@pytest.mark.parametrize("name", ["gpt-5-pro", "gpt-5.2-pro-2026", "my-codex", "codex-7b-instruct"])
def test_other_endpoints_are_asked_by_the_chat_api_whatever_the_model_is_called(
    run_main: Run, server: OpenAIServer, name: str
) -> None:
    server.answers.append(spoken(ANSWER))
    result = run_main("ask", "backoff", env={"ASKREPO_CHAT_MODEL": name})
    assert result.exit_code == 0
    assert [request.path for request in server.requests] == ["/v1/chat/completions"]


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"ASKREPO_CHAT_TIMEOUT_S": "0.4"}, "was silent for 0.4 s"),
        ({"ASKREPO_CHAT_TIMEOUT_S": "5", "ASKREPO_CHAT_MAX_S": "0.5"}, "took longer than 0.5 s"),
    ],
    ids=["silence", "total"],
)
@pytest.mark.parametrize("part", [b": ping\n\n", b":", b"data: {}\n\n"], ids=["ping", "half a ping", "empty event"])
def test_keeping_alive_is_no_sign_of_life(
    run_main: Run, server: OpenAIServer, part: bytes, env: dict[str, str], said: str
) -> None:
    server.answers.append(sse(chunk("It "), end=[part, 0.1] * 60))
    result = run_main("ask", "backoff", env=env)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"ASKREPO_CHAT_MAX_S": "0.5"}, "took longer than 0.5 s; what was received is incomplete"),
        ({"ASKREPO_CHAT_MAX_CHARS": "20"}, "longer than 20 characters"),
    ],
    ids=["time", "size"],
)
@pytest.mark.parametrize("field", ["content", "reasoning_content"])
def test_an_endless_answer_is_ended(
    run_main: Run, server: OpenAIServer, env: dict[str, str], said: str, field: str
) -> None:
    piece = sse(chunk(**{field: "word "}), end=[]).parts[0]
    server.answers.append(sse(end=[piece, 0.05] * 60))
    result = run_main("ask", "backoff", env=env)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "ASKREPO_CHAT_MAX_" in result.stderr


REFUSALS = {
    "detail": ({"detail": "Model is sleeping"}, 400, "Model is sleeping"),
    "text": ({"error": "Model is sleeping"}, 400, "Model is sleeping"),
    "message": ({"message": "Model is sleeping"}, 400, "Model is sleeping"),
    "pydantic": ({"detail": [{"loc": ["body", "n"], "msg": "too many", "type": "x"}]}, 422, "body.n: too many"),
    "google": ([{"error": {"code": 400, "message": "Model is sleeping", "status": "BAD"}}], 400, "Model is sleeping"),
    "problem": ({"type": "about:blank", "title": "Asleep", "detail": "Wake it"}, 400, "Wake it; Asleep"),
    "unknown shape": ({"odd": 1}, 400, '{"odd": 1}'),
    "nested": ({"error": {"error": {"message": "Inner words"}}}, 400, "Inner words"),
    "text within": ({"error": {"message": '{"message": "Inner words"}'}}, 400, "Inner words"),
    "plain": ("Model is sleeping\n", 400, "Model is sleeping"),
    "page": ("<html><title>413</title><style>x{}</style><h1>Too big</h1></html>", 413, "413 Too big"),
    "empty": ("", 400, "(HTTP 400)"),
    "server error": ({"detail": "CUDA out of memory"}, 500, "CUDA out of memory"),
    "key": ({"error": "No model for this key"}, 403, "No model for this key"),
    "quota": ({"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}, 429, "quota is used up"),
    "no money": ({"error": {"message": "Insufficient Balance"}}, 402, "quota is used up: Insufficient Balance"),
    "too long": ({"error": {"message": "maximum context length is 8192 tokens"}}, 400, "ASKREPO_CONTEXT_TOKENS"),
    "no model": ({"error": {"message": "model 'x' not found, try pulling it first"}}, 404, "check the model's name"),
    "wrong path": ("404 page not found", 404, "check OPENAI_BASE_URL"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status", "said"), REFUSALS.values(), ids=REFUSALS)
def test_the_endpoints_own_reason_is_told_whatever_its_shape(
    run_main: Run, server: OpenAIServer, body: Any, status: int, said: str
) -> None:
    sent = text_answer(body, status=status) if isinstance(body, str) else json_answer(body, status=status)
    server.answer = lambda request: sent
    result = run_main("ask", "backoff")
    assert result.exit_code == (4 if status in (401, 403) else 2)
    assert said in result.stderr
    assert "wait a little" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_base_url_without_v1_is_told_what_to_write(run_main: Run, server: OpenAIServer) -> None:
    server.answer = lambda request: text_answer("404 page not found", status=404)
    url = server.base_url.removesuffix("/v1")
    result = run_main("ask", "backoff", env={"ASKREPO_OPENAI_BASE_URL": url})
    assert f"write {url}/v1 into OPENAI_BASE_URL" in result.stderr


def test_credentials_in_the_base_url_are_refused_by_ask_and_doctor_unseen(run_main: Run, server: OpenAIServer) -> None:
    env = {"ASKREPO_OPENAI_BASE_URL": server.base_url.replace("//", "//user:hunter2@")}
    for command in (["ask", "backoff"], ["chat"], ["doctor"]):
        result = run_main(*command, env=env, input="backoff\n")
        assert result.exit_code == 2
        assert "hunter2" not in result.output
        assert "credentials" in result.output
    assert server.requests == []


def test_a_long_reason_is_cut_and_shows_no_key(run_main: Run, server: OpenAIServer) -> None:
    server.answer = lambda request: json_answer(error(f"bad {KEY} " + "x " * 5000), status=400)
    result = run_main("ask", "backoff")
    assert len(result.stderr) < 800
    assert "very-secret" not in result.stderr
