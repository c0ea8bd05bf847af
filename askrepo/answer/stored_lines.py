"""Finds the stored lines that an answer names by path."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from askrepo.aliases.readers import AliasReader
from askrepo.answer.citations import Cited, LookUp
from askrepo.answer.context import Source
from askrepo.git.permalinks import permalink
from askrepo.types import Citation, Snapshot

Place = tuple[AliasReader, str, str]
"""Reader, repository and path of a file that may be meant."""


def line_look_up(readers: Sequence[AliasReader], sources: Sequence[Source]) -> LookUp:
    """A look-up in the datasets that the readers hold open.

    A path may be written as it is stored, with `repository/` or `repository@commit/` before it, or as the end of a
    source's path.
    """

    @functools.cache
    def look_up(path: str, start: int, end: int) -> Cited | None:
        for reader, repository, stored in _places(path, readers, sources):
            found = _cited(reader, repository, stored, start, end)
            if found is not None:
                return found
        return None

    return look_up


def _places(path: str, readers: Sequence[AliasReader], sources: Sequence[Source]) -> Iterator[Place]:
    path = path.removeprefix("./").lstrip("/")
    by_alias = {reader.alias: reader for reader in readers}
    for source in sources:
        chunk = source.hit.chunk
        if chunk.path == path or chunk.path.endswith("/" + path):
            yield by_alias[source.hit.alias], chunk.repository, chunk.path
    for reader in readers:
        for snapshot in reader.entry.manifest.snapshots:
            yield reader, snapshot.name, _within(snapshot, path)


def _within(snapshot: Snapshot, path: str) -> str:
    """The path without the repository, or the repository and the commit, that are written before it."""
    written = re.fullmatch(r"(?P<name>[^@]+)@(?P<commit>[0-9a-f]{7,64})/(?P<path>.+)", path, re.DOTALL)
    if written is None:
        return path.removeprefix(snapshot.name + "/")
    is_meant = written["name"] in {snapshot.name, snapshot.name.rpartition("/")[2]}
    return written["path"] if is_meant and snapshot.commit.startswith(written["commit"]) else path


def _cited(reader: AliasReader, repository: str, path: str, start: int, end: int) -> Cited | None:
    """The lines, when the stored file has all of them."""
    chunks = reader.dataset.file_chunks(repository, path)
    if not chunks or not 1 <= start <= end <= max(chunk.end_line for chunk in chunks):
        return None
    snapshot = reader.snapshot_of(repository)
    lines = replace(chunks[0], start_line=start, end_line=end)
    return Cited(None, Citation(repository, snapshot.commit, path, start, end), permalink(snapshot, lines))
