"""Remembers which datasets were read in full and found undamaged, so that a question need not read them again.

What is remembered is one digest over the inventory and over each file's size, times, inode and device. Whatever
changes a file's content moves its time of change, which no user can set back. A record that is damaged, cut off or of
an older state is not equal, and the dataset is read again; one that somebody else could have written counts for
nothing.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from askrepo.store import inventory
from askrepo.store.location import DatasetLocation, FileState
from askrepo.types import digest_of

# A file that changes twice within one tick of the file system's clock may look unchanged. The coarsest tick in use is
# the two seconds of FAT.
_TICK_NS = 2 * 10**9
_MAX_RECORDS = 256
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_SLOW_S = 1.0

logger = logging.getLogger(__name__)


def check_files(location: DatasetLocation, *, digest: str = "", cache: Path | None = None) -> Mapping[str, FileState]:
    """Make sure that a dataset's files are those that were published, before Deep Lake sees them.

    A local dataset's files are read, unless they were before and nothing touched them since. A remote store keeps
    content whole: there names, sizes and tags are compared, and a file of another tag is read once.

    :param digest: of the inventory, as the alias's entry says; "" when it says nothing.
    :param cache: directory that remembers; None to read the files in any case.
    :returns: the files as they were found.
    :raises DatasetCorruptedError: a file is missing, new or changed; the message names one.
    :raises DatasetUnreadableError: this process cannot read one.
    """
    if not location.has_files:
        return {}
    states = location.states()
    expected = _record_of(location, digest, states)
    record = cache and cache / "verified" / hashlib.sha256(location.url.encode("utf-8", "surrogateescape")).hexdigest()
    if record and _holds(record, expected):
        return states
    started_ns = time.time_ns()
    (inventory.check_digests if location.is_local else inventory.check_listing)(location, digest=digest)
    at_rest = max((state.changed_ns for state in states.values()), default=0) < started_ns - _TICK_NS
    if record and at_rest and location.states() == states:
        _keep(record, expected, took_s=(time.time_ns() - started_ns) / 1e9)
    return states


def _record_of(location: DatasetLocation, digest: str, states: Mapping[str, FileState]) -> str:
    """What is remembered of a dataset in this state."""
    return digest_of([location.url, digest, sorted((name, one.size, one.stamp) for name, one in states.items())])


def _holds(record: Path, expected: str) -> bool:
    """Whether a record says what is expected, and only this user can have written it."""
    try:
        if not _is_ours(record.parent.lstat()):
            return False
        file = os.open(record, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(file)
            is_believed = stat.S_ISREG(found.st_mode) and _is_ours(found)
            return is_believed and os.read(file, len(expected) + 1) == expected.encode("ascii")
        finally:
            os.close(file)
    except OSError:
        return False


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_WRITE


def _keep(record: Path, content: str, *, took_s: float) -> None:
    """Write a record whole; without one the next question reads the files again."""
    try:
        record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(record.parent.lstat()):
            raise PermissionError(0, "it belongs to somebody else, or others may write to it")
        _write(record, content)
        _forget_oldest(record.parent)
    except OSError as error:
        if took_s > _SLOW_S:
            logger.warning(
                "%s cannot remember that the dataset is undamaged (%s): every question takes %.1f s to read its files",
                record.parent,
                error.strerror or error,
                took_s,
            )


def _write(record: Path, content: str) -> None:
    file, part = tempfile.mkstemp(dir=record.parent)
    try:
        with os.fdopen(file, "w", encoding="ascii") as target:
            target.write(content)
        Path(part).replace(record)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _forget_oldest(folder: Path) -> None:
    with suppress(FileNotFoundError):  # somebody else forgets at the same time
        records = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for record in records[:-_MAX_RECORDS]:
            record.unlink(missing_ok=True)
