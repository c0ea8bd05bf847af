"""Durable: what is called written is on the disk, not in the memory of a machine that may lose its power."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

# File systems that cannot flush a folder say so with these.
_NO_FLUSH = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})


def create_file(file: Path, content: bytes, *, below: Path) -> None:
    """Create a file in one step, flushed with the folders on the way to it; those that are missing are made.

    Nobody sees a part of it, not even after a loss of power: the content is on the disk before the file has its name.

    :param below: a folder that exists.
    :raises FileExistsError: something has that name: a file, a folder or a link.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # The name that obstore gives to files in the making, which listings leave out and the nightly clean-up removes.
    temporary = file.with_name(f"{file.name}#{secrets.randbelow(10**15)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
    flush_folders(file.parent, below=below)


def flush_folders(folder: Path, *, below: Path) -> None:
    """Flush the names in a folder, and those of the folders above it, up to one."""
    for each in (folder, *folder.parents):
        _flush(each, os.O_RDONLY | os.O_DIRECTORY)
        if each == below or not each.is_relative_to(below):
            return


def flush_tree(folder: Path) -> None:
    """Flush every file below a folder, and the folders."""
    for path, _, names in os.walk(folder):
        for name in names:
            _flush(Path(path, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        _flush(Path(path), os.O_RDONLY | os.O_DIRECTORY)


def _flush(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
    finally:
        os.close(descriptor)
