"""Snapshots in the workspace: published, found again, opened."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from askrepo.errors import StorageError
from askrepo.git.process import run_git
from askrepo.git.repository_urls import repository_id
from askrepo.git.scratch import scratch_folder
from askrepo.types import Repository, Snapshot, snapshot_from, to_json
from askrepo.workspace.keys import archive_key, description_key, snapshots_folder
from askrepo.workspace.objects import ObjectMissingError, Workspace

ARCHIVE_MEMBER = re.compile(r"HEAD|shallow|objects/pack/pack-([0-9a-f]{40}|[0-9a-f]{64})\.(pack|idx)")
BARE_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
BARE_CONFIG_SHA256 = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n"
SHA256_DIGITS = 64
LAST_SECOND = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


@contextmanager
def open_snapshot(snapshot: Snapshot, *, workspace: Workspace) -> Iterator[Path]:
    """The snapshot as a bare repository in a temporary directory, gone when the block ends.

    :raises StorageError: the archive is missing or damaged.
    """
    with scratch_folder("askrepo-snapshot-") as folder:
        bare = folder / "repository.git"
        unpack_snapshot(snapshot, bare, workspace=workspace)
        yield bare


def unpack_snapshot(snapshot: Snapshot, bare: Path, *, workspace: Workspace) -> None:
    """Make the snapshot a bare repository in a new folder.

    :raises StorageError: the archive is missing or damaged.
    """
    archive = bare.with_suffix(".tar")
    workspace.download(snapshot.archive, archive)
    _unpack(archive, bare, key=snapshot.archive, is_sha256=len(snapshot.commit) == SHA256_DIGITS)
    archive.unlink()


def _keys(repository: Repository, commit: str) -> tuple[str, str]:
    """Workspace keys of a snapshot's archive and of its description."""
    archive = archive_key(repository_id(repository.url), commit)
    return archive, description_key(archive)


def published_snapshot(repository: Repository, commit: str, workspace: Workspace) -> Snapshot | None:
    """The repository's snapshot at a commit, None when there is none."""
    archive, description = _keys(repository, commit)
    try:
        snapshot = snapshot_from(workspace.read_json(description))
    except ObjectMissingError:
        return None
    if not workspace.exists(archive):
        return None
    return replace(snapshot, name=repository.name, ref=repository.ref)


def latest_snapshot(repository: Repository, workspace: Workspace) -> Snapshot | None:
    """The repository's snapshot of the latest commit, None when there is none."""
    found = []
    for key in workspace.list_keys(snapshots_folder(repository_id(repository.url))):
        if key.endswith(".json"):
            # Retention may remove one meanwhile, and one that cannot be understood is no reason to fail.
            with suppress(StorageError, ValueError, KeyError, TypeError):
                found.append(snapshot_from(workspace.read_json(key)))
    return max(found, key=lambda snapshot: snapshot.committed_at, default=None)


def publish_snapshot(repository: Repository, commit: str, bare: Path, workspace: Workspace) -> Snapshot:
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
    """The commit's time; 1970 when the commit has none that git can read, and the year 9999 for any later one."""
    options = ["--format=%ct", "--no-show-signature", "--end-of-options", commit]
    said = run_git(["log", "-1", *options], cwd=bare, action="read the commit's time", timeout_s=60).strip()
    seconds = int(said) if said.isdigit() else 0
    return datetime.fromtimestamp(min(seconds, LAST_SECOND), tz=UTC).isoformat().replace("+00:00", "Z")


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


def _unpack(archive: Path, bare: Path, *, key: str, is_sha256: bool) -> None:
    """Make the bare repository again; of the archive only the members that `_pack` writes are believed."""
    for folder in ("objects/pack", "refs"):
        (bare / folder).mkdir(parents=True)
    (bare / "config").write_text(BARE_CONFIG_SHA256 if is_sha256 else BARE_CONFIG)
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
