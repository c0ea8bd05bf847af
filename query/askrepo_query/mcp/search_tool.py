"""What `search` gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from askrepo.text.display import plain_line
from askrepo.text.tokens import count_tokens
from askrepo_query.hits import symbol_of
from askrepo_query.mcp.coverage import absence
from askrepo_query.mcp.library import Library
from askrepo_query.mcp.matching import filter_of, no_match
from askrepo_query.mcp.paths import stage_line, stages_of
from askrepo_query.mcp.results import Result, fitting, footer, room, with_footer

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.types import AliasEntry, Chunk, Hit

DETAILS = ("full", "signature", "location")
MAX_HITS = 100  # of one ranking
MAX_SIGNATURE_CHARS = 200


def search(
    library: Library,
    query: str,
    limit: int,
    detail: str,
    max_tokens: int,
    offset: int,
    alias: str | None = None,
    repository: str | None = None,
    path: str | None = None,
    language: str | None = None,
) -> Result:
    """Files that answer a query, best first, as long as the bound holds them."""

    def found(readers: Sequence[AliasReader]) -> Result:
        from askrepo.search.search import absent_names, search_files

        where = filter_of(library, readers, repository, path, language)
        k = min(offset + limit, MAX_HITS)
        hits = search_files(query, readers=readers, k=k, strategy=library.strategy, where=where)
        names = absent_names(query, readers=readers, where=where)
        sentences, attested = absence(names, readers, where, library)
        entries = tuple(reader.entry for reader in readers)
        facts = {"absent": [each.name for each in names], "attested_absent": attested}
        if not hits and path is not None and (why := _left_out(library, path, entries)):
            text = f"path not indexed: {plain_line(path)}\n" + "\n".join(why)
            return Result("path not indexed", with_footer(text, entries, max_tokens), entries, facts)
        if not hits or [each.name for each in names] == [query]:
            return no_match(library, query, entries, where, sentences, facts, max_tokens)
        if not hits[offset:]:
            text = f"no match: there are {len(hits)} results, none from offset {offset}"
            return Result("no match", with_footer(text, entries, max_tokens), entries, facts)
        return _listing(query, hits, offset, k, detail, max_tokens, readers, sentences, facts)

    return library.read(alias, found)


def _left_out(library: Library, path: str, entries: Sequence[AliasEntry]) -> list[str]:
    """Why nothing of a path is indexed; nothing when something is, or when it is a pattern."""
    if any(mark in path for mark in "*?["):
        return []
    stages = stages_of(library, path, entries)
    return [] if any(stage.chunks for stage in stages) else [stage_line(stage) for stage in stages]


def _listing(
    query: str,
    hits: Sequence[Hit],
    offset: int,
    k: int,
    detail: str,
    max_tokens: int,
    readers: Sequence[AliasReader],
    sentences: Sequence[str],
    facts: dict[str, Any],
) -> Result:
    """The hits in the detail wanted, or in less where the bound asks for that; as many as it holds."""
    from askrepo.search.excerpts import asked_terms

    entries = tuple(reader.entry for reader in readers)
    terms = asked_terms(query, readers=readers)
    several = sum(len(entry.manifest.snapshots) for entry in entries) > 1
    left = room(max_tokens, *sentences, footer(entries)) - 80  # for the line that says what is left out
    shown = hits[offset:]
    for level in DETAILS[DETAILS.index(detail) :]:
        blocks = [_block(hit, level, terms, several) for hit in shown]
        if sum(count_tokens(block) + 1 for block in blocks) <= left:
            break
    kept = list(fitting(blocks, left))
    notes = list(sentences)
    if level != detail:
        notes.append(f"shown: {level} instead of {detail}, which {max_tokens:,} tokens do not hold")
    following = offset + len(kept)
    if len(kept) < len(shown) or len(hits) == k < MAX_HITS:
        notes.append(f"next: offset={following}")
    separator = "\n" if level == "location" else "\n\n"
    text = "\n\n".join(part for part in (separator.join(kept), "\n".join(notes)) if part)
    facts = {**facts, "detail": level, "results": len(kept), "offset": offset}
    return Result("found", with_footer(text, entries, max_tokens), entries, facts)


def _block(hit: Hit, level: str, terms: Any, several: bool) -> str:
    """A hit: its place and symbol; with the line that defines it; or with all of its lines, and where more stands."""
    from askrepo.answer.context import numbered_lines

    chunk = hit.chunk
    heading = _heading(chunk, terms, several)
    if level == "location":
        return heading
    if level == "signature":
        return f"{heading}\n{_signature(chunk, terms)}"
    more = "".join(f"\n{_heading(each, terms, several)}" for each in hit.more)
    return f"{heading}\n{numbered_lines(chunk.text, start_line=chunk.start_line)}{more}"


def _heading(chunk: Chunk, terms: Any, several: bool) -> str:
    repository = f"{chunk.repository}/" if several else ""
    place = f"{repository}{chunk.path}:{chunk.start_line}-{chunk.end_line}"
    return plain_line(f"{place}  {symbol_of(chunk, terms=terms)[:MAX_SIGNATURE_CHARS]}".rstrip())


def _signature(chunk: Chunk, terms: Any) -> str:
    from askrepo.search.excerpts import excerpt_lines

    lines = chunk.text.removesuffix("\n").split("\n")
    at = excerpt_lines(chunk, terms, size=1)[0]
    return f"{chunk.start_line + at}\t{plain_line(lines[at].strip())[:MAX_SIGNATURE_CHARS]}"
