"""The tools that an agent may call: their names, arguments and bounds, and how a call is checked against them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from askrepo.errors import UsageError
from askrepo.text.display import plain_line
from askrepo.text.suggestions import did_you_mean

MIN_TOKENS, MAX_TOKENS = 200, 20_000
"""Of a result. Some clients refuse what is larger than 25,000 tokens of their own count."""

MAX_TEXT_CHARS = 4000
"""Of any argument: a question, a pasted message; files are read, not pasted."""

_MAX_SHOWN = 60

_ALIAS = {"type": "string", "description": "Which dataset; status lists them. Default: the configured one."}
_REPOSITORY = {"type": "string", "description": "Only this repository of the alias."}


def _whole(description: str, low: int, high: int, default: int | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer", "minimum": low, "maximum": high, "description": description}
    return schema if default is None else {**schema, "default": default}


def _tokens(default: int) -> dict[str, Any]:
    return _whole("Bound of the result.", MIN_TOKENS, MAX_TOKENS, default)


def _tool(description: str, needed: str | None, properties: Mapping[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {"description": description, "schema": schema if needed is None else {**schema, "required": [needed]}}


TOOLS: Mapping[str, Mapping[str, Any]] = {
    "search": _tool(
        "Find code and documentation of indexed repositories, by meaning and by exact names. Each result is a file "
        "with its best lines, under path:start-end. Says when a name stands nowhere.",
        "query",
        {
            "query": {"type": "string", "description": "A question, or an exact identifier, setting or message."},
            "alias": _ALIAS,
            "repository": _REPOSITORY,
            "path": {"type": "string", "description": "Only this file, folder or glob."},
            "language": {"type": "string", "description": "Only this language, such as python."},
            "limit": _whole("How many results.", 1, 50, 8),
            "detail": {"type": "string", "enum": ["location", "signature", "full"], "default": "full",
                       "description": "Less is given where the bound does not hold it."},
            "max_tokens": _tokens(4000),
            "offset": _whole("Results to leave out, to page on.", 0, 99, 0),
        },
    ),
    "read": _tool(
        "Read lines of an indexed file with their numbers, at most 400 at once.",
        "path",
        {
            "path": {"type": "string", "description": "As results write it, or an end that one path only has."},
            "start": _whole("First line, from 1.", 1, 10**9),
            "end": _whole("Last line.", 1, 10**9),
            "repository": _REPOSITORY,
            "alias": _ALIAS,
            "at": {"type": "string", "description": "An earlier state: date, entry number, repository@commit, tag."},
        },
    ),
    "context": _tool(
        "Gather the passages that answer a question, whole definitions and sections, in one call.",
        "question",
        {"question": {"type": "string"}, "max_tokens": _tokens(6000), "alias": _ALIAS},
    ),
    "ask": _tool(
        "Have a chat model answer a question from the indexed repositories, each statement with cited lines. Slow: "
        "up to a minute.",
        "question",
        {"question": {"type": "string"}, "max_tokens": _tokens(4000), "alias": _ALIAS},
    ),
    "status": _tool(
        "What is indexed: aliases, commits, age, coverage. With a path: whether it is indexed, and why not.",
        None,
        {"path": {"type": "string", "description": "A file or a folder."}, "alias": _ALIAS},
    ),
}  # fmt: skip
"""By name: the description, and the JSON schema of the arguments."""


def checked_arguments(tool: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call, complete with their defaults.

    Numbers may be written as text; NUL and broken encoding are blanked out; null is as if nothing was given.

    :raises UsageError: an argument is unknown, missing, or not as the schema says; the message names it.
    """
    properties = TOOLS[tool]["schema"]["properties"]
    values = {key: value for key, value in given.items() if value is not None}
    unknown = [key for key in values if key not in properties]
    if unknown:
        meant = did_you_mean(unknown[0], properties)
        raise UsageError(f"{tool} has no argument {_shown(unknown[0])}{meant}; it takes {', '.join(properties)}")
    missing = [key for key in TOOLS[tool]["schema"].get("required", ()) if key not in values]
    if missing:
        raise UsageError(f"{tool} needs {missing[0]!r}")
    defaults = {key: each["default"] for key, each in properties.items() if "default" in each}
    return {**defaults, **{key: _checked(tool, key, value, properties[key]) for key, value in values.items()}}


def _checked(tool: str, key: str, value: Any, schema: Mapping[str, Any]) -> str | int:
    name = f"{key!r} of {tool}"
    return _number(name, value, schema) if schema["type"] == "integer" else _text(name, value, schema)


def _number(name: str, value: Any, schema: Mapping[str, Any]) -> int:
    low, high = schema["minimum"], schema["maximum"]
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UsageError(f"{name} must be a whole number from {low:,} to {high:,}, found {_shown(value)}")
    return value


def _text(name: str, value: Any, schema: Mapping[str, Any]) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{name} must be text, found {_shown(value)}")
    if len(value) > MAX_TEXT_CHARS:
        raise UsageError(f"{name} has {len(value):,} characters; {MAX_TEXT_CHARS:,} are enough")
    text = value.encode("utf-8", "replace").decode("utf-8").replace("\0", " ").strip()
    if not text:
        raise UsageError(f"{name} is empty")
    allowed = schema.get("enum")
    if allowed and text not in allowed:
        raise UsageError(f"{name} must be one of {', '.join(allowed)}, found {_shown(text)}")
    return text


def _shown(value: Any) -> str:
    text = plain_line(repr(value) if not isinstance(value, str) else value[: _MAX_SHOWN + 1])
    return repr(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…")
