"""What `search`, `read`, `context` and `status` give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from askrepo.errors import UnknownPathError, UsageError
from askrepo.text.display import plain_line
from askrepo.text.tokens import count_tokens
from query.hits import symbol_of
from query.mcp.coverage import absence, coverage
from query.mcp.library import Library
from query.mcp.results import Outcome, Result, footer, room, with_footer
from query.mcp.tools import MAX_TOKENS
from query.output import age

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.pipeline.file_stage import FileStage
    from askrepo.search.reading import Reading
    from askrepo.store.reader import Filter
    from askrepo.types import AliasEntry, Chunk, Hit

DETAILS = ("full", "signature", "location")
STATUS_TOKENS = 4000
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

        where = _where(library, readers, repository, path, language)
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
            return _no_match(library, query, entries, where, sentences, facts, max_tokens)
        if not hits[offset:]:
            text = f"no match: there are {len(hits)} results, none from offset {offset}"
            return Result("no match", with_footer(text, entries, max_tokens), entries, facts)
        return _listing(query, hits, offset, k, detail, max_tokens, readers, sentences, facts)

    return library.read(alias, found)


def _where(
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


def _left_out(library: Library, path: str, entries: Sequence[AliasEntry]) -> list[str]:
    """Why nothing of a path is indexed; nothing when something is, or when it is a pattern."""
    if any(mark in path for mark in "*?["):
        return []
    stages = _stages(library, path, entries)
    return [] if any(stage.chunks for stage in stages) else [_stage_line(stage) for stage in stages]


def _no_match(
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
    kept = list(_fitting(blocks, left))
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


def _fitting(blocks: Sequence[str], max_tokens: int) -> Iterator[str]:
    for block in blocks:
        max_tokens -= count_tokens(block) + 1
        if max_tokens < 0:
            return
        yield block


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
            return _not_indexed(library, named, str(error), [reader.entry for reader in readers])
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


def _not_indexed(library: Library, path: str, said: str, entries: Sequence[AliasEntry]) -> Result:
    """Why there is nothing to read at a path."""
    why = [_stage_line(stage) for stage in _stages(library, path, entries) if stage.stage != "loaded"] or [said]
    text = f"path not indexed: {plain_line(path)[:200]}\n" + "\n".join(map(plain_line, why))
    return Result("path not indexed", with_footer(text, entries, STATUS_TOKENS), tuple(entries), {"path": path})


def _stages(library: Library, path: str, entries: Sequence[AliasEntry]) -> list[FileStage]:
    """What became of a path, where that is known."""
    from askrepo.errors import UnavailableError
    from askrepo.pipeline.file_stage import file_stages

    try:
        return file_stages(path, entries=entries, workspace=library.session.workspace)
    except UnavailableError:
        return []


def _stage_line(stage: FileStage) -> str:
    from query.why import told_of

    return plain_line(f"{stage.repository}@{stage.commit[:10]} {stage.path}: {told_of(stage)}")


def context(library: Library, question: str, max_tokens: int, alias: str | None = None) -> Result:
    """The passages that a chat model would get for a question."""

    def found(readers: Sequence[AliasReader]) -> Result:
        from askrepo.answer.context import context_for

        entries = tuple(reader.entry for reader in readers)
        where = _where(library, readers, None, None, None)
        left = room(max_tokens, footer(entries))
        sources = context_for(question, readers=readers, max_tokens=left, strategy=library.strategy, where=where)
        if not sources:
            facts: dict[str, Any] = {"absent": [], "attested_absent": []}
            return _no_match(library, question, entries, where, _unfound(library, question, readers, where), facts,
                             max_tokens)  # fmt: skip
        several = sum(len(entry.manifest.snapshots) for entry in entries) > 1
        blocks = [f"{_cited(source.citation, several)}\n{source.text}" for source in sources]
        text = "\n\n".join(_fitting(blocks, left))
        return Result("found", with_footer(text, entries, max_tokens), entries, {"results": len(sources)})

    return library.read(alias, found)


def _unfound(library: Library, question: str, readers: Sequence[AliasReader], where: Filter) -> list[str]:
    from askrepo.search.search import absent_names

    return absence(absent_names(question, readers=readers, where=where), readers, where, library)[0]


def _cited(citation: Any, several: bool) -> str:
    repository = f"{citation.repository}/" if several else ""
    return plain_line(f"{repository}{citation.path}:{citation.start_line}-{citation.end_line}")


def status(library: Library, path: str | None = None, alias: str | None = None) -> Result:
    """What is indexed; with a path, what became of it."""
    aliases = library.aliases(alias) if alias is not None else tuple(library.known())
    entries, problems = _readable(library, aliases)
    if path is None:
        told = [_told(entry, coverage([entry], None, library).missing) for entry in entries]
        text = with_footer("\n".join([*told, *problems]), entries, STATUS_TOKENS)
        return Result("found", text, tuple(entries))
    from askrepo.pipeline.file_stage import file_stages, place_of

    named = place_of(path)[0]
    stages = file_stages(named, entries=entries, workspace=library.session.workspace)
    is_there = any(stage.stage in {"loaded", "folder"} for stage in stages)
    text = "\n".join(map(_stage_line, stages))
    if not is_there:
        text = f"path not indexed: {plain_line(named)}\n{text}"
    facts = {"path": named, "stages": [_stage_json(stage) for stage in stages[:20]]}
    outcome: Outcome = "found" if is_there else "path not indexed"
    return Result(outcome, with_footer(text, entries, STATUS_TOKENS), tuple(entries), facts)


def _stage_json(stage: FileStage) -> dict[str, str]:
    return {
        "alias": stage.alias,
        "repository": stage.repository,
        "path": stage.path,
        "stage": stage.stage,
        "reason": stage.reason,
    }


def _readable(library: Library, aliases: Sequence[str]) -> tuple[list[AliasEntry], list[str]]:
    """The aliases' entries, and a line for each that cannot be read; a single one's error is the call's."""
    from askrepo.errors import UnavailableError

    entries, problems = [], []
    for name in aliases:
        try:
            entries += library.entries([name])
        except UnavailableError as error:
            if len(aliases) == 1:
                raise
            problems.append(plain_line(f"{name}: {error}"))
    return entries, problems


def _told(entry: AliasEntry, missing: str) -> str:
    """A line on an alias: what it has, how old, and whether all of it could be read."""
    manifest = entry.manifest
    covered = "all text" if not missing else f"not: {missing}"
    commits = ", ".join(
        f"{read.name}@{read.commit[:10]} ({read.committed_at[:10]})" for read in manifest.snapshots[:20]
    )
    return plain_line(
        f"{entry.alias}: {commits} · {manifest.loaded:,} of {manifest.files:,} files, {covered} · "
        f"entry {entry.number}, built {age(manifest.created_at)}"
    )


LOOKUPS: dict[str, Callable[..., Result]] = {"search": search, "read": read, "context": context, "status": status}


def lookup(library: Library, tool: str) -> Callable[..., Result]:
    """What carries out a call of a tool, given its checked arguments."""
    return partial(LOOKUPS[tool], library)
