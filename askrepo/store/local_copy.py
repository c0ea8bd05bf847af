"""Copies of remote datasets on this machine, so that a question reads a local disk.

A dataset never changes, so its copy needs no freshness: it is made once, whole or not at all, and checked against the
dataset's inventory. Beside each copy is a file that is locked: shared while somebody reads the copy, exclusively while
somebody makes or removes it. So of several processes one copies and the others wait, and no copy is removed under a
reader. The locks end with the process that holds them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from askrepo.errors import DatasetCorruptedError, StorageError, UnavailableError, UsageError
from askrepo.store import inventory
from askrepo.store.deeplake import damaged
from askrepo.store.inventory import ListedFile
from askrepo.store.location import DatasetLocation
from askrepo.workspace.places import check_dataset_place
from askrepo.workspace.stores import ObjectMissingError

OnCopy = Callable[[int, int], None]
"""Told how many bytes of how many are copied, from the thread that asked for the copy."""

# Every file of a copy gets this time of change, the same on all machines: whatever writes to one moves it, and damage
# of a file that keeps its size shows without reading it.
_MTIME_NS = 1_000_000_000 * 10**9
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_PART = ".part"
_LOCK = ".lock"
# How often a copy may vanish between being made and being locked for reading before we give up.
_TRIES = 3


class NotCopiedError(StorageError):
    """There is no copy and none could be made; the dataset can be read where it is."""


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """A whole copy; nobody removes it as long as this object lives.

    :ivar location: where the copy is.
    :ivar original: where the dataset is.
    :ivar digest: of the list of its files, as the alias's entry says; "" when it says nothing.
    """

    location: DatasetLocation
    original: DatasetLocation
    digest: str
    _lock: _Lock | None = field(repr=False, compare=False)

    def check(self) -> None:
        """Read every file and compare it with the inventory; a damaged copy is removed.

        :raises DatasetCorruptedError: it was damaged.
        """
        try:
            inventory.check_digests(self.location, digest=self.digest)
        except DatasetCorruptedError as error:
            self.discard()
            raise DatasetCorruptedError(
                f"the local copy of dataset {self.original.url} was damaged and has been removed; "
                "the next question copies it again"
            ) from error

    def discard(self) -> None:
        """Remove the copy, because it is damaged: whoever reads it reads damage."""
        _remove(self.location.folder)
        self.release()

    def release(self) -> None:
        """Let others remove the copy."""
        if self._lock is not None:
            self._lock.close()


def take_copy(
    location: DatasetLocation, *, folder: Path, max_bytes: int, digest: str = "", on_copy: OnCopy | None = None
) -> LocalCopy:
    """The dataset's copy below a folder, made now if there is none; those used least lately make room for it.

    :param digest: of the list of its files, as the alias's entry says; "" when it says nothing.
    :param max_bytes: size of all copies together.
    :raises NotCopiedError: the dataset has no inventory or is too large, or the folder cannot be used.
    :raises DatasetCorruptedError: the dataset is missing, or is not what its inventory says.
    :raises StorageError: its store failed.
    """
    target = folder / _name(location)
    try:
        check_dataset_place(str(target), setting="ASKREPO_CACHE")
    except UsageError as error:
        raise NotCopiedError(str(error)) from error
    try:
        for _ in range(_TRIES):
            copy = _open(location, target, digest) or _make(location, target, digest, max_bytes, on_copy)
            if copy is not None:
                return copy
    except OSError as error:
        raise NotCopiedError(
            f"no local copy of dataset {location.url} can be made in {folder}: {error.strerror or error}"
        ) from error
    raise NotCopiedError(f"no local copy of dataset {location.url}: others keep removing it from {folder}")


def _open(location: DatasetLocation, target: Path, digest: str) -> LocalCopy | None:
    """The copy that is there already; None when there is none, or none that is whole."""
    if not target.is_dir():
        return None
    try:
        lock = _Lock(target, fcntl.LOCK_SH)
    except OSError:  # a cache that can only be read is never cleaned up either
        lock = None
    copy = LocalCopy(DatasetLocation.of(str(target)), location, digest, lock)
    if not _is_whole(copy.location, digest):
        copy.release()
        return None
    with suppress(OSError):
        os.utime(target)  # used just now
    return copy


def _make(
    location: DatasetLocation, target: Path, digest: str, max_bytes: int, on_copy: OnCopy | None
) -> LocalCopy | None:
    """The copy, made here or by somebody we waited for; None when it was removed again before we could lock it."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # what is private in the store stays private
    with _Lock(target, fcntl.LOCK_EX):
        if not _is_whole(DatasetLocation.of(str(target)), digest):
            _remove(target)
            files = _listed(location, digest)
            size = sum(file.size for file in files.values())
            _make_room(target, size, max_bytes, location)
            _copy(location, files, target, on_copy or _tell_nobody)
    return _open(location, target, digest)


def _listed(location: DatasetLocation, digest: str) -> Mapping[str, ListedFile]:
    if digest:
        location.check_present()  # a missing dataset is not one without a list
    files = inventory.listed(location, digest=digest)
    if files is None:
        location.check_present()
        raise NotCopiedError(f"dataset {location.url} has no list of its files: an earlier version of askrepo built it")
    return files


def _copy(location: DatasetLocation, files: Mapping[str, ListedFile], target: Path, on_copy: OnCopy) -> None:
    """All files into a folder of another name, which then gets its own: readers see all of it or nothing."""
    part = target.with_name(target.name + _PART)
    _remove(part)
    total = sum(file.size for file in files.values())
    try:
        done = 0
        for size in _copied_sizes(location, files, part):
            done += size
            on_copy(done, total)
        _write(part / inventory.FILE, location.parts(inventory.FILE))
        part.rename(target)
    except ObjectMissingError as error:
        raise DatasetCorruptedError(f"dataset {location.url} is incomplete, or is being removed: {error}") from error
    finally:
        _remove(part)


def _copied_sizes(location: DatasetLocation, files: Mapping[str, ListedFile], part: Path) -> Iterator[int]:
    """Size of each file, once it is copied and found to be what the inventory says."""
    with ThreadPoolExecutor(inventory.AT_ONCE) as pool:
        tasks = [pool.submit(_copy_file, location, name, file, part) for name, file in files.items()]
        try:
            for task in as_completed(tasks):
                yield task.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _copy_file(location: DatasetLocation, name: str, file: ListedFile, part: Path) -> int:
    path = part / name
    if not path.resolve().is_relative_to(part.resolve()):
        raise damaged(location.url, f"its list names {name!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    size, digest = _write(path, location.parts(name))
    if (size, digest) != (file.size, file.digest):
        raise damaged(location.url, f"its file {name} changed since it was published")
    return size


def _write(path: Path, parts: Iterator[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as target:
        for part in parts:
            target.write(part)
            digest.update(part)
            size += len(part)
    os.utime(path, ns=(_MTIME_NS, _MTIME_NS))
    return size, digest.hexdigest()


def _is_whole(copy: DatasetLocation, digest: str) -> bool:
    """Whether names, sizes and times of change are those of a copy that nobody touched: milliseconds."""
    try:
        files = inventory.listed(copy, digest=digest)
        if files is None:
            return False
        found = {path.relative_to(copy.folder).as_posix(): path.stat() for path in _files(copy.folder)}
    except (UnavailableError, StorageError, OSError):
        return False
    listed = found.pop(inventory.FILE, None)
    return listed is not None and {name: (file.size, _MTIME_NS) for name, file in files.items()} == {
        name: (stat.st_size, stat.st_mtime_ns) for name, stat in found.items()
    }


def _make_room(target: Path, size: int, max_bytes: int, location: DatasetLocation) -> None:
    """Remove the copies used least lately until there is room, on the disk and within what copies may take.

    :raises NotCopiedError: there is no room.
    """
    if size > max_bytes:
        raise NotCopiedError(
            f"dataset {location.url} takes {_mebibytes(size)}, more than the {_mebibytes(max_bytes)} that copies may "
            "take (ASKREPO_CACHE_MB)"
        )
    sizes = {copy: sum(path.stat().st_size for path in _files(copy)) for copy in _copies(target)}
    while True:
        free = shutil.disk_usage(target.parent).free
        if sum(sizes.values()) + size <= max_bytes and size <= free:
            return
        if not sizes:
            raise NotCopiedError(
                f"no room for a local copy of dataset {location.url} in {target.parent}: it needs {_mebibytes(size)}, "
                f"{_mebibytes(free)} are free, and copies that others read are in the way"
            )
        oldest = min(sizes, key=lambda copy: copy.stat().st_mtime_ns)
        freed = sizes.pop(oldest)
        if not _removed_unused(oldest):
            max_bytes -= freed  # somebody reads it: it stays, and counts


def _copies(target: Path) -> list[Path]:
    """All other copies, and what copying that was killed left behind."""
    own = {target.name, target.name + _PART}
    return [path for path in target.parent.iterdir() if path.is_dir() and path.name not in own]


def _removed_unused(copy: Path) -> bool:
    """Remove a copy unless somebody reads or makes it; whether it is gone."""
    owner = copy.with_name(copy.name.removesuffix(_PART))
    try:
        with _Lock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB):
            _remove(copy)
            if not copy.name.endswith(_PART):
                _lock_file(owner).unlink(missing_ok=True)
            return True
    except BlockingIOError:
        return False


def _remove(folder: Path) -> None:
    """Remove a folder; a reader never meets half of one."""
    if not folder.exists():
        return
    doomed = folder if folder.name.endswith(_PART) else folder.with_name(folder.name + _PART)
    if doomed != folder:
        shutil.rmtree(doomed, ignore_errors=True)
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


class _Lock:
    """The lock of a copy, held until it is closed or nobody knows it any more.

    :raises BlockingIOError: somebody else holds it, and `how` says not to wait.
    :raises OSError: there can be no lock here.
    """

    def __init__(self, target: Path, how: int) -> None:
        path = _lock_file(target)
        while True:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._file, how)
                if os.path.samestat(os.fstat(self._file), path.stat()):
                    return
            except FileNotFoundError:
                pass
            except BaseException:
                self.close()
                raise
            self.close()  # the file was removed by whoever held it before, so that it binds nobody any more

    def close(self) -> None:
        """Let others have it."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self.close()


def _lock_file(target: Path) -> Path:
    return target.with_name(target.name + _LOCK)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _name(location: DatasetLocation) -> str:
    """Name of the copy's folder; dataset ids are unique, and a manifest says which dataset a copy is."""
    return _UNSAFE.sub("_", location.url.rstrip("/").rsplit("/", 1)[-1])


def _mebibytes(count: int) -> str:
    return f"{count / 1024**2:,.1f} MiB"


def _tell_nobody(_done: int, _total: int) -> None:
    return None
