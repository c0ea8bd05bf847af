"""The sources of an answer: hits, numbered from 1, within a budget of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from askrepo.citations import citation_of
from askrepo.plain import plain, plain_line
from askrepo.types import Citation, Hit

# A passage cut below this says nothing; the rest of the budget is left unused instead.
MIN_SOURCE_TOKENS = 40


@dataclass(frozen=True, slots=True)
class Source:
    """A hit as the chat model sees it.

    :ivar number: what `[n]` in an answer refers to, from 1.
    :ivar text: the passage with line numbers, cut to the budget.
    :ivar citation: the lines that `text` really shows.
    """

    number: int
    hit: Hit
    text: str
    citation: Citation


def number_sources(hits: Sequence[Hit], *, max_tokens: int) -> tuple[Source, ...]:
    """Sources in the order of the hits, as many whole ones as the budget holds.

    Only a first passage that is too long by itself is cut, at a line's end where possible: an answer
    from part of the best passage is better than none.
    """
    from askrepo.tokens import count_tokens

    sources: list[Source] = []
    left = max_tokens
    for hit in hits:
        source = _source(len(sources) + 1, hit)
        needed = count_tokens(render_source(source, fence=""))
        if needed > left and not sources:
            source = _source(1, hit, max_tokens=left)
            needed = left
        if needed > left:
            continue
        sources.append(source)
        left -= needed
        if left < MIN_SOURCE_TOKENS:
            break
    return tuple(sources)


def render_source(source: Source, *, fence: str) -> str:
    """The source between its fences, under a heading that names repository, commit, path and lines.

    :param fence: a text that the repository's author cannot know.
    """
    heading = plain_line(str(source.citation))
    return f"<source {source.number} {fence}>\n{heading}\n{source.text}\n</source {source.number} {fence}>"


def numbered_lines(text: str, *, start_line: int) -> str:
    """The text with its line numbers, control characters written as escapes."""
    lines = text.removesuffix("\n").split("\n")
    return "\n".join(f"{number}| {plain(line)}" for number, line in enumerate(lines, start=start_line))


def _source(number: int, hit: Hit, *, max_tokens: int | None = None) -> Source:
    text = hit.chunk.text
    if max_tokens is not None:
        text = _cut(text, max_tokens)
    shown = text.removesuffix("\n").count("\n") + 1
    citation = citation_of(hit)
    last = min(citation.end_line, citation.start_line + shown - 1)
    cited = Citation(citation.repository, citation.commit, citation.path, citation.start_line, last)
    return Source(number, hit, numbered_lines(text, start_line=cited.start_line), cited)


def _cut(text: str, max_tokens: int) -> str:
    """The beginning of the text, whole lines if there is one, in about half the tokens.

    Line numbers and heading take their share: three tokens a line of ten is usual.
    """
    from askrepo.tokens import truncate

    cut = truncate(text, max(1, max_tokens // 2))
    whole, newline, _ = cut.rpartition("\n")
    return whole + newline if newline else cut
