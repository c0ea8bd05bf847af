"""What `read` gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from askrepo.errors import UnknownPathError
from askrepo.text.display import plain_line
from askrepo.text.tokens import count_tokens
from askrepo_query.mcp.library import Library
from askrepo_query.mcp.paths import stage_line, stages_of
from askrepo_query.mcp.results import STATUS_TOKENS, Result, footer, with_footer
from askrepo_query.mcp.tools import MAX_TOKENS

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.search.reading import Reading
    from askrepo.types import AliasEntry


def read(
    library: Library,
    path: str,
    start: int | None = None,
    end: int | None = None,
    repository: str | None = None,
    alias: str | None = None,
    at: str | None = None,
) -> Result:
    """Numbered lines of a file, or why there is none."""

    def found(readers: Sequence[AliasReader]) -> Result:
        from askrepo.pipeline.file_stage import place_of
        from askrepo.search.reading import open_file

        named, first, last = place_of(path)
        try:
            try:
                file, lines = open_file(path, readers=readers, repository=repository), (start, end)
            except UnknownPathError:
                if first is None:
                    raise
                file = open_file(named, readers=readers, repository=repository)
                lines = (start or first, end or (last if last != first or start is None else None))
        except UnknownPathError as error:
            return not_indexed(library, named, str(error), [reader.entry for reader in readers])
        return _lines(file, *lines)

    return library.read(alias, found, at=at)


def _lines(file: Any, start: int | None, end: int | None) -> Result:
    """As many of the lines as the bounds admit."""
    from askrepo.answer.context import numbered_lines
    from askrepo.search.reading import MAX_LINES, lines_of

    entries = (file.reader.entry,)
    lines = MAX_LINES
    while True:
        reading: Reading = lines_of(file, start, end, max_lines=lines)
        place = plain_line(f"{file.path}:{reading.start_line}-{reading.end_line}")
        body = numbered_lines("\n".join(reading.lines) + "\n", start_line=reading.start_line)
        more = f"\n\nnext: start={reading.next_line}" if reading.next_line else ""
        whole = f"{place} of {len(file.lines):,} lines\n{body}{more}\n\n{footer(entries)}"
        if count_tokens(whole) <= MAX_TOKENS:
            break
        if lines == 1:
            whole = with_footer(f"{place}\n{body}", entries, MAX_TOKENS)
            break
        lines //= 2
    facts = {"repository": file.repository, "commit": file.commit, "path": file.path,
             "start_line": reading.start_line, "end_line": reading.end_line, "next_line": reading.next_line,
             "url": reading.url}  # fmt: skip
    return Result("found", whole, entries, facts)


def not_indexed(library: Library, path: str, said: str, entries: Sequence[AliasEntry]) -> Result:
    """Why there is nothing to read at a path."""
    why = [stage_line(stage) for stage in stages_of(library, path, entries) if stage.stage != "loaded"] or [said]
    text = f"path not indexed: {plain_line(path)[:200]}\n" + "\n".join(map(plain_line, why))
    return Result("path not indexed", with_footer(text, entries, STATUS_TOKENS), tuple(entries), {"path": path})
