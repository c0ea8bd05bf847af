"""What a chat endpoint sends, read piece by piece: server-sent events or one JSON object, of either API."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

MAX_LINE_CHARS = 8_000_000
_EVENT_FIELD = re.compile(r"(?:data|event|id|retry)?:")
_LINE_END = re.compile(r"\r\n|\n|\r")
_LONGEST_FIELD = len("event:")
_TEXT_PARTS = frozenset({"text", "output_text", "input_text"})
_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "reasoning_details", "thinking")


@dataclass(frozen=True, slots=True)
class CallPart:
    """A piece of a tool call.

    :ivar index: which of the reply's calls it belongs to; id: the endpoint's name for the call.
    :ivar arguments: a piece of its arguments, as JSON.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """What one event adds to a reply.

    :ivar text: of the answer, or of a refusal to give one.
    :ivar thought_chars: length of the model's reasoning in it, which is no answer.
    :ivar tool: name of a tool that the model wants called; calls: what there is of such calls.
    :ivar finish: why the reply ended, in the endpoint's word; empty while it goes on.
    :ivar is_end: nothing follows.
    :ivar whole: all text of the reply, repeated at its end.
    :ivar is_part: a part of a body that makes sense only when it is whole.
    :ivar failure: what was sent instead of a piece of a reply.
    :ivar usage: tokens sent and received, where the endpoint counts them.
    """

    text: str = ""
    thought_chars: int = 0
    refusal: str = ""
    tool: str = ""
    finish: str = ""
    is_end: bool = False
    whole: str = ""
    is_part: bool = False
    failure: Any = None
    calls: tuple[CallPart, ...] = ()
    usage: tuple[int, int] | None = None

    @property
    def says_something(self) -> bool:
        """Whether it is a sign of life: an empty one is not."""
        signs = (self.text, self.thought_chars, self.refusal, self.tool, self.finish, self.is_end, self.is_part)
        return any(signs)


def deltas(chunks: Iterable[bytes]) -> Iterator[Delta]:
    """The pieces of a reply as its bytes arrive; an empty one per chunk that completes none.

    A chunk of a body that is no stream counts as a sign of life, since nothing else tells that it goes on.
    """
    lines = _Lines()
    for chunk in chunks:
        yield Delta(is_part=bool(chunk) and lines.is_whole)
        for event in lines.feed(chunk):
            delta = _event_delta(event)
            yield delta
            if delta.is_end:
                return
    for event in lines.end():
        delta = _event_delta(event)
        is_strange = lines.is_whole and delta.failure is None and not delta.says_something
        yield Delta(failure=event) if is_strange else delta


class _Lines:
    """Puts events together from bytes; a body that is none (plain JSON, a page) is one event at its end."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._parts: list[str] = []
        self._held_chars = 0
        self._is_stream: bool | None = None
        self._waiting: list[str] = []

    @property
    def is_whole(self) -> bool:
        """Whether what arrives is known to be no server-sent events."""
        return self._is_stream is False

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The events that a chunk completes."""
        text = self._decoder.decode(chunk)
        self._parts.append(text)
        self._held_chars += len(text)
        if self._is_stream is None:
            self._recognise()
        if self._is_stream and (self._held_chars > MAX_LINE_CHARS or "\n" in text or "\r" in text):
            *lines, last = _LINE_END.split("".join(self._parts))
            self._parts, self._held_chars = [last], len(last)
            for line in lines:
                yield from self._line(line)

    def end(self) -> Iterator[str]:
        """The event that ends with the bytes."""
        rest = "".join(self._parts) + self._decoder.decode(b"", final=True)
        if self._is_stream:
            yield from self._line(rest)
            yield from self._line("")
        elif rest.strip():
            yield rest

    def _recognise(self) -> None:
        head = "".join(self._parts).lstrip()
        if len(head) >= _LONGEST_FIELD or "\n" in head or head[:1] in ("{", "[", "<", ":"):
            self._is_stream = _EVENT_FIELD.match(head) is not None

    def _line(self, line: str) -> Iterator[str]:
        """The event that a line completes; servers that send no blank line between events are understood."""
        if line.startswith("data:"):
            content = line[len("data:") :].removeprefix(" ")
            if not self._waiting and _is_complete(content):
                yield content
            elif content:
                self._waiting.append(content)
        elif not line and self._waiting:
            waiting, self._waiting = "\n".join(self._waiting), []
            yield waiting


def _is_complete(content: str) -> bool:
    return content.strip() == "[DONE]" or (content[:1] == "{" and _loaded(content) is not None)


def _loaded(text: str) -> Any:
    """The JSON value, None when it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _event_delta(event: str) -> Delta:
    if event.strip() == "[DONE]":
        return Delta(is_end=True)
    payload = _loaded(event)
    if not isinstance(payload, Mapping):
        return Delta(failure=event if payload is None else payload or event)
    return payload_delta(payload)


def payload_delta(payload: Mapping[str, Any]) -> Delta:
    """What an object of either API adds."""
    kind = str(payload.get("type") or "")
    if kind.startswith("response."):
        return _responses_delta(kind, payload)
    if payload.get("object") == "response" and not payload.get("error"):
        return _whole_response(payload)
    choices = payload.get("choices")
    if payload.get("error") or kind == "error" or payload.get("object") == "error":
        return Delta(failure=dict(payload))
    if isinstance(choices, list):
        return replace(_choices_delta(choices), usage=_usage_of(payload.get("usage")))
    is_failure = choices is not None or any(payload.get(name) for name in ("detail", "message", "errors"))
    return Delta(failure=dict(payload)) if is_failure else Delta()


def _usage_of(usage: Any) -> tuple[int, int] | None:
    """Tokens of the prompt and of the reply, when both are whole numbers."""
    if not isinstance(usage, Mapping):
        return None
    sent, received = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return (sent, received) if type(sent) is int and type(received) is int and min(sent, received) >= 0 else None


def _choices_delta(choices: list[Any]) -> Delta:
    """The first choice's; a choice that holds a whole message ends the reply."""
    choice = next((each for each in choices if isinstance(each, Mapping) and each.get("index") in (0, None)), None)
    if choice is None:
        return Delta(failure="choices that hold none") if choices and not _are_others(choices) else Delta()
    whole = choice.get("message")
    # a last event may repeat the whole message beside its empty delta
    found = choice.get("delta", whole) or {}
    if not isinstance(found, Mapping):
        return Delta(failure="a choice that is none")
    finish = choice.get("finish_reason")
    text, thought_chars = _read_content(found.get("content"))
    return Delta(
        text=text if found else _string(choice.get("text")),
        thought_chars=thought_chars + max(_size(found.get(name)) for name in _THOUGHT_FIELDS),
        refusal=_string(found.get("refusal")),
        tool=_tool_of(found),
        calls=_call_parts(found.get("tool_calls")),
        finish=finish if isinstance(finish, str) and finish != "null" else "",
        is_end=bool(finish and finish != "null") or isinstance(whole, Mapping),
    )


def _are_others(choices: list[Any]) -> bool:
    return all(isinstance(choice, Mapping) for choice in choices)


def _read_content(content: Any) -> tuple[str, int]:
    """The text of a content, which may be a list of parts, and the length of the reasoning among them."""
    if isinstance(content, str):
        return content, 0
    parts = content if isinstance(content, list) else [content]
    texts, thought_chars = [], 0
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, Mapping):
            kind = part.get("type", "text")
            thought_chars += _size(part) if kind in ("thinking", "reasoning") else 0
            text = part.get("text")
            texts.append(
                _string(text.get("value") if isinstance(text, Mapping) else text) if kind in _TEXT_PARTS else ""
            )
    return "".join(texts), thought_chars


def _tool_of(message: Mapping[str, Any]) -> str:
    calls = message.get("tool_calls") or []
    call = calls[0] if isinstance(calls, list) and calls and isinstance(calls[0], Mapping) else message
    function = call.get("function") or call.get("function_call")
    if isinstance(function, Mapping):
        return _string(function.get("name")) or "a tool"
    return "a tool" if calls else ""


def _call_parts(calls: Any) -> tuple[CallPart, ...]:
    """The pieces of tool calls in a message, or in what is added to one."""
    parts = []
    for place, call in enumerate(calls if isinstance(calls, list) else []):
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            index = call.get("index")
            parts.append(
                CallPart(
                    index if isinstance(index, int) else place,
                    _string(call.get("id")),
                    _string(function.get("name")),
                    _arguments(function.get("arguments")),
                )
            )
    return tuple(parts)


def _arguments(value: Any) -> str:
    """The arguments as JSON; some services send the object itself."""
    return json.dumps(value) if isinstance(value, Mapping) else _string(value)


def _response_calls(response: Mapping[str, Any]) -> tuple[CallPart, ...]:
    """The tool calls of a whole response of the Responses API."""
    items = (item for item in response.get("output") or [] if isinstance(item, Mapping))
    calls = (item for item in items if item.get("type") == "function_call")
    return tuple(
        CallPart(place, _string(item.get("call_id")), _string(item.get("name")), _arguments(item.get("arguments")))
        for place, item in enumerate(calls)
    )


def _responses_delta(kind: str, payload: Mapping[str, Any]) -> Delta:
    """An event of the Responses API."""
    added = _string(payload.get("delta"))
    if kind == "response.output_text.delta":
        return Delta(text=added)
    if kind == "response.refusal.delta":
        return Delta(refusal=added)
    if kind.startswith("response.reasoning"):
        return Delta(thought_chars=max(1, len(added)))
    if kind.startswith("response.function_call") or "_call." in kind:
        return Delta(tool=_string(payload.get("name")) or "a tool")
    response = payload.get("response")
    if kind in ("response.completed", "response.incomplete", "response.failed") and isinstance(response, Mapping):
        status = kind.removeprefix("response.")
        return _ended(response, status)
    return Delta(failure=dict(payload)) if kind in ("response.failed", "response.error") else Delta()


def _ended(response: Mapping[str, Any], status: str) -> Delta:
    """The end of a response; what was streamed is not repeated."""
    if status == "failed" or response.get("error"):
        return Delta(failure={"error": response.get("error") or "the response failed"})
    details = response.get("incomplete_details")
    reason = _string(details.get("reason")) if isinstance(details, Mapping) else ""
    finish = "stop" if status == "completed" else reason or "incomplete"
    whole = "".join(_string(part.get("text")) for part in _parts(response))
    return Delta(finish=finish, is_end=True, whole=whole, calls=_response_calls(response))


def _whole_response(response: Mapping[str, Any]) -> Delta:
    """A response that came at once."""
    items = [item for item in response.get("output") or [] if isinstance(item, Mapping)]
    end = _ended(response, _string(response.get("status")) or "completed")
    return Delta(
        text=end.whole,
        thought_chars=sum(_size(item) for item in items if item.get("type") == "reasoning"),
        refusal="".join(_string(part.get("refusal")) for part in _parts(response)),
        tool=next((_string(item.get("name")) for item in items if item.get("type") == "function_call"), ""),
        finish=end.finish,
        is_end=True,
        failure=end.failure,
        calls=end.calls,
    )


def _parts(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a response's messages."""
    items = [
        item for item in response.get("output") or [] if isinstance(item, Mapping) and item.get("type") == "message"
    ]
    return [part for item in items for part in item.get("content") or [] if isinstance(part, Mapping)]


def _size(value: Any) -> int:
    """About how long the text in a value is."""
    return len(value if isinstance(value, str) else json.dumps(value)) if value else 0


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
