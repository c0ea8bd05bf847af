from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from askrepo.answer.chat_models import MAX_CALLS, ChatModel, SchemaRefusedError, ToolsRefusedError, open_chat_model
from askrepo.errors import (
    AskrepoError,
    CredentialsError,
    RateLimitedError,
    RemoteRefusedError,
    RemoteUnavailableError,
)
from tests.fakes import OpenAIServer, Raw, called, chunk, json_answer, spoken, sse, whole

KEY = "sk-very-secret-key"
QUESTION = [HumanMessage("Where does it start?")]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(api_key=KEY) as server:
        server.replies.append("It starts in main.py [1].")
        yield server


def model_at(server: OpenAIServer, *, name: str = "any", api_key: str | None = KEY, **options: Any) -> ChatModel:
    options = {"timeout_s": 5.0, "max_retries": 0} | options
    return open_chat_model(name, api_key=api_key, base_url=server.base_url, **options)


def known_model_at(server: OpenAIServer, **options: Any) -> ChatModel:
    """A model that has shown that it does not think aloud, so that its answers may be shown as they arrive."""
    model = model_at(server, **options)
    model.ways.writes_plainly = True
    return model


def test_a_reply_arrives_piece_by_piece(server: OpenAIServer) -> None:
    assert list(known_model_at(server).stream(QUESTION)) == ["It ", "starts ", "in ", "main.py ", "[1]."]


def test_a_whole_reply_is_the_joined_pieces(server: OpenAIServer) -> None:
    assert model_at(server).complete(QUESTION) == "It starts in main.py [1]."


def test_an_endpoint_without_keys_needs_none() -> None:
    with OpenAIServer(replies=["Yes."]) as server:
        assert model_at(server, api_key=None).complete(QUESTION) == "Yes."


def test_openai_itself_needs_a_key() -> None:
    with pytest.raises(CredentialsError, match="OPENAI_API_KEY"):
        open_chat_model("gpt", api_key=None, base_url=None, timeout_s=1)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, CredentialsError),
        (403, CredentialsError),
        (404, RemoteRefusedError),
        (400, RemoteRefusedError),
        (429, RateLimitedError),
        (500, RemoteUnavailableError),
        (503, RemoteUnavailableError),
    ],
)
def test_each_refusal_has_its_own_error(server: OpenAIServer, status: int, error: type[AskrepoError]) -> None:
    server.fail_next(status=status, message=f"bad key {KEY}\x1b[2J")
    with pytest.raises(error) as caught:
        model_at(server).complete(QUESTION)
    assert str(status) in str(caught.value)
    assert KEY not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_wrong_key_is_never_repeated(server: OpenAIServer) -> None:
    with pytest.raises(CredentialsError) as caught:
        model_at(server, api_key="sk-wrong-key").complete(QUESTION)
    assert "sk-wrong-key" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_rate_limit_tells_how_long_to_wait(server: OpenAIServer) -> None:
    server.fail_next(status=429, retry_after=7)
    with pytest.raises(RateLimitedError, match="wait 7 s") as caught:
        model_at(server).complete(QUESTION)
    assert caught.value.retry_after_s == 7


def test_a_short_rate_limit_heals_by_one_retry(server: OpenAIServer) -> None:
    server.fail_next(status=429, retry_after=0.01)
    assert model_at(server, max_retries=1).complete(QUESTION).startswith("It starts")


def test_a_malformed_answer_is_no_crash(server: OpenAIServer) -> None:
    server.fail_next(fault="malformed")
    with pytest.raises(RemoteUnavailableError, match="not a chat completion"):
        model_at(server).complete(QUESTION)


def test_a_silent_endpoint_is_given_up(server: OpenAIServer) -> None:
    server.fail_next(fault="hang")
    started = time.monotonic()
    with pytest.raises(RemoteUnavailableError, match=r"silent for 0\.3 s.*ASKREPO_CHAT_TIMEOUT_S"):
        model_at(server, timeout_s=0.3).complete(QUESTION)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("fault", ["cut", "stall"])
def test_a_stream_that_dies_says_that_it_is_incomplete(server: OpenAIServer, fault: Any) -> None:
    server.fail_next(fault=fault, after=2)
    pieces = known_model_at(server, timeout_s=0.5).stream(QUESTION)
    assert [next(pieces), next(pieces)] == ["It ", "starts "]
    with pytest.raises(RemoteUnavailableError, match="incomplete"):
        next(pieces)


def test_an_empty_answer_is_an_error(server: OpenAIServer) -> None:
    server.replies[:] = [""]
    with pytest.raises(RemoteUnavailableError, match="empty answer"):
        model_at(server).complete(QUESTION)


def test_nobody_listening_is_told_with_the_address() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        model = open_chat_model("any", api_key=KEY, base_url=address, timeout_s=2, max_retries=0)
        with pytest.raises(RemoteUnavailableError, match="cannot be reached") as caught:
            model.complete(QUESTION)
    assert address in str(caught.value)


def responses_model_at(server: OpenAIServer, **options: Any) -> ChatModel:
    model = model_at(server, **options)
    model.ways.takes_responses = True
    return model


def response(status: str = "completed", text: str = "It starts [1].", **more: Any) -> dict[str, Any]:
    output = [{"type": "message", "content": [{"type": "output_text", "text": text}]}] if text else []
    return {"object": "response", "status": status, "output": output, **more}


def said(text: str) -> list[dict[str, str]]:
    return [{"type": "response.output_text.delta", "delta": word} for word in text.split("|")]


RESPONSES = {
    "completed": (
        sse(*said("It |starts [1]."), {"type": "response.completed", "response": response()}, end=[]),
        "stop",
    ),
    "text at the end only": (sse({"type": "response.completed", "response": response()}, end=[]), "stop"),
    "reasoning first": (
        sse(
            {"type": "response.reasoning_summary_text.delta", "delta": "Hm."},
            *said("It starts [1]."),
            {"type": "response.output_text.done", "text": "It starts [1]."},
            {"type": "response.completed", "response": response()},
        ),
        "stop",
    ),
    "not streamed": (json_answer(response()), "stop"),
    "incomplete": (
        sse(
            *said("It starts [1]."),
            {
                "type": "response.incomplete",
                "response": response("incomplete", incomplete_details={"reason": "max_output_tokens"}),
            },
        ),
        "max_output_tokens",
    ),
}


@pytest.mark.parametrize(("sent", "finish"), RESPONSES.values(), ids=RESPONSES)
def test_the_responses_api_is_read_to_its_end(server: OpenAIServer, sent: Raw, finish: str) -> None:
    server.answers.append(sent)
    reply = responses_model_at(server).stream(QUESTION)
    assert "".join(reply) == "It starts [1]."
    assert reply.finish_reason == finish
    assert server.requests[0].path == "/v1/responses"
    assert server.requests[0].body["input"] == [{"role": "user", "content": "Where does it start?"}]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (sse(*said("It "), end=[]), "incomplete"),
        (sse({"type": "response.failed", "response": response("failed", error={"message": "no luck"})}), "no luck"),
        (sse({"type": "error", "message": "lost the thread"}), "lost the thread"),
        (sse({"type": "response.refusal.delta", "delta": "No."}, {"type": "response.completed", "response": {}}), "No"),
        (json_answer(response("failed", "", error={"message": "no luck"})), "no luck"),
    ],
    ids=["cut", "failed", "error", "refusal", "failed at once"],
)
def test_the_responses_api_says_what_went_wrong(server: OpenAIServer, sent: Raw, expected: str) -> None:
    server.answers.append(sent)
    with pytest.raises(AskrepoError, match=expected):
        responses_model_at(server).complete(QUESTION)


@pytest.mark.parametrize(
    ("name", "is_asked"), [("gpt-5-pro", True), ("gpt-5-codex", True), ("gpt-5-mini", False)], ids=str
)
def test_openai_itself_is_asked_by_the_api_that_the_model_needs(name: str, is_asked: bool) -> None:
    model = open_chat_model(name, api_key=KEY, base_url=None, timeout_s=1)
    assert model.ways.takes_responses is is_asked


def test_a_model_of_the_other_api_is_asked_again_by_it(server: OpenAIServer) -> None:
    only = "This model is only supported in v1/responses and not in v1/chat/completions."
    server.answers += [json_answer({"error": {"message": only}}, status=404), json_answer(response())]
    assert model_at(server).complete(QUESTION) == "It starts [1]."
    assert [request.path for request in server.requests] == ["/v1/chat/completions", "/v1/responses"]


def test_a_way_to_ask_is_remembered(server: OpenAIServer) -> None:
    refusal = json_answer({"error": "System role not supported"}, status=400)
    server.answers += [refusal, spoken("One."), spoken("Two.")]
    model = model_at(server)
    messages = [SystemMessage("Rules."), *QUESTION]
    assert [model.complete(messages), model.complete(messages)] == ["One.", "Two."]
    assert [len(request.body["messages"]) for request in server.requests] == [2, 1, 1]


def test_no_address_of_the_client_library_leads_elsewhere(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/elsewhere")
    assert model_at(server).complete(QUESTION).startswith("It starts")
    model = open_chat_model("gpt-5-mini", api_key=KEY, base_url=None, timeout_s=1)
    assert str(model.client.root_client.base_url) == "https://api.openai.com/v1/"


def test_half_a_surrogate_pair_does_not_spoil_the_history(server: OpenAIServer) -> None:
    server.answers.append(sse(b'data: {"choices": [{"delta": {"content": "It \\ud83d waits"}}]}\n\n'))
    reply = model_at(server).complete(QUESTION)
    assert reply == "It ? waits"
    assert model_at(server).complete([HumanMessage(reply)]).startswith("It starts")


def test_ways_that_lead_nowhere_are_forgotten(server: OpenAIServer) -> None:
    server.answers += [json_answer({"error": "bad role"}, status=400), json_answer({"error": "bad"}, status=400)]
    model = model_at(server)
    with pytest.raises(RemoteRefusedError):
        model.complete([SystemMessage("Rules."), *QUESTION])
    assert model.ways.takes_system_role


def test_the_first_answer_of_a_model_waits_until_it_is_known_to_be_no_thought(server: OpenAIServer) -> None:
    server.answers += [spoken("The user wants [1].</think>It waits [1]."), sse(chunk("Hm, the user"), end=[])]
    model = model_at(server)
    assert list(model.stream(QUESTION)) == ["It waits [1]."]
    reply = model.stream(QUESTION)
    with pytest.raises(RemoteUnavailableError, match="after 12 characters"):
        next(reply)


def test_what_is_shown_as_it_arrives_is_learnt_from_a_whole_answer(server: OpenAIServer) -> None:
    server.answers += [spoken("One answer."), spoken("Another one.", size=6)]
    model = model_at(server)
    assert list(model.stream(QUESTION)) == ["One answer."]
    assert list(model.stream(QUESTION)) == ["Anothe", "r one."]


TOOL = {"name": "read", "description": "Reads.", "parameters": {"type": "object", "properties": {}}}


class TestToolCalls:
    def test_calls_are_put_together_from_their_pieces(self, server: OpenAIServer) -> None:
        server.calls.append([("read", {"path": "a.py"}), ("find", {"name": "x"})])
        calls = model_at(server).call(QUESTION, [TOOL])
        assert [(call.id, call.name, call.arguments) for call in calls] == [
            ("call-0", "read", '{"path": "a.py"}'),
            ("call-1", "find", '{"name": "x"}'),
        ]
        assert server.requests[-1].body["tools"] == [{"type": "function", "function": TOOL}]

    @pytest.mark.parametrize(
        "answer",
        [
            whole(None, finish="tool_calls", tool_calls=[{"id": "a", "function": {"name": "read", "arguments": "{}"}}]),
            whole("", finish="stop", tool_calls=[{"function": {"name": "read", "arguments": {}}}]),
            sse(
                chunk(
                    tool_calls=[{"index": 0, "id": "a", "function": {"name": "read", "arguments": "{}"}}], finish="stop"
                )
            ),
            called(("read", "{}"), talk="Let me look at the file first."),
        ],
        ids=["at once", "as an object", "in one event", "after some talk"],
    )
    def test_calls_come_in_several_shapes(self, server: OpenAIServer, answer: Raw) -> None:
        server.answers.append(answer)
        (call,) = model_at(server).call(QUESTION, [TOOL])
        assert (call.name, call.arguments) == ("read", "{}")
        assert call.id

    def test_parallel_calls_under_one_index_are_told_apart_by_their_ids(self, server: OpenAIServer) -> None:
        parts = [{"index": 0, "id": name, "function": {"name": name, "arguments": "{}"}} for name in ("read", "find")]
        server.answers.append(sse(*(chunk(tool_calls=[part]) for part in parts), chunk(finish="tool_calls")))
        assert [call.name for call in model_at(server).call(QUESTION, [TOOL])] == ["read", "find"]

    def test_a_thousand_calls_are_bounded(self, server: OpenAIServer) -> None:
        server.calls.append([("read", {"n": n}) for n in range(1000)])
        assert len(model_at(server).call(QUESTION, [TOOL])) == MAX_CALLS

    def test_arguments_without_an_end_are_bounded(self, server: OpenAIServer) -> None:
        server.calls.append([("read", "x" * 5000)])
        with pytest.raises(RemoteUnavailableError, match="longer than 1,000 characters"):
            model_at(server, max_chars=1000).call(QUESTION, [TOOL])

    @pytest.mark.parametrize("is_known", [False, True])
    def test_calls_that_are_written_into_the_text_count(self, server: OpenAIServer, is_known: bool) -> None:
        text = '{{"name": "read", "arguments": {"path": "a"}}}\n{"name": "grep", "arguments": {}}'
        server.answers += [spoken(f"<think>{text}</think>READY"), spoken(text, size=3)]
        model = known_model_at(server) if is_known else model_at(server)
        assert model.call(QUESTION, [TOOL]) == ()  # a thought is no call
        (call,) = model.call(QUESTION, [TOOL])
        assert (call.name, call.arguments, bool(call.id)) == ("read", '{"path": "a"}', True)

    def test_a_model_that_has_nothing_to_call_gives_none(self, server: OpenAIServer) -> None:
        assert model_at(server).call(QUESTION, [TOOL]) == ()

    def test_a_model_that_answers_instead_is_not_listened_to_for_long(self, server: OpenAIServer) -> None:
        server.answers.append(sse(chunk("An answer. " * 100), end=[None]))  # it would never end
        assert known_model_at(server).call(QUESTION, [TOOL]) == ()

    @pytest.mark.parametrize(
        "message",
        [
            "any does not support tools",
            '"auto" tool choice requires --enable-auto-tool-choice',
            "tools param requires --jinja flag",
            "function calling is not enabled",
        ],
    )
    @pytest.mark.parametrize("status", [400, 404, 422, 500])
    def test_a_server_without_tools_is_remembered(self, server: OpenAIServer, message: str, status: int) -> None:
        server.answers.append(json_answer({"error": {"message": message}}, status=status))
        model = model_at(server)
        for _ in range(2):
            with pytest.raises(ToolsRefusedError):
                model.call(QUESTION, [TOOL])
        assert len(server.requests) == 1
        assert model.complete(QUESTION) == "It starts in main.py [1]."
        assert "tools" not in server.requests[-1].body

    def test_other_refusals_stay_what_they_are(self, server: OpenAIServer) -> None:
        server.answers.append(json_answer({"error": {"message": "no such model"}}, status=404))
        with pytest.raises(RemoteRefusedError, match="no such model"):
            model_at(server).call(QUESTION, [TOOL])

    def test_the_responses_api_has_calls_of_its_own(self, server: OpenAIServer) -> None:
        item = {"type": "function_call", "call_id": "a", "name": "read", "arguments": "{}"}
        response = {"object": "response", "status": "completed", "output": [item]}
        server.answers += [sse({"type": "response.completed", "response": response}, end=[])] * 2
        model = model_at(server)
        model.ways.takes_responses = True
        (call,) = model.call(QUESTION, [TOOL])
        assert (call.id, call.name) == ("a", "read")
        said = [
            *QUESTION,
            AIMessage("", tool_calls=[{"name": "read", "args": {}, "id": "a", "type": "tool_call"}]),
            ToolMessage("lines", tool_call_id="a"),
        ]
        model.call(said, [TOOL])
        body = server.requests[-1].body
        assert body["tools"] == [{"type": "function", **TOOL}]
        assert body["input"][1:] == [
            {"type": "function_call", "call_id": "a", "name": "read", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "lines"},
        ]


SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}


@pytest.mark.parametrize("takes_responses", [False, True], ids=["chat", "responses"])
def test_a_schema_is_sent_as_each_api_takes_it(server: OpenAIServer, takes_responses: bool) -> None:
    server.answers.append(json_answer(response(text="{}")) if takes_responses else whole("{}"))
    model = model_at(server)
    model.ways.takes_responses = takes_responses
    assert "".join(model.with_schema(SCHEMA).stream(QUESTION)) == "{}"
    body = server.requests[0].body
    asked = {"name": "answer", "strict": True, "schema": SCHEMA}
    if takes_responses:
        assert body["text"] == {"format": {"type": "json_schema", **asked}}
    else:
        assert body["response_format"] == {"type": "json_schema", "json_schema": asked}


@pytest.mark.parametrize(
    ("status", "message", "is_of_schema"),
    [
        (400, "Bad request", True),
        (422, "extra fields not permitted", True),
        (404, "No endpoints found that support response_format", True),
        (404, "The model does not exist", False),
        (413, "Too large", False),
        (400, "Incorrect API key provided", False),
    ],
)
def test_a_refusal_that_may_be_of_the_schema_is_told_apart(
    server: OpenAIServer, status: int, message: str, is_of_schema: bool
) -> None:
    server.fail_next(status=status, message=message)
    with pytest.raises(SchemaRefusedError if is_of_schema else AskrepoError):
        list(model_at(server).with_schema(SCHEMA).stream(QUESTION))
