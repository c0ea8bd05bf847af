"""`askrepo show`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from askrepo.errors import UnknownPathError, UsageError
from askrepo.text.display import plain, plain_line
from askrepo_query.complete import complete_path
from askrepo_query.errors import NOTHING_FOUND
from askrepo_query.options import alias_option, at_option, example, json_option, not_blank, workspace_option
from askrepo_query.output import freshness, print_json, print_note, print_result, wants_colour
from askrepo_query.places import Places
from askrepo_query.progress import progress
from askrepo_query.session import Session

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.search.reading import Reading, StoredFile

MAX_DEFINITIONS = 20
UNBOUNDED = 10**15


@click.command(epilog=example("askrepo show README.md:1-20"))
@click.argument("place", metavar="[PATH[:A-B]]", required=False, callback=not_blank, shell_complete=complete_path)
@click.option("--symbol", metavar="NAME", help="Only where this is defined; without PATH in any file.")
@alias_option
@at_option
@json_option
@workspace_option
def show(
    session: Session,
    *,
    place: str | None,
    symbol: str | None,
    aliases: tuple[str, ...],
    at: str | None,
    as_json: bool,
) -> int:
    """Print lines of a stored file, with their numbers.

    PATH may have the repository before it, or be the end of a path. `askrepo why PATH` says why a file is not stored.
    """
    if place is None and symbol is None:
        raise click.UsageError("give a PATH, or a --symbol, or both")
    with progress("opening"):
        readers = session.readers(aliases, warm_up=False, at=at)
    readings = [_lines(place or "", readers)] if symbol is None else _definitions(symbol, place, readers)
    places = Places(session.settings, readers)
    for number, reading in enumerate(readings):
        if as_json:
            print_json(_json(reading, symbol))
        else:
            print_result(("\n" if number else "") + _block(reading, places))
    for reader in readers:
        print_note(freshness(reader.entry))
    return 0 if readings else NOTHING_FOUND


def _opened(text: str, readers: Sequence[AliasReader]) -> tuple[StoredFile, int | None, int | None]:
    """The file and the lines that were named; a path may itself end like lines do."""
    from askrepo.pipeline.file_stage import place_of
    from askrepo.search.reading import open_file

    path, start, end = place_of(text)
    try:
        return open_file(path, readers=readers), start, end
    except UnknownPathError:
        if start is None:
            raise
        try:
            return open_file(text, readers=readers), None, None
        except UnknownPathError:
            pass
        raise


def _lines(text: str, readers: Sequence[AliasReader]) -> Reading:
    from askrepo.search.reading import lines_of

    file, start, end = _opened(text, readers)
    return lines_of(file, start, end, max_lines=UNBOUNDED, max_chars=UNBOUNDED)


def _definitions(symbol: str, place: str | None, readers: Sequence[AliasReader]) -> list[Reading]:
    """Where the symbol is defined, each definition whole with what leads to it."""
    from askrepo.search.definition_lines import definitions_in, definitions_of

    if place is not None:
        file, start, _ = _opened(place, readers)
        if start is not None:
            raise UsageError(f"{place!r} names lines, and --symbol names others: give one of the two")
        found, where = definitions_in(file, symbol), file.path
    else:
        found, where = definitions_of(symbol, readers=readers), "the datasets"
    if not found:
        print_note(plain_line(f"no definition of {symbol!r} in {where}"))
    if len(found) > MAX_DEFINITIONS:
        print_note(f"the first {MAX_DEFINITIONS} of {len(found)} definitions")
    return found[:MAX_DEFINITIONS]


def _block(reading: Reading, places: Places) -> str:
    """A heading and the numbered lines."""
    place = plain_line(f"{reading.file.path}:{reading.start_line}-{reading.end_line}")
    styled = places.linked(click.style(place, fg="cyan", bold=True), reading.citation, reading.url)
    heading = f"{plain_line(reading.file.repository)} {styled}"
    return "\n".join([heading, *_numbered(reading)])


def _numbered(reading: Reading) -> Iterator[str]:
    gutter = len(str(reading.end_line))
    for number, line in enumerate(_shown(reading), start=reading.start_line):
        yield click.style(f"{number:>{gutter}} │ ", dim=True) + line


def _shown(reading: Reading) -> Sequence[str]:
    """The lines, in colours where colours are wanted: the whole file tells what is in a comment."""
    if not wants_colour(sys.stdout, os.environ):
        return [plain(line) for line in reading.lines]
    from askrepo_query.highlight import TAB_COLUMNS, highlighted

    file = reading.file
    lines = [line.expandtabs(TAB_COLUMNS) for line in file.lines]
    return highlighted(lines, path=file.path, language=file.chunks[0].language)[
        reading.start_line - 1 : reading.end_line
    ]


def _json(reading: Reading, symbol: str | None) -> dict[str, Any]:
    file = reading.file
    return {
        "alias": file.reader.alias,
        "repository": file.repository,
        "commit": file.commit,
        "path": file.path,
        "language": file.chunks[0].language,
        "kind": file.chunks[0].kind,
        "symbol": symbol,
        "start_line": reading.start_line,
        "end_line": reading.end_line,
        "lines": len(file.lines),
        "text": "\n".join(reading.lines) + "\n",
        "url": reading.url,
    }
