"""Reads a commit's paths, attributes and blobs from a bare repository's object database."""

from __future__ import annotations

import logging
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Self

from askrepo.errors import LimitExceededError, StorageError
from askrepo.git.attributes import Attributes
from askrepo.git.process import open_git

SYMLINK = "120000"
SUBMODULE = "160000"
REGULAR = "100"
READ_BYTES = 256 * 1024
# Less than a pipe holds (64 KiB on Linux), so that git can take all of a request before it is asked for its answer.
REQUEST_BYTES = 16 * 1024
# A tree may contain itself many times over: 240 kB of objects can have 10^10 paths. The largest public repositories
# have half a million, of 70 bytes each.
MAX_PATHS = 1_000_000
MAX_PATHS_BYTES = 256 * 1024**2
# What the system takes for a path (PATH_MAX): no one can check out a longer one.
MAX_PATH_BYTES = 4096
# Attributes are a few lines; whole files beyond these limits are left aside, the same ones everywhere.
MAX_ATTRIBUTES_FILE_BYTES = 1024**2
MAX_ATTRIBUTES_BYTES = 4 * 1024**2
MAX_ATTRIBUTES_FILES = 10_000

_ATTRIBUTES_FILE = b".gitattributes"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One path of a commit's tree.

    :ivar raw_path: as git stores it: any bytes but NUL.
    :ivar size: bytes of the blob; 0 for a submodule.
    :ivar is_duplicate: the tree has an earlier entry of the same path.
    """

    mode: str
    blob: str
    size: int
    raw_path: bytes
    is_duplicate: bool = False


class TreeReader:
    """Entries, attributes and blobs of one commit; a context manager, because git processes serve it."""

    def __init__(self, bare: Path, commit: str) -> None:
        self._bare = bare
        self._commit = commit
        self._stack = ExitStack()
        self._blobs: subprocess.Popen[bytes] | None = None
        self._listing: IO[bytes] | None = None
        self._is_sorted = True
        self._left_aside = 0
        self._attributes = Attributes({})

    def __enter__(self) -> Self:
        """List the tree once; what is not admitted is refused here, before anything is read.

        :raises LimitExceededError: the tree has too many paths.
        :raises StorageError: the object database is damaged.
        """
        with self._stack:
            self._blobs = self._stack.enter_context(open_git(["cat-file", "--batch"], cwd=self._bare))
            self._listing = self._stack.enter_context(tempfile.TemporaryFile(dir=self._bare))
            self._attributes = Attributes(self._read_attributes(self._list()))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._stack.close()
        except OSError as error:  # closing writes what could not be written before
            raise StorageError(f"the tree of commit {self._commit} cannot be listed: {error.strerror}") from error

    def entries(self) -> Iterator[TreeEntry]:
        """Every path of the tree but directories, in git's order.

        :raises StorageError: the object database is damaged.
        """
        if self._listing is None:
            raise RuntimeError("TreeReader is used outside of its with block")
        self._listing.seek(0)
        seen: set[bytes] = set()
        for line in _until_nul(self._listing):
            entry = _entry(line)
            if not self._is_sorted:
                entry = replace(entry, is_duplicate=entry.raw_path in seen)
                seen.add(entry.raw_path)
            yield entry

    def attributes(self, entries: Sequence[TreeEntry]) -> list[Mapping[str, bool]]:
        """For each entry, what `.gitattributes` declares of `attributes.ATTRIBUTES`; undeclared ones are left out.

        :raises LimitExceededError: that takes too much work.
        """
        return [self._attributes.declared(entry.raw_path) for entry in entries]

    def blobs(self, ids: Sequence[str]) -> Iterator[bytes]:
        """Contents of blobs, in the order of their ids.

        :raises StorageError: one is missing or cannot be read.
        """
        process = self._blobs
        if process is None:
            raise RuntimeError("TreeReader is used outside of its with block")
        for request in _batches([f"{blob}\n".encode("ascii") for blob in ids]):
            _send(process, b"".join(request))
            for blob in request:
                yield _read_blob(_output(process), blob.decode("ascii").strip())

    def _list(self) -> list[TreeEntry]:
        """Write the tree's paths down within the limits; the files of attributes among them."""
        attributes: list[TreeEntry] = []
        last = b""
        for line in self._lines_within_limits():
            entry = _entry(line)
            self._is_sorted &= last < entry.raw_path
            last = entry.raw_path
            if entry.raw_path.rpartition(b"/")[2] == _ATTRIBUTES_FILE and entry.mode.startswith(REGULAR):
                attributes.append(entry)
                if len(attributes) > MAX_ATTRIBUTES_FILES:
                    self._left_aside += 1
                    attributes.pop()
        return attributes

    def _lines_within_limits(self) -> Iterator[bytes]:
        paths_bytes = 0
        for paths, line in enumerate(self._lines_of_git(), 1):
            paths_bytes += len(line)
            if paths > MAX_PATHS or paths_bytes > MAX_PATHS_BYTES:
                raise LimitExceededError(
                    f"cannot load commit {self._commit}: its tree has more than {MAX_PATHS:,} paths, or paths of more "
                    f"than {MAX_PATHS_BYTES // 1024**2} MiB, which is the limit: give another ref or another repository"
                )
            if self._listing is not None:
                self._listing.write(line + b"\0")
            yield line

    def _lines_of_git(self) -> Iterator[bytes]:
        command = ["ls-tree", "-r", "-z", "--full-tree", "-l", "--end-of-options", self._commit]
        with open_git(command, cwd=self._bare) as process:
            yield from _until_nul(_output(process))
            if process.wait() != 0:
                raise StorageError(f"the tree of commit {self._commit} cannot be read: the snapshot is damaged")

    def _read_attributes(self, entries: Sequence[TreeEntry]) -> dict[bytes, bytes]:
        """Contents of the files of attributes by their folder, the root's first to be admitted."""
        admitted: dict[bytes, str] = {}
        total = 0
        for entry in sorted(entries, key=lambda one: one.raw_path.count(b"/")):
            if entry.size <= MAX_ATTRIBUTES_FILE_BYTES and total + entry.size <= MAX_ATTRIBUTES_BYTES:
                total += entry.size
                admitted.setdefault(entry.raw_path.rpartition(b"/")[0], entry.blob)
        self._left_aside += len(entries) - len(admitted)
        if self._left_aside:
            log.warning(
                "commit %s: %d files of attributes left aside, too many or too large",
                self._commit[:10],
                self._left_aside,
            )
        return dict(zip(admitted, self.blobs(list(admitted.values())), strict=True))


def _entry(line: bytes) -> TreeEntry:
    fields, _, path = line.partition(b"\t")
    mode, _, blob, size = fields.decode("ascii").split()
    if size == "BAD":
        raise StorageError(f"blob {blob} is missing: the snapshot is damaged")
    return TreeEntry(mode, blob, 0 if size == "-" else int(size), path)


def _until_nul(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream cut at NUL bytes."""
    rest = b""
    while part := stream.read(READ_BYTES):
        *lines, rest = (rest + part).split(b"\0")
        yield from lines
    if rest:
        yield rest


def _batches(requests: Sequence[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for request in requests:
        if batch and size + len(request) > REQUEST_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += len(request)
    if batch:
        yield batch


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdout is None:
        raise RuntimeError("git was started without a pipe")
    return process.stdout


def _send(process: subprocess.Popen[bytes], request: bytes) -> None:
    if process.stdin is None:
        raise RuntimeError("git was started without a pipe")
    try:
        process.stdin.write(request)
        process.stdin.flush()
    except BrokenPipeError as error:
        raise StorageError("git ended while the snapshot was being read: the snapshot is damaged") from error


def _read_blob(stream: IO[bytes], blob: str) -> bytes:
    header = stream.readline().split()
    if len(header) != 3 or header[1] != b"blob":
        raise StorageError(f"blob {blob} cannot be read: the snapshot is damaged")
    size = int(header[2])
    content = stream.read(size + 1)
    if len(content) != size + 1:
        raise StorageError(f"blob {blob} ends after {len(content)} of {size} bytes: the snapshot is damaged")
    return content[:-1]
