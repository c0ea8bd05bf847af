"""Documentation written in comments: guides in `_tutorial.rs`, a package's introduction in `doc.go`."""

from __future__ import annotations

import re

from askrepo.files.kinds import CONFIGURATION_LANGUAGES
from askrepo.files.languages import PROSE

MIN_LINES = 8
"""Fewer lines of comment say what a file is for, not how a project is used."""
MIN_SHARE = 0.9
"""Of the lines that count. Among 26 public repositories 13 files have it, all of them guides or commented out; with .85
a list of test statements is a 14th and three more follow (measured 2026-11)."""

_COMMENT = re.compile(r"\s*(?://|/\*|\*(?=[\s*/]|$)|--|;;|%%|#(?![\[!]|\s*(?:include|define|undef|if|el|end|pragma)))")
_ATTRIBUTE = re.compile(r"\s*#!?\[")
# What no line outside of the comments may have: a definition, a call or a value.
_CODE = re.compile(
    r"[=(]|\b(?:class|struct|enum|trait|interface|impl|fn|fun|func|function|def|defmodule|record|object|union|protocol"
    r"|extension|type|const|static|var|let|val|return)\b"
)
_VISIBILITY = re.compile(r"\bpub ?\((?:crate|super|self|in [\w:]{1,80})\)")
_LICENCE = re.compile(r"licen[cs]e|copyright", re.IGNORECASE)


def is_documentation(text: str, *, language: str) -> bool:
    """Whether a source file is nearly nothing but comments, and defines nothing.

    A licence at the top does not count, nor do attributes and lines that only name modules.
    """
    if not language or language in PROSE or language in CONFIGURATION_LANGUAGES:
        return False
    lines = [line for line in _without_licence(text.split("\n")) if line.strip() and not _ATTRIBUTE.match(line)]
    others = [line for line in lines if not _COMMENT.match(line)]
    comments = len(lines) - len(others)
    if comments < MIN_LINES or comments < MIN_SHARE * len(lines):
        return False
    return not any(_CODE.search(_VISIBILITY.sub("", line)) for line in others)


def _without_licence(lines: list[str]) -> list[str]:
    """The lines after a first comment that speaks of a licence."""
    first = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    end = next((at for at in range(first, len(lines)) if not _COMMENT.match(lines[at])), len(lines))
    return lines[end:] if _LICENCE.search("\n".join(lines[first:end])) else lines
