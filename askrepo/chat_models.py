"""Chat models at OpenAI-compatible endpoints, with their failures told apart."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askrepo.errors import (
    AskrepoError,
    CredentialsError,
    RateLimitedError,
    RemoteRefusedError,
    RemoteUnavailableError,
)
from askrepo.plain import plain_line

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_openai import ChatOpenAI

# One more try: a short 429 or 503 heals itself, and a person who waits is told within two timeouts.
MAX_RETRIES = 1
# Endpoints such as Ollama and vLLM need no key, but the client insists on one.
NO_KEY = "not-needed"
MAX_REMOTE_MESSAGE_CHARS = 300


@dataclass(frozen=True, slots=True)
class ChatModel:
    """A chat model that raises our errors only.

    :ivar name: as the endpoint knows it.
    """

    name: str
    client: ChatOpenAI
    timeout_s: float

    def complete(self, messages: Sequence[BaseMessage]) -> str:
        """The whole reply.

        :raises CredentialsError: the key is missing or was refused.
        :raises RateLimitedError: the endpoint asked to slow down.
        :raises RemoteRefusedError: the endpoint refused the request, for example an unknown model.
        :raises RemoteUnavailableError: the endpoint failed, was silent for too long or made no sense.
        """
        return "".join(self.stream(messages))

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        """The reply, piece by piece; raises like `complete`, also in mid-stream."""
        reply = _Reply()
        with _translated(self.client, reply, timeout_s=self.timeout_s):
            for piece in self.client.stream(list(messages)):
                reply.is_finished |= bool(piece.response_metadata.get("finish_reason"))
                text = str(piece.text)
                reply.chars += len(text)
                if text:
                    yield text
        if not reply.is_finished:
            raise RemoteUnavailableError(_incomplete(reply))
        if not reply.chars:
            raise RemoteUnavailableError(f"chat model {self.name} gave an empty answer; ask again")


def open_chat_model(
    model: str, *, api_key: str | None, base_url: str | None, timeout_s: float, max_retries: int = MAX_RETRIES
) -> ChatModel:
    """A chat model at any OpenAI-compatible endpoint; nothing is sent yet.

    :param base_url: None for OpenAI itself.
    :param timeout_s: how long the endpoint may stay silent.
    :raises CredentialsError: there is no key and the endpoint is OpenAI's.
    """
    if api_key is None and base_url is None:
        raise CredentialsError(
            f"no API key for chat model {model}: set OPENAI_API_KEY, "
            "or ASKREPO_OPENAI_BASE_URL for an endpoint that needs none"
        )
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    client = ChatOpenAI(
        model=model,
        api_key=SecretStr(api_key or NO_KEY),
        base_url=base_url,
        timeout=timeout_s,
        max_retries=max_retries,
    )
    return ChatModel(model, client, timeout_s)


@dataclass
class _Reply:
    """What has arrived of a reply."""

    chars: int = 0
    is_finished: bool = False


@contextmanager
def _translated(client: ChatOpenAI, reply: _Reply, *, timeout_s: float) -> Iterator[None]:
    """Turn the client's exceptions into ours; causes are dropped because they may quote the key."""
    import openai

    endpoint = client.openai_api_base or "api.openai.com"
    # ValueError and the like: langchain-openai met an answer of an unexpected shape.
    malformed = (openai.OpenAIError, ValueError, TypeError, KeyError, AttributeError, IndexError)
    try:
        yield
    except AskrepoError:
        raise
    except openai.APIStatusError as error:
        raise _status_error(error, client, endpoint) from None
    except openai.APITimeoutError:
        raise RemoteUnavailableError(_silent(endpoint, timeout_s)) from None
    except openai.APIConnectionError as error:
        if reply.chars:
            raise RemoteUnavailableError(_incomplete(reply)) from None
        raise RemoteUnavailableError(
            f"chat endpoint {endpoint} cannot be reached ({type(error.__cause__ or error).__name__}); "
            "check the network and ASKREPO_OPENAI_BASE_URL"
        ) from None
    except _transport_errors() as error:
        if "Timeout" in type(error).__name__:
            raise RemoteUnavailableError(_silent(endpoint, timeout_s)) from None
        raise RemoteUnavailableError(_incomplete(reply)) from None
    except malformed as error:
        raise RemoteUnavailableError(
            f"chat endpoint {endpoint} sent an answer that is not a chat completion ({_bounded(error, client)})"
        ) from None


def _status_error(error: object, client: ChatOpenAI, endpoint: str) -> AskrepoError:
    import openai

    assert isinstance(error, openai.APIStatusError)  # noqa: S101 - narrows the type
    status = error.status_code
    if status in {401, 403}:
        return CredentialsError(
            f"chat endpoint {endpoint} refused the API key (HTTP {status}); "
            "check OPENAI_API_KEY or ASKREPO_OPENAI_API_KEY"
        )
    if status == 429:
        wait = _seconds(error.response.headers.get("retry-after"))
        advice = f"wait {wait:g} s" if wait is not None else "wait a little"
        return RateLimitedError(
            f"chat endpoint {endpoint} asked to slow down (HTTP 429); {advice} and ask again", retry_after_s=wait
        )
    if status >= 500 or status == 408:
        return RemoteUnavailableError(f"chat endpoint {endpoint} failed (HTTP {status}); ask again later")
    return RemoteRefusedError(
        f"chat endpoint {endpoint} refused the request for model {client.model_name} "
        f"(HTTP {status}): {_bounded(error, client)}"
    )


def _transport_errors() -> tuple[type[Exception], ...]:
    """What the HTTP client beneath openai raises in mid-stream; its package's name changed with openai 3."""
    found: list[type[Exception]] = []
    for name in ("httpx", "httpx2"):
        with suppress(ImportError):
            found.append(importlib.import_module(name).HTTPError)
    return tuple(found)


def _bounded(error: Exception, client: ChatOpenAI) -> str:
    """The error's own words on one line, short and without the key."""
    key = client.openai_api_key
    text = str(error)
    if key is not None and not callable(key):
        text = text.replace(key.get_secret_value(), "***")
    text = plain_line(" ".join(text.split()))
    return text if len(text) <= MAX_REMOTE_MESSAGE_CHARS else text[:MAX_REMOTE_MESSAGE_CHARS] + "…"


def _silent(endpoint: str, timeout_s: float) -> str:
    return (
        f"chat endpoint {endpoint} was silent for {timeout_s:g} s; what was received is incomplete. "
        "Ask again, or allow more with ASKREPO_CHAT_TIMEOUT_S"
    )


def _incomplete(reply: _Reply) -> str:
    return (
        f"the chat endpoint broke its answer off after {reply.chars} characters; "
        "what was received is incomplete, ask again"
    )


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None
