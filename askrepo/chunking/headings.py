"""Headings of Markdown, reStructuredText, AsciiDoc and manual pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

FORMATS = {"markdown": "markdown", "rst": "rst", "asciidoc": "asciidoc", "roff": "roff"}
SUFFIXES = {".md": "markdown", ".markdown": "markdown", ".mdx": "markdown", ".qmd": "markdown", ".rst": "rst"}
SUFFIXES |= {".adoc": "asciidoc", ".asciidoc": "asciidoc"}
MAX_TITLE_CHARS = 120  # a longer "heading" is a paragraph; the beginning is enough to recognise it

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_ATX = re.compile(r" {0,3}(#{1,6})(?![^ \t])")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_MARKDOWN_BLOCK = re.compile(r"\s*(?:[-*+>|]|\d+[.)]\s|#)")
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*[ \t]*$")
_ASCIIDOC = re.compile(r"(={1,6}|#{1,6})[ \t]+(?=\S)")
_ASCIIDOC_BLOCK = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|`{3,})[ \t]*$")

_ROFF = re.compile(r"[.'][ \t]*(S[HhSs])[ \t]+(?=\S)")
_FONT = re.compile(r"\\f(?:[A-Z]|\([A-Z]{2}|\[[A-Z]*\])")


@dataclass(frozen=True, slots=True)
class Heading:
    """A section's title.

    :ivar line: 0-based line on which the section starts (an overline counts).
    :ivar level: 1 for the outermost.
    """

    line: int
    level: int
    title: str


def document_format(path: str, language: str) -> str | None:
    """Which of these formats a file is in; None for anything else."""
    return FORMATS.get(language) or SUFFIXES.get(PurePosixPath(path).suffix.lower())


def headings(lines: Sequence[str], document: str) -> list[Heading]:
    """The document's headings in order; what looks like one inside a code block is none.

    :param lines: may end with their line break.
    :param document: a value of `document_format`.
    """
    find = {"markdown": _markdown, "rst": _rst, "asciidoc": _asciidoc, "roff": _roff}[document]
    return find([line.rstrip() for line in lines])


def _markdown(lines: list[str]) -> list[Heading]:
    found: list[Heading] = []
    fence = ""
    for number in range(_front_matter(lines), len(lines)):
        line = lines[number]
        if match := _FENCE.match(line):
            fence = _fence_after(fence, match)
            continue
        if fence:
            continue
        if match := _ATX.match(line):
            title = line[match.end() :].strip()
            found.append(Heading(number, len(match[1]), _plain(_without_closing(title, title.rstrip("#")))))
        elif number and (match := _SETEXT.match(line)) and _is_paragraph(lines, number - 1):
            found.append(Heading(number - 1, 1 if match[1][0] == "=" else 2, _plain(lines[number - 1])))
    return [heading for heading in found if heading.title]


def _without_closing(title: str, left: str) -> str:
    """What is left of a title without the signs that close it, if a space parts them from it; else the title."""
    return left.rstrip() if left.rstrip() and left[-1] in " \t" else title


def _front_matter(lines: list[str]) -> int:
    """The first line after YAML front matter."""
    if not lines or lines[0] != "---":
        return 0
    return next((number + 1 for number in range(1, len(lines)) if lines[number] in {"---", "..."}), 0)


def _fence_after(fence: str, match: re.Match[str]) -> str:
    """The fence that is open after this line; "" for none."""
    if not fence:
        return match[1] if "`" not in match[2] or match[1][0] == "~" else ""
    closes = match[1][0] == fence[0] and len(match[1]) >= len(fence) and not match[2].strip()
    return "" if closes else fence


def _is_paragraph(lines: list[str], number: int) -> bool:
    """Whether a setext underline may follow: one line of plain text."""
    line = lines[number]
    return bool(line.strip()) and not line.startswith("    ") and not _MARKDOWN_BLOCK.match(line)


def _rst(lines: list[str]) -> list[Heading]:
    """An underline at least as long as its title; styles rank in order of first use."""
    found: list[Heading] = []
    styles: list[tuple[str, bool]] = []
    for number in range(1, len(lines)):
        title = lines[number - 1]
        if not title or title[0].isspace() or not _underlines(lines[number], title):
            continue
        before = lines[number - 2] if number > 1 else ""
        over = _is_adornment(before) and before[0] == lines[number][0]
        if before and not over:
            continue
        style = (lines[number][0], over)
        if style not in styles:
            styles.append(style)
        found.append(Heading(number - 2 if over else number - 1, styles.index(style) + 1, _plain(title)))
    return found


def _underlines(line: str, title: str) -> bool:
    return _is_adornment(line) and len(line) >= len(title) and not _is_adornment(title)


def _is_adornment(line: str) -> bool:
    return len(line) > 1 and _ADORNMENT.fullmatch(line) is not None


def _asciidoc(lines: list[str]) -> list[Heading]:
    found: list[Heading] = []
    block = ""
    for number, line in enumerate(lines):
        if match := _ASCIIDOC_BLOCK.match(line):
            block = "" if block == match[1] else block or match[1]
        elif not block and (match := _ASCIIDOC.match(line)):
            title = line[match.end() :]
            title = _without_closing(title, title.removesuffix(match[1]))
            found.append(Heading(number, len(match[1]), _plain(title)))
    return found


def _roff(lines: list[str]) -> list[Heading]:
    """Sections and their parts, by the requests of `man` and `mdoc`."""
    found = []
    for number, line in enumerate(lines):
        if match := _ROFF.match(line):
            title = _FONT.sub("", line[match.end() :]).replace('"', "").replace("\\", "")
            found.append(Heading(number, 1 if match[1].upper() == "SH" else 2, _plain(title)))
    return [heading for heading in found if heading.title]


def _plain(title: str) -> str:
    """The title without inline markup that would only disturb a reader: one line, bounded."""
    return " ".join(title.replace("`", "").replace("*", "").split())[:MAX_TITLE_CHARS].strip()
