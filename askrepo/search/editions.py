"""Editions of a page: translations, and what is kept of earlier or coming versions."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

TRANSLATION_FACTOR = 0.4
"""On a page in another language than the question's: what it says, the page in the question's language says too."""

ARCHIVE_FACTOR = 0.6
"""On a page of an earlier version, which may still be the only one that answers."""

_LANGUAGES = (
    "ar|bg|bn|ca|cs|da|de|el|es|et|fa|fi|fr|he|hi|hr|hu|id|it|ja|jp|ko|kr|lt|lv|ms|nb|nl|no|pl|pt|ro|ru|sk|sl|sr|sv|ta"
    "|th|tr|uk|ur|uz|vi|zh|cn|tw"
)
_REGION = r"[-_](?:[a-z]{2}|[a-z]{4}|\d{3})"
_OF_A_PAGE = "readme|contributing|code_of_conduct|security|changelog|index|faq"
_TRANSLATION = re.compile(
    rf"(?:^|/)(?:(?:{_LANGUAGES})(?:{_REGION})?|i18n|l10n|locales?|translations?)/"
    rf"|\.(?:{_LANGUAGES})(?:{_REGION})?\.\w+$"
    rf"|(?:^|/)(?:{_OF_A_PAGE})[-_.](?:{_LANGUAGES})(?:{_REGION})?(?:\.\w+)?$"
    rf"|[-_](?:{_LANGUAGES}){_REGION}\.\w+$",
    re.IGNORECASE,
)
_VERSION = r"v?\d+(?:\.(?:\d+|x))+|v\d+|version-[^/]+"
_ARCHIVE = re.compile(r"(?:^|/)(?:archived?|legacy|deprecated|old|obsolete|versioned_docs)/", re.IGNORECASE)
_EDITION = re.compile(
    rf"(?:^|(?<=/))(?:latest|next|stable|current|main|master|dev|unreleased|edge|archived?|legacy|old|{_VERSION})/",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"((?:[^/]+/)*?)(v\d+(?:\.(?:\d+|x))*|\d+\.(?:\d+|x)(?:\.(?:\d+|x))*)/", re.IGNORECASE)
"""What is before a folder that is called by a version, and the version; chapters and years are other numbers."""
_ENGLISH = re.compile(
    r"\b(?:the|an?|is|are|was|do|does|did|how|what|why|where|when|which|who|can|should|to|of|in|for|with|and|or|it|my)\b",
    re.IGNORECASE,
)
_NUMBER_ASKED = re.compile(r"\b(?:v|versions?\s+|releases?\s+)(\d{1,6}(?:\.(?:\d{1,6}|x)){0,3})\b", re.IGNORECASE)
_OLD = re.compile(r"\b(?:old|older|earlier|previous|legacy|deprecated|archived?|obsolete)\b", re.IGNORECASE)
_FEW_WORDS = 3


@functools.lru_cache(maxsize=10_000)
def edition_factor(path: str, asked: frozenset[str] = frozenset()) -> float:
    """The factor on a page for a question in English: less than 1 for translations and for earlier versions.

    :param asked: what `editions_named` finds in the question: these are not ranked lower.
    """
    translated = TRANSLATION_FACTOR if _TRANSLATION.search(path) else 1.0
    is_archive = _ARCHIVE.search(path) is not None and not asked & _editions(path.rpartition("/")[0])
    return translated * (ARCHIVE_FACTOR if is_archive else 1.0)


@functools.lru_cache(maxsize=1_000)
def editions_named(question: str) -> frozenset[str]:
    """The versions that a question is about, as numbers without zeros behind, and "old" where it says so."""
    named = {_plain_number(match[1]) for match in _NUMBER_ASKED.finditer(question)}
    return frozenset({*named, "old"} if _OLD.search(question) else named)


def superseded(paths: Iterable[str], asked: frozenset[str] = frozenset()) -> frozenset[str]:
    """Those of the paths that are of an earlier version than others beside them: `docs/v1/` where there is `docs/v2/`.

    :param asked: what `editions_named` finds in the question: these are left out.
    """
    versions: dict[str, dict[str, tuple[int, ...]]] = {}
    for path in paths:
        numbered = _NUMBERED.match(path)
        if numbered:
            versions.setdefault(numbered[1], {})[path] = tuple(map(int, re.findall(r"\d+", numbered[2])))
    return frozenset(
        path
        for of_folder in versions.values()
        for path, version in of_folder.items()
        if version < max(of_folder.values()) and not asked & _editions(path.rpartition("/")[0])
    )


def _editions(folder: str) -> set[str]:
    """What names the version of an archived page: all leading parts of its numbers, so that 1 names `v1.2` too."""
    found = {"old"}
    for number in re.findall(r"\d+(?:\.\d+)*", folder):
        parts = number.split(".")
        found.update(_plain_number(".".join(parts[:count])) for count in range(1, len(parts) + 1))
    return found


def _plain_number(number: str) -> str:
    while number.endswith((".0", ".x")):
        number = number[:-2]
    return number


@functools.lru_cache(maxsize=1_000)
def is_english(text: str) -> bool:
    """Whether a question is in English, as far as letters and small words tell; a few names are in any language."""
    return text.isascii() and (len(text.split()) <= _FEW_WORDS or _ENGLISH.search(text) is not None)


@functools.lru_cache(maxsize=10_000)
def page_of_all_editions(path: str) -> str:
    """What the paths of one page's versions have in common: `docs/latest/faq.md` and `docs/next/faq.md` are alike."""
    return _EDITION.sub("", path)
