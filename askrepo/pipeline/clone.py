"""Clone: one commit of a repository, fetched without running anything of it, published as a snapshot."""

from __future__ import annotations

import difflib
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from askrepo.errors import RepositoryError, StorageError, UnknownRefError
from askrepo.git.local_repositories import LocalAccess
from askrepo.git.process import RedirectedError, run_git
from askrepo.git.redirects import Address
from askrepo.git.remote_refs import (
    MAX_ANSWER_BYTES,
    MAX_LISTING_BYTES,
    RemoteRef,
    is_commit,
    listing_of,
    named_by,
    question_about,
    refs_in,
)
from askrepo.git.repository_urls import check_repository, redacted
from askrepo.git.scratch import scratch_folder
from askrepo.git.snapshots import (
    SHA256_DIGITS,
    latest_snapshot,
    publish_snapshot,
    published_snapshot,
    unpack_snapshot,
)
from askrepo.types import Repository, Snapshot
from askrepo.workspace.objects import Workspace

SNAPSHOT_REF = "refs/askrepo/snapshot"
# git passes none of our configuration on to another repository. Large blobs are sent as they are, without looking for
# deltas between them, which would take ten of them in memory.
LOCAL_UPLOAD_PACK = "git -c core.bigFileThreshold=64m -c pack.windowMemory=128m -c pack.threads=2 upload-pack"
MAX_PACKS = 8
"""Packs of a snapshot to fetch onto: each fetch adds one and leaves the objects that no longer count."""
SUGGESTIONS = 5
_ABBREVIATED = re.compile(r"[0-9a-fA-F]{7,39}")


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Remote:
    """Where to fetch from and within which limits; it keeps the time that is left over all git calls.

    :ivar url: as the user gave it; `address` is where its server says that it is now.
    """

    url: str
    address: Address
    timeout_s: float
    max_bytes: int
    allow_local: LocalAccess
    git_environment: Mapping[str, str]
    started: float

    def ask(self, question: Callable[[str], Sequence[str]], *, cwd: Path, verb: str, max_bytes: int) -> bytes:
        """What git answers to the arguments that the question makes of an address, wherever the server moved it."""
        while True:
            try:
                return self.run(*question(self.address.url), cwd=cwd, verb=verb, max_bytes=max_bytes)
            except RedirectedError as error:
                self.address.follow(error)

    def run(self, *args: str, cwd: Path, verb: str, max_bytes: int) -> bytes:
        left_s = max(0.0, self.timeout_s - (time.monotonic() - self.started))
        return run_git(
            args,
            cwd=cwd,
            action=f"{verb} {redacted(self.url)}",
            timeout_s=left_s,
            max_bytes=max_bytes,
            allow_local=self.allow_local is not False,
            git_environment=self.git_environment,
            shows_headers=self.address.shows_headers,
        )


def clone_repository(
    repository: Repository,
    *,
    workspace: Workspace,
    timeout_s: float,
    max_bytes: int,
    allow_local: LocalAccess = False,
    git_environment: Mapping[str, str] | None = None,
) -> Snapshot:
    """The repository's snapshot at its ref, in the workspace; nothing is fetched when it is there already.

    A short ref means what it means to git: `refs/<ref>`, else the tag, else the branch. An annotated tag means the
    commit it points at.

    :param timeout_s: seconds for all git calls together.
    :param max_bytes: bytes that the fetched repository may take on disk.
    :param allow_local: admit repositories of this machine.
    :param git_environment: credentials for git, such as a connection gives.
    :raises UnknownRefError: no such branch, tag or commit.
    :raises LimitExceededError: larger or slower than the limits allow.
    :raises CredentialsError: the remote refused the credentials, or wants some.
    :raises RepositoryError: not a repository, one without commits, or one that has moved to another host.
    :raises RemoteUnavailableError: the host cannot be reached; a retry may help.
    :raises StorageError: the temporary directory or the workspace is full or out of reach.
    """
    check_repository(repository, allow_local=allow_local)
    url = repository.url
    remote = _Remote(url, Address(url), timeout_s, max_bytes, allow_local, git_environment or {}, time.monotonic())
    with _disk_errors_told(), scratch_folder("askrepo-clone-") as folder:
        wanted = _resolve(remote, repository.ref, folder)
        published = published_snapshot(repository, wanted.commit, workspace)
        if published is not None:
            return published
        bare = folder / "repository.git"
        earlier = latest_snapshot(repository, workspace)
        commit = (earlier and _fetch_onto(earlier, remote, wanted, bare, workspace)) or _fetch_all(remote, wanted, bare)
        return publish_snapshot(repository, commit, bare, workspace)


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
    found = named_by(ref, _listing(remote, folder, partial(question_about, ref=ref), max_bytes=MAX_ANSWER_BYTES))
    if found is None:
        raise _missing_ref(remote, ref, folder)
    return found


def _listing(
    remote: _Remote, folder: Path, question: Callable[[str], Sequence[str]], *, max_bytes: int
) -> dict[str, str]:
    return refs_in(remote.ask(question, cwd=folder, verb="list the refs of", max_bytes=max_bytes))


def _missing_ref(remote: _Remote, ref: str | None, folder: Path) -> RepositoryError:
    """Why a ref was not found, with the names that come close."""
    question = partial(listing_of, flags=("--heads", "--tags"))
    every = _listing(remote, folder, question, max_bytes=MAX_LISTING_BYTES)
    known = sorted(name for name in every if not name.endswith("^{}"))
    where = redacted(remote.url)
    if not known:
        return RepositoryError(f"{where} has no commits: push something to it first")
    short = [name.split("/", 2)[2] for name in known]
    if ref is None:
        return UnknownRefError(f"{where} has no default branch: name a ref, such as {where}@{short[0]}")
    hint = "give all digits of a commit; " if _ABBREVIATED.fullmatch(ref) else ""
    close = difflib.get_close_matches(ref, short, n=SUGGESTIONS, cutoff=0.5) or short[:SUGGESTIONS]
    return UnknownRefError(f"{where} has no branch, tag or commit {ref!r}: {hint}some of its refs: {', '.join(close)}")


def _fetch_onto(earlier: Snapshot, remote: _Remote, wanted: RemoteRef, bare: Path, workspace: Workspace) -> str | None:
    """Fetch what the commit has and an earlier snapshot has not; its id, or None when that cannot be done.

    The remote is told which commit is here, and sends the difference: one file changed in dlt is 60 kB instead of
    13 MB. A snapshot that is damaged, or that the remote cannot build upon, is no reason to fail.
    """
    try:
        unpack_snapshot(earlier, bare, workspace=workspace)
        if len(list(bare.glob("objects/pack/*.pack"))) < MAX_PACKS:
            here = bare / SNAPSHOT_REF
            here.parent.mkdir(parents=True)
            here.write_text(f"{earlier.commit}\n")
            return _fetch(remote, wanted, bare)
    except (RepositoryError, StorageError) as error:
        logger.info("cannot fetch onto snapshot %s, so everything is fetched: %s", earlier.commit[:10], error)
    shutil.rmtree(bare, ignore_errors=True)
    return None


def _fetch_all(remote: _Remote, wanted: RemoteRef, bare: Path) -> str:
    """Fetch one commit into a new bare repository and return its id."""
    bare.mkdir()
    algorithm = "sha256" if len(wanted.commit) == SHA256_DIGITS else "sha1"
    init = ("init", "--bare", "--quiet", "--template=", f"--object-format={algorithm}")
    remote.run(*init, cwd=bare, verb="prepare a copy of", max_bytes=remote.max_bytes)
    return _fetch(remote, wanted, bare)


def _fetch(remote: _Remote, wanted: RemoteRef, bare: Path) -> str:
    """Fetch one commit and return its id.

    The resolved commit is asked for by id, so that a ref that moves meanwhile changes nothing. When the server has
    dropped that commit or does not serve ids, the ref is fetched as it is now.
    """
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


def _sender_limits(url: str) -> tuple[str, ...]:
    """For a repository of this machine, where the sending git runs within our limits of memory too."""
    return (f"--upload-pack={LOCAL_UPLOAD_PACK}",) if url.startswith("file:") else ()


def _fetch_object(remote: _Remote, source: str, bare: Path) -> None:
    options = (
        *("fetch", "--quiet", "--depth=1", "--update-shallow", "--no-tags", "--no-recurse-submodules"),
        *("--no-write-fetch-head", "--no-auto-maintenance", *_sender_limits(remote.url), "--end-of-options"),
    )
    remote.ask(
        lambda url: (*options, url, f"+{source}:{SNAPSHOT_REF}"), cwd=bare, verb="fetch", max_bytes=remote.max_bytes
    )
