"""Receipts compared with the datasets that are open now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from askrepo.aliases.readers import AliasReader
from askrepo.receipts.receipt import KeptSource, Receipt
from askrepo.receipts.recheck import Rechecked, State, recheck
from askrepo.receipts.spans import Span
from askrepo.search.reading import StoredFile
from askrepo.text.terms import query_terms

CHUNKS_LOOKED_AT = 60
"""Nearest by their words, whose files may hold lines that left their own."""

MAX_FILES = 12
"""Of each kind."""


@dataclass(frozen=True, slots=True)
class RecheckedSource:
    """A source of a receipt and what became of its lines.

    :ivar now: None when the receipt has no lines of it.
    """

    source: KeptSource
    now: Rechecked | None

    @property
    def state(self) -> State | None:
        """What became of the lines."""
        return self.now.state if self.now else None


class DatasetFiles:
    """The files of a repository in an open dataset, each read once."""

    def __init__(self, reader: AliasReader, repository: str) -> None:
        self._reader = reader
        self._repository = repository
        self._read: dict[str, tuple[str, ...]] = {}

    def lines(self, path: str) -> tuple[str, ...]:
        """All lines of a file; none when the dataset has no such file."""
        if path not in self._read:
            chunks = self._reader.dataset.file_chunks(self._repository, path)
            self._read[path] = StoredFile.of(self._reader, chunks).lines if chunks else ()
        return self._read[path]

    def likely(self, span: Span) -> Sequence[str]:
        """Files of the same name, then those whose chunks share most words with the lines."""
        name = PurePosixPath(span.citation.path).name
        alike = [path for path in self._paths if PurePosixPath(path).name == name][:MAX_FILES]
        found = self._reader.dataset.lexical(query_terms("\n".join(span.lines)), limit=CHUNKS_LOOKED_AT)
        paths = [scored.chunk.path for scored in found if scored.chunk.repository == self._repository]
        return [path for path in dict.fromkeys([*alike, *paths]) if path != span.citation.path][: 2 * MAX_FILES]

    @cached_property
    def _paths(self) -> list[str]:
        return sorted(path for repository, path in self._reader.dataset.files() if repository == self._repository)


class Rechecker:
    """Compares receipts with open datasets."""

    def __init__(self, readers: Sequence[AliasReader]) -> None:
        self._files = {
            (reader.alias, snapshot.name): DatasetFiles(reader, snapshot.name)
            for reader in readers
            for snapshot in reader.entry.manifest.snapshots
        }

    def receipt(self, receipt: Receipt) -> list[RecheckedSource]:
        """What became of the lines that an answer rested on: those that it cites, else all that were read."""
        return [
            RecheckedSource(source, self.span(source.span, receipt.aliases) if source.span else None)
            for source in receipt.rested_on
        ]

    def span(self, span: Span, aliases: Sequence[str]) -> Rechecked:
        """What became of lines in the first of the aliases that has their repository."""
        for alias in aliases:
            files = self._files.get((alias, span.citation.repository))
            if files is not None:
                return recheck(span, files)
        return Rechecked(span, "gone")
