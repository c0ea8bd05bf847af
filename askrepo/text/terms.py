"""Terms of the lexical index: identifiers whole and in parts, lower-cased and stemmed."""

from __future__ import annotations

import functools
import re
import threading
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

# A longer word is a hash, a key or encoded bytes; its beginning stands for it.
MAX_WORD_CHARS = 64
STEM_REPEATS = 2  # the file's own name counts twice: measured with the path-token signal, 2026-11
PATH_FOLDERS = 3
# Distinct words of a large repository are about 200,000; a term tuple takes some 150 bytes.
CACHED_WORDS = 200_000
CACHED_PATHS = 10_000
NEAR_FOLDERS = 2  # of the path signal; outer folders say the same of every file

_STOP_WORDS = """
a an and any are as at be been but by can could did do does for from had has have how i if in into is it its me my of on
or our should so some than that the their them then there these they this those to used using was we were what when
where which who whose why will with would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

_WORD = re.compile(r"\w+")
_CONTRACTION = re.compile(r"(?:\b\w+n['\u2019]t|['\u2019](?:s|re|ve|ll|d|m))\b", re.IGNORECASE)
_ASCII_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PARTS = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+")
# Scripts without spaces between words: a run is one term, apart from the Latin letters around it.
_UNSPACED_LETTERS = r"\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_UNSPACED = re.compile(f"[{_UNSPACED_LETTERS}]+|[^{_UNSPACED_LETTERS}]+")
_stemming = threading.Lock()


def index_terms(text: str, *, path: str, scope: Sequence[str]) -> list[str]:
    """Terms to store for a chunk, in order, repeated as often as they occur.

    Words that no question is looked up with are left out: a tenth of the terms, which take as much of the time that an
    index takes to build (NDCG@10 -.002 +- .002, pages found +.01 +- .01, measured 2026-11).

    :param scope: names of the enclosing definitions or headings; their words count once each.
    :returns: non-empty strings of word characters.
    """
    return [*_stored(text), *_path_terms(path), *dict.fromkeys(_stored(" ".join(scope)))]


def query_terms(question: str) -> list[str]:
    """Terms to look a question up with: distinct, in order, without words like "the".

    A contraction is such a word: "what's" is no `s`, "doesn't" no `doesn`.
    """
    return list(dict.fromkeys(_stored(_CONTRACTION.sub(" ", question))))


def whole_terms(text: str) -> tuple[str, ...]:
    """Terms that a text holds only when it holds the words whole: of an identifier its parts together."""
    words = (word for word in _words(text) if word.lower() not in STOP_WORDS)
    return tuple(dict.fromkeys(terms[0] for word in words if (terms := _word_terms(word))))


def matches_of(text: str, terms: Collection[str]) -> Iterator[tuple[int, int]]:
    """Where words begin and end in a text that have one of the terms."""
    return (match.span() for match in _WORD.finditer(text) if not set(_word_terms(match[0])).isdisjoint(terms))


def _terms(text: str) -> list[str]:
    return _flattened(_words(text))


def _stored(text: str) -> list[str]:
    """Terms of a text without its stop words."""
    return _flattened(word for word in _words(text) if word.lower() not in STOP_WORDS)


@functools.lru_cache(maxsize=CACHED_PATHS)
def name_terms(path: str) -> frozenset[str]:
    """Terms of the file's own name."""
    return frozenset(_terms(PurePosixPath(path).stem))


@functools.lru_cache(maxsize=CACHED_PATHS)
def folder_terms(path: str) -> frozenset[str]:
    """Terms of the folders nearest to the file."""
    return frozenset(_terms(" ".join(PurePosixPath(path).parts[:-1][-NEAR_FOLDERS:])))


@functools.lru_cache(maxsize=CACHED_PATHS)
def text_terms(text: str) -> frozenset[str]:
    """Terms of a short text, such as a chunk's names."""
    return frozenset(_terms(text))


@functools.lru_cache(maxsize=16)  # chunks come file by file
def _path_terms(path: str) -> tuple[str, ...]:
    """Terms of the file's own name, repeated, and of the folders nearest to it."""
    file = PurePosixPath(path)
    folders = " ".join(file.parts[:-1][-PATH_FOLDERS:])
    return (*_stored(file.stem) * STEM_REPEATS, *_stored(folders))


def _words(text: str) -> list[str]:
    """Runs of letters, digits and underscores."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _WORD.findall(text)


def _flattened(words: Iterable[str]) -> list[str]:
    terms: list[str] = []
    for word in words:
        terms += _word_terms(word)
    return terms


@functools.lru_cache(maxsize=CACHED_WORDS)
def _word_terms(word: str) -> tuple[str, ...]:
    """The word's stem; for an identifier of several parts the whole, without underscores, and each part's stem."""
    parts = [part for section in word.split("_") if section for part in _section_parts(section)]
    if len(parts) < 2:
        return tuple(_stem(part) for part in parts)
    whole = "".join(parts)[:MAX_WORD_CHARS]
    return (whole, *(_stem(part) for part in parts))


def _section_parts(section: str) -> list[str]:
    """Lower-case parts of a camel-case section."""
    if len(section) > MAX_WORD_CHARS:
        return [section[:MAX_WORD_CHARS].lower()]
    if section.isascii():
        return [part.lower() for part in _ASCII_PARTS.findall(section)]
    runs = _UNSPACED.findall(section)
    return [part.lower() for run in runs for part in (_PARTS.findall(run) or [run])]


def _stem(part: str) -> str:
    with _stemming:  # one stemmer object must not be used by two threads at once
        return str(_stemmer().stemWord(part))


@functools.lru_cache(maxsize=1)
def _stemmer() -> Any:
    import Stemmer

    # Our own cache holds whole words; the stemmer's would only repeat it.
    return Stemmer.Stemmer("english", 0)
