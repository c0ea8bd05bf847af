"""The workspace: one object store, local or remote, that every stage and every reader share."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from askrepo.errors import ForbiddenError, StorageError, UnavailableError, UsageError
from askrepo.workspace.durable import create_file
from askrepo.workspace.places import check_remote, local_folder
from askrepo.workspace.stores import (
    REMOTE_SCHEMES,
    ObjectExistsError,
    ObjectMissingError,
    ObjectTooLargeError,
    open_store,
    store_errors,
)

__all__ = ["REMOTE_SCHEMES", "ObjectExistsError", "ObjectMissingError", "ObjectTooLargeError", "Workspace"]

# Together they are what a slow uplink must send within the time that an upload may take: see `stores`.
_UPLOADS_AT_ONCE = 4
# obstore's own parts are so small that a download takes three times the processor time (13 MB, measured 2026-11).
_PART_BYTES = 1024 * 1024
MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
"""An alias entry of 10,000 repositories has some 6 MB."""


class Workspace:
    """Keys (relative, `/`-separated) and bytes under one URL.

    Every write is atomic: a reader sees the old object, the new one or none. `create` is put-if-absent on
    every store. Errors of the store become `ObjectMissingError`, `ObjectExistsError` or `StorageError`; one that is
    out of reach is tried for some seconds before.

    :ivar env: where its credentials come from; its datasets are reached with the same ones. Never shown.
    """

    def __init__(self, url: str, *, store: Any, uploads: Any = None, env: Mapping[str, str] | None = None) -> None:
        self.url = url.rstrip("/")
        self.env: Mapping[str, str] = os.environ if env is None else env
        self._store = store
        self._uploads = uploads or store

    @classmethod
    def open(cls, url: str, *, env: Mapping[str, str] | None = None, create: bool = True) -> Self:
        """The workspace at a URL or local directory.

        :param env: where credentials of remote stores come from, see `askrepo.workspace.stores.open_store`.
        :param create: make a local directory that is missing; readers do not, so that a mistyped name shows.
        :raises UsageError: the URL's scheme is none of file, s3, gs, az.
        :raises UnavailableError: there is no such directory, and it must not be made.
        :raises StorageError: the directory cannot be made.
        :raises CredentialsError: the credentials are incomplete; whether they are accepted is found out later.
        """
        from obstore.store import LocalStore

        environment = os.environ if env is None else env
        parts = urlsplit(url)
        if parts.scheme in REMOTE_SCHEMES:
            check_remote(url)
            uploads = open_store(url, environment, for_uploads=True)
            return cls(url, store=open_store(url, environment), uploads=uploads, env=environment)
        if parts.scheme not in ("", "file"):
            raise UsageError(f"workspace {url!r}: scheme must be a directory, file://, s3://, gs:// or az://")
        root = local_folder(url)
        if not create and not _is_folder(root):
            raise UnavailableError(
                f"no workspace at {root}: build an alias first (`make ingest ALIAS=name REPOS=url`), or name another "
                "workspace with --workspace or ASKREPO_WORKSPACE"
            )
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"workspace {root}: {error.strerror}; choose another with ASKREPO_WORKSPACE") from error
        return cls(str(root), store=LocalStore(root), env=environment)

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

        with self._errors("read", key):
            return bytes(obstore.get(self._store, key).bytes())

    def read_document(self, key: str) -> bytes:
        """The bytes of a JSON document; nothing is read of what is far larger than any of ours.

        :raises ObjectMissingError: there is none.
        :raises ObjectTooLargeError: something else lies under its name, a file with a hole for example.
        """
        import obstore

        with self._errors("read", key):
            found = obstore.get(self._store, key)
            size = found.meta["size"]
            if size <= MAX_DOCUMENT_BYTES:
                return bytes(found.bytes())
        raise ObjectTooLargeError(
            f"cannot read {self.url_of(key)}: it has {size:,} bytes, and no document of askrepo has more than "
            f"{MAX_DOCUMENT_BYTES:,}"
        )

    def write(self, key: str, content: bytes) -> None:
        """Create or replace an object in one step."""
        import obstore

        with self._errors("write", key):
            obstore.put(self._uploads, key, content, max_concurrency=_UPLOADS_AT_ONCE)

    def create(self, key: str, content: bytes) -> None:
        """Create an object only if its key is free; in a local workspace it is on the disk then, name and all.

        :raises ObjectExistsError: somebody was first; their object is untouched.
        """
        import obstore

        with self._errors("create", key):
            if self.is_local:
                create_file(self._file(key), content, below=Path(self.url))
                return
            obstore.put(self._store, key, content, mode="create", use_multipart=False)

    def upload(self, key: str, file: Path) -> None:
        """Create or replace an object from a file, in parts, without holding it in memory."""
        import obstore

        with self._errors("write", key):
            obstore.put(self._uploads, key, file, max_concurrency=_UPLOADS_AT_ONCE)

    def download(self, key: str, file: Path) -> None:
        """Write an object to a file, in parts, without holding it in memory.

        :raises ObjectMissingError: there is none.
        """
        import obstore

        with self._errors("read", key), file.open("wb") as target:
            for part in obstore.get(self._store, key).stream(min_chunk_size=_PART_BYTES):
                target.write(part)

    def exists(self, key: str) -> bool:
        """Whether there is an object of that key."""
        import obstore

        try:
            with self._errors("look for", key):
                obstore.head(self._store, key)
        except ObjectMissingError:
            return False
        return True

    def list_keys(self, prefix: str) -> list[str]:
        """Keys of all objects below a prefix (a whole path segment), sorted."""
        import obstore

        with self._errors("list", prefix):
            pages = obstore.list(self._store, prefix)
            return sorted(item["path"] for page in pages for item in page)

    def list_names(self, prefix: str) -> list[str]:
        """Names of the objects directly below a prefix, sorted.

        In a local workspace, what is no file has none, and nothing that is below another folder is looked at.
        """
        import obstore

        with self._errors("list", prefix):
            if self.is_local:
                return sorted(entry.name for entry in self._entries(prefix) if _leads_to(entry.is_file))
            listing = obstore.list_with_delimiter(self._store, prefix)
            return sorted(item["path"].rsplit("/", 1)[-1] for item in listing["objects"])

    def list_folders(self, prefix: str) -> list[str]:
        """Names of the folders directly below a prefix, sorted."""
        import obstore

        with self._errors("list", prefix):
            if self.is_local:
                return sorted(entry.name for entry in self._entries(prefix) if _leads_to(entry.is_dir))
            listing = obstore.list_with_delimiter(self._store, prefix)
            return sorted(folder.rstrip("/").rsplit("/", 1)[-1] for folder in listing["common_prefixes"])

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        import obstore

        with suppress(ObjectMissingError), self._errors("delete", key):
            if self.is_local:
                # the store itself refuses the names of its own temporary files
                self._file(key).unlink(missing_ok=True)
            else:
                obstore.delete(self._store, key)

    def delete_folder(self, prefix: str) -> None:
        """Remove everything below a prefix, the directories of a local store included."""
        if self.is_local:
            import shutil

            shutil.rmtree(Path(self.url) / prefix, ignore_errors=True)
            return
        import obstore

        keys = self.list_keys(prefix)
        with self._errors("delete", prefix):
            if keys:
                obstore.delete(self._store, keys)

    def read_json(self, key: str) -> Any:
        """The object as JSON.

        :raises StorageError: it is not JSON.
        """
        try:
            return json.loads(self.read_document(key))
        except ValueError as error:
            raise StorageError(f"{self.url_of(key)} is not JSON: {error}") from error

    def _file(self, key: str) -> Path:
        """Where a local workspace has a key."""
        if any(part in ("", ".", "..") or "\0" in part for part in key.split("/")):
            raise ValueError(key)
        return Path(self.url, key)

    def _entries(self, prefix: str) -> list[os.DirEntry[str]]:
        """What a folder of a local workspace holds, files in the making left out; nothing when there is none.

        Unlike the store's own listing this one goes on where a name is not UTF-8 or a link leads nowhere.
        """
        try:
            with os.scandir(self._file(prefix)) as entries:
                return [entry for entry in entries if entry.name.isprintable() and "#" not in entry.name]
        except FileNotFoundError:
            return []

    def _errors(self, action: str, key: str) -> AbstractContextManager[None]:
        return store_errors(f"{action} {self.url_of(key)}" if self.is_local else f"{action} {key} in {self.url}")


def _is_folder(path: Path) -> bool:
    """Whether there is a directory.

    :raises UnavailableError: nobody tells; "no workspace" would be the wrong answer to a missing permission.
    """
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ForbiddenError(
            f"workspace {path} cannot be looked at: {error.strerror}; give this user the right to it, or run as its "
            "owner"
        ) from error


def _leads_to(is_kind: Callable[[], bool]) -> bool:
    try:
        return is_kind()
    except OSError:  # a link to itself
        return False
