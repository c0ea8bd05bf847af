"""Reads a commit's paths, attributes and blobs from a bare repository's object database."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from askrepo.errors import StorageError
from askrepo.git import open_git, run_git

SYMLINK = "120000"
SUBMODULE = "160000"
ATTRIBUTES = ("linguist-generated", "linguist-vendored")
READ_BYTES = 256 * 1024
# Less than a pipe holds (64 KiB on Linux), so that git can take all of a request before it is asked for its answer.
REQUEST_BYTES = 16 * 1024
# Building the index of a million paths takes seconds; it is local work without any network.
INDEX_TIMEOUT_S = 900

_ATTRIBUTES_FILE = re.compile(rb"(?:^|[\t/])\.gitattributes$")


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One path of a commit's tree.

    :ivar raw_path: as git stores it: any bytes but NUL.
    :ivar size: bytes of the blob; 0 for a submodule.
    """

    mode: str
    blob: str
    size: int
    raw_path: bytes


class TreeReader:
    """Entries, attributes and blobs of one commit; a context manager, because git processes serve it."""

    def __init__(self, bare: Path, commit: str) -> None:
        self._bare = bare
        self._commit = commit
        self._stack = ExitStack()
        self._blobs: subprocess.Popen[bytes] | None = None
        self._attributes: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._blobs = self._stack.enter_context(open_git(["cat-file", "--batch"], cwd=self._bare))
        if any(_ATTRIBUTES_FILE.search(line) for line in self._listing("--name-only")):
            self._attributes = self._open_attributes()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def entries(self) -> Iterator[TreeEntry]:
        """Every path of the tree but directories, in git's order.

        :raises StorageError: the object database is damaged.
        """
        for line in self._listing("-l"):
            fields, _, path = line.partition(b"\t")
            mode, _, blob, size = fields.decode("ascii").split()
            if size == "BAD":
                raise StorageError(f"blob {blob} is missing: the snapshot is damaged")
            yield TreeEntry(mode, blob, 0 if size == "-" else int(size), path)

    def attributes(self, entries: Sequence[TreeEntry]) -> list[Mapping[str, bool]]:
        """For each entry, what `.gitattributes` declares of `ATTRIBUTES`; undeclared ones are left out."""
        if self._attributes is None:
            return [{} for _ in entries]
        answers: list[Mapping[str, bool]] = []
        for request in _batches([entry.raw_path + b"\0" for entry in entries]):
            _send(self._attributes, b"".join(request))
            answers.extend(_read_attributes(_output(self._attributes), path[:-1]) for path in request)
        return answers

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

    def _listing(self, *options: str) -> Iterator[bytes]:
        command = ["ls-tree", "-r", "-z", "--full-tree", *options, "--end-of-options", self._commit]
        with open_git(command, cwd=self._bare) as process:
            yield from _until_nul(_output(process))
            if process.wait() != 0:
                raise StorageError(f"the tree of commit {self._commit} cannot be read: the snapshot is damaged")

    def _open_attributes(self) -> subprocess.Popen[bytes]:
        """A process that answers for paths; it needs an index, as a bare repository has no files to look at."""
        environment = {"GIT_INDEX_FILE": str(self._bare / "askrepo-index")}
        command = ["read-tree", "--end-of-options", self._commit]
        action = f"read the attributes of commit {self._commit}"
        run_git(command, cwd=self._bare, action=action, timeout_s=INDEX_TIMEOUT_S, git_environment=environment)
        command = ["check-attr", "--cached", "--stdin", "-z", *ATTRIBUTES]
        return self._stack.enter_context(open_git(command, cwd=self._bare, environment=environment))


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


def _read_attributes(stream: IO[bytes], path: bytes) -> Mapping[str, bool]:
    """The answer for one path: per attribute the path, the attribute's name and its value, each ended by NUL."""
    declared = {}
    for name in ATTRIBUTES:
        expected = path + b"\0" + name.encode("ascii") + b"\0"
        if stream.read(len(expected)) != expected:
            raise StorageError("git ended while attributes were being read: the snapshot is damaged")
        value = b"".join(iter(lambda: stream.read(1).rstrip(b"\0"), b""))
        if value != b"unspecified":
            declared[name] = value not in (b"unset", b"false")
    return declared


def _read_blob(stream: IO[bytes], blob: str) -> bytes:
    header = stream.readline().split()
    if len(header) != 3 or header[1] != b"blob":
        raise StorageError(f"blob {blob} cannot be read: the snapshot is damaged")
    size = int(header[2])
    content = stream.read(size + 1)
    if len(content) != size + 1:
        raise StorageError(f"blob {blob} ends after {len(content)} of {size} bytes: the snapshot is damaged")
    return content[:-1]
