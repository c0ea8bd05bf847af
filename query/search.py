"""`askrepo search`."""

from __future__ import annotations

import click

from query.errors import NOTHING_FOUND
from query.options import SearchOptions, example, search_options
from query.output import freshness, hit_block, hit_json, print_json, print_note, print_result, terminal_width
from query.progress import progress
from query.question import read_question


@click.command(epilog=example("askrepo search retry with backoff --language python"))
@click.argument("query", nargs=-1)
@search_options
def search(query: tuple[str, ...], options: SearchOptions) -> int:
    """Find passages: path and lines, symbol, score, excerpt.

    QUERY may be `-` or piped in.
    """
    from askrepo.search import DEFAULT_K
    from askrepo.search import search as find

    question = read_question(query)
    with progress("searching"):
        readers = options.readers()
        hits = find(
            question, readers=readers, k=options.k or DEFAULT_K, strategy=options.strategy, where=options.filter()
        )
    several = sum(len(reader.entry.manifest.snapshots) for reader in readers) > 1
    for hit in hits:
        if options.as_json:
            print_json(hit_json(hit))
        else:
            block = hit_block(hit, question=question, with_repository=several, width=terminal_width())
            print_result(block + "\n")
    if not hits:
        print_note("nothing found")
    for reader in readers:
        print_note(freshness(reader.entry))
    return 0 if hits else NOTHING_FOUND
