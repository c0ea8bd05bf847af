"""Temporary folders that go when their block ends, or with the next one when this process did not live that long."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK = "in-use"
# Between making a folder and locking it, a process needs less.
_UNLOCKED_S = 3600.0


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """A new folder of that prefix in the system's temporary folder; left ones of the same prefix are removed first.

    A folder's lock lasts as long as the process that made it, so that what a killed process left can be told apart.
    The caller gets a folder inside, without the lock.
    """
    _sweep(prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        descriptor = os.open(Path(folder, _LOCK), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            inside = Path(folder, "work")
            inside.mkdir()
            yield inside
        finally:
            os.close(descriptor)


def _sweep(prefix: str) -> None:
    """Remove folders of ours that no process holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):
            if folder.lstat().st_uid == os.getuid() and not folder.is_symlink() and _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return time.time() - folder.lstat().st_mtime > _UNLOCKED_S
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
