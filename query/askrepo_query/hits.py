"""How a hit is shown: its place and symbol, the lines that answer, more of its file, and what leads on from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from askrepo.text.display import columns, fitted, plain, plain_line
from askrepo_query.output import linked

if TYPE_CHECKING:
    from askrepo.search.links import Links, Place
    from askrepo.types import Chunk, Hit

Terms = Collection[str]
"""Terms of the question, as `askrepo.search.excerpts.asked_terms` gives them."""

EXCERPT_LINES = 6
INDENT = "   "
# Of a line that is cut, columns kept before the first word that was asked for.
LEAD = 20
# Columns of a symbol below which its beginning would say nothing.
MIN_SYMBOL = 8


def hit_json(hit: Hit, *, terms: Terms, links: Links | None) -> dict[str, Any]:
    """The hit as `search --json` prints it; `links` is null where none were looked up."""
    chunk = hit.chunk
    return {
        "rank": hit.rank,
        "score": hit.score,
        "alias": hit.alias,
        "repository": chunk.repository,
        "commit": hit.commit,
        "path": chunk.path,
        "start_line": chunk.start_line,
        "end_line": chunk.end_line,
        "language": chunk.language,
        "symbol": symbol_of(chunk, terms=terms),
        "text": chunk.text,
        "url": hit.url,
        "more": [
            {
                "start_line": each.start_line,
                "end_line": each.end_line,
                "symbol": symbol_of(each, terms=terms),
                "text": each.text,
            }
            for each in hit.more
        ],
        "links": None if links is None else asdict(links),
    }


def hit_block(
    hit: Hit,
    *,
    terms: Terms,
    with_repository: bool,
    width: int | None,
    links: Links | None = None,
    is_whole: bool = False,
    address: str = "",
) -> str:
    """Heading and excerpt of a hit, a line for each further passage of its file, and its links.

    :param width: columns of the terminal, None when nobody's screen limits the lines.
    :param is_whole: show every line of the hit in place of those that answer.
    :param address: where a click on its place leads, see `query.places`.
    """
    chunk = hit.chunk
    repository = f"{plain_line(chunk.repository)} " if with_repository else ""
    place = f"{repository}{plain_line(chunk.path)}:{chunk.start_line}-{chunk.end_line}"
    rank = f"{hit.rank}. "
    heading = _heading(place, chunk, terms=terms, room=width and width - len(rank), bold=True, address=address)
    more = (_further(each, terms=terms, width=width) for each in hit.more)
    return "\n".join(
        [
            rank + heading,
            *excerpt(chunk, terms=terms, width=width, is_whole=is_whole),
            *more,
            *_link_lines(hit, links, width=width),
        ]
    )


def _heading(place: str, chunk: Chunk, *, terms: Terms, room: int | None, bold: bool = False, address: str = "") -> str:
    """A place and what is there, which is cut where it does not fit."""
    symbol = plain_line(symbol_of(chunk, terms=terms))
    if room is not None:
        left = room - columns(place) - 2
        symbol = fitted(symbol, left) if left >= MIN_SYMBOL else ""
    styled = linked(click.style(place, fg="cyan", bold=bold), address)
    return f"{styled}  {click.style(symbol, fg='yellow')}" if symbol else styled


def symbol_of(chunk: Chunk, *, terms: Terms = frozenset()) -> str:
    """The name that the chunk defines which fits the question best, within the name around it; else the innermost."""
    from askrepo.search.excerpts import scope_of, symbol_for

    name = symbol_for(chunk, terms)
    scope = scope_of(chunk, name)
    if not name:
        return scope[-1] if scope else ""
    return ".".join([*scope[-1:], name]) if scope and scope[-1] != name else name


def excerpt(chunk: Chunk, *, terms: Terms, width: int | None, is_whole: bool = False) -> list[str]:
    """The few lines of a chunk that answer, or all, with their numbers; where lines between are left out, a mark."""
    from askrepo.search.excerpts import excerpt_lines

    lines = chunk.text.removesuffix("\n").split("\n")
    shown = list(range(len(lines))) if is_whole else excerpt_lines(chunk, terms, size=EXCERPT_LINES)
    gutter = len(str(chunk.start_line + shown[-1]))
    printed = []
    for before, at in zip([None, *shown], shown, strict=False):
        mark = "┆" if before is not None and at > before + 1 else "│"
        number = click.style(f"{INDENT}{chunk.start_line + at:>{gutter}} {mark} ", dim=True)
        fitting = _fitted(lines[at], width and width - gutter - len(INDENT) - 3, terms)
        printed.append(number + _highlighted(fitting, terms))
    return printed


def _further(chunk: Chunk, *, terms: Terms, width: int | None) -> str:
    """One line for a further passage: its place, its symbol and the line of it that answers."""
    from askrepo.search.excerpts import excerpt_lines

    place = f"{INDENT}:{chunk.start_line}-{chunk.end_line}"
    head = _heading(place, chunk, terms=terms, room=width)
    at = excerpt_lines(chunk, terms, size=1)[0]
    line = chunk.text.split("\n")[at].strip()
    room = None if width is None else width - columns(click.unstyle(head)) - 2
    is_heading = line.strip("#=* ") == symbol_of(chunk, terms=terms)
    if not line or is_heading or (room is not None and room < LEAD):
        return head
    return f"{head}  {_highlighted(_fitted(line, room, terms), terms, dim=True)}"


def _link_lines(hit: Hit, links: Links | None, *, width: int | None) -> Iterator[str]:
    """One line for the links, two where one does not hold them, none without any."""
    if links is None:
        return
    parts = [
        _places(label, places, hit, room=None if width is None else width - len(INDENT))
        for label, places in (("used by", links.used_by), ("uses", links.uses))
        if places
    ]
    together = " · ".join(parts)
    fits = width is None or columns(together) <= width - len(INDENT)
    for line in [together] if fits else parts:
        if line:
            yield click.style(INDENT + line, dim=True)


def _places(label: str, places: Sequence[Place], hit: Hit, *, room: int | None) -> str:
    """As many places as a line holds, one at least; an ellipsis for those left out, and for the beginning of a path."""
    shown = [_place(place, hit) for place in places]
    for count in range(len(shown), 0, -1):
        line = f"{label} {', '.join(shown[:count])}" + (" …" if count < len(shown) else "")
        if room is None or columns(line) <= room:
            return line
    left = (room or 0) - columns(label) - 1
    where = _where(places[0], hit)
    kept = where if columns(where) <= left else f"…{where[max(0, len(where) - left + 1) :]}"
    return fitted(f"{label} {kept}", room or 0)


def _place(place: Place, hit: Hit) -> str:
    """A place with the name that is there."""
    return plain_line(f"{_where(place, hit)} {place.symbol}".rstrip())


def _where(place: Place, hit: Hit) -> str:
    """A place: in the file of the hit its line alone, in another repository that one's name too."""
    here = hit.chunk
    repository = "" if place.repository == here.repository else f"{place.repository} "
    path = "" if (place.repository, place.path) == (here.repository, here.path) else place.path
    return plain_line(f"{repository}{path}:{place.line}")


def _fitted(line: str, width: int | None, terms: Terms) -> str:
    """The line, cut to a width in columns, at its beginning too where the first word asked for would be cut off."""
    shown = plain(line.expandtabs(4))
    if width is None or columns(shown) <= width:
        return shown
    match = _first_match(shown, terms)
    if columns(shown[:match]) + LEAD <= width:
        return fitted(shown, width)
    start = min(match - LEAD, len(shown) - width + 1)
    return fitted(f"…{shown[max(0, start) :]}", width)


def _first_match(line: str, terms: Terms) -> int:
    """Where the first word of the line begins that was asked for; 0 when none was."""
    from askrepo.text.terms import matches_of

    return next((start for start, _ in matches_of(line, terms)), 0)


def _highlighted(line: str, terms: Terms, *, dim: bool = False) -> str:
    """The safe line with the words in bold that were asked for; the rest is dim where the line is to be."""
    from askrepo.text.terms import matches_of

    parts, done = [], 0
    for start, end in matches_of(line, terms):
        parts += [_between(line[done:start], dim), click.style(line[start:end], bold=True)]
        done = end
    return "".join([*parts, _between(line[done:], dim)])


def _between(text: str, dim: bool) -> str:
    return click.style(text, dim=True) if dim and text else text
