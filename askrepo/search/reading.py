"""Reads the files of open datasets as they are stored: lines with their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from askrepo.aliases.readers import AliasReader
from askrepo.errors import UnknownPathError, UsageError
from askrepo.git.permalinks import permalink
from askrepo.text.counting import counted
from askrepo.text.suggestions import nearest_paths
from askrepo.types import Chunk, Citation

MAX_LINES = 400
"""Lines of one reading for a chat model or an agent; a person reads whole files."""

MAX_CHARS = 40_000
"""Characters likewise: some 10,000 tokens. A longer line is cut."""

_CUT = "…"
_AT_COMMIT = re.compile(r"(?P<name>[^@]+)@(?P<commit>[0-9a-f]{7,64})[/ ](?P<path>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a dataset.

    :ivar chunks: all of them, in line order; joined, they are the file. At least one.
    :ivar lines: the file's lines, without their ends; the first is line 1.
    """

    reader: AliasReader
    chunks: tuple[Chunk, ...]
    lines: tuple[str, ...]

    @classmethod
    def of(cls, reader: AliasReader, chunks: Sequence[Chunk]) -> StoredFile:
        """The file that the chunks are of."""
        text = "".join(chunk.text for chunk in chunks)
        return cls(reader, tuple(chunks), tuple(text.removesuffix("\n").split("\n")))

    @property
    def repository(self) -> str:
        """The repository's name."""
        return self.chunks[0].repository

    @property
    def path(self) -> str:
        """Within the repository."""
        return self.chunks[0].path

    @property
    def commit(self) -> str:
        """The commit that was read."""
        return self.reader.snapshot_of(self.repository).commit

    def citation(self, start_line: int, end_line: int) -> Citation:
        """Lines of the file as an answer cites them."""
        return Citation(self.repository, self.commit, self.path, start_line, end_line)

    def url(self, start_line: int, end_line: int) -> str:
        """Lines of the file on the web, or the repository's URL."""
        lines = replace(self.chunks[0], start_line=start_line, end_line=end_line)
        return permalink(self.reader.snapshot_of(self.repository), lines)


@dataclass(frozen=True, slots=True)
class Reading:
    """Consecutive lines of a stored file.

    :ivar start_line: 1-based, inclusive; end_line likewise.
    :ivar lines: without their ends; a line beyond the bound of characters ends with an ellipsis.
    :ivar next_line: where to read on; None when nothing that was asked for is left.
    """

    file: StoredFile
    start_line: int
    end_line: int
    lines: tuple[str, ...]
    next_line: int | None = None

    @property
    def citation(self) -> Citation:
        """The lines as an answer cites them."""
        return self.file.citation(self.start_line, self.end_line)

    @property
    def url(self) -> str:
        """The lines on the web, or the repository's URL."""
        return self.file.url(self.start_line, self.end_line)


def lines_of(
    file: StoredFile,
    start: int | None = None,
    end: int | None = None,
    *,
    max_lines: int = MAX_LINES,
    max_chars: int = MAX_CHARS,
) -> Reading:
    """Lines of an open file, as many of those asked for as the bounds admit; at least one.

    :param start: 1-based; the first line when None. :param end: inclusive; the last line when None or beyond it.
    :raises UsageError: the range is none, or begins behind the file's end.
    """
    total = len(file.lines)
    first, last = (1 if start is None else start), (total if end is None else end)
    if first > total and (end is None or last >= first):
        raise UsageError(f"{file.path} has {counted(total, 'line')} and no line {first:,}")
    if first < 1 or last < first:
        raise UsageError(f"lines {first}-{last} are no range: count from 1, the first line before the last")
    last = min(last, total)
    shown = list(_within(file.lines[first - 1 : min(last, first + max_lines - 1)], max_chars))
    read_to = first + len(shown) - 1
    return Reading(file, first, read_to, tuple(shown), read_to + 1 if read_to < last else None)


def open_file(path: str, *, readers: Sequence[AliasReader], repository: str | None = None) -> StoredFile:
    """The stored file of a path.

    :param path: as stored, with `repository/` or `repository@commit/` before it, or an end of one stored path only.
    :raises UnknownPathError: no dataset has the file, or several have one of that path; the message names what to say.
    """
    wanted = path.strip().removeprefix("./").lstrip("/")
    exact = _distinct(_opened(reader, name, stored) for reader, name, stored in _named(wanted, readers, repository))
    if len(exact) > 1:
        raise _ambiguous(path, [f"{file.repository}/{file.path}" for file in exact])
    return exact[0] if exact else _at_end(path, wanted, readers, repository)


def _within(lines: Sequence[str], max_chars: int) -> Iterator[str]:
    """As many lines as the characters admit, the first at least in part."""
    left = max_chars
    for number, line in enumerate(lines):
        if len(line) > left:
            if number == 0:
                yield line[: max_chars - 1] + _CUT
            return
        left -= len(line) + 1
        yield line


_Place = tuple[AliasReader, str, str]
"""Reader, repository and path of a file that may be meant."""


def _named(path: str, readers: Sequence[AliasReader], repository: str | None) -> Iterator[_Place]:
    """The files that the path may name outright, with or without the repository before it."""
    written = _AT_COMMIT.fullmatch(path)
    for reader in readers:
        for snapshot in reader.entry.manifest.snapshots:
            names = {snapshot.name, snapshot.name.rpartition("/")[2]}
            if repository is not None and repository not in names:
                continue
            yield reader, snapshot.name, path
            if path.startswith(snapshot.name + "/"):
                yield reader, snapshot.name, path.removeprefix(snapshot.name + "/")
            if written and written["name"] in names and snapshot.commit.startswith(written["commit"]):
                yield reader, snapshot.name, written["path"]


def _opened(reader: AliasReader, repository: str, path: str) -> StoredFile | None:
    chunks = reader.dataset.file_chunks(repository, path)
    return StoredFile.of(reader, chunks) if chunks else None


def _distinct(files: Iterator[StoredFile | None]) -> list[StoredFile]:
    """The files that there are; one that several aliases have at one commit is one."""
    found: dict[tuple[str, str, str], StoredFile] = {}
    for file in files:
        if file is not None:
            found.setdefault((file.repository, file.path, file.commit), file)
    return list(found.values())


def _at_end(path: str, wanted: str, readers: Sequence[AliasReader], repository: str | None) -> StoredFile:
    """The only file whose path ends so."""
    places = [
        (reader, name, stored)
        for reader in readers
        for name, stored in sorted(reader.dataset.files())
        if repository is None or repository in (name, name.rpartition("/")[2])
    ]
    if not places and repository is not None:
        raise UnknownPathError(f"no repository {repository!r} in {_searched(readers)}")
    ending = [place for place in places if wanted and place[2].endswith(f"/{wanted}")]
    found = {(name, stored): reader for reader, name, stored in ending}
    if len(found) == 1:
        file = _opened(*ending[0])
        if file is not None:
            return file
    if found:
        raise _ambiguous(path, [f"{name}/{stored}" for name, stored in found])
    folder = wanted.rstrip("/") + "/"
    inside = sorted(stored for _, _, stored in places if stored.startswith(folder))
    if inside:
        raise UnknownPathError(f"{path!r} is a folder: name a file of it, such as {inside[0]}")
    near = nearest_paths(wanted, (stored for _, _, stored in places))
    meant = f"; nearest: {', '.join(near)}" if near else ""
    raise UnknownPathError(f"no file {path!r} in {_searched(readers)}{meant}")


def _ambiguous(path: str, places: Sequence[str]) -> UnknownPathError:
    shown = ", ".join(places[:5]) + (f" and {len(places) - 5} more" if len(places) > 5 else "")
    return UnknownPathError(f"{path!r} may be any of {shown}: write the repository before the path, or more of it")


def _searched(readers: Sequence[AliasReader]) -> str:
    names = dict.fromkeys(
        f"{snapshot.name}@{snapshot.commit[:10]}" for reader in readers for snapshot in reader.entry.manifest.snapshots
    )
    return ", ".join(names)
