"""Documentation written as data: a manual in YAML, of which a site is made (`docs/manual.yml`)."""

from __future__ import annotations

import re

MIN_LINES = 30
"""Fewer lines configure something, and say what they configure."""
MIN_SHARE = 0.3
"""Of the lines that are no comments. Where the documentation of 45 public repositories lies, jq's manuals and
Jekyll's lists of options and filters have .31 to .64, all other YAML .25 at most (measured 2026-11)."""
MIN_WORDS = 6
"""Words of a line that is prose."""

_WORD = re.compile(r"[^\W\d_]{2,}")


def is_prose_as_data(text: str, *, language: str) -> bool:
    """Whether so many lines of a YAML file are prose that it is written to be read."""
    if language != "yaml":
        return False
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    prose = sum(len(_WORD.findall(line)) >= MIN_WORDS for line in lines)
    return len(lines) >= MIN_LINES and prose >= MIN_SHARE * len(lines)
