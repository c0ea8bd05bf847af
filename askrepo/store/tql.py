"""TQL text: the only place where values become part of a query.

Prepared queries would quote for us, but they ignore the accuracy setting that makes vector search exact
(measured 2026-11: 77 % of the true first hundred instead of all), so values are quoted here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from askrepo.errors import UsageError

# LIKE's wildcards (`%`, `*`, `?`, `[…]`) have no dependable escape, and Deep Lake takes what means something in a
# regular expression for just that: `app/(shop)/%` and `c++/%` match nothing (measured 2026-11 with 4.7.4). So
# whatever is not known to stand for itself, with all that may be a class, is widened to `%`; the exact test is left to
# Python.
_WIDENED = re.compile(r"(?:\[.*\]|[^\w/. -])+", re.DOTALL)

# Deep Lake matches by a regular expression of bounded memory: with 1,500 wildcards a path is matched, with 2,000 none
# is, whether it fits or not (measured 2026-11).
_MAX_GLOB_CHARS = 500


def text_literal(text: str) -> str:
    """A TQL string literal; `''` is the only escape, backslashes stand for themselves.

    :raises UsageError: the text has a NUL, which would end the query early, or is not valid Unicode.
    """
    if "\0" in text:
        raise UsageError(f"{text[:80]!r} has a NUL character, which no stored value has: remove it")
    if not _is_unicode(text):
        raise UsageError(f"{text[:80]!r} is not valid Unicode: it has half of a surrogate pair")
    return "'" + text.replace("'", "''") + "'"


def is_storable(text: str) -> bool:
    """Whether a text column could have this value at all."""
    return "\0" not in text and _is_unicode(text)


def vector_literal(vector: Iterable[float]) -> str:
    """A TQL array literal that reads back as the same numbers.

    :raises UsageError: a value is not a finite number.
    """
    values = [float(value) for value in vector]
    if not all(map(math.isfinite, values)):
        raise UsageError("the vector has values that are no finite numbers: its embedder is broken")
    return "ARRAY[" + ",".join(map(repr, values)) + "]"


def plain_terms(terms: Iterable[str]) -> str:
    """Search terms as one space-separated text, without the characters that a literal cannot hold."""
    text = " ".join(terms).replace("\0", " ")
    return " ".join(text.encode("utf-8", "ignore").decode("utf-8").split())


def glob_to_like(pattern: str) -> str:
    """A LIKE pattern that matches at least every path the glob matches.

    Rows still have to be tested with `globs.matches`; this only lets the store skip most others.
    """
    if len(pattern) > _MAX_GLOB_CHARS:
        return "%"
    return _WIDENED.sub("%", re.sub(r"^\*\*/", "*", pattern))


def equals(column: str, value: str) -> str:
    """The condition that a text column has exactly this value."""
    return f"{column} = {text_literal(value)}"


def any_of(column: str, values: Sequence[str]) -> str:
    """The condition that a text column has one of the values."""
    return f"{column} IN ({', '.join(map(text_literal, values))})"


def contains(column: str, text: str) -> str:
    """The condition that a text column has this in it: as a word where the column is indexed by BM25.

    A text without a letter or digit is in none: Deep Lake ends the process when its index makes no word of it.
    """
    if not any(character.isalpha() or character.isdecimal() for character in text):
        return "FALSE"
    return f"CONTAINS({column}, {text_literal(text)})"


def like_any(column: str, patterns: Sequence[str]) -> str:
    """The condition that a text column fits one of the globs, or more: see `glob_to_like`; "" when all may fit."""
    likes = {glob_to_like(pattern) for pattern in patterns}
    if "%" in likes:
        return ""
    return "(" + " OR ".join(f"{column} LIKE {text_literal(like)}" for like in sorted(likes)) + ")"


def where(conditions: Iterable[str]) -> str:
    """A WHERE clause of all non-empty conditions, or nothing."""
    joined = " AND ".join(condition for condition in conditions if condition)
    return f" WHERE {joined}" if joined else ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
