"""The workspace: one object store, local or remote, that every stage and every reader share."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from askrepo.errors import CredentialsError, StorageError, UnavailableError, UsageError

REMOTE_SCHEMES = ("s3", "gs", "az")


class ObjectMissingError(StorageError):
    """The workspace has no object of that key."""


class ObjectExistsError(StorageError):
    """Somebody else created that key first."""


class Workspace:
    """Keys (relative, `/`-separated) and bytes under one URL.

    Every write is atomic: a reader sees the old object, the new one or none. `create` is put-if-absent on
    every store. Errors of the store become `ObjectMissingError`, `ObjectExistsError` or `StorageError`.
    """

    def __init__(self, url: str, *, store: Any) -> None:
        self.url = url.rstrip("/")
        self._store = store

    @classmethod
    def open(cls, url: str, *, env: Mapping[str, str] | None = None, create: bool = True) -> Self:
        """The workspace at a URL or local directory.

        :param env: where credentials of remote stores come from (`AWS_*`, `GOOGLE_*`, `AZURE_*`).
        :param create: make a local directory that is missing; readers do not, so that a mistyped name shows.
        :raises UsageError: the URL's scheme is none of file, s3, gs, az.
        :raises UnavailableError: there is no such directory, and it must not be made.
        :raises StorageError: the directory cannot be made.
        """
        from obstore.store import LocalStore, from_url

        parts = urlsplit(url)
        if parts.scheme in REMOTE_SCHEMES:
            environment = os.environ if env is None else env
            plain_http = (environment.get("AWS_ENDPOINT_URL") or "").startswith("http://")
            options = {"allow_http": True} if plain_http else {}
            return cls(url, store=from_url(url, client_options=options))
        if parts.scheme not in ("", "file"):
            raise UsageError(f"workspace {url!r}: scheme must be a directory, file://, s3://, gs:// or az://")
        root = Path(parts.path if parts.scheme == "file" else url).expanduser().absolute()
        if not create and not root.is_dir():
            raise UnavailableError(
                f"no workspace at {root}: build an alias first (`make ingest ALIAS=name REPOS=url`), or name another "
                "workspace with --workspace or ASKREPO_WORKSPACE"
            )
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"workspace {root}: {error.strerror}; choose another with ASKREPO_WORKSPACE") from error
        return cls(str(root), store=LocalStore(root))

    @property
    def is_local(self) -> bool:
        """Whether the workspace is a directory of this machine."""
        return urlsplit(self.url).scheme not in REMOTE_SCHEMES

    def url_of(self, key: str) -> str:
        """Absolute URL (or path, for a local workspace) of a key; an absolute URL stays what it is."""
        return key if "://" in key or key.startswith("/") else f"{self.url}/{key}"

    def read(self, key: str) -> bytes:
        """The object's bytes.

        :raises ObjectMissingError: there is none.
        """
        import obstore

        with _translated(f"read {key}"):
            return bytes(obstore.get(self._store, key).bytes())

    def write(self, key: str, content: bytes) -> None:
        """Create or replace an object in one step."""
        import obstore

        with _translated(f"write {key}"):
            obstore.put(self._store, key, content)

    def create(self, key: str, content: bytes) -> None:
        """Create an object only if its key is free.

        :raises ObjectExistsError: somebody was first; their object is untouched.
        """
        import obstore

        with _translated(f"create {key}"):
            obstore.put(self._store, key, content, mode="create", use_multipart=False)

    def upload(self, key: str, file: Path) -> None:
        """Create or replace an object from a file, in parts, without holding it in memory."""
        import obstore

        with _translated(f"write {key}"):
            obstore.put(self._store, key, file)

    def download(self, key: str, file: Path) -> None:
        """Write an object to a file, in parts, without holding it in memory.

        :raises ObjectMissingError: there is none.
        """
        import obstore

        with _translated(f"read {key}"), file.open("wb") as target:
            for part in obstore.get(self._store, key).stream():
                target.write(part)

    def exists(self, key: str) -> bool:
        """Whether there is an object of that key."""
        import obstore

        try:
            with _translated(f"look for {key}"):
                obstore.head(self._store, key)
        except ObjectMissingError:
            return False
        return True

    def list_keys(self, prefix: str) -> list[str]:
        """Keys of all objects below a prefix (a whole path segment), sorted."""
        import obstore

        with _translated(f"list {prefix}"):
            pages = obstore.list(self._store, prefix)
            return sorted(item["path"] for page in pages for item in page)

    def list_folders(self, prefix: str) -> list[str]:
        """Names of the folders directly below a prefix, sorted."""
        import obstore

        with _translated(f"list {prefix}"):
            listing = obstore.list_with_delimiter(self._store, prefix)
            return sorted(folder.rstrip("/").rsplit("/", 1)[-1] for folder in listing["common_prefixes"])

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        import obstore

        try:
            with _translated(f"delete {key}"):
                obstore.delete(self._store, key)
        except ObjectMissingError:
            return

    def delete_folder(self, prefix: str) -> None:
        """Remove everything below a prefix, the directories of a local store included."""
        if self.is_local:
            import shutil

            shutil.rmtree(Path(self.url) / prefix, ignore_errors=True)
            return
        for key in self.list_keys(prefix):
            self.delete(key)

    def read_json(self, key: str) -> Any:
        """The object as JSON.

        :raises StorageError: it is not JSON.
        """
        try:
            return json.loads(self.read(key))
        except ValueError as error:
            raise StorageError(f"{self.url_of(key)} is not JSON: {error}") from error


@contextmanager
def _translated(action: str) -> Iterator[None]:
    """Turn the store's exceptions into ours, naming what was attempted."""
    from obstore import exceptions

    try:
        yield
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise ObjectMissingError(f"cannot {action}: no such object in the workspace") from error
    except exceptions.AlreadyExistsError as error:
        raise ObjectExistsError(f"cannot {action}: it exists already") from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise CredentialsError(f"cannot {action}: the store refused the credentials") from error
    except ValueError as error:  # the store refuses `..` and empty segments before touching anything
        raise UsageError(f"cannot {action}: not a key of the workspace") from error
    except (exceptions.BaseError, OSError) as error:
        raise StorageError(f"cannot {action}: {error}") from error
