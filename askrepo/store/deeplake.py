"""The one place that imports Deep Lake, and the one that knows its exceptions."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from askrepo.embedders.address_space import check_address_space
from askrepo.errors import AskrepoError, CredentialsError, DatasetCorruptedError, DatasetUnreadableError, StorageError

# Deep Lake's exceptions have no base class of their own; many failures are builtin RuntimeError or KeyError.
_REFUSED = {
    "AuthenticationError",
    "AuthorizationError",
    "ExpiredTokenError",
    "PermissionDeniedError",
    "StorageAccessDenied",
}
_OUT_OF_REACH = {
    "DatasetUnavailableError",
    "GcsStorageProviderFailed",
    "HTTPRequestFailedError",
    "StorageInternalError",
    "StorageNetworkConnectionError",
    "WriteFailedError",
}
_MAX_DETAIL = 200

# What to do about a machine that does not let a dataset be read. Deep Lake names the cause in the text of an error of
# any kind, as the operating system or the C++ library words it.
_CAUSES = {
    errno.EACCES: "give this user the right to read it, or run as its owner",
    errno.EPERM: "give this user the right to read it, or run as its owner",
    errno.ENOMEM: "free memory, or raise the limit (`ulimit -v`, the container's)",
    errno.EAGAIN: "no thread can be started: free memory, or raise the limit (`ulimit -u`, the container's)",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "raise the machine's limit of open files",
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room, or raise the quota",
    errno.EROFS: "nothing can be written there",
    errno.ESTALE: "mount its file system again",
    errno.EIO: "check the disk",
}
_NO_MEMORY = ("bad_alloc", "MemoryError", "bad allocation", "out of memory", "Out of memory")
_NO_THREAD = "can't start new thread"

# The native module brings an allocator of its own that keeps for later what is freed. Told not to, building 200,000
# rows peaks at 768 MB instead of 872 and takes no longer (measured 2026-11).
_ALLOCATOR = {"MIMALLOC_PURGE_DELAY": "0"}

# Reserved for the most part, hardly used: with two processors a search succeeds from 1,810 MiB on; below, it ends by
# one of a dozen errors or by `terminate called` (measured 2026-11).
_ADDRESS_SPACE = 1_900 * 1024**2

_import_lock = threading.Lock()


def load_deeplake() -> ModuleType:
    """Deep Lake, imported without its crash reporter.

    The native module of 4.7.4 starts sentry-native when it is imported: a thread resolves and then contacts
    `o4506451577143296.ingest.sentry.io`, and `<temporary directory>/indra/.sentry-native` is created with mode
    0700, which a second user of the machine cannot share. No documented switch turns it off.

    Measured 2026-11 with `strace -f -e trace=network` over import, create, append, commit, index build and
    queries with pauses:

    - nothing done, `SENTRY_DSN=""`: one DNS query for that host at import;
    - `http(s)_proxy` set to a dead loopback port during the import only: the same DNS query, since the thread
      reads the variables after they were restored; kept set for good, a connection to the dead port instead of
      the query, but then every other HTTP client of the process is broken too;
    - what is done here: `TMPDIR` names, during the import only, a directory in which `indra` is a file. The
      reporter cannot make its folder, gives up, and its thread never starts: no socket is opened, at import or
      later, and Deep Lake itself works the same.

    :raises StorageError: there is no writable temporary directory.
    :raises DatasetUnreadableError: there is too little memory for it, or the installation is broken.
    """
    with _import_lock:
        if "deeplake" in sys.modules:
            return sys.modules["deeplake"]
        check_address_space(_ADDRESS_SPACE, user="Deep Lake")
        with _crash_reporter_stopped():
            try:
                import deeplake
            except ImportError as error:
                raise DatasetUnreadableError(
                    f"Deep Lake cannot be loaded ({_detail(error)}): {_CAUSES[errno.ENOMEM]}, or install askrepo again"
                ) from error
        return deeplake


@contextmanager
def _crash_reporter_stopped() -> Iterator[None]:
    """Point TMPDIR to where the crash reporter cannot start, and back again."""
    try:
        # Making it first also makes `tempfile` remember the real temporary directory.
        folder = tempfile.TemporaryDirectory(prefix="askrepo-")
        (Path(folder.name) / "indra").touch()
    except OSError as error:
        raise StorageError(f"no writable temporary directory: {error.strerror}; set TMPDIR to one") from error
    with folder as name, _environment(TMPDIR=name, **_ALLOCATOR):
        yield


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Environment variables, as long as the block takes."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def reading(url: str) -> Iterator[None]:
    """Turn whatever Deep Lake raises while a dataset is read into our errors."""
    try:
        yield
    except AskrepoError:
        raise
    except Exception as error:
        known = _storage_error(error, f"cannot read dataset {url}")
        if known is not None:
            raise known from error
        if _errno_of(error) is not None:
            raise unreadable(url, error) from error
        raise damaged(url, f"it cannot be read ({_detail(error)})") from error


def damaged(url: str, found: str) -> DatasetCorruptedError:
    """The error for a dataset that is not what was published."""
    return DatasetCorruptedError(
        f"dataset {url} is damaged: {found}; go back to another one with `askrepo rollback`, or run the pipeline again"
    )


def unreadable(url: str, error: Exception) -> DatasetUnreadableError:
    """The error for a dataset that this machine does not let us read, whatever state it is in."""
    number = _errno_of(error)
    found = _detail(error) if number is None else os.strerror(number)
    place = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
    advice = _CAUSES.get(number or 0, "try again, then check the disk")
    return DatasetUnreadableError(f"cannot read dataset {url}: {found}{place}; {advice}")


def _errno_of(error: Exception) -> int | None:
    """Which error of the operating system is behind an exception, None when there is none."""
    if isinstance(error, OSError) and error.errno in _CAUSES:
        return error.errno
    text = str(error)
    if isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY):
        return errno.ENOMEM
    if _NO_THREAD in text:
        return errno.EAGAIN
    return next((number for number in _CAUSES if os.strerror(number) in text), None)


@contextmanager
def writing(url: str) -> Iterator[None]:
    """Turn whatever Deep Lake raises while a dataset is written into our errors."""
    try:
        yield
    except AskrepoError:
        raise
    except MemoryError:
        raise
    except Exception as error:
        known = _storage_error(error, f"cannot write dataset {url}")
        raise known or StorageError(f"cannot write dataset {url}: {_detail(error)}") from error


def _storage_error(error: Exception, action: str) -> AskrepoError | None:
    """What we raise for an error of the store itself, None for any other."""
    name = type(error).__name__
    if name in _REFUSED:
        return CredentialsError(f"{action}: the store refused the credentials ({name})")
    if name in _OUT_OF_REACH or isinstance(error, (ConnectionError, TimeoutError)):
        return StorageError(f"{action}: {_detail(error)}; try again when the store is back")
    return None


def _detail(error: Exception) -> str:
    """The error's kind and the start of its text, printable and on one line."""
    text = " ".join(str(error).split())
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return f"{type(error).__name__}: {shown[:_MAX_DETAIL]}".removesuffix(": ")
