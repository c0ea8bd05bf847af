"""Lines that say nothing of what they stand in: front matter, badges, licence headers, markup without a word."""

from __future__ import annotations

import re
from collections.abc import Sequence

from askrepo.files.languages import PROSE
from askrepo.search.comments import comment_lines

TOP_LINES = 60
"""Lines of a file in which a licence may stand; one is some 30 lines long."""

_FRONT_MATTER = {"---": ("---", "..."), "+++": ("+++",)}
_KEY = re.compile(r"\s*(?:[\w.\"'-]+\s*[:=]|-\s|#|$)")

_LEGAL = re.compile(r"licen[cs]ed?\b|copyright|\bSPDX\b|all rights reserved|without warrant", re.IGNORECASE)

_IMAGE = re.compile(r"!\[[^\[\]]*\](?:\([^()]*\)|\[[^\[\]]*\])")
_EMPTY_LINK = re.compile(r"\[\s*\](?:\([^()]*\)|\[[^\[\]]*\])")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<[A-Za-z][^<>]*$|^[^<>]*/>|^\s*(?:[\w-]+=\"[^\"]*\"\s*)+>?")
_ADDRESS = re.compile(r"^\s*\[[^\[\]]+\]:\s*\S+.*|https?://\S+|\|[^|\s][^|]{0,80}\|(?=\s|$)")
_DIRECTIVE = re.compile(
    r"\s*(?:\.\. (?:image|figure|\|[^|]+\| image|_[^:]+)::?.*|:(?:target|alt|align|width|height|scale|class):.*)$"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_ADVERT = re.compile(
    r"[?&;]utm_(?:source|medium|campaign)\b|opencollective\.com/|github\.com/sponsors/|\b(?:sponsors?|backers?)\b",
    re.IGNORECASE,
)
"""What a line of HTML on a page has that names those who pay for the project."""

_MARKUP_BEGINS = frozenset("<[!|.-+")
"""What a chunk without a sentence begins with, but for a part of a long line of adverts."""


def telling(lines: Sequence[str], *, language: str, start_line: int) -> list[bool]:
    """For each line of a chunk whether it says something; blank lines count as those that do.

    :param language: of the file; "" when unknown, which is read as prose.
    :param start_line: of the chunk in its file, from 1: front matter and licences stand at the top.
    """
    tells = [True] * len(lines)
    if start_line == 1:
        _silence(tells, _front_matter(lines))
    if not language or language in PROSE:
        markup = [inside or _is_markup(line) for inside, line in zip(_html_comments(lines), lines, strict=True)]
        return [each and not is_markup for each, is_markup in zip(tells, markup, strict=True)]
    if start_line <= TOP_LINES:
        _silence(tells, _banner(lines))
    return tells


def says_nothing(text: str, *, language: str, start_line: int) -> bool:
    """Whether a chunk of a page has badges, markup and adverts only."""
    if language not in PROSE or (text.lstrip()[:1] not in _MARKUP_BEGINS and "utm_" not in text):
        return False
    lines = text.split("\n")
    tells = telling(lines, language=language, start_line=start_line)
    return not any(tell and line.strip() for tell, line in zip(tells, lines, strict=True))


def _silence(tells: list[bool], end: int) -> None:
    tells[:end] = [False] * end


def _front_matter(lines: Sequence[str]) -> int:
    """Lines of the front matter; of one that goes on in the next chunk those that look like it."""
    ends = _FRONT_MATTER.get(lines[0].rstrip()) if lines else None
    if ends is None:
        return 0
    closing = next((at for at, line in enumerate(lines[1:], start=1) if line.rstrip() in ends), None)
    if closing is not None:
        return closing + 1
    return next((at for at, line in enumerate(lines[1:], start=1) if not _KEY.match(line)), len(lines))


def _banner(lines: Sequence[str]) -> int:
    """Lines up to the end of a first comment that speaks of a licence; 0 when there is none."""
    start = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("#!")), len(lines))
    is_comment = comment_lines(lines[start:])
    end = start + (is_comment.index(False) if False in is_comment else len(is_comment))
    return end if any(_LEGAL.search(line) for line in lines[start:end]) else 0


def _html_comments(lines: Sequence[str]) -> list[bool]:
    """For each line whether it lies in a comment of HTML that begins a line."""
    found, inside = [], False
    for line in lines:
        inside = inside or line.lstrip().startswith("<!--")
        found.append(inside)
        inside = inside and "-->" not in line
    return found


def _is_markup(line: str) -> bool:
    """Whether a line of prose has no word that a reader would see."""
    if not line.strip():
        return False
    if _DIRECTIVE.match(line) or (_TAG.search(line) and _ADVERT.search(line)):
        return True
    left = _ADDRESS.sub(" ", _TAG.sub(" ", _EMPTY_LINK.sub(" ", _IMAGE.sub(" ", line))))
    return left != line and _WORD.search(left) is None
