"""Where a dataset is: its URL, as Deep Lake and as the object store spell it, and the credentials for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from askrepo.errors import CredentialsError, DatasetCorruptedError, StorageError, UsageError
from askrepo.store._deeplake import load_deeplake, reading
from askrepo.workspace import REMOTE_SCHEMES

# Deep Lake itself waits 30 to 42 s for a missing bucket or an endpoint that does not answer (measured 2026-11).
_CONNECT_TIMEOUT = "5s"
_ANSWER_TIMEOUT = "15s"

_S3_CREDENTIALS = {
    "aws_access_key_id": ("AWS_ACCESS_KEY_ID",),
    "aws_secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
    "aws_session_token": ("AWS_SESSION_TOKEN",),
    "aws_region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "endpoint_url": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
}
_DEEPLAKE_SCHEMES = (*REMOTE_SCHEMES, "al")
_LOG_FOLDER = "_deeplake_log"


@dataclass(frozen=True, slots=True)
class DatasetLocation:
    """A dataset's place.

    :ivar url: absolute path, or `s3://`, `gs://`, `az://` or `al://` URL.
    """

    url: str
    _env: Mapping[str, str] = field(repr=False, compare=False)

    @classmethod
    def of(cls, url: str, *, env: Mapping[str, str] | None = None) -> Self:
        """The place a URL names; credentials come from the environment (`AWS_*`, `ACTIVELOOP_TOKEN`, …).

        :raises UsageError: no store has that scheme.
        """
        parts = urlsplit(url)
        environment = os.environ if env is None else env
        if parts.scheme in _DEEPLAKE_SCHEMES:
            return cls(url.rstrip("/"), environment)
        if parts.scheme not in ("", "file"):
            raise UsageError(f"dataset {url!r}: scheme must be a directory, file://, s3://, gs://, az:// or al://")
        path = parts.path if parts.scheme == "file" else url
        return cls(str(Path(path).expanduser().absolute()), environment)

    @property
    def is_local(self) -> bool:
        """Whether the dataset is a directory of this machine."""
        return urlsplit(self.url).scheme not in _DEEPLAKE_SCHEMES

    @property
    def folder(self) -> Path:
        """The directory of a local dataset."""
        return Path(self.url)

    @property
    def arguments(self) -> dict[str, Any]:
        """What Deep Lake's functions take: url, and creds or token where there are any."""
        scheme = urlsplit(self.url).scheme
        if scheme == "s3":
            creds = {key: self._first(*names) for key, names in _S3_CREDENTIALS.items()}
            return {"url": self.url, "creds": {key: value for key, value in creds.items() if value}}
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
            return (self.folder / _LOG_FOLDER).is_dir()
        if urlsplit(self.url).scheme == "al":
            with reading(self.url):
                return bool(load_deeplake().exists(**self.arguments))
        return bool(self._names(_LOG_FOLDER, first_page=True))

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

    def delete(self) -> None:
        """Remove the dataset; a missing one is no error.

        :raises StorageError: it cannot be removed.
        """
        if self.is_local:
            try:
                shutil.rmtree(self.folder)
            except FileNotFoundError:
                return
            except OSError as error:
                raise StorageError(f"cannot remove dataset {self.url}: {error.strerror}") from error
        elif urlsplit(self.url).scheme == "al":
            with reading(self.url):
                load_deeplake().delete(**self.arguments)
        else:
            self._delete_objects()

    def _delete_objects(self) -> None:
        import obstore

        names = self._names()
        with self._reached():
            if names:
                obstore.delete(self._store(), names)

    def _names(self, prefix: str | None = None, *, first_page: bool = False) -> list[str]:
        """Names of the dataset's objects, relative to it."""
        import obstore

        names: list[str] = []
        with self._reached():
            for page in obstore.list(self._store(), prefix):
                names += [item["path"] for item in page]
                if first_page and names:
                    break
        return names

    def _store(self) -> Any:
        from obstore.store import from_url

        client: dict[str, Any] = {"connect_timeout": _CONNECT_TIMEOUT, "timeout": _ANSWER_TIMEOUT}
        if (self._first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") or "").startswith("http://"):
            client["allow_http"] = True
        retries: Any = {"max_retries": 2}
        return from_url(self.url, client_options=client, retry_config=retries)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Turn the object store's exceptions into ours."""
        from obstore import exceptions

        try:
            yield
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            raise CredentialsError(f"dataset {self.url}: the store refused the credentials") from error
        except (exceptions.BaseError, OSError) as error:
            raise StorageError(f"dataset {self.url}: the store cannot be reached: {error}") from error

    def _first(self, *names: str) -> str | None:
        return next((self._env[name] for name in names if self._env.get(name)), None)

    def _azure_account(self) -> str:
        account = self._first("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
        if account is None:
            raise CredentialsError(f"dataset {self.url}: set AZURE_STORAGE_ACCOUNT_NAME to the storage account")
        return account


def _mebibytes(count: int) -> str:
    return f"{count / 1024**2:,.0f} MiB"
