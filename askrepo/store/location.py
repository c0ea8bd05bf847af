"""Where a dataset is: its URL, as Deep Lake and as the object store spell it, and the credentials for it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self
from urllib.parse import urlsplit

from askrepo.errors import CredentialsError, DatasetCorruptedError, StorageError, UsageError
from askrepo.store.deeplake import load_deeplake, reading, unreadable
from askrepo.workspace.places import check_dataset_place, local_folder
from askrepo.workspace.s3_access import S3Access
from askrepo.workspace.stores import REMOTE_SCHEMES, ObjectMissingError, open_store, store_errors

if TYPE_CHECKING:
    from askrepo.workspace.objects import Workspace

_DEEPLAKE_SCHEMES = (*REMOTE_SCHEMES, "al")
_LOG_FOLDER = "_deeplake_log"
_PART_BYTES = 1024 * 1024


_IRREGULAR = -1
"""Size of what is no file where one is expected: a pipe, a device, a link to a folder."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What a file is known by without reading it.

    :ivar stamp: changes whenever the content does: times, inode and device of a local file, the entity tag of an
        object; "" when the store gives none.
    :ivar changed_ns: when a local file or what is known of it last changed, which no user can set back; else 0.
    """

    size: int
    stamp: str
    changed_ns: int = 0


@dataclass(frozen=True, slots=True)
class DatasetLocation:
    """A dataset's place.

    :ivar url: absolute path, or `s3://`, `gs://`, `az://` or `al://` URL.
    :ivar env: where its credentials come from; never shown.
    """

    url: str
    env: Mapping[str, str] = field(repr=False, compare=False)
    _opened: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, url: str, *, env: Mapping[str, str] | None = None) -> Self:
        """The place a URL names; credentials come from the environment (`AWS_*`, `ACTIVELOOP_TOKEN`, …).

        :raises UsageError: no store has that scheme, or Deep Lake would look somewhere else.
        """
        scheme = urlsplit(url).scheme
        environment = os.environ if env is None else env
        if scheme in _DEEPLAKE_SCHEMES:
            return cls(check_dataset_place(url).rstrip("/"), environment)
        if scheme not in ("", "file"):
            raise UsageError(f"dataset {url!r}: scheme must be a directory, file://, s3://, gs://, az:// or al://")
        return cls(str(local_folder(check_dataset_place(url))), environment)

    @classmethod
    def within(cls, workspace: Workspace, dataset: str) -> Self:
        """The place of one of a workspace's datasets, reached with the workspace's credentials.

        :param dataset: the manifest's word for it: a key of the workspace, or a URL.
        """
        return cls.of(workspace.url_of(dataset), env=workspace.env)

    @property
    def is_local(self) -> bool:
        """Whether the dataset is a directory of this machine."""
        return urlsplit(self.url).scheme not in _DEEPLAKE_SCHEMES

    @property
    def folder(self) -> Path:
        """The directory of a local dataset."""
        return Path(self.url)

    @property
    def has_files(self) -> bool:
        """Whether its files can be looked at; those of `al://` cannot."""
        return urlsplit(self.url).scheme != "al"

    @property
    def arguments(self) -> dict[str, Any]:
        """What Deep Lake's functions take: url, and creds or token where there are any."""
        scheme = urlsplit(self.url).scheme
        if scheme == "s3":
            return {"url": self.url, "creds": S3Access.from_env(self.env).deeplake_credentials}
        if scheme == "gs":
            return {"url": "gcs://" + self.url.removeprefix("gs://")}
        if scheme == "az":
            return {"url": f"az://{self._azure_account()}/{self.url.removeprefix('az://')}"}
        if scheme == "al":
            token = self._first("ACTIVELOOP_TOKEN")
            return {"url": self.url, **({"token": token} if token else {})}
        return {"url": self.url}

    def exists(self) -> bool:
        """Whether there is a dataset, complete or not.

        :raises StorageError: the store does not answer, found out in seconds.
        :raises CredentialsError: the store refused the credentials.
        """
        if self.is_local:
            with self._local(), suppress(FileNotFoundError, NotADirectoryError):
                return stat.S_ISDIR((self.folder / _LOG_FOLDER).stat().st_mode)
            return False
        if urlsplit(self.url).scheme == "al":
            with reading(self.url):
                return bool(load_deeplake().exists(**self.arguments))
        return bool(self._objects(_LOG_FOLDER, first_page=True))

    def check_present(self) -> None:
        """Find out early and quickly that there is nothing to open.

        :raises DatasetCorruptedError: there is no dataset.
        :raises StorageError: the store does not answer.
        """
        if not self.exists():
            raise DatasetCorruptedError(
                f"dataset {self.url} is missing; go back to another one with `askrepo rollback`, "
                "or run the pipeline again"
            )

    def check_space(self, needed_bytes: int) -> None:
        """Refuse to start what the disk cannot hold: a dataset whose disk was once full can never be written again.

        :raises StorageError: a local store has less space than this.
        """
        if not self.is_local:
            return
        parent = next(folder for folder in self.folder.parents if folder.exists())
        free = shutil.disk_usage(parent).free
        if free < needed_bytes:
            raise StorageError(
                f"dataset {self.url} needs {_mebibytes(needed_bytes)} free, {parent} has {_mebibytes(free)}; "
                "make room or set ASKREPO_DATASETS to another store"
            )

    def sizes(self) -> dict[str, int]:
        """Every file of the dataset with its size in bytes; none when there is no dataset.

        :raises StorageError: the store does not answer.
        """
        return {name: state.size for name, state in self.states().items()}

    def states(self) -> dict[str, FileState]:
        """Every file of the dataset as it is now, without reading one; none when there is no dataset.

        :raises DatasetUnreadableError: a folder of it cannot be looked into.
        :raises StorageError: the store does not answer.
        """
        if not self.is_local:
            return self._objects()
        with self._local():
            return dict(_file_states(self.folder, ""))

    def parts(self, name: str) -> Iterator[bytes]:
        """A file's content, in parts.

        :raises ObjectMissingError: there is no such file.
        :raises DatasetUnreadableError: this user may not read it, or the disk fails.
        :raises StorageError: it cannot be read.
        """
        if self.is_local:
            with self._local(), _opened(self.folder / name) as file:
                while part := file.read(_PART_BYTES):
                    yield part
            return
        import obstore

        with self._reached():
            for part in obstore.get(self._store(), name).stream(min_chunk_size=_PART_BYTES):
                yield bytes(part)

    def write_file(self, name: str, content: bytes) -> None:
        """Put a file of our own beside those of Deep Lake, in one step.

        :raises StorageError: it cannot be written.
        """
        import obstore

        with self._reached("write"):
            if self.is_local:
                (self.folder / name).write_bytes(content)
            else:
                obstore.put(self._store(), name, content)

    def delete_files(self, names: Sequence[str]) -> None:
        """Remove some of the dataset's files, in no particular order.

        :raises StorageError: one cannot be removed.
        """
        import obstore

        with self._reached("remove"):
            if self.is_local:
                for name in names:
                    (self.folder / name).unlink(missing_ok=True)
            elif names:
                obstore.delete(self._store(), names)

    def _objects(self, prefix: str | None = None, *, first_page: bool = False) -> dict[str, FileState]:
        """The dataset's objects by name, relative to it."""
        import obstore

        found: dict[str, FileState] = {}
        with self._reached():
            for page in obstore.list(self._store(), prefix):
                found |= {item["path"]: FileState(item["size"], item["e_tag"] or "") for item in page}
                if first_page and found:
                    break
        return found

    def _store(self) -> Any:
        """One for all requests, since it keeps connections open."""
        if not self._opened:
            self._opened.append(open_store(self.url, self.env))
        return self._opened[0]

    def _reached(self, action: str = "read") -> AbstractContextManager[None]:
        return store_errors(f"{action} dataset {self.url}")

    @contextmanager
    def _local(self) -> Iterator[None]:
        """Turn errors of the local disk into ours."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise ObjectMissingError(f"cannot read dataset {self.url}: there is no {error.filename}") from error
        except OSError as error:
            raise unreadable(self.url, error) from error

    def _first(self, *names: str) -> str | None:
        return next((self.env[name] for name in names if self.env.get(name)), None)

    def _azure_account(self) -> str:
        account = self._first("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
        if account is None:
            raise CredentialsError(f"dataset {self.url}: set AZURE_STORAGE_ACCOUNT_NAME to the storage account")
        return account


def _opened(path: Path) -> BinaryIO:
    """The file, open for reading; whoever put a pipe in its place does not make us wait for what comes out."""
    file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0)  # noqa: PTH123, SIM115
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise FileNotFoundError(errno.ENOENT, "no regular file", str(path))


def _file_states(folder: Path, prefix: str) -> Iterator[tuple[str, FileState]]:
    """The files below a folder, by name relative to the dataset; what vanishes meanwhile is left out."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _file_states(folder / entry.name, f"{prefix}{entry.name}/")
            continue
        try:
            found = entry.stat()
        except FileNotFoundError:
            continue
        size = found.st_size if stat.S_ISREG(found.st_mode) else _IRREGULAR
        stamp = f"{found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino} {found.st_dev}"
        yield f"{prefix}{entry.name}", FileState(size, stamp, found.st_ctime_ns)


def _mebibytes(count: int) -> str:
    return f"{count / 1024**2:,.0f} MiB"
