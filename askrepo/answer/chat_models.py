"""Chat models at OpenAI-compatible endpoints as they are, with their failures told apart."""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from askrepo.answer.chat_events import CallPart, Delta, deltas
from askrepo.answer.thoughts import after_closing, answer_of, without_thoughts
from askrepo.answer.written_calls import calls_in, without_calls
from askrepo.embedders.endpoints import (
    DEFAULT_BASE_URL,
    Allowance,
    checked_base_url,
    checked_key,
    open_async_http_client,
    open_http_client,
)
from askrepo.embedders.remote_errors import Endpoint, Refusal
from askrepo.errors import (
    AskrepoError,
    CredentialsError,
    RemoteRefusedError,
    RemoteUnavailableError,
    RequestTooLongError,
)
from askrepo.text.tokens import count_tokens

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_openai import ChatOpenAI

# One more try: a short 429 or 503 heals itself, and a person who waits is told within two timeouts.
MAX_RETRIES = 1
# As first, then without a system role, without a stream, by the other API: each once.
MAX_WAYS = 4
# Ten minutes of a slow model on a small machine; an answer with its reasoning has some 20,000 characters at most.
MAX_ANSWER_S = 600.0
MAX_ANSWER_CHARS = 400_000
# An event of one token of four characters weighs some 250 bytes, with log probabilities more.
BYTES_PER_CHAR = 250
# Of replies that nobody counted.
CHARS_PER_TOKEN = 4
MIN_BYTES = 1_000_000

# Tool calls kept of one reply; nobody carries out more.
MAX_CALLS = 64
# What a model says beside its calls is short; a longer text is an answer that was not asked for yet.
MAX_TALK_CHARS = 400
# Thoughts of a model that writes them into its text come first.
MAX_THOUGHT_CHARS = 20_000

# Of a reply, to tell what it begins as.
HEAD_CHARS = 40
_OBJECT_START = re.compile(r"\s*\{\s*\"")

LENGTH = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "max_length", "incomplete"})
FILTER = frozenset({"content_filter", "content_filtered", "safety", "recitation", "prohibited_content", "blocklist"})
TOOL = frozenset({"tool_calls", "tool_call", "function_call", "tool_use"})
# OpenRouter, vLLM, SGLang and DeepSeek end what broke off like this.
BROKEN = frozenset({"error", "abort", "aborted", "cancelled", "failed", "insufficient_system_resource", "load"})


def incompleteness(finish_reason: str | None) -> str | None:
    """In which way an answer is incomplete that ended for this reason; None for a complete one."""
    reason = (finish_reason or "").lower()
    for reasons, said in (
        (LENGTH, "it was cut off at the model's limit of length"),
        (FILTER, "the endpoint's content filter cut it off"),
        (TOOL, "the model stopped to call a tool, which it was not given"),
        ({"refusal"}, "the model refused to go on"),
    ):
        if reason in reasons:
            return said
    return None


@dataclass
class Ways:
    """How an endpoint wants to be asked, as far as its answers told."""

    takes_system_role: bool = True
    takes_stream: bool = True
    takes_responses: bool = False
    takes_tools: bool = True
    takes_tools_to_answer: bool = True
    writes_plainly: bool = False

    def be(self, other: Ways) -> None:
        """Take another's ways."""
        self.__dict__.update(vars(other))

    def adapt(self, refusal: Refusal) -> bool:
        """Whether there is another way to ask after this refusal; it is taken from now on."""
        if refusal.status in (401, 402, 403, 429) or refusal.is_quota:
            return False
        if not self.takes_responses and refusal.mentions(r"\bv1/responses\b"):
            self.takes_responses = True
        elif self.takes_stream and refusal.mentions(r"\bstream"):
            self.takes_stream = False
        elif self.takes_system_role and refusal.mentions(r"\b(?:system|roles?|(?:developer )?instructions?)\b"):
            self.takes_system_role = False
        else:
            return False
        return True


@dataclass
class Spent:
    """Tokens that requests took so far: by the endpoint's count where it comes with the reply, else by ours."""

    sent: int = 0
    received: int = 0


class SchemaRefusedError(Exception):
    """An endpoint refused a request, perhaps because it was asked for JSON of a schema: ask it for text."""


class ToolsRefusedError(Exception):
    """The endpoint or the model takes no tools: ask without them."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called.

    :ivar arguments: as it wrote them: JSON, if it did well.
    """

    id: str
    name: str
    arguments: str


class Reply:
    """A reply while it arrives: iterate once, then ask why it ended.

    :ivar finish_reason: in the endpoint's word, None when it gave none.
    :ivar began_with_thoughts: whether a closing tag told too late, when they had been passed on.
    """

    def __init__(self, model: ChatModel, messages: Sequence[BaseMessage]) -> None:
        self.finish_reason: str | None = None
        self.began_with_thoughts = False
        self._arrived = _Arrived()
        self._pieces = model.pieces(messages, self._arrived)

    def __iter__(self) -> Iterator[str]:
        return self

    def close(self) -> None:
        """Want no more of it: the request ends, and is counted."""
        self._pieces.close()

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        finally:
            self.finish_reason = self._arrived.finish or None
            self.began_with_thoughts = self._arrived.began_with_thoughts


@dataclass(frozen=True, slots=True)
class ChatModel:
    """A chat model that raises our errors only.

    :ivar name: as the endpoint knows it.
    :ivar is_live: pass an answer on as it comes, once the model is known to write no thoughts into its text.
    :ivar timeout_s: how long the endpoint may say nothing; keep-alive comments say nothing.
    :ivar max_s: how long an answer may take in all; max_chars: how long it may become, reasoning included.
    :ivar schema: of the JSON that replies are to be; None for text.
    :ivar tools: what `stream` shows the model without letting it call any.
    :ivar spent: what all requests took, those of the same model with a schema too.
    """

    name: str
    client: ChatOpenAI
    endpoint: Endpoint
    allowance: Allowance
    timeout_s: float
    max_s: float = MAX_ANSWER_S
    max_chars: int = MAX_ANSWER_CHARS
    ways: Ways = field(default_factory=Ways)
    is_live: bool = True
    schema: Mapping[str, Any] | None = None
    tools: Sequence[Mapping[str, Any]] = ()
    spent: Spent = field(default_factory=Spent)

    def with_schema(self, schema: Mapping[str, Any]) -> ChatModel:
        """The same model, whose replies are to be JSON of a schema; `stream` may raise `SchemaRefusedError` then."""
        return replace(self, schema=schema)

    def with_tools(self, tools: Sequence[Mapping[str, Any]]) -> ChatModel:
        """The same model at the end of a conversation in which it was given tools: it sees them, and answers.

        Most templates put tools before all else, so a request without them would be read from its beginning again.
        `stream` may raise `ToolsRefusedError` then.
        """
        return replace(self, tools=tools)

    def complete(self, messages: Sequence[BaseMessage]) -> str:
        """The whole reply, without the model's reasoning.

        :raises CredentialsError: the key is missing or was refused.
        :raises RateLimitedError: the endpoint asked to slow down.
        :raises RemoteRefusedError: the endpoint or the model refused the request, for example an unknown model.
        :raises RemoteUnavailableError: the endpoint failed, was silent for too long or made no sense.
        """
        return "".join(self.stream(messages))

    def stream(self, messages: Sequence[BaseMessage]) -> Reply:
        """The reply, piece by piece; raises like `complete`, also in mid-stream.

        The first one of a model that may think aloud comes in one piece: see `thoughts.without_thoughts`. Ctrl-C is
        raised behind what had arrived.
        """
        return Reply(self, messages)

    def call(self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]) -> tuple[ToolCall, ...]:
        """The tools that the model wants called next; none when it has something to say instead, which is not kept.

        Calls that it writes into its text count where its server takes none out of it.

        :param tools: name, description and parameters (a JSON schema) of each.
        :raises ToolsRefusedError: the endpoint or the model takes none; remembered in `ways`. Else as `complete`.
        """
        if not self.ways.takes_tools:
            raise ToolsRefusedError
        arrived, said = _Arrived(), ""
        with closing(self._texts(messages, arrived, tools)) as texts:
            for text in texts:
                said += text
                talk = arrived.chars - (0 if self.ways.writes_plainly or arrived.thought_chars else MAX_THOUGHT_CHARS)
                if not arrived.calls and talk > MAX_TALK_CHARS:
                    break
        return arrived.tool_calls() or _written_calls(said, tools)

    def pieces(self, messages: Sequence[BaseMessage], arrived: _Arrived) -> Generator[str]:
        """What `stream` iterates over, noting what arrives."""

        def is_plain() -> bool:
            is_form = self.schema is not None and arrived.is_object
            return self.is_live and (self.ways.writes_plainly or arrived.thought_chars > 0 or is_form)

        shown: list[str] = []
        answer = without_thoughts(_until_interrupted(self._texts(messages, arrived), arrived), is_plain=is_plain)
        for piece in without_calls(answer, arrived.note_call):
            shown.append(piece)
            yield piece
        if arrived.is_interrupted:
            raise KeyboardInterrupt
        if not shown:
            if self.tools and (arrived.tool or arrived.finish.lower() in TOOL):
                self.ways.takes_tools_to_answer = False
                raise ToolsRefusedError
            raise self._no_answer(arrived)
        text = "".join(shown)
        if after_closing(text) != text:  # taken for plain, and it was not: the next one is waited for again
            self.ways.writes_plainly = False
            arrived.began_with_thoughts = True
        # a whole answer without a closing tag that came alone: this model writes no thoughts into its text
        elif arrived.chars == len(text):
            self.ways.writes_plainly = True

    def _texts(
        self, messages: Sequence[BaseMessage], arrived: _Arrived, tools: Sequence[Mapping[str, Any]] = ()
    ) -> Generator[str]:
        """All text of the reply, asked for in another way when the endpoint refuses the first."""
        self.allowance.start(seconds=self.max_s, max_bytes=MIN_BYTES + self.max_chars * BYTES_PER_CHAR)
        first = replace(self.ways)
        for ways_left in reversed(range(MAX_WAYS)):
            try:
                with self._translated(arrived), self._counted(messages, arrived):
                    yield from self._asked(messages, arrived, tools)
                return
            except _RefusedError as refused:
                if tools and not arrived.has_anything and _is_about_tools(refused.refusal):
                    self.ways.takes_tools = False
                    raise ToolsRefusedError from None
                if arrived.has_anything or not ways_left or not self.ways.adapt(refused.refusal):
                    error = self.endpoint.error(refused.refusal)
                    if self.tools and not arrived.has_anything and _is_of_request(refused.refusal, error):
                        self.ways.be(replace(first, takes_tools_to_answer=False))
                        raise ToolsRefusedError from None
                    if self.schema is not None and not arrived.has_anything and _is_of_schema(refused.refusal):
                        raise SchemaRefusedError from None
                    self.ways.be(first)  # none of them was the way
                    raise error from None

    def _asked(
        self, messages: Sequence[BaseMessage], arrived: _Arrived, tools: Sequence[Mapping[str, Any]]
    ) -> Iterator[str]:
        """The text of one request's answer."""
        arrived.is_done, arrived.heard_at = False, time.monotonic()
        with self._request(messages, tools) as response:
            for delta in deltas(self._within_bounds(response.iter_bytes(), arrived)):
                if delta.failure is not None:
                    raise self._failure(delta, arrived)
                if text := arrived.note(delta):
                    yield text
                if arrived.chars + arrived.thought_chars + arrived.call_chars > self.max_chars:
                    raise RemoteUnavailableError(
                        self._endless(f"is longer than {self.max_chars:,} characters", "CHARS")
                    )
                if arrived.is_done and arrived.finish.lower() not in BROKEN:
                    return
        if not arrived.has_anything and not arrived.is_done:
            raise RemoteUnavailableError(f"{self.endpoint} ended the connection before its answer began; ask again")
        raise RemoteUnavailableError(_incomplete(arrived))

    def _request(self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]) -> Any:
        """One request, its answer still to be read."""
        said: list[Any] = _messages_sent(messages, has_system_role=self.ways.takes_system_role)
        # where nothing comes before the whole answer is there, silence is no sign of death
        options: dict[str, Any] = {"stream": True} if self.ways.takes_stream else {"timeout": self.max_s}
        if self.tools and not tools:
            options["tool_choice"] = "none"
        api = self.client.root_client
        if self.ways.takes_responses:
            text = {"text": {"format": {"type": "json_schema", **self._schema()}}} if self.schema else {}
            if tools or self.tools:
                options["tools"] = [{"type": "function", **tool} for tool in tools or self.tools]
                said = _response_items(said)
            return api.responses.with_streaming_response.create(model=self.name, input=said, **options, **text)
        if self.schema:
            options["response_format"] = {"type": "json_schema", "json_schema": self._schema()}
        if tools or self.tools:
            options["tools"] = [{"type": "function", "function": tool} for tool in tools or self.tools]
        return api.chat.completions.with_streaming_response.create(model=self.name, messages=said, **options)

    def _schema(self) -> dict[str, Any]:
        return {"name": "answer", "strict": True, "schema": self.schema}

    def _within_bounds(self, chunks: Iterable[bytes], arrived: _Arrived) -> Iterator[bytes]:
        """The bytes, as long as they bring something."""
        silence_s = self.timeout_s if self.ways.takes_stream else self.max_s
        for chunk in chunks:
            yield chunk
            if self.allowance.seconds_left <= 0:
                raise RemoteUnavailableError(self._endless(f"took longer than {self.max_s:g} s", "S"))
            if time.monotonic() - arrived.heard_at > silence_s:
                raise RemoteUnavailableError(self._silent())

    def _failure(self, delta: Delta, arrived: _Arrived) -> Exception:
        """What an object in the stream means that is no piece of a reply."""
        if isinstance(delta.failure, dict) or _holds_objects(delta.failure):
            return _RefusedError(Refusal.of_payload(delta.failure))
        if arrived.has_anything:
            return RemoteUnavailableError(
                f"{self.endpoint} broke its answer off after {arrived.chars} characters "
                f"({self.endpoint.scrubbed(str(delta.failure))}); what was received is incomplete, ask again"
            )
        return self.endpoint.malformed(delta.failure, wanted="a chat completion")

    def _no_answer(self, arrived: _Arrived) -> AskrepoError:
        """What came, when no answer did."""
        name, ended = f"chat model {self.name}", arrived.finish.lower()
        if arrived.refusal:
            return RemoteRefusedError(f"{name} refused to answer: {self.endpoint.scrubbed(arrived.refusal)}")
        if ended in FILTER:
            return RemoteRefusedError(f"the content filter of {self.endpoint} withheld the answer of {self.name}")
        if arrived.tool or ended in TOOL:
            tool = self.endpoint.scrubbed(arrived.tool or "a tool")
            return RemoteUnavailableError(
                f"{name} wants to call {tool} instead of answering, though it was given no tools; "
                "ask again, or choose another with ASKREPO_CHAT_MODEL"
            )
        if arrived.thought_chars or arrived.has_words:
            cut = " and was cut off at its limit of length" if ended in LENGTH else ""
            return RemoteUnavailableError(
                f"{name} sent only its reasoning and no answer{cut}; "
                "ask again, or choose another with ASKREPO_CHAT_MODEL"
            )
        if ended in LENGTH:
            return RemoteUnavailableError(
                f"{name} was cut off at its limit of length before it wrote a word; "
                "allow it more, or choose another with ASKREPO_CHAT_MODEL"
            )
        return RemoteUnavailableError(f"{name} gave an empty answer; ask again")

    @contextmanager
    def _counted(self, messages: Sequence[BaseMessage], arrived: _Arrived) -> Iterator[None]:
        """Count a request and what came of its reply, also when that ends early; one without a reply counts nothing."""
        try:
            yield
        finally:
            if arrived.usage is not None:
                sent, received = arrived.usage
            elif arrived.has_anything or arrived.calls:
                sent = sum(count_tokens(str(message.content)) for message in messages)  # no threads: it may be the end
                received = -(-(arrived.chars + arrived.thought_chars + arrived.call_chars) // CHARS_PER_TOKEN)
            else:
                sent = received = 0
            self.spent.sent += sent
            self.spent.received += received

    @contextmanager
    def _translated(self, arrived: _Arrived) -> Iterator[None]:
        """Turn the client's exceptions into ours; causes are dropped because they may quote the key."""
        import openai

        try:
            yield
        except (AskrepoError, _RefusedError):
            raise
        except openai.APIStatusError as error:
            raise _RefusedError(Refusal.of_response(error.response)) from None
        except _connection_errors() as error:
            raise self._disconnected(error, arrived) from None
        except (openai.OpenAIError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            raise self.endpoint.malformed(error, wanted="a chat completion") from None

    def _disconnected(self, error: Exception, arrived: _Arrived) -> AskrepoError:
        import openai

        if isinstance(error, openai.APITimeoutError) or "Timeout" in type(error).__name__:
            is_late = self.allowance.seconds_left <= 0
            said = self._endless(f"took longer than {self.max_s:g} s", "S") if is_late else self._silent()
            return RemoteUnavailableError(said)
        if arrived.has_anything or not isinstance(error, openai.APIConnectionError):
            return RemoteUnavailableError(_incomplete(arrived))
        return self.endpoint.unreachable(error)

    def _silent(self) -> str:
        return (
            f"{self.endpoint} was silent for {self.timeout_s:g} s; what was received is incomplete. "
            "Ask again, or allow more with ASKREPO_CHAT_TIMEOUT_S"
        )

    def _endless(self, how: str, unit: str) -> str:
        return (
            f"the answer of {self.endpoint} {how}; what was received is incomplete. "
            f"Ask again, or allow more with ASKREPO_CHAT_MAX_{unit}"
        )


def open_chat_model(
    model: str,
    *,
    api_key: str | None,
    base_url: str | None,
    timeout_s: float,
    max_s: float = MAX_ANSWER_S,
    max_chars: int = MAX_ANSWER_CHARS,
    max_retries: int = MAX_RETRIES,
    is_live: bool = True,
) -> ChatModel:
    """A chat model at any OpenAI-compatible endpoint; nothing is sent yet.

    Built on LangChain's `ChatOpenAI`, which knows the models that only answer by OpenAI's Responses API. Its answers
    are read from the client beneath: what LangChain makes of a stream tells neither reasoning nor refusal nor whether
    the stream reached its end.

    :param base_url: None for OpenAI itself.
    :param timeout_s: how long the endpoint may say nothing.
    :param is_live: see `ChatModel`.
    :raises CredentialsError: there is no key and the endpoint is OpenAI's.
    :raises UsageError: base_url is no http(s) URL, or holds credentials.
    """
    place = checked_base_url(base_url, of="the chat model")
    key = checked_key(api_key, place, of=f"chat model {model}")
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    allowance = Allowance()
    client = ChatOpenAI(
        model=model,
        api_key=SecretStr(key),
        base_url=place,
        max_retries=max_retries,
        http_client=open_http_client(timeout_s=timeout_s, allowance=allowance),
        http_async_client=open_async_http_client(timeout_s=timeout_s),
        # other endpoints speak the chat API, whatever their models are called
        use_responses_api=None if place == DEFAULT_BASE_URL else False,
        timeout=timeout_s,
    )
    ways = Ways(takes_responses=bool(client.use_responses_api), writes_plainly=place == DEFAULT_BASE_URL)
    endpoint = Endpoint("chat endpoint", place, model, key)
    return ChatModel(model, client, endpoint, allowance, timeout_s, max_s, max_chars, ways, is_live)


class _RefusedError(Exception):
    """An endpoint refused; perhaps it can be asked in another way."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status)
        self.refusal = refusal


@dataclass
class _Arrived:
    """What has arrived of a reply.

    :ivar heard_at: when something of it arrived last (monotonic seconds).
    :ivar is_done: whether the endpoint said that this is all.
    """

    chars: int = 0
    head: str = ""
    has_words: bool = False
    thought_chars: int = 0
    refusal: str = ""
    tool: str = ""
    finish: str = ""
    is_done: bool = False
    heard_at: float = 0.0
    began_with_thoughts: bool = False
    is_interrupted: bool = False
    call_chars: int = 0
    calls: list[CallPart] = field(default_factory=list)
    usage: tuple[int, int] | None = None

    @property
    def is_object(self) -> bool:
        """Whether it begins as JSON: thoughts, of which only the end is marked, do not."""
        return _OBJECT_START.match(self.head) is not None

    @property
    def has_anything(self) -> bool:
        """Whether the reply has begun."""
        return bool(self.chars or self.thought_chars or self.refusal or self.tool)

    def note(self, delta: Delta) -> str:
        """Count a piece in; returns its text."""
        if delta.says_something:
            self.heard_at = time.monotonic()
        # half of a surrogate pair cannot be printed, nor sent again
        text = (delta.text or ("" if self.chars else delta.whole)).encode("utf-8", "replace").decode()
        self.chars += len(text)
        self.head = self.head if len(self.head) >= HEAD_CHARS else self.head + text[:HEAD_CHARS]
        self.has_words |= bool(text.strip())
        self.thought_chars += delta.thought_chars
        self.refusal += delta.refusal
        self.tool = self.tool or delta.tool
        for part in delta.calls:
            self._note_call(part)
        self.finish = delta.finish or self.finish
        self.usage = delta.usage or self.usage
        self.is_done |= delta.is_end
        if self.is_done and self.chars and self.finish.lower() in ("", "stop"):
            self.finish = "refusal" if self.refusal else "tool_calls" if self.tool else self.finish
        return text

    def note_call(self, tool: str) -> None:
        """The text ends with a call of a tool, or is one."""
        self.tool = self.tool or tool
        self.finish = "tool_calls" if self.finish.lower() in ("", "stop") else self.finish

    def _note_call(self, part: CallPart) -> None:
        """Put a piece to the call that it belongs to; a new id under an old index is a new call."""
        self.call_chars += len(part.arguments)
        for at in reversed(range(len(self.calls))):
            known = self.calls[at]
            if known.index == part.index and part.id in ("", known.id):
                arguments = known.arguments + part.arguments
                self.calls[at] = replace(known, name=known.name or part.name, arguments=arguments)
                return
        if len(self.calls) < MAX_CALLS:
            self.calls.append(part)

    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that arrived."""
        return tuple(
            ToolCall(part.id or f"call_{number}", part.name, part.arguments)
            for number, part in enumerate(self.calls, start=1)
        )


def _written_calls(text: str, tools: Sequence[Mapping[str, Any]]) -> tuple[ToolCall, ...]:
    """The calls that a model wrote into its text."""
    found = calls_in(answer_of(text), [tool["name"] for tool in tools])
    return tuple(
        ToolCall(f"call_{number}", name, arguments)
        for number, (name, arguments) in enumerate(islice(found, MAX_CALLS), start=1)
    )


def _until_interrupted(texts: Iterator[str], arrived: _Arrived) -> Iterator[str]:
    """The texts; Ctrl-C ends them, so that what is held back of them can be passed on."""
    try:
        yield from texts
    except KeyboardInterrupt:
        arrived.is_interrupted = True


def _is_of_schema(refusal: Refusal) -> bool:
    """Whether a refusal may be one of the schema: servers that do not know it call the request bad, or name it."""
    if refusal.status in (401, 402, 403, 413, 429) or refusal.is_quota or refusal.is_about_key:
        return False
    return refusal.status in (400, 422, 501) or refusal.mentions(
        r"response_format|json_schema|schema|grammar|structured"
    )


def _is_of_request(refusal: Refusal, error: AskrepoError) -> bool:
    """Whether a refusal, and the error that it is, may come of how was asked, and not of who asked or how much."""
    if refusal.is_quota or isinstance(error, CredentialsError | RequestTooLongError):
        return False
    return refusal.status in (0, 400, 404, 422, 500, 501)


def _is_about_tools(refusal: Refusal) -> bool:
    """Whether the request was refused for its tools, and not for who asked."""
    return refusal.status not in (401, 402, 403, 429) and refusal.mentions(r"\b(?:tools?|function.?call(?:s|ing)?)\b")


def _response_items(said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages of the chat API as items of the Responses API, which has calls and their results apart."""
    items: list[dict[str, Any]] = []
    for message in said:
        if message["role"] == "tool":
            items.append(
                {"type": "function_call_output", "call_id": message["tool_call_id"], "output": message["content"]}
            )
            continue
        if message.get("content"):
            items.append({"role": message["role"], "content": message["content"]})
        items += [
            {"type": "function_call", "call_id": call["id"], **call["function"]}
            for call in message.get("tool_calls", ())
        ]
    return items


def _messages_sent(messages: Sequence[BaseMessage], *, has_system_role: bool) -> list[dict[str, Any]]:
    """The messages as both APIs take them; without a system role the rules open the user's message."""
    from langchain_core.messages import convert_to_openai_messages

    sent = convert_to_openai_messages(list(messages))
    assert isinstance(sent, list)  # noqa: S101 - a list in, a list out
    if has_system_role:
        return sent
    rules = [str(message["content"]) for message in sent if message["role"] == "system"]
    others = [message for message in sent if message["role"] != "system"]
    if rules and others:
        others[0] = {**others[0], "content": "\n\n".join([*rules, str(others[0]["content"])])}
    return others


def _connection_errors() -> tuple[type[Exception], ...]:
    """What openai raises, and the HTTP client beneath it in mid-stream; its package's name changed with openai 3."""
    import openai

    found: list[type[Exception]] = [openai.APIConnectionError]
    for name in ("httpx", "httpx2"):
        with suppress(ImportError):
            found.append(importlib.import_module(name).HTTPError)
    return tuple(found)


def _holds_objects(failure: Any) -> bool:
    """Whether it is a list of objects, as some services send their errors."""
    return isinstance(failure, list) and all(isinstance(one, dict) for one in failure)


def _incomplete(arrived: _Arrived) -> str:
    return (
        f"the chat endpoint broke its answer off after {arrived.chars} characters; "
        "what was received is incomplete, ask again"
    )
