"""Which lines of source are written for its readers: comments and docstrings."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BEGINS = re.compile(
    r"\s*(?:(?P<block>/\*|<!--|\{-|\(\*)|(?P<docstring>(?:@(?:module|type)?doc\s+(?:~[sS])?)?[rR]?(?:\"\"\"|'''))"
    r"|//|\*(?=[\s*/]|$)|--(?!-)|;;|%|#(?![\[!]|\s*(?:include|define|if|ifdef|ifndef)\b))"
)
_FIRST = frozenset("/<{(@rR\"'*-;%#")
"""What such a line may begin with: most lines of source are told by it."""

_CLOSING = {"/*": "*/", "<!--": "-->", "{-": "-}", "(*": "*)"}


def comment_lines(lines: Sequence[str], *, docstrings: bool = False) -> list[bool]:
    """For each line whether it is of a comment that begins a line, in any language that is common.

    :param docstrings: take those of Python and Elixir for comments.
    """
    found, closing = [], ""
    for line in lines:
        begins = None if closing or line.lstrip()[:1] not in _FIRST else _BEGINS.match(line)
        if begins and begins["docstring"] and not docstrings:
            begins = None
        found.append(bool(closing or begins))
        if begins and begins["docstring"]:
            quotes = begins["docstring"][-3:]
            closing = "" if quotes in line[begins.end() :] else quotes
        else:
            closing = _CLOSING[begins["block"]] if begins and begins["block"] else closing
            closing = "" if closing and closing in line else closing
    return found


def explained(text: str) -> float:
    """The share of a text's lines that are of comments and docstrings, in [0, 1]; blank lines do not count."""
    lines = [line for line in text.split("\n") if line.strip()]
    return sum(comment_lines(lines, docstrings=True)) / len(lines) if lines else 0.0
