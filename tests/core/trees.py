"""Trees that no ordinary git would write, made object by object."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.conftest import GIT_ENVIRONMENT, GitRepository

FILE, FOLDER = b"100644", b"40000"


def write_object(repository: GitRepository, kind: str, content: bytes) -> str:
    """The id of a new object, whatever is in it."""
    command = ["git", "hash-object", "-t", kind, "-w", "--stdin", "--literally"]
    return _git(repository.path, command, content)


def write_tree(repository: GitRepository, entries: Iterable[tuple[bytes, bytes, str]]) -> str:
    """The id of a tree with these modes, names and ids, in this order."""
    content = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(id_) for mode, name, id_ in entries)
    return write_object(repository, "tree", content)


def commit_tree(repository: GitRepository, tree: str) -> str:
    """Make a tree the content of the branch `main`."""
    commit = _git(repository.path, ["git", "commit-tree", "-m", "made", tree])
    repository.git("update-ref", "refs/heads/main", commit)
    return commit


def repeated_tree(
    repository: GitRepository, leaves: Iterable[tuple[bytes, bytes, str]], *, width: int, depth: int
) -> str:
    """A tree in which the same folder appears `width ** depth` times."""
    tree = write_tree(repository, leaves)
    for _ in range(depth):
        tree = write_tree(repository, [(FOLDER, b"%03d" % number, tree) for number in range(width)])
    return tree


def _git(folder: Path, command: list[str], content: bytes = b"") -> str:
    environment = {**os.environ, **GIT_ENVIRONMENT}
    run = subprocess.run(command, cwd=folder, env=environment, input=content, capture_output=True, check=True)
    return run.stdout.decode().strip()
