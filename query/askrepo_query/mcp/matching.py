"""What a search may find, and what is said when it finds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from askrepo.errors import UsageError
from askrepo.text.display import plain_line
from askrepo_query.mcp.coverage import coverage
from askrepo_query.mcp.library import Library
from askrepo_query.mcp.results import Result, with_footer

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.store.reader import Filter
    from askrepo.types import AliasEntry


def filter_of(
    library: Library, readers: Sequence[AliasReader], repository: str | None, path: str | None, language: str | None
) -> Filter:
    """What may be found; a path means the file, what is below the folder, or what the glob fits."""
    from askrepo.answer.reading_tools import globs_of
    from askrepo.files.languages import check_language
    from askrepo.store.reader import Filter

    settings = library.session.settings
    return Filter(
        repository=None if repository is None else _known_repository(repository, readers),
        path=globs_of(path) if path else settings.path,
        language=(check_language(language),) if language else settings.language,
    )


def _known_repository(name: str, readers: Sequence[AliasReader]) -> str:
    known = [snapshot.name for reader in readers for snapshot in reader.entry.manifest.snapshots]
    meant = [each for each in dict.fromkeys(known) if name in (each, each.rpartition("/")[2])]
    if len(meant) != 1:
        raise UsageError(f"no repository {name!r} here; there are {', '.join(dict.fromkeys(known))}")
    return meant[0]


def no_match(
    library: Library,
    query: str,
    entries: tuple[AliasEntry, ...],
    where: Filter,
    sentences: Sequence[str],
    facts: dict[str, Any],
    max_tokens: int,
) -> Result:
    """Nothing was found: which names are nowhere, what was searched, and what the filters left of it."""
    lines = [f"no match: {plain_line(query)[:200]}", *sentences]
    if not sentences:
        seen = coverage(entries, where.repository, library)
        lines.append(plain_line(seen.searched + (f"; not searched: {seen.missing}" if seen.missing else "")))
    if where.path or where.language:
        limits = ", ".join((*where.path[:1], *where.language))
        lines.append(plain_line(f"only in {limits}: leave the filter out, or see status with a path"))
    return Result("no match", with_footer("\n".join(lines), entries, max_tokens), entries, facts)
