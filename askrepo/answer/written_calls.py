"""Calls of tools that a chat model writes into its text, where its server does not take them out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

# Qwen, Hermes, GLM and MiniMax; Granite and Phi; Kimi and DeepSeek; Mistral; Llama 3; and calls that are bare JSON.
_TAGS = (
    r"<(?:[a-z]+:)?(?:tool_call|tool_calls|function_call|function_calls|functioncall|tool_use|start_function_call)>"
    r"|<\|/?(?:tool_call|tool_calls_section_begin|tool_call_begin|python_tag)\|>"
    r"|<\uff5ctool\u2581calls?\u2581begin\uff5c>|\[TOOL_CALLS\]|functools(?=\[)"
)
_CALL = re.compile(
    rf"(?:{_TAGS})\s{{0,10}}(?:[\w.:-]{{1,80}}\n?)?[{{\[<(]"
    r"|<function=[\w.:-]{1,80}>|<invoke name="
    r'|\{{1,2}\s{0,20}"(?:name|function|tool)"\s{0,5}:\s{0,5}"[\w.:-]{1,80}"\s{0,5},\s{0,20}'
    r'"(?:parameters|arguments|args)"\s{0,5}:'
)
_CLOSING = re.compile(
    r"</(?:[a-z]+:)?(?:tool_calls?|function_calls?|functioncall|tool_use|invoke|function)>"
    r"|<\|/tool_call\|>|<\|tool_calls_section_end\|>|<\uff5ctool\u2581calls\u2581end\uff5c>|<end_function_call>"
)
_END = re.compile(r"[}>)]\]?\s*$")
_NAMES = re.compile(
    r'"name"\s{0,5}:\s{0,5}"([\w.:-]{1,80})"|<(?:function|invoke name)="?([\w.:-]{1,80})|functions\.([\w-]{1,80})'
    rf"|(?:{_TAGS})\s{{0,10}}([\w.:-]{{1,80}})[\n({{]|\uff5ctool\u2581sep\uff5c>([\w.:-]{{1,80}})"
)
_DECODER = json.JSONDecoder(strict=False)
_OBJECT = re.compile(r"\{\s{0,20}\"")
# Objects of a text that are looked at, each of which may go on to its end.
_MAX_OBJECTS = 100
_ARGUMENTS = ("arguments", "parameters", "args")
# A call shows within so many characters.
_HEAD_CHARS = 120
_INDENT_CHARS = 40


def without_calls(pieces: Iterable[str], called: Callable[[str], None]) -> Iterator[str]:
    """The pieces; none when together they are nothing but calls.

    What begins like a call is held back until that is known.

    :param called: told the name of the tool, then or when the text ends with a call.
    """
    text, passed = "", 0
    for piece in pieces:
        text += piece
        if passed or not _may_be_call(text.lstrip()):
            yield text[passed:]
            passed = len(text)
    if name := tool_called(text):
        called(name)
    if text and not passed and not (name and _CALL.match(text.lstrip())):
        yield text


def tool_called(text: str) -> str | None:
    """The tool that a text calls at its end, on a line of its own; `a tool` when it has no name, None for no call."""
    found = next((call for call in _CALL.finditer(text) if _begins_a_line(text, call.start())), None)
    if found is None or text.count("```", 0, found.start()) % 2:
        return None
    closings = [closing.end() for closing in _CLOSING.finditer(text, found.start())]
    is_last = not text[closings[-1] :].strip() if closings else _END.search(text[-200:]) is not None
    if not is_last:
        return None
    name = _NAMES.search(text, found.start())
    return next(filter(None, name.groups()), "a tool").removesuffix(".call") if name else "a tool"


def calls_in(text: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Names and arguments of calls that a text holds as JSON, as small models write them where they should call.

    Braces may be doubled around a call: templates of Qwen2.5-Coder show them so, and it copies what it sees.

    :param names: of the tools that there are; other objects are no calls.
    """
    at = 0
    for _ in range(_MAX_OBJECTS):
        if (found := _OBJECT.search(text, at)) is None:
            return
        try:
            value, at = _DECODER.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            at = found.end()
            continue
        name, arguments = _call_of(value)
        if name in names:
            yield name, arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _call_of(value: dict[str, Any]) -> tuple[str, Any]:
    """Name and arguments of an object that may be a call; the name is empty when it is none."""
    inner = value.get("function")
    call = inner if isinstance(inner, dict) else value
    arguments = next((call[key] for key in _ARGUMENTS if key in call), None)
    name = call.get("name")
    return (name, arguments) if isinstance(name, str) and isinstance(arguments, dict | str) else ("", None)


def _begins_a_line(text: str, at: int) -> bool:
    before = text[max(0, at - _INDENT_CHARS) : at]
    return not before.rpartition("\n")[2].strip() and (at <= len(before) or "\n" in before)


def _may_be_call(head: str) -> bool:
    if not head or _CALL.match(head):
        return True
    return len(head) < _HEAD_CHARS and (head[0] in "<[{" or "functools[".startswith(head[:10]))
