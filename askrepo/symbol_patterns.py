"""Names that source code defines, found by patterns, for languages whose syntax tree does not tell."""

from __future__ import annotations

import re

from askrepo.definitions import MAX_NAME_CHARS, Definition

# Lines longer than this are not written by people, and patterns must stay linear.
_MAX_LINE = 400
_WORDS_BEFORE = (
    rb"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|inline|virtual|override"
    rb"|sealed|open|data|pub|unsafe|extern|const|declare|local|partial|shared)[ \t]+)*"
)
_NAME = rb"([A-Za-z_\x80-\xff][\w\x80-\xff$?!-]*)"
_GENERIC = re.compile(
    rb"^[ \t]*" + _WORDS_BEFORE + rb"(?:class|struct|enum|union|trait|interface|protocol|module|namespace|package"
    rb"|object|record|contract|library|type|typedef|def|defn-?|defun|defmacro|fn|fun|func|function|sub|proc|procedure"
    rb"|macro|message|service|rpc|input|scalar)[ \t]+[\"'`]?" + _NAME
)
_LISP = re.compile(rb"^[ \t]*\((?:def[\w-]*|ns)[ \t]+\(?(?:\^\S+[ \t]+)*([^\s()\[\]{}\"';]+)")
_PATTERNS: dict[str, re.Pattern[bytes]] = {
    "clojure": _LISP,
    "scheme": _LISP,
    "racket": _LISP,
    "perl": re.compile(rb"^[ \t]*(?:package|sub)[ \t]+(?:\w+::)*(\w+)"),
    "julia": re.compile(
        rb"^[ \t]*(?:(?:mutable|abstract|primitive)[ \t]+)?(?:module|struct|function|macro|type)[ \t]+(?:\w+\.)*(\w+!?)"
    ),
    "fortran": re.compile(
        rb"(?i)^[ \t]*(?:(?!end\b)\w+[ \t]+){0,3}?(?:program|module|subroutine|function)[ \t]+(?!procedure)(\w+)"
    ),
    "r": re.compile(rb"^[ \t]*[\"'`]?([\w.]+)[\"'`]?[ \t]*(?:<-|=)[ \t]*function\b"),
    "yaml": re.compile(rb"^[\"']?([A-Za-z_][\w.$/-]*)[\"']?[ \t]*:(?:[ \t]|$)"),
    "toml": re.compile(rb"^\[\[?[ \t]*([\w.\"-]+)[ \t]*\]"),
    "ini": re.compile(rb"^\[[ \t]*([\w.:-]+)[ \t]*\]"),
    "make": re.compile(rb"^(?!\.[A-Z])([\w.%/-]+)[ \t]*:(?!=)"),
    "just": re.compile(rb"^@?([\w-]+)(?:[ \t][^:=]*)?:(?!=)"),
    "sql": re.compile(
        rb"(?i)^[ \t]*create[ \t]+(?:or[ \t]+replace[ \t]+)?(?:(?:temp|temporary|unique|materialized|external)[ \t]+)*"
        rb"(?:table|view|index|function|procedure|trigger|type|schema|sequence)[ \t]+(?:if[ \t]+not[ \t]+exists[ \t]+)?"
        rb"(?:[\"'`\[]?\w+[\"'`\]]?\.)*[\"'`\[]?(\w+)"
    ),
    "hcl": re.compile(
        rb"^[ \t]*(?:resource|data|module|variable|output|provider)[ \t]+(?:\"[^\"]*\"[ \t]+)?\"([^\"]+)\""
    ),
    "dockerfile": re.compile(rb"(?i)^from[ \t]+[^ \t]+[ \t]+as[ \t]+([\w.-]+)"),
}
PATTERN_LANGUAGES = frozenset(_PATTERNS)
"""Languages for which the pattern tells more than the syntax tree."""
# Text and data: words such as "type" or "object" at the start of a line define nothing.
_NO_SYMBOLS = frozenset(
    {"", "text", "markdown", "markdown_inline", "rst", "asciidoc", "json", "json5", "jsonc", "csv", "xml", "html",
     "css", "scss", "latex", "org", "typst", "gitignore", "properties", "dtd"}
)  # fmt: skip


def pattern_definitions(source: bytes, language: str) -> list[Definition]:
    """Definitions in order of position; their extent is unknown."""
    if language in _NO_SYMBOLS:
        return []
    pattern = _PATTERNS.get(language, _GENERIC)
    found = []
    offset = 0
    for line in source.split(b"\n"):
        match = pattern.match(line[:_MAX_LINE])
        if match:
            at = offset + match.start(1)
            found.append(Definition(_pattern_name(match[1]), at, at, at))
        offset += len(line) + 1
    return [item for item in found if item.name]


def _pattern_name(name: bytes) -> str:
    text = name.decode("utf-8", "ignore").strip("\"'`")
    return "" if len(text) > MAX_NAME_CHARS or " " in text else text
