"""Names that source code defines, found by patterns, for languages whose syntax tree does not tell."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from askrepo.chunking.symbols.definitions import MAX_NAME_CHARS, SymbolDefinition

# Lines longer than this are not written by people, and patterns must stay linear.
_MAX_LINE = 400
_WORDS_BEFORE = (
    rb"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|inline|virtual|override"
    rb"|sealed|open|data|pub|unsafe|extern|const|declare|local|partial|shared|enum|annotation|value)[ \t]+)*"
)
# Not the words that follow "type" or "class" in a sentence, nor a second keyword.
_NAME = rb"(?!(?:and|class|for|in|interface|is|of|or|struct|that|the|to)\b)([A-Za-z_\x80-\xff][\w\x80-\xff$?!-]*)"
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
_YAML_KEY = re.compile(rb"[ ]*[\"']?([A-Za-z_][\w.$/-]*)[\"']?[ \t]*:(?:[ \t]++(.*))?$")
_HTML_HEADING = re.compile(rb"<h([1-6])(?:[ \t][^>]*)?>(.*?)</h\1>", re.IGNORECASE)
_HTML_TAG = re.compile(r"<[^>]*>")
_TEMPLATE = re.compile(r"\{[{%]")
# Files made of sections: each goes on until the next.
_SECTIONED = frozenset({"toml", "ini"})
PATTERN_LANGUAGES = frozenset({*_PATTERNS, "yaml", "html"})
"""Languages for which the pattern tells more than the syntax tree."""
# Text and data: words such as "type" or "object" at the start of a line define nothing.
_NO_SYMBOLS = frozenset(
    {"", "text", "markdown", "markdown_inline", "rst", "asciidoc", "json", "json5", "jsonc", "csv", "xml",
     "css", "scss", "latex", "org", "typst", "gitignore", "properties", "dtd"}
)  # fmt: skip


def pattern_definitions(source: bytes, language: str) -> list[SymbolDefinition]:
    """Definitions in order of position; the extent of most is unknown."""
    if language in _NO_SYMBOLS:
        return []
    if language == "yaml":
        return _yaml_keys(source)
    if language == "html":
        return _html_headings(source)
    found = _matches(source, _PATTERNS.get(language, _GENERIC))
    return _with_extents(found, [1] * len(found), len(source)) if language in _SECTIONED else found


def _matches(source: bytes, pattern: re.Pattern[bytes]) -> list[SymbolDefinition]:
    found = []
    for offset, line in _lines(source):
        if match := pattern.match(line):
            at = offset + match.start(1)
            found.append(SymbolDefinition(_pattern_name(match[1]), at, at, at))
    return [item for item in found if item.name]


def _lines(source: bytes) -> Iterator[tuple[int, bytes]]:
    """Each line, as far as patterns look, with its offset."""
    offset = 0
    for line in source.split(b"\n"):
        yield offset, line[:_MAX_LINE].rstrip(b"\r")
        offset += len(line) + 1


def _yaml_keys(source: bytes) -> list[SymbolDefinition]:
    """The keys of the first level, and those of the second that hold more than a value."""
    lines = [
        (offset, len(line) - len(line.lstrip(b" ")), line)
        for offset, line in _lines(source)
        if line.strip() and not line.lstrip().startswith(b"#")
    ]
    found: list[SymbolDefinition] = []
    levels: list[int] = []
    inner: int | None = None  # indentation of the second level; None until its first line, 0 where there is none
    for number, (offset, indent, line) in enumerate(lines):
        match = _YAML_KEY.match(line)
        if match is None or (indent and not found):
            inner = indent if inner is None and indent else inner
            continue
        value = match[2] or b""
        if indent == 0:
            inner = 0 if value[:1] in {b"|", b">"} else None
        elif inner is None:
            inner = indent
        holds_more = number + 1 < len(lines) and lines[number + 1][1] > indent and (not value or value[:1] in b"&!")
        if indent == 0 or (indent == inner and holds_more):
            at = offset + match.start(1)
            found.append(SymbolDefinition(_pattern_name(match[1]), at, at, at))
            levels.append(2 if indent else 1)
    return _with_extents(found, levels, len(source))


def _html_headings(source: bytes) -> list[SymbolDefinition]:
    """The headings, which only enclose what follows them."""
    found: list[SymbolDefinition] = []
    levels: list[int] = []
    for offset, line in _lines(source):
        for match in _HTML_HEADING.finditer(line):
            title = _HTML_TAG.sub("", match[2].decode("utf-8", "ignore"))
            title = " ".join(html.unescape(title).split())[:MAX_NAME_CHARS]
            if title and not _TEMPLATE.search(title):
                at = offset + match.start()
                found.append(SymbolDefinition(title, at, at, at, is_symbol=False))
                levels.append(int(match[1]))
    return _with_extents(found, levels, len(source))


def _with_extents(found: Sequence[SymbolDefinition], levels: Sequence[int], end: int) -> list[SymbolDefinition]:
    """Each goes on until the next of its level or of an outer one."""
    result: list[SymbolDefinition] = []
    ends = [end] * (max(levels, default=0) + 1)
    for item, level in zip(reversed(found), reversed(levels), strict=True):
        result.append(replace(item, end=ends[level]))
        ends[level:] = [item.start] * len(ends[level:])
    return result[::-1]


def _pattern_name(name: bytes) -> str:
    text = name.decode("utf-8", "ignore").strip("\"'`")
    return "" if len(text) > MAX_NAME_CHARS or " " in text else text
