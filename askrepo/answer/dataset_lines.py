"""Lines of the datasets that hold a statement's words, and the lines that a citation names."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from askrepo.aliases.readers import AliasReader
from askrepo.answer.source_lines import SourceLines
from askrepo.answer.statement_parts import Part
from askrepo.git.permalinks import permalink
from askrepo.search.question.mentions import Mention
from askrepo.search.verbatim import holds, is_double
from askrepo.text.terms import query_terms, whole_terms
from askrepo.types import Chunk, Citation

LOOKED_AT = 40
"""Chunks looked at for one part, best by BM25 of its words."""

KEPT = 8
"""Places of one part: where it is defined, else the best that hold it."""


class DatasetLines:
    """The datasets that were opened for the question."""

    def __init__(self, readers: Sequence[AliasReader]) -> None:
        self._readers = tuple(readers)
        self._found: dict[tuple[str, str], tuple[SourceLines, ...]] = {}
        self.lines_of = functools.cache(self._lines_of)

    def places(self, part: Part) -> Sequence[SourceLines]:
        """Lines that hold the part, those that define it alone when some do."""
        key = part.kind, part.text
        if key not in self._found:
            self._found[key] = tuple(self._places(part))
        return self._found[key]

    def _places(self, part: Part) -> list[SourceLines]:
        if part.kind == "path":
            return self._files(part.text)
        text = part.text.removesuffix("()")
        mention = Mention(text, is_message=len(text.split()) > 1)
        defined: list[SourceLines] = []
        held: list[SourceLines] = []
        for reader in self._readers:
            for chunk in self._holding(reader, mention, part):
                lines = _lines(reader, chunk)
                if lines.find(part) is not None:
                    is_home = part.kind == "name" and mention.name in chunk.symbols and not is_double(chunk)
                    (defined if is_home else held).append(lines)
        return (defined or held)[:KEPT]

    def _holding(self, reader: AliasReader, mention: Mention, part: Part) -> list[Chunk]:
        chunks = reader.dataset.defining([mention.name], limit=KEPT) if part.kind == "name" else []
        terms = (whole_terms(part.text) if part.kind == "name" else ()) or tuple(query_terms(part.text))
        chunks += [scored.chunk for scored in reader.dataset.lexical(terms, limit=LOOKED_AT)]
        kept = {chunk.id: chunk for chunk in chunks}
        return [chunk for chunk in kept.values() if part.kind != "name" or holds(chunk, mention) is not None]

    def _files(self, path: str) -> list[SourceLines]:
        bare = path.removeprefix("./").lstrip("/")
        return [
            _lines(reader, chunk)
            for reader in self._readers
            for chunk in reader.dataset.of_files([bare], limit=KEPT)
            if chunk.start_line == 1
        ][:KEPT]

    def _lines_of(self, citation: Citation) -> tuple[str, ...]:
        """The stored lines that a citation names; none when they are not stored."""
        for reader in self._readers:
            if citation.repository not in {snapshot.name for snapshot in reader.entry.manifest.snapshots}:
                continue
            stored: dict[int, str] = {}
            for chunk in reader.dataset.file_chunks(citation.repository, citation.path):
                stored.update(enumerate(chunk.text.removesuffix("\n").split("\n"), start=chunk.start_line))
            lines = [stored[at] for at in range(citation.start_line, citation.end_line + 1) if at in stored]
            if lines:
                return tuple(lines)
        return ()


def _lines(reader: AliasReader, chunk: Chunk) -> SourceLines:
    snapshot = reader.snapshot_of(chunk.repository)
    citation = Citation(chunk.repository, snapshot.commit, chunk.path, chunk.start_line, chunk.end_line)
    names = frozenset((*chunk.symbols, *chunk.scope))
    lines = tuple(chunk.text.removesuffix("\n").split("\n"))
    return SourceLines(None, citation, permalink(snapshot, chunk), lines, names)
