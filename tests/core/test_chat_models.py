from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from langchain_core.messages import HumanMessage

from askrepo.chat_models import ChatModel, open_chat_model
from askrepo.errors import (
    AskrepoError,
    CredentialsError,
    RateLimitedError,
    RemoteRefusedError,
    RemoteUnavailableError,
)
from tests.fakes import OpenAIServer

KEY = "sk-very-secret-key"
QUESTION = [HumanMessage("Where does it start?")]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(api_key=KEY) as server:
        server.replies.append("It starts in main.py [1].")
        yield server


def model_at(
    server: OpenAIServer, *, api_key: str | None = KEY, timeout_s: float = 5.0, max_retries: int = 0
) -> ChatModel:
    return open_chat_model(
        "any", api_key=api_key, base_url=server.base_url, timeout_s=timeout_s, max_retries=max_retries
    )


def test_a_reply_arrives_piece_by_piece(server: OpenAIServer) -> None:
    assert list(model_at(server).stream(QUESTION)) == ["It ", "starts ", "in ", "main.py ", "[1]."]


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
def test_a_stream_that_dies_says_that_it_is_incomplete(server: OpenAIServer, fault: str) -> None:
    server.fail_next(fault=fault, after=2)
    pieces = model_at(server, timeout_s=0.5).stream(QUESTION)
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
