"""Untrusted text made safe to show: no character left that steers a terminal or hides what follows."""

from __future__ import annotations

import re

# C0 but tab and newline, DEL and C1 (escape sequences begin with these), line and paragraph separators,
# bidirectional marks, embeddings, overrides and isolates ("Trojan Source", CVE-2021-42574), lone surrogates.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def plain(text: str) -> str:
    """The text with control characters written as visible escapes; newlines and tabs stay."""
    return _CONTROL.sub(_escaped, text)


def plain_line(text: str) -> str:
    """The text on one line: newlines and tabs are written as escapes, too."""
    return plain(text).replace("\n", "\\n").replace("\t", "\\t")


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"
