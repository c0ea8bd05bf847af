"""Where clients of endpoints send what they were given: to the endpoint, and to nobody else."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import openai
import pytest
from langchain_core.messages import HumanMessage

from askrepo.answer.chat_models import open_chat_model
from askrepo.embedders.endpoints import Allowance, checked_base_url, open_async_http_client, open_http_client
from askrepo.embedders.openai import OpenAIEmbedder
from askrepo.errors import AskrepoError, RemoteRefusedError, RemoteUnavailableError, UsageError
from tests.fakes import OpenAIServer, Raw, json_answer, spoken, sse

SECRET = "passages of a private repository"
KEY = "sk-test-0123456789abcdef"
Ask = Callable[[str], object]


def ask_chat(url: str) -> str:
    model = open_chat_model("any", api_key=KEY, base_url=url, timeout_s=5, max_retries=0)
    return model.complete([HumanMessage(SECRET)])


def ask_responses_api(url: str) -> str:
    model = open_chat_model("any", api_key=KEY, base_url=url, timeout_s=5, max_retries=0)
    model.ways.takes_responses = True
    return model.complete([HumanMessage(SECRET)])


def ask_embedder(url: str) -> object:
    return OpenAIEmbedder("m", api_key=KEY, base_url=url).embed_question(SECRET)


CLIENTS = {"chat": ask_chat, "responses": ask_responses_api, "embedder": ask_embedder}


@pytest.fixture(params=CLIENTS.values(), ids=list(CLIENTS))
def ask(request: pytest.FixtureRequest) -> Ask:
    return request.param


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[OpenAIServer]:
    with OpenAIServer(reply=lambda messages: "stolen") as server:
        yield server


def origin_of(server: OpenAIServer) -> str:
    return server.base_url.removesuffix("/v1")


def redirect(status: int, location: str, **headers: str) -> Raw:
    return Raw([b"moved"], status, {"location": location, **headers})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_to_another_origin_is_followed(
    ask: Ask, server: OpenAIServer, elsewhere: OpenAIServer, status: int
) -> None:
    server.answer = lambda request: redirect(status, f"{origin_of(elsewhere)}/v1/x?token=hidden")
    with pytest.raises(RemoteRefusedError) as refused:
        ask(server.base_url)
    assert elsewhere.requests == []
    said = str(refused.value)
    assert f"(HTTP {status})" in said
    assert origin_of(elsewhere) in said
    assert "OPENAI_BASE_URL" in said
    assert "hidden" not in said


@pytest.mark.parametrize(
    "location",
    [
        "//127.0.0.1:{port}/v1/x",
        "http://user:hunter2@127.0.0.1:{port}/v1/x",
        "http://localhost:{own}/v1/x",
        "https://127.0.0.1:{own}/v1/x",
        "http:\\\\127.0.0.1:{port}\\v1",
        "HTTP://127.0.0.1:{port}/V1",
        "ftp://127.0.0.1:{port}/v1",
        "http://[::1]:{port}/v1",
        "http://",
        "http://127.0.0.1:99999/v1",
    ],
    ids=[
        "no scheme",
        "credentials",
        "other name",
        "https",
        "backslashes",
        "capitals",
        "ftp",
        "ipv6",
        "none",
        "bad port",
    ],
)
def test_every_spelling_of_elsewhere_is_refused(
    ask: Ask, server: OpenAIServer, elsewhere: OpenAIServer, location: str
) -> None:
    port, own = origin_of(elsewhere).rpartition(":")[2], origin_of(server).rpartition(":")[2]
    target = location.format(port=port, own=own)
    server.answer = lambda request: redirect(307, target) if len(server.requests) < 5 else json_answer({})
    with pytest.raises(AskrepoError) as refused:
        ask(server.base_url)
    assert elsewhere.requests == []
    assert "hunter2" not in str(refused.value)


def test_a_chain_is_left_where_it_leads_elsewhere(ask: Ask, server: OpenAIServer, elsewhere: OpenAIServer) -> None:
    server.answers += [redirect(307, "/v1/there"), redirect(307, f"{origin_of(elsewhere)}/v1/x")]
    with pytest.raises(RemoteRefusedError, match="redirects to"):
        ask(server.base_url)
    assert [request.path for request in server.requests][1:] == ["/v1/there"]
    assert elsewhere.requests == []


def test_a_redirect_within_the_endpoint_is_followed(server: OpenAIServer) -> None:
    server.answers += [redirect(308, "/v1/chat/completions?slash=1"), spoken("Here [1].")]
    assert ask_chat(server.base_url) == "Here [1]."


def test_a_redirect_that_loses_the_request_says_so(ask: Ask, server: OpenAIServer) -> None:
    server.answer = lambda request: redirect(301, "/v1/there")
    with pytest.raises(RemoteRefusedError, match=r"to another path of its own \(HTTP 301\): check the path"):
        ask(server.base_url)
    assert len(server.requests) == 1


def test_a_refresh_header_leads_nowhere(server: OpenAIServer, elsewhere: OpenAIServer) -> None:
    stream = spoken("Here [1].")
    server.answers.append(Raw(stream.parts, headers={**stream.headers, "refresh": f"0; url={elsewhere.base_url}"}))
    assert ask_chat(server.base_url) == "Here [1]."
    assert elsewhere.requests == []


def test_coroutines_are_not_led_elsewhere_either(server: OpenAIServer, elsewhere: OpenAIServer) -> None:
    server.answer = lambda request: redirect(307, f"{origin_of(elsewhere)}/v1/x")

    async def embed() -> None:
        async with open_async_http_client(timeout_s=5) as http:
            client = openai.AsyncOpenAI(api_key=KEY, base_url=server.base_url, http_client=http, max_retries=0)
            await client.embeddings.create(model="m", input=SECRET)

    with pytest.raises(RemoteRefusedError, match="redirects to"):
        asyncio.run(embed())
    assert elsewhere.requests == []


def test_a_proxy_of_the_environment_is_used(
    server: OpenAIServer, elsewhere: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", origin_of(elsewhere))
    monkeypatch.setenv("NO_PROXY", "")
    elsewhere.answers.append(spoken("By proxy."))
    assert ask_chat("http://endpoint.invalid/v1") == "By proxy."


def test_an_answer_that_is_compressed_unasked_is_refused(ask: Ask, server: OpenAIServer) -> None:
    server.answer = lambda request: Raw([gzip.compress(b"{}" * 1000)], headers={"content-encoding": "gzip"})
    with pytest.raises(RemoteRefusedError, match="compresses"):
        ask(server.base_url)
    assert server.requests[0].headers["accept-encoding"] == "identity"


def drip(pieces: int, every_s: float) -> Iterator[bytes | float]:
    for _ in range(pieces):
        yield b" "
        yield every_s


def test_an_answer_that_drips_ends_at_its_deadline(server: OpenAIServer) -> None:
    server.answer = lambda request: Raw(list(drip(600, 0.1)))
    embedder = OpenAIEmbedder("m", base_url=server.base_url, timeout_s=0.5)
    started = time.monotonic()
    with pytest.raises(RemoteUnavailableError, match=r"within 0\.5 s"):
        embedder.embed_question("a")
    assert time.monotonic() - started < 30  # the rest would drip for a minute


def test_headers_that_drip_end_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()
        thread = threading.Thread(target=_drip_headers, args=(listener, stop))
        thread.start()
        model = open_chat_model(
            "m", api_key=KEY, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1", timeout_s=5, max_s=0.6,
            max_retries=0,
        )  # fmt: skip
        started = time.monotonic()
        with pytest.raises(RemoteUnavailableError, match="ASKREPO_CHAT_MAX_S"):
            model.complete([HumanMessage("?")])
        assert time.monotonic() - started < 30  # the rest would drip without end
        stop.set()
        thread.join()


def _drip_headers(listener: socket.socket, stop: threading.Event) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not stop.wait(0.1):
            try:
                connection.sendall(b"x-a: b\r\n")
            except OSError:
                return


def test_an_error_without_end_is_given_up(server: OpenAIServer) -> None:
    allowance = Allowance()
    server.answer = lambda request: Raw([b"x" * 60_000] * 100, 400)
    with open_http_client(timeout_s=5, allowance=allowance) as client:
        allowance.start(seconds=5, max_bytes=1_000_000)
        with pytest.raises(RemoteUnavailableError, match="does not end"):
            client.post(server.base_url, json={})


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("localhost:11434/v1", "write http://localhost:11434/v1 "),
        ("127.0.0.1:8000/v1", "write http://127.0.0.1:8000/v1 "),
        ("api.example.com/v1", "write https://api.example.com/v1 "),
        ("https://host/v1/chat/completions", "write https://host/v1 "),
        ("https://host/v1/embeddings/", "write https://host/v1 "),
        ("https://me.openai.azure.com/openai?api-version=2024-10-21", "write https://me.openai.azure.com/openai/v1,"),
        ("ftp://host/v1", "looks like https://host/v1"),
    ],
)
def test_a_base_url_of_another_shape_is_told_what_to_write(url: str, advice: str) -> None:
    with pytest.raises(UsageError) as refused:
        checked_base_url(url, of="the chat model")
    assert advice in str(refused.value)
    assert "OPENAI_BASE_URL" in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@host/v1",
        "https://hunter2@host/v1",
        "user:hunter2@host/v1",
        "http://us/er:hunter2@host/v1",
        "https://user%3Ahunter2%40host/v1",
        "https://host/v1?key=hunter2",
        "https://host/v1#hunter2",
        "https://host:hunter2/v1",
        "https:/user:hunter2@host/v1",
        "https://user:hunter2\uff20host/v1",
        " https://user:hunter2@host/v1",
    ],
)
def test_credentials_in_a_base_url_are_refused_unseen(url: str) -> None:
    for of in ("the chat model", "the embedder"):
        with pytest.raises(UsageError, match="OPENAI_BASE_URL") as refused:
            checked_base_url(url, of=of)
        assert "hunter2" not in str(refused.value)


def test_stream_events_that_follow_a_redirect_are_read(server: OpenAIServer) -> None:
    server.answers += [redirect(307, "/v1/chat/completions/"), sse({"choices": []}), spoken("x")]
    with pytest.raises(RemoteUnavailableError, match="empty answer"):
        ask_chat(server.base_url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PROXY", "ftp://user:hunter2@127.0.0.1:1"),
        ("ALL_PROXY", "http://user:hunter2@host:port"),
        ("SSL_CERT_FILE", "/no/such/hunter2"),
    ],
)
def test_settings_for_connections_that_cannot_be_used_are_told_unseen(
    ask: Ask, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(AskrepoError, match=name) as refused:
        ask(server.base_url)
    assert "hunter2" not in str(refused.value)
