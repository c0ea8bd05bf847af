"""The fakes behave like what they stand for, seen through the clients that the product uses."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import openai
import pytest
from openai import OpenAI

from askrepo.errors import RemoteUnavailableError
from tests import fakes


def client_of(server: fakes.OpenAIServer, *, key: str = "any", timeout: float = 10.0) -> OpenAI:
    return OpenAI(base_url=server.base_url, api_key=key, max_retries=0, timeout=timeout)


def ask(client: OpenAI, question: str = "where?") -> str:
    messages: Any = [{"role": "user", "content": question}]
    reply = client.chat.completions.create(model="chat", messages=messages)
    return reply.choices[0].message.content or ""


def streamed(client: OpenAI) -> Iterator[str]:
    messages: Any = [{"role": "user", "content": "where?"}]
    with client.chat.completions.create(model="chat", messages=messages, stream=True) as stream:
        for event in stream:
            yield from (choice.delta.content for choice in event.choices if choice.delta.content)


FORMATS = {
    "float": lambda numbers: np.array(numbers, np.float32),
    "base64": lambda text: np.frombuffer(base64.b64decode(text), "<f4"),
}


@pytest.mark.parametrize(("encoding", "decode"), FORMATS.items(), ids=FORMATS)
def test_equal_texts_have_equal_vectors_in_both_encodings(encoding, decode):
    with fakes.OpenAIServer(dimension=12) as server, client_of(server) as client:
        reply = client.embeddings.create(model="m", input=["a", "b", "a"], encoding_format=encoding)
    assert [row.index for row in reply.data] == [0, 1, 2]
    rows = [decode(row.embedding) for row in reply.data]
    assert np.array_equal(rows[0], rows[2])
    assert np.array_equal(rows[1], fakes.seeded_vector("b", 12))


def test_sdk_default_encoding_gives_the_same_numbers_as_the_seed():
    with fakes.OpenAIServer(dimension=12) as server, client_of(server) as client:
        reply = client.embeddings.create(model="m", input="text")
    assert np.array_equal(np.array(reply.data[0].embedding, np.float32), fakes.seeded_vector("text", 12))
    assert server.inputs == ["text"]


def test_chat_gives_scripted_replies_first_and_then_asks_the_function():
    with fakes.OpenAIServer() as server, client_of(server) as client:
        server.replies += ["one", "two"]
        server.reply = lambda messages: messages[-1]["content"].upper()
        assert [ask(client), ask(client), ask(client, "three")] == ["one", "two", "THREE"]
        assert server.requests[0].body["messages"][0]["content"] == "where?"


def test_stream_brings_the_reply_in_pieces():
    with fakes.OpenAIServer(replies=["It starts in main."]) as server, client_of(server) as client:
        pieces = list(streamed(client))
    assert "".join(pieces) == "It starts in main."
    assert len(pieces) == 4


def test_wrong_key_is_refused_with_the_key_in_the_message():
    with fakes.OpenAIServer(api_key="right") as server, client_of(server, key="wrong") as client:
        with pytest.raises(openai.AuthenticationError, match="wrong"):
            ask(client)
        assert len(server.requests) == 1


def test_failures_are_used_up_in_order_and_then_calls_succeed():
    with fakes.OpenAIServer(replies=["fine"]) as server, client_of(server) as client:
        server.fail_next(status=429, retry_after=0.5)
        server.fail_next(status=500)
        with pytest.raises(openai.RateLimitError) as limited:
            ask(client)
        assert limited.value.response.headers["retry-after"] == "0.5"
        with pytest.raises(openai.InternalServerError):
            ask(client)
        assert ask(client) == "fine"


@pytest.mark.parametrize("fault", ["malformed", "truncated"])
def test_broken_bodies_break_the_client(fault):
    with fakes.OpenAIServer() as server, client_of(server) as client:
        server.fail_next(fault=fault)
        with pytest.raises((openai.OpenAIError, ValueError)):
            ask(client)


def test_hang_lasts_longer_than_the_client_waits():
    with fakes.OpenAIServer() as server, client_of(server, timeout=0.2) as client:
        server.fail_next(fault="hang")
        with pytest.raises(openai.APITimeoutError):
            ask(client)


@pytest.mark.parametrize("fault", ["cut", "stall"])
def test_stream_can_end_early_after_some_pieces(fault):
    with fakes.OpenAIServer(replies=["a b c d"]) as server, client_of(server, timeout=0.3) as client:
        server.fail_next(fault=fault, after=2)
        pieces = []
        with pytest.raises(openai.APIConnectionError):
            pieces.extend(streamed(client))
    assert pieces == ["a ", "b "]


def test_leaving_the_server_ends_its_thread_and_frees_hanging_calls():
    before = threading.active_count()
    with fakes.OpenAIServer() as server, client_of(server, timeout=0.2) as client:
        server.fail_next(fault="hang")
        with pytest.raises(openai.APITimeoutError):
            ask(client)
    assert not server._thread.is_alive()
    assert threading.active_count() <= before + 1  # the released call may still be saying goodbye


def test_mistake_in_a_reply_function_is_raised_when_the_server_is_left():
    server = fakes.OpenAIServer(reply=lambda messages: str(messages[5]))
    with pytest.raises(IndexError), server, client_of(server) as client, pytest.raises(openai.APIConnectionError):
        ask(client)


def test_failure_needs_exactly_one_kind():
    with fakes.OpenAIServer() as server, pytest.raises(ValueError, match="either"):
        server.fail_next(status=500, fault="hang")


def test_counting_embedder_remembers_texts_and_fails_when_told():
    embedder = fakes.CountingEmbedder(dimension=4, fail_after=1)
    assert embedder.embed_texts(["a", "b"]).shape == (2, 4)
    with pytest.raises(RemoteUnavailableError):
        embedder.embed_texts(["c"])
    assert (embedder.texts, embedder.calls) == (["a", "b"], 1)
