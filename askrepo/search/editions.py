"""Editions of a page: translations, and what is kept of earlier or coming versions."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Iterator

TRANSLATION_FACTOR = 0.4
"""On a page in another language than the question's: what it says, the page in the question's language says too."""

ARCHIVE_FACTOR = 0.6
"""On a page of an earlier version, which may still be the only one that answers."""

COPY_FACTOR = 0.4
"""Factor on a chunk whose text a better one has: versioned documentation and vendored copies say the same again
(overview questions with their page in the first three: .81 instead of .75, measured 2026-11)."""

_LANGUAGES = (
    "ar|bg|bn|ca|cs|da|de|el|es|et|fa|fi|fr|he|hi|hr|hu|id|it|ja|jp|ko|kr|lt|lv|ms|nb|nl|no|pl|pt|ro|ru|sk|sl|sr|sv|ta"
    "|th|tr|uk|ur|uz|vi|zh|cn|tw"
)
_LANGUAGE_FOLDERS = "|".join(sorted(set(_LANGUAGES.split("|")) - {"cs", "id", "ms", "no"}))
"""Codes that as a folder's name are hardly anything else: `docs/cs/` is about C# as well."""
_REGION = r"[-_](?:[a-z]{2}|[a-z]{4}|\d{3})"
_KNOWN_REGION = r"[-_](?:cn|tw|hk|sg|mo|br|pt|us|gb|de|at|ch|fr|be|ca|es|mx|ar|co|cl|419|it|jp|kr|ru|ua|hans|hant)"
_OF_A_PAGE = "readme|contributing|code_of_conduct|security|changelog|index|faq"
_TRANSLATION = re.compile(
    rf"(?:^|/)(?:(?:{_LANGUAGE_FOLDERS})(?:{_REGION})?|(?:{_LANGUAGES}){_REGION})/"
    rf"|(?:^|/)(?:i18n|l10n|locales?|translations?)/(?:(?:{_LANGUAGES})/|(?:{_OF_A_PAGE})(?![^/]*\ben\b)[-_.])"
    rf"|\.(?:{_LANGUAGES})(?:{_REGION})?\.\w+$"
    rf"|(?:^|/)(?:{_OF_A_PAGE})[-_.](?:{_LANGUAGES})(?:{_REGION})?(?:\.\w+)?$"
    rf"|[-_](?:{_LANGUAGES}){_KNOWN_REGION}\.\w+$",
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
_CURRENT = re.compile(r"((?:[^/]+/)*?)(latest|stable|current)/", re.IGNORECASE)
_COMING = re.compile(r"((?:[^/]+/)*?)(next|dev|unreleased|edge)/", re.IGNORECASE)
_ENGLISH = re.compile(
    r"\b(?:the|an?|is|are|was|do|does|did|how|what|why|where|when|which|who|can|should|to|of|in|for|with|and|or|it|my)\b",
    re.IGNORECASE,
)
_OTHER_LANGUAGE = re.compile(
    r"\b(?:wie|und|der|das|dem|den|ich|nicht|eine?[mnrs]?|ist|sind|mit|von|welche[nrs]?|warum|wird|kann"  # German
    r"|le|les|une|est|dans|pour|comment|pourquoi|quelle?|avec|je|du"  # French
    r"|el|los|las|una|como|cual|puedo|con|por|que"  # Spanish
    r"|il|gli|una|posso|quale|che"  # Italian
    r"|os|uma|posso|qual|com"  # Portuguese
    r"|het|een|hoe|ik|waarom|welke|wat|zijn)\b",  # Dutch
    re.IGNORECASE,
)
_MARKS = str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014\u2026\u00a0", "''\"\"--. ")
"""What editors and phones write for marks of ASCII."""
_NUMBER_ASKED = re.compile(r"\b(?:v|versions?\s+|releases?\s+)(\d{1,6}(?:\.(?:\d{1,6}|x)){0,3})\b", re.IGNORECASE)
_OLDER = r"\b(?:old|older|earlier|previous|legacy|deprecated|archived|obsolete|former)\b"
_OLD = re.compile(
    rf"{_OLDER}\s+(?:\w+\s+)?(?:versions?|releases?|docs?|documentation|manuals?|pages?|apis?|syntax|series|branch(?:es)?)\b"
    rf"|\b(?:did|was|were)\b.*{_OLDER}",
    re.IGNORECASE,
)
"""Not "old" alone: "how do I delete old readings" is after the page of today."""
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
    """Those of the paths that are of an earlier or coming version than others beside them.

    `docs/v1/` where there is `docs/v2/`, both where there is `docs/stable/`, and `docs/v2/faq.md` where there is
    `docs/faq.md`.

    :param asked: what `editions_named` finds in the question: these are left out.
    """
    known = frozenset(paths)
    versions: dict[str, dict[str, tuple[float, ...]]] = {}
    for path in known:
        for folder, version in _versions_of(path):
            versions.setdefault(folder, {})[path] = version
    return frozenset(
        path
        for folder, of_folder in versions.items()
        for path, version in of_folder.items()
        if (version < max(of_folder.values()) or _beside(folder, path) in known)
        and not asked & _editions(path.rpartition("/")[0])
    )


def _versions_of(path: str) -> Iterator[tuple[str, tuple[float, ...]]]:
    """What is before the folder of a version, and the version: the current one above all, a coming one below all."""
    if numbered := _NUMBERED.match(path):
        yield numbered[1], tuple(map(float, re.findall(r"\d+", numbered[2])))
    if current := _CURRENT.match(path):
        yield current[1], (math.inf,)
    if coming := _COMING.match(path):
        yield coming[1], (-math.inf,)


def _beside(folder: str, path: str) -> str:
    """The same page outside of the folder of its version."""
    return folder + path.removeprefix(folder).partition("/")[2]


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
    plain = text.translate(_MARKS)
    if not plain.isascii():
        return False
    english, other = len(_ENGLISH.findall(plain)), len(_OTHER_LANGUAGE.findall(plain))
    return english > other or (len(plain.split()) <= _FEW_WORDS and english == other)


@functools.lru_cache(maxsize=10_000)
def page_of_all_editions(path: str) -> str:
    """What the paths of one page's versions have in common: `docs/latest/faq.md` and `docs/next/faq.md` are alike."""
    return _EDITION.sub("", path)
