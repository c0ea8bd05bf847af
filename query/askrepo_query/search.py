"""`askrepo search`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import click

from askrepo.errors import UsageError
from askrepo_query.absence import absent_in, print_absent
from askrepo_query.editor import open_in_editor
from askrepo_query.errors import NOTHING_FOUND
from askrepo_query.hits import Terms, hit_block, hit_json
from askrepo_query.options import SearchOptions, WholeNumber, example, search_options
from askrepo_query.output import (
    freshness,
    print_json,
    print_note,
    print_result,
    source_json,
    terminal_width,
    versioned,
)
from askrepo_query.places import Places
from askrepo_query.progress import progress
from askrepo_query.question import read_question

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.types import Hit

MAX_AROUND = 500
MIN_TOKENS, MAX_TOKENS = 200, 10_000_000  # as ASKREPO_CONTEXT_TOKENS


@click.command(epilog=example("askrepo search retry with backoff --language python"))
@click.argument("query", nargs=-1)
@click.option(
    "--context", "as_context", is_flag=True,
    help="Print the sources that `ask` gives to the chat model, with a placeholder instead of the random fence.",
)  # fmt: skip
@click.option(
    "--tokens", "max_tokens", type=WholeNumber(MIN_TOKENS, MAX_TOKENS), metavar="N",
    help="Budget of --context. Default: ASKREPO_CONTEXT_TOKENS.",
)  # fmt: skip
@click.option(
    "-C", "around", type=WholeNumber(0, MAX_AROUND), metavar="N",
    help="Lines shown on either side of the best line of a hit. Default: the six best lines.",
)  # fmt: skip
@click.option(
    "--open", "opened", type=WholeNumber(1, 100), metavar="N",
    help="Open the file of hit N in $VISUAL or $EDITOR, if its repository is a checkout on this machine.",
)  # fmt: skip
@search_options
def search(
    query: tuple[str, ...],
    as_context: bool,
    max_tokens: int | None,
    around: int | None,
    opened: int | None,
    options: SearchOptions,
) -> int:
    """List the files that answer, with path, lines, symbol and excerpt.

    QUERY may be `-` or piped in.
    """
    if max_tokens and not as_context:
        raise click.UsageError("--tokens is the budget of --context: give both")
    if opened and (as_context or options.as_json):
        raise click.UsageError("--open opens a hit of the list: give it without --context and --json")
    question = read_question(query)
    with progress("opening"):
        readers = options.readers()
    with progress("searching"):
        absent = absent_in(question, options, readers)
    if as_context:
        found = _print_context(question, options, readers, max_tokens or options.session.settings.context_tokens)
    else:
        meant = [name for each in absent for name in each.nearest[:1]]
        hits = _print_listing(question, options, readers, around, meant)
        found = bool(hits)
    print_absent(absent, options, readers)
    if not found:
        print_note("nothing found")
        for pattern in options.patterns_of_nothing(readers):
            print_note(f"no path is like {pattern!r}: a pattern covers the whole path, as {_around(pattern)!r} does")
    for reader in readers:
        print_note(freshness(reader.entry))
    if opened and found:
        _open(opened, hits, question, readers, checkouts=options.session.settings.checkouts)
    return 0 if found else NOTHING_FOUND


def _around(pattern: str) -> str:
    """A pattern for the paths that have this somewhere."""
    return f"*{pattern.removeprefix('./').strip('/*')}*"


def _open(
    number: int, hits: Sequence[Hit], question: str, readers: Sequence[AliasReader], *, checkouts: Path | None
) -> None:
    """Open a hit's file of a checkout on this machine in the user's editor, at the line that answers."""
    from askrepo.git.checkouts import file_here
    from askrepo.search.excerpts import asked_terms, excerpt_lines

    if number > len(hits):
        there = "is 1 hit" if len(hits) == 1 else f"are {len(hits)} hits"
        raise UsageError(f"--open {number}: there {there}; -k lists more")
    hit = hits[number - 1]
    entry = next(reader.entry for reader in readers if reader.alias == hit.alias)
    snapshot = next(read for read in entry.manifest.snapshots if read.name == hit.chunk.repository)
    file = file_here(snapshot, hit.chunk.path, checkouts=checkouts)
    if file is None:
        raise UsageError(
            f"{hit.chunk.path} of {hit.chunk.repository} is no file of a checkout on this machine, see {hit.url}"
        )
    best = excerpt_lines(hit.chunk, asked_terms(question, readers=readers), size=1)[0]
    open_in_editor(file, hit.chunk.start_line + best, env=os.environ)


def _print_listing(
    question: str,
    options: SearchOptions,
    readers: Sequence[AliasReader],
    around: int | None,
    meant: Sequence[str],
) -> Sequence[Hit]:
    """The best hits, printed for a person or as JSON.

    :param meant: names that were searched for in place of absent ones.
    """
    from askrepo.answer.citations import citation_of
    from askrepo.search.excerpts import asked_terms
    from askrepo.search.links import first_links
    from askrepo.search.search import DEFAULT_K, search_files

    with progress("searching"):
        k = options.k or DEFAULT_K
        hits = search_files(question, readers=readers, k=k, strategy=options.strategy, where=options.filter())
        terms = asked_terms(question, readers=readers, meant=meant)
        links = first_links(hits, readers=readers, terms=terms)
    several = sum(len(reader.entry.manifest.snapshots) for reader in readers) > 1
    width = terminal_width()
    places = Places(options.session.settings, readers)
    for hit, its in zip_longest(hits, links):
        if options.as_json:
            found = hit_json(hit, terms=terms, links=its)
            print_json(versioned(found, [reader.entry for reader in readers if reader.alias == hit.alias]))
            continue
        shown = hit if around is None else _widened(hit, terms, readers, around)
        address = places.address(citation_of(shown), shown.url)
        block = hit_block(
            shown, terms=terms, with_repository=several, width=width, links=its, is_whole=around is not None,
            address=address,
        )  # fmt: skip
        print_result(block + "\n")
    return hits


def _widened(hit: Hit, terms: Terms, readers: Sequence[AliasReader], around: int) -> Hit:
    """The hit with the lines of its file around its best line, in place of its own."""
    from askrepo.search.excerpts import excerpt_lines
    from askrepo.search.reading import lines_of, open_file

    chunk = hit.chunk
    best = chunk.start_line + excerpt_lines(chunk, terms, size=1)[0]
    reader = next(reader for reader in readers if reader.alias == hit.alias)
    file = open_file(chunk.path, readers=[reader], repository=chunk.repository)
    shown = lines_of(file, max(1, best - around), best + around, max_lines=2 * around + 1)
    text = "\n".join(shown.lines) + "\n"
    widened = replace(chunk, start_line=shown.start_line, end_line=shown.end_line, text=text)
    return replace(hit, chunk=widened, url=shown.url)


def _print_context(question: str, options: SearchOptions, readers: Sequence[AliasReader], max_tokens: int) -> bool:
    """The sources, for a chat model; whether there are any."""
    from askrepo.answer.context import SHOWN_FENCE, render_sources

    with progress("searching"):
        sources = options.context(question, readers, max_tokens=max_tokens)
    if options.as_json:
        for source in sources:
            rests = [reader.entry for reader in readers if reader.alias == source.hit.alias]
            print_json(versioned(source_json(source), rests))
    elif sources:
        print_result(render_sources(sources, fence=SHOWN_FENCE))
    if sources:
        used = sum(source.tokens for source in sources)
        print_note(f"{used:,} of {max_tokens:,} tokens in {len(sources)} sources")
    return bool(sources)
