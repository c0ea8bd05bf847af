"""Stand-ins for what tests cannot have: an OpenAI-compatible service on the loopback, an embedder that counts.

with fakes.OpenAIServer() as server:
    server.replies.append("It starts in main.py [1].")
    server.fail_next(status=429, retry_after=0.1)
    ChatOpenAI(model="any", base_url=server.base_url, api_key="any").invoke("Where does it start?")
    assert server.requests[-1].body["messages"]
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from askrepo.errors import RemoteUnavailableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Fault = Literal[
    "malformed",  # 200 with a body that is not JSON
    "truncated",  # the connection closes before the announced length
    "hang",  # no answer until the server is left or released
    "cut",  # the stream ends, without a farewell, after `after` pieces
    "stall",  # the stream stops after `after` pieces until the server is left or released
    "wrong count",  # one embedding fewer than inputs
    "wrong dimension",  # the last embedding is longer than the others
    "not finite",  # an embedding holds NaN
]

Schema = Literal[
    "ignored",  # a reply is what it is, whatever was asked for
    "taken",  # a reply in prose becomes a statement in the form, with the first source
    "refused",  # HTTP 400
    "broken",  # the form, in which a quotation mark is missing
    "truncated",  # the beginning of the form, ended by the limit of length
    "other numbers",  # the form, with a source that there is not
]


@dataclass(frozen=True)
class Raw:
    """An answer as it goes over the wire.

    :ivar parts: the body; bytes are sent as they are, numbers are pauses in seconds, None waits for the server's end.
    :ivar is_whole: False closes the connection before the body has ended.
    """

    parts: Sequence[bytes | float | None] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    is_whole: bool = True


DONE = b"data: [DONE]\n\n"


def json_answer(value: object, *, status: int = 200, **headers: str) -> Raw:
    """An answer that is one JSON value."""
    return Raw([json.dumps(value).encode()], status, {"content-type": "application/json", **headers})


def text_answer(text: str, *, status: int = 200, kind: str = "text/plain", **headers: str) -> Raw:
    """An answer that is text, or a page."""
    return Raw([text.encode()], status, {"content-type": kind, **headers})


def sse(*events: object, end: Sequence[bytes | float | None] = (DONE,), is_whole: bool = True) -> Raw:
    """A stream of events: objects are sent as JSON, bytes as they are."""
    parts = [event if isinstance(event, bytes) else _event(event) for event in events]
    return Raw([*parts, *end], headers={"content-type": "text/event-stream"}, is_whole=is_whole)


def chunk(content: object = None, *, finish: str | None = None, **delta: object) -> dict[str, Any]:
    """One piece of a streamed chat completion."""
    added = {"role": "assistant", "content": content, **delta} if content is not None else dict(delta)
    choices = [{"index": 0, "delta": added, "finish_reason": finish}]
    return {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 0, "model": "fake", "choices": choices}


def spoken(text: str, *, finish: str | None = "stop", size: int = 5, **options: Any) -> Raw:
    """A text streamed in pieces of `size` characters, and then why it ended."""
    pieces = [chunk(text[at : at + size]) for at in range(0, len(text), size)]
    return sse(*pieces, *([chunk(finish=finish)] if finish else []), **options)


def whole(text: object, *, finish: str = "stop", **message: object) -> Raw:
    """A chat completion that comes at once."""
    choices = [{"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}]
    return json_answer(
        {"id": "chatcmpl-fake", "object": "chat.completion", "created": 0, "model": "f", "choices": choices}
    )


Call = tuple[str, object]
"""Name of a tool, and its arguments: an object, or text that is sent as it is."""


def called(*calls: Call, size: int = 7, talk: str = "") -> Raw:
    """A reply that wants tools called, their arguments streamed in pieces of `size` characters."""
    events = [chunk(talk)] if talk else []
    for index, (name, arguments) in enumerate(calls):
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        head = {"index": index, "id": f"call-{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        events.append(chunk(tool_calls=[head]))
        pieces = (text[at : at + size] for at in range(0, len(text), size))
        events += [chunk(tool_calls=[{"index": index, "function": {"arguments": piece}}]) for piece in pieces]
    return sse(*events, chunk(finish="tool_calls"))


NO_TOOLS = "registry/any does not support tools"
READY = "READY"

FALLBACK_REPLY = "The server has no scripted reply."
SOCKET_TIMEOUT_S = 30.0


def seeded_vector(text: str, dimension: int) -> NDArray[np.float32]:
    """A unit vector that depends on the text alone: equal texts are equal, others nearly orthogonal."""
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(dimension)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@dataclass(frozen=True)
class Request:
    """What a client sent: path, headers with lower-case names, JSON body."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """What one call gets instead of a good answer."""

    status: int | None = None
    retry_after: float | None = None
    message: str = "The fake was told to fail."
    code: str | None = None
    fault: Fault | None = None
    after: int = 2


def may_call(request: Request) -> bool:
    """Whether a request lets the model call tools."""
    return bool(request.body.get("tools")) and request.body.get("tool_choice") != "none"


@dataclass
class OpenAIServer:
    """An OpenAI-compatible service on 127.0.0.1: `POST /v1/embeddings` and `POST /v1/chat/completions`.

    :ivar dimension: length of the vectors it makes.
    :ivar api_key: the only key it accepts; None accepts all. A refusal echoes the key it got, as some services do.
    :ivar requests: everything received, in order.
    :ivar replies: chat replies to give, first one first; when empty, `reply(messages)` is asked.
    :ivar answers: what to send as it is, first one first, whatever was asked; when empty, `answer(request)` is asked,
        and when that gives None, the rest of this class.
    :ivar schema: what it makes of a request for JSON of a schema.
    :ivar calls: the tools to call in the next replies to requests that offer tools, first one first; when empty, such a
        request is answered with READY.
    :ivar takes_tools: False refuses such requests. Where tools are shown that may not be called, it answers.
    :ivar vector_of: how a text becomes a vector of `dimension` numbers.
    """

    dimension: int = 16
    api_key: str | None = None
    requests: list[Request] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    answers: list[Raw] = field(default_factory=list)
    answer: Callable[[Request], Raw | None] = lambda request: None
    schema: Schema = "ignored"
    reply: Callable[[list[dict[str, Any]]], str] = lambda messages: FALLBACK_REPLY
    calls: list[Sequence[Call]] = field(default_factory=list)
    takes_tools: bool = True
    vector_of: Callable[[str, int], NDArray[np.float32]] = seeded_vector

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._failures: list[Failure] = []
        self._mistakes: list[BaseException] = []
        self._http = _LoopbackServer(("127.0.0.1", 0), _Handler)
        self._http.fake = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        if self._mistakes:
            raise self._mistakes[0]

    @property
    def base_url(self) -> str:
        """What clients take as base URL: `http://127.0.0.1:<port>/v1`."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def fail_next(
        self,
        *,
        times: int = 1,
        status: int | None = None,
        retry_after: float | None = None,
        message: str = Failure.message,
        code: str | None = None,
        fault: Fault | None = None,
        after: int = 2,
    ) -> None:
        """Make the next calls fail, by HTTP status or by a fault; further calls of this method queue up."""
        if (status is None) == (fault is None):
            raise ValueError("give either a status or a fault")
        failure = Failure(status, retry_after, message, code, fault, after)
        with self._lock:
            self._failures.extend([failure] * times)

    def release(self) -> None:
        """Let the calls that hang or stall go on (and end)."""
        self._released.set()

    @property
    def inputs(self) -> list[str]:
        """Every text that was sent to the embeddings endpoint, in order, failed calls included."""
        sent = [r.body.get("input", []) for r in self.requests if r.path.endswith("/embeddings")]
        return [text for texts in sent for text in ([texts] if isinstance(texts, str) else texts)]

    def _receive(self, request: Request) -> Failure | None:
        """Note the request and say how it must fail, if it must."""
        with self._lock:
            self.requests.append(request)
            if self._failures:
                return self._failures.pop(0)
        sent_key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.api_key is not None and sent_key != self.api_key:
            return Failure(401, message=f"Incorrect API key provided: {sent_key}.", code="invalid_api_key")
        return None

    def _next_answer(self, request: Request) -> Raw | None:
        with self._lock:
            if self.answers:
                return self.answers.pop(0)
        return self.answer(request) or (self._tool_answer() if may_call(request) else None)

    def _tool_answer(self) -> Raw:
        if not self.takes_tools:
            return json_answer({"error": {"message": NO_TOOLS, "type": "api_error"}}, status=400)
        with self._lock:
            return called(*self.calls.pop(0)) if self.calls else spoken(READY)

    def _next_reply(self, messages: list[dict[str, Any]]) -> str:
        with self._lock:
            if self.replies:
                return self.replies.pop(0)
        return self.reply(messages)

    def _embeddings(self, body: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
        given = body["input"]
        texts = [given] if isinstance(given, str) else given
        vectors = [self.vector_of(text, self.dimension) for text in texts]
        if fault == "wrong count":
            vectors = vectors[:-1]
        if fault == "wrong dimension":
            vectors[-1] = seeded_vector(texts[-1], self.dimension + 1)
        if fault == "not finite":
            vectors[0] = np.full(self.dimension, np.nan, np.float32)
        encode = _base64 if body.get("encoding_format") == "base64" else _floats
        rows = [{"object": "embedding", "index": i, "embedding": encode(v)} for i, v in enumerate(vectors)]
        words = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": words, "total_tokens": words}
        return {"object": "list", "model": body["model"], "data": rows, "usage": usage}


def _base64(vector: NDArray[np.float32]) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _floats(vector: NDArray[np.float32]) -> list[float]:
    return [float(number) for number in vector]


class _LoopbackServer(ThreadingHTTPServer):
    daemon_threads = True
    fake: OpenAIServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is part of the tests; a mistake in the fake or in a test's function is not."""
        mistake = sys.exc_info()[1]
        if mistake is not None and not isinstance(mistake, OSError):
            self.fake._mistakes.append(mistake)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SOCKET_TIMEOUT_S
    server: _LoopbackServer

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""

    def do_GET(self) -> None:
        """Note who was led here."""
        self.server.fake._receive(Request(self.path, dict(self.headers.items()), {}))
        self._send(200, b"{}")

    def do_POST(self) -> None:
        fake = self.server.fake
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(content)
        request = Request(self.path, headers, body)
        failure = fake._receive(request) or Failure()
        raw = None if failure.status or failure.fault else fake._next_answer(request)
        if raw is not None:
            self._send_raw(raw)
        elif failure.status is not None:
            self._refuse(failure)
        elif failure.fault == "hang":
            fake._released.wait()
            self.close_connection = True
        elif failure.fault == "malformed":
            self._send(200, b"{this is not JSON")
        elif self.path == "/v1/embeddings":
            self._send(200, _json(fake._embeddings(body, failure.fault)), cut=failure.fault == "truncated")
        elif self.path == "/v1/chat/completions":
            self._chat(body, failure)
        else:
            self._refuse(Failure(404, message=f"Unknown path {self.path}."))

    def _chat(self, body: dict[str, Any], failure: Failure) -> None:
        schema = self.server.fake.schema if body.get("response_format") else "ignored"
        if schema == "refused":
            self._refuse(Failure(400, message="This server does not know the field response_format."))
            return
        reply = in_form(self.server.fake._next_reply(body["messages"]), schema, body.get("response_format"))
        if body.get("stream"):
            self._stream(_chat_events(body, reply, "length" if schema == "truncated" else "stop"), failure)
        else:
            self._send(200, _json(_completion(body, reply)), cut=failure.fault == "truncated")

    def _send_raw(self, raw: Raw) -> None:
        self.send_response(raw.status)
        self.send_header("connection", "close")
        self.send_header("transfer-encoding", "chunked")
        for name, value in raw.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for part in raw.parts:
            if isinstance(part, bytes):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            elif self.server.fake._released.wait(part):
                return
        if raw.is_whole:
            self.wfile.write(b"0\r\n\r\n")

    def _refuse(self, failure: Failure) -> None:
        error = {"message": failure.message, "type": "fake_error", "param": None, "code": failure.code}
        waits = {} if failure.retry_after is None else {"retry-after": f"{failure.retry_after:g}"}
        self._send(failure.status or 500, _json({"error": error}), headers=waits)

    def _send(self, status: int, content: bytes, *, headers: dict[str, str] | None = None, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.send_header("connection", "close")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)

    def _stream(self, events: Iterator[bytes], failure: Failure) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.send_header("connection", "close")
        self.end_headers()
        for number, event in enumerate(events):
            if failure.fault in ("cut", "stall", "truncated") and number >= failure.after:
                if failure.fault == "stall":
                    self.server.fake._released.wait()
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _completion(body: dict[str, Any], reply: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {**_chat_frame(body, "chat.completion"), "choices": choices, "usage": _usage(body, reply)}


def form(*statements: tuple[str, Sequence[int], str]) -> str:
    """A reply in the form: text, sources and quotation of each statement."""
    return json.dumps({"statements": [{"text": t, "sources": list(n), "quote": q} for t, n, q in statements]})


def in_form(reply: str, schema: Schema, asked: Any) -> str:
    """What a server sends for a scripted reply that was asked for in a form; one scripted as JSON is sent as it is."""
    if schema == "ignored":
        return reply
    statement = asked["json_schema"]["schema"]["properties"]["statements"]["items"]["properties"]
    numbers = [97] if schema == "other numbers" else statement["sources"]["items"]["enum"][:1]
    text = reply if reply.startswith("{") else form((reply, numbers, ""))
    if schema == "broken":
        return text.replace('", "sources"', ', "sources"')
    return text[: len(text) * 2 // 3] if schema == "truncated" else text


def _chat_events(body: dict[str, Any], reply: str, finish: str = "stop") -> Iterator[bytes]:
    """The reply as server-sent events: one per word, then the end, then the usage when asked for."""
    frame = _chat_frame(body, "chat.completion.chunk")
    pieces = [word + " " for word in reply.split(" ")[:-1]] + reply.split(" ")[-1:]
    for piece in pieces:
        delta = {"role": "assistant", "content": piece}
        yield _event({**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event({**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        yield _event({**frame, "choices": [], "usage": _usage(body, reply)})
    yield b"data: [DONE]\n\n"


def _event(value: object) -> bytes:
    return b"data: " + _json(value) + b"\n\n"


def _chat_frame(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-fake", "object": kind, "created": 0, "model": body.get("model", "fake")}


def _usage(body: dict[str, Any], reply: str) -> dict[str, int]:
    prompt = sum(len(str(message.get("content", "")).split()) for message in body["messages"])
    answer = len(reply.split())
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


class CountingEmbedder:
    """An embedder with seeded vectors that remembers every text it embedded.

    :ivar texts: all texts of all successful calls, in order.
    :ivar calls: successful calls of `embed_texts`.
    :ivar fail_after: raise once this many calls have succeeded; None never does.
    """

    def __init__(self, *, dimension: int = 8, fingerprint: str = "c0" * 16, fail_after: int | None = None) -> None:
        self.spec = "counting"
        self.fingerprint = fingerprint
        self.dimension = dimension
        self.fail_after = fail_after
        self.texts: list[str] = []
        self.calls = 0

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.fail_after is not None and self.calls >= self.fail_after:
            raise RemoteUnavailableError("the counting embedder was told to fail")
        self.calls += 1
        self.texts.extend(texts)
        rows = [seeded_vector(text, self.dimension) for text in texts]
        return np.stack(rows) if rows else np.empty((0, self.dimension), np.float32)

    def warm_up(self) -> None:
        """Nothing to load."""

    def embed_question(self, text: str) -> NDArray[np.float32]:
        return seeded_vector(text, self.dimension)
