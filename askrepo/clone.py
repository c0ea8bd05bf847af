"""Clone: one commit of a repository, fetched without running anything of it, published as a snapshot."""

from __future__ import annotations

import difflib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from askrepo.errors import RepositoryError, StorageError, UnknownRefError
from askrepo.git import run_git
from askrepo.remote_refs import (
    MAX_LISTING_BYTES,
    RemoteRef,
    is_commit,
    listing_of,
    named_by,
    question_about,
    refs_in,
)
from askrepo.repositories import check_repository, redacted, repository_id
from askrepo.types import Repository, Snapshot, snapshot_from, to_json
from askrepo.workspace import ObjectMissingError, Workspace

SNAPSHOT_REF = "refs/askrepo/snapshot"
ARCHIVE_MEMBER = re.compile(r"HEAD|shallow|objects/pack/pack-[0-9a-f]{40}\.(pack|idx)")
BARE_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
SUGGESTIONS = 5
# Answers git's question for credentials from the environment; printf is a builtin of sh, so no process sees them.
CREDENTIAL_HELPER = (
    """!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$ASKREPO_GIT_USER" "$ASKREPO_GIT_TOKEN"; }; f"""
)

_ABBREVIATED = re.compile(r"[0-9a-fA-F]{7,39}")


@dataclass(frozen=True, slots=True)
class _Remote:
    """Where to fetch from and within which limits; it keeps the time that is left over all git calls."""

    url: str
    timeout_s: float
    max_bytes: int
    allow_local: bool
    git_environment: Mapping[str, str]
    started: float

    def run(self, *args: str, cwd: Path, verb: str, max_bytes: int) -> bytes:
        left_s = max(0.0, self.timeout_s - (time.monotonic() - self.started))
        return run_git(
            args,
            cwd=cwd,
            action=f"{verb} {redacted(self.url)}",
            timeout_s=left_s,
            max_bytes=max_bytes,
            allow_local=self.allow_local,
            git_environment=self.git_environment,
        )


def clone_repository(
    repository: Repository,
    *,
    workspace: Workspace,
    timeout_s: float,
    max_bytes: int,
    allow_local: bool = False,
    git_environment: Mapping[str, str] | None = None,
) -> Snapshot:
    """The repository's snapshot at its ref, in the workspace; nothing is fetched when it is there already.

    A short ref means what it means to git: `refs/<ref>`, else the tag, else the branch. An annotated tag means the
    commit it points at.

    :param timeout_s: seconds for all git calls together.
    :param max_bytes: bytes that the fetched repository may take on disk.
    :param allow_local: admit repositories of this machine.
    :param git_environment: credentials for git, such as `token_environment` makes.
    :raises UnknownRefError: no such branch, tag or commit.
    :raises LimitExceededError: larger or slower than the limits allow.
    :raises CredentialsError: the remote refused the credentials, or wants some.
    :raises RepositoryError: not a repository, or one without commits.
    :raises RemoteUnavailableError: the host cannot be reached; a retry may help.
    :raises StorageError: the temporary directory or the workspace is full or out of reach.
    """
    check_repository(repository, allow_local=allow_local)
    remote = _Remote(repository.url, timeout_s, max_bytes, allow_local, git_environment or {}, time.monotonic())
    with _disk_errors_told(), tempfile.TemporaryDirectory(prefix="askrepo-clone-") as folder:
        wanted = _resolve(remote, repository.ref, Path(folder))
        published = _published(repository, wanted.commit, workspace)
        if published is not None:
            return published
        bare = Path(folder) / "repository.git"
        commit = _fetch(remote, wanted, bare)
        return _publish(repository, commit, bare, workspace)


@contextmanager
def open_snapshot(snapshot: Snapshot, *, workspace: Workspace) -> Iterator[Path]:
    """The snapshot as a bare repository in a temporary directory, gone when the block ends.

    :raises StorageError: the archive is missing or damaged.
    """
    with tempfile.TemporaryDirectory(prefix="askrepo-snapshot-") as folder:
        archive, bare = Path(folder) / "snapshot.tar", Path(folder) / "repository.git"
        workspace.download(snapshot.archive, archive)
        _unpack(archive, bare, key=snapshot.archive)
        archive.unlink()
        yield bare


def token_environment(url: str, username: str, token: str) -> dict[str, str]:
    """Environment for git that answers the URL's host, and no other, with a user and a token.

    The token travels in the environment and through a pipe, never in an argument list. A credential helper is used
    rather than `http.extraHeader`, because git would send such a header to a redirect's target as well.
    """
    parts = urlsplit(url)
    scope = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"credential.{scope}.helper",
        "GIT_CONFIG_VALUE_0": CREDENTIAL_HELPER,
        "ASKREPO_GIT_USER": username,
        "ASKREPO_GIT_TOKEN": token,
    }


@contextmanager
def _disk_errors_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        folder, reason = tempfile.gettempdir(), os.strerror(error.errno or 0)
        raise StorageError(f"cannot work in {folder}: {reason}; free the disk, or set TMPDIR to another") from error


def _resolve(remote: _Remote, ref: str | None, folder: Path) -> RemoteRef:
    if ref is not None and is_commit(ref):
        return RemoteRef(ref.lower(), None)
    found = named_by(ref, _listing(remote, folder, question_about(remote.url, ref)))
    if found is None:
        raise _missing_ref(remote, ref, folder)
    return found


def _listing(remote: _Remote, folder: Path, question: Sequence[str]) -> dict[str, str]:
    return refs_in(remote.run(*question, cwd=folder, verb="list the refs of", max_bytes=MAX_LISTING_BYTES))


def _missing_ref(remote: _Remote, ref: str | None, folder: Path) -> RepositoryError:
    """Why a ref was not found, with the names that come close."""
    every = _listing(remote, folder, listing_of(remote.url, flags=("--heads", "--tags")))
    known = sorted(name for name in every if not name.endswith("^{}"))
    where = redacted(remote.url)
    if not known:
        return RepositoryError(f"{where} has no commits: push something to it first")
    short = [name.split("/", 2)[2] for name in known]
    if ref is None:
        return UnknownRefError(f"{where} has no default branch: name a ref, such as {where}@{short[0]}")
    hint = "give all 40 digits of a commit; " if _ABBREVIATED.fullmatch(ref) else ""
    close = difflib.get_close_matches(ref, short, n=SUGGESTIONS, cutoff=0.5) or short[:SUGGESTIONS]
    return UnknownRefError(f"{where} has no branch, tag or commit {ref!r}: {hint}some of its refs: {', '.join(close)}")


def _fetch(remote: _Remote, wanted: RemoteRef, bare: Path) -> str:
    """Fetch one commit into a new bare repository and return its id.

    The resolved commit is asked for by id, so that a ref that moves meanwhile changes nothing. When the server has
    dropped that commit or does not serve ids, the ref is fetched as it is now.
    """
    bare.mkdir()
    remote.run(
        "init", "--bare", "--quiet", "--template=", cwd=bare, verb="prepare a copy of", max_bytes=remote.max_bytes
    )
    try:
        _fetch_object(remote, wanted.commit, bare)
    except UnknownRefError:
        if wanted.ref is None:
            raise
        _fetch_object(remote, wanted.ref, bare)
    return _fetched_commit(remote, bare)


def _fetched_commit(remote: _Remote, bare: Path) -> str:
    peel = ("rev-parse", "--verify", "--end-of-options", f"{SNAPSHOT_REF}^{{commit}}")
    try:
        return remote.run(*peel, cwd=bare, verb="find a commit in", max_bytes=remote.max_bytes).decode().strip()
    except RepositoryError as error:
        raise RepositoryError(f"what the ref names in {redacted(remote.url)} is no commit: name another") from error


def _fetch_object(remote: _Remote, source: str, bare: Path) -> None:
    remote.run(
        *("fetch", "--quiet", "--depth=1", "--update-shallow", "--no-tags", "--no-recurse-submodules"),
        *("--no-write-fetch-head", "--no-auto-maintenance"),
        *("--end-of-options", remote.url, f"+{source}:{SNAPSHOT_REF}"),
        cwd=bare,
        verb="fetch",
        max_bytes=remote.max_bytes,
    )


def _keys(repository: Repository, commit: str) -> tuple[str, str]:
    """Workspace keys of a snapshot's archive and of its description."""
    stem = f"snapshots/{repository_id(repository.url)}/{commit}"
    return f"{stem}.tar", f"{stem}.json"


def _published(repository: Repository, commit: str, workspace: Workspace) -> Snapshot | None:
    archive, description = _keys(repository, commit)
    try:
        snapshot = snapshot_from(workspace.read_json(description))
    except ObjectMissingError:
        return None
    if not workspace.exists(archive):
        return None
    return replace(snapshot, name=repository.name, ref=repository.ref)


def _publish(repository: Repository, commit: str, bare: Path, workspace: Workspace) -> Snapshot:
    """Upload the archive, then its description: a snapshot counts as published once the description exists."""
    archive, description = _keys(repository, commit)
    file = bare.parent / "snapshot.tar"
    _pack(bare, commit, file)
    snapshot = Snapshot(
        name=repository.name,
        url=repository.url,
        ref=repository.ref,
        commit=commit,
        committed_at=_committed_at(bare, commit),
        archive=archive,
        bytes=file.stat().st_size,
    )
    workspace.upload(archive, file)
    workspace.write(description, json.dumps(to_json(snapshot)).encode())
    return snapshot


def _committed_at(bare: Path, commit: str) -> str:
    options = ["--format=%ct", "--no-show-signature", "--end-of-options", commit]
    seconds = run_git(["log", "-1", *options], cwd=bare, action="read the commit's time", timeout_s=60)
    return datetime.fromtimestamp(int(seconds), tz=UTC).isoformat().replace("+00:00", "Z")


def _pack(bare: Path, commit: str, target: Path) -> None:
    """Write the archive: the pack, the shallow boundary and HEAD, with nothing of this machine in it."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        head = f"{commit}\n".encode()
        tar.addfile(_member("HEAD", len(head)), io.BytesIO(head))
        for path in sorted([*bare.glob("shallow"), *bare.glob("objects/pack/pack-*")]):
            name = path.relative_to(bare).as_posix()
            if ARCHIVE_MEMBER.fullmatch(name):
                with path.open("rb") as content:
                    tar.addfile(_member(name, path.stat().st_size), content)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o444
    return member


def _unpack(archive: Path, bare: Path, *, key: str) -> None:
    """Make the bare repository again; of the archive only the members that `_pack` writes are believed."""
    for folder in ("objects/pack", "refs"):
        (bare / folder).mkdir(parents=True)
    (bare / "config").write_text(BARE_CONFIG)
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                content = tar.extractfile(member) if ARCHIVE_MEMBER.fullmatch(member.name) else None
                if content is None:
                    raise StorageError(f"snapshot {key} contains {member.name!r}, which no snapshot has: delete it")
                with (bare / member.name).open("wb") as target:
                    shutil.copyfileobj(content, target)
    except (tarfile.TarError, EOFError) as error:
        raise StorageError(f"snapshot {key} is damaged ({error}): delete it, so that it is fetched again") from error
    except OSError as error:
        raise StorageError(f"snapshot {key} cannot be unpacked: {os.strerror(error.errno or 0)}") from error
