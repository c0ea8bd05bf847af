"""The `openai:` embedder against a real HTTP server on the loopback: what it sends, and what it makes of failures."""

from __future__ import annotations

import socket
import traceback

import numpy as np
import pytest

from askrepo import errors
from askrepo.embedders import openai as module
from askrepo.embedders.openai import OpenAIEmbedder, batches
from askrepo.text.tokens import count_tokens
from tests import fakes

KEY = "sk-test-0123456789abcdef"


@pytest.fixture
def server():
    with fakes.OpenAIServer() as server:
        yield server


@pytest.fixture
def waits():
    return []


@pytest.fixture
def embedder(server, waits):
    return OpenAIEmbedder("some-model", api_key=KEY, base_url=server.base_url, sleep=waits.append)


def everything_shown(error: BaseException) -> str:
    """All that a log could show of an exception: message, representation, arguments, traceback with its chain."""
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    return f"{error} {error!r} {error.args} {error.__cause__!r} {error.__context__!r} {shown}"


def test_plain_strings_are_sent_with_model_and_key(embedder, server):
    vectors = embedder.embed_texts(["one", "two"])
    request = server.requests[0]
    assert (request.body["model"], request.body["input"]) == ("some-model", ["one", "two"])
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert np.allclose(vectors[1], fakes.seeded_vector("two", server.dimension), atol=1e-6)


def test_vectors_are_scaled_to_length_one(server, embedder):
    server.vector_of = lambda text, dimension: 7.5 * fakes.seeded_vector(text, dimension)
    assert np.allclose(embedder.embed_texts(["a"])[0], fakes.seeded_vector("a", server.dimension), atol=1e-6)


def test_special_tokens_of_a_model_are_sent_as_text(embedder, server):
    text = "a <|endoftext|> b <|fim_prefix|>"
    embedder.embed_texts([text])
    assert server.inputs == [text]


def test_a_service_without_keys_needs_none(server):
    assert OpenAIEmbedder("m", base_url=server.base_url).embed_question("a").shape == (server.dimension,)


def test_settings_of_the_client_library_do_not_redirect_requests(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/elsewhere")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/elsewhere")
    OpenAIEmbedder("m", base_url=server.base_url).embed_question("a")
    assert len(server.requests) == 1


def test_a_long_text_is_cut_at_the_limit_that_was_set(server):
    embedder = OpenAIEmbedder("m", base_url=server.base_url, max_tokens=50)
    text = "words and more " * 100
    embedder.embed_texts([text, "short"])
    cut, short = server.inputs
    assert text.startswith(cut)
    assert 45 <= count_tokens(cut) <= 50
    assert short == "short"


def test_requests_stay_within_tokens_and_texts(monkeypatch):
    monkeypatch.setattr(module, "MAX_TOKENS_PER_REQUEST", 10)
    texts = ["a", "b", "c", "d", "six words are in this text", "seven words are in this text too", "e"]
    made = list(batches(texts, max_texts=3))
    assert [text for batch in made for text in batch] == texts
    assert [len(batch) for batch in made] == [3, 2, 2]


def test_many_texts_keep_their_order_over_several_requests(server):
    embedder = OpenAIEmbedder("m", base_url=server.base_url, max_texts=4)
    texts = [f"text {number}" for number in range(10)]
    vectors = embedder.embed_texts(texts)
    assert [len(request.body["input"]) for request in server.requests] == [4, 4, 2]
    expected = [fakes.seeded_vector(text, server.dimension) for text in texts]
    assert np.allclose(vectors, expected, atol=1e-6)


def test_rate_limit_is_waited_out_as_long_as_asked(embedder, server, waits):
    server.fail_next(status=429, retry_after=0.25)
    server.fail_next(status=429)
    assert embedder.embed_texts(["a"]).shape == (1, server.dimension)
    assert waits == [0.25, 2.0]


def test_rate_limit_that_does_not_end_is_passed_on(embedder, server, waits):
    server.fail_next(status=429, retry_after=3, times=module.ATTEMPTS)
    with pytest.raises(errors.RateLimitedError) as limited:
        embedder.embed_texts(["a"])
    assert limited.value.retry_after_s == 3
    assert waits == [3.0] * (module.ATTEMPTS - 1)


def test_rate_limit_longer_than_the_bound_is_passed_on_at_once(embedder, server, waits):
    server.fail_next(status=429, retry_after=3600)
    with pytest.raises(errors.RateLimitedError) as limited:
        embedder.embed_texts(["a"])
    assert (limited.value.retry_after_s, waits, len(server.requests)) == (3600, [], 1)


def test_used_up_quota_is_permanent(embedder, server, waits):
    server.fail_next(status=429, code="insufficient_quota", message="You exceeded your current quota.")
    with pytest.raises(errors.RemoteRefusedError, match="quota is used up"):
        embedder.embed_texts(["a"])
    assert waits == []


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ({"status": 401}, errors.CredentialsError),
        ({"status": 403}, errors.CredentialsError),
        ({"status": 404}, errors.RemoteRefusedError),
        ({"status": 408}, errors.RemoteUnavailableError),
        ({"status": 500}, errors.RemoteUnavailableError),
        ({"status": 503}, errors.RemoteUnavailableError),
        ({"fault": "malformed"}, errors.RemoteUnavailableError),
        ({"fault": "truncated"}, errors.RemoteUnavailableError),
        ({"fault": "wrong count"}, errors.RemoteUnavailableError),
        ({"fault": "wrong dimension"}, errors.VerificationError),
        ({"fault": "not finite"}, errors.VerificationError),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else value.__name__,
)
def test_each_failure_is_asked_once_named_and_keeps_the_key_to_itself(embedder, server, failure, expected):
    message = {"message": f"You sent {KEY}\x1b[2J\nand more"} if "status" in failure else {}
    server.fail_next(**failure, **message)
    with pytest.raises(errors.AskrepoError) as raised:
        embedder.embed_texts(["a", "b"])
    assert type(raised.value) is expected
    assert len(server.requests) == 1
    shown = everything_shown(raised.value)
    assert "127.0.0.1" in shown
    assert KEY not in shown
    assert "\x1b" not in shown


def test_wrong_key_is_refused_without_repeating_it():
    with fakes.OpenAIServer(api_key="right") as server:
        embedder = OpenAIEmbedder("m", api_key=KEY, base_url=server.base_url)
        with pytest.raises(errors.CredentialsError, match="HTTP 401") as refused:
            embedder.embed_question("a")
    assert KEY not in everything_shown(refused.value)


def test_service_that_hangs_is_given_up(server):
    server.fail_next(fault="hang")
    embedder = OpenAIEmbedder("m", base_url=server.base_url, timeout_s=0.2)
    with pytest.raises(errors.RemoteUnavailableError, match=r"within 0\.2 s"):
        embedder.embed_question("a")


def test_nobody_listening_is_unavailable():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(errors.RemoteUnavailableError, match=r"http://127.* cannot be reached"):
            OpenAIEmbedder("m", api_key=KEY, base_url=url).embed_question("a")


def test_zero_vector_is_refused(embedder, server):
    server.vector_of = lambda text, dimension: np.zeros(dimension, np.float32)
    with pytest.raises(errors.VerificationError, match="zero or not finite"):
        embedder.embed_question("a")


@pytest.mark.parametrize("key", ["sk-secret\nX-Other: 1", "sk secret", "sk-secrét", "sk-secret\x00"])
def test_key_that_cannot_be_a_header_is_refused_unseen(key):
    with pytest.raises(errors.CredentialsError) as refused:
        OpenAIEmbedder("m", api_key=key)
    assert "secr" not in everything_shown(refused.value)


def test_spaces_around_a_key_are_forgiven(server):
    OpenAIEmbedder("m", api_key=f" {KEY}\n", base_url=server.base_url).embed_question("a")
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "url",
    ["localhost:11434/v1", "ftp://host/v1", "https://", "http://host:port/v1", "http://a b/v1", "http://[::1/v1", "x"],
)
def test_base_url_of_another_shape_is_refused(url):
    with pytest.raises(errors.UsageError, match="OPENAI_BASE_URL"):
        OpenAIEmbedder("m", api_key=KEY, base_url=url)


@pytest.mark.parametrize(
    "url", ["https://me:pass@host/v1", "https://token@host/v1?x=pass", "https://host/v1?api-key=pass"]
)
def test_base_url_with_credentials_is_refused_unseen(url):
    with pytest.raises(errors.UsageError, match="host host") as refused:
        OpenAIEmbedder("m", api_key=KEY, base_url=url)
    assert "pass" not in str(refused.value)
    assert "token" not in str(refused.value)


def test_key_shortened_by_a_service_is_not_shown(embedder, server):
    server.fail_next(status=400, message="Bad key sk-test-****cdef, none at all.")
    with pytest.raises(errors.RemoteRefusedError, match=r"Bad key \*\*\*, none at all") as refused:
        embedder.embed_question("a")
    assert "cdef" not in str(refused.value)


def fingerprint(model="m", *, key: str | None = KEY, url: str | None = None) -> str:
    return OpenAIEmbedder(model, api_key=key, base_url=url).fingerprint


def test_fingerprint_depends_on_model_and_place_alone():
    assert fingerprint() == fingerprint(url="https://api.openai.com/v1/") == fingerprint(key="another")
    assert fingerprint() != fingerprint("other")
    assert fingerprint() != fingerprint(url="http://localhost:11434/v1")
    assert fingerprint(url="https://HOST/v1") == fingerprint(url="https://host:443/v1/", key=None)


def test_representation_holds_no_secret():
    embedder = OpenAIEmbedder("m", api_key=KEY, base_url="https://host/v1")
    assert repr(embedder) == "OpenAIEmbedder('m', base_url='https://host/v1')"
