"""Plan: what a run is asked to do, and whether there is anything to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from askrepo.embedders.embedder import check_spec
from askrepo.errors import DatasetCorruptedError, UsageError
from askrepo.git.local_repositories import LocalAccess
from askrepo.git.repository_urls import parse_repositories
from askrepo.store.location import DatasetLocation
from askrepo.store.proof import check_files
from askrepo.store.schema import SCHEMA_VERSION
from askrepo.types import AliasEntry, DatasetManifest, Definition, Repository, Snapshot, digest_of, to_json

if TYPE_CHECKING:
    from askrepo.workspace.objects import Workspace


def definition_digest(definition: Definition) -> str:
    """SHA-256, in hex, of everything that decides what a commit becomes, apart from the embedder's fingerprint.

    The order in which repositories and patterns are listed does not count; the splitter's version does.
    """
    from askrepo.pipeline.split import SPLITTER_VERSION

    values = to_json(definition)
    for key in ("repositories", "include", "exclude"):
        values[key] = sorted(values[key])
    return digest_of({"definition": values, "splitter": SPLITTER_VERSION, "schema": SCHEMA_VERSION})


def plan_run(
    definition: Definition, *, allow_local: LocalAccess, max_repositories: int | None = None
) -> tuple[Repository, ...]:
    """The repositories to clone, validated, each with a name of its own.

    :param max_repositories: how many one run may have, where something else than memory limits that.
    :raises UsageError: one is not a repository that may be read, or is named twice, or there are too many, or there is
        no such embedder.
    """
    check_spec(definition.embedder)
    repositories = parse_repositories(definition.repositories, allow_local=allow_local)
    if max_repositories is not None and len(repositories) > max_repositories:
        raise UsageError(
            f"alias {definition.alias} has {len(repositories):,} repositories, and Airflow maps at most "
            f"{max_repositories:,} ([core] max_map_length): raise that, or make several aliases"
        )
    return repositories


def changed(
    definition: Definition,
    snapshots: Sequence[Snapshot],
    current: AliasEntry | None,
    fingerprint: str,
    *,
    workspace: Workspace | None = None,
) -> tuple[str, ...]:
    """Why a new dataset is needed; nothing when the alias's current one is what this run would build.

    :param current: the alias's current entry, None when there is none.
    :param workspace: where to make sure that the current dataset still is what was published; None to take that for
        granted.
    :raises DatasetUnreadableError: this process cannot read it.
    """
    if current is None:
        return (f"alias {definition.alias} has no dataset yet",)
    manifest = current.manifest
    reasons = [
        *_snapshot_changes(manifest.snapshots, snapshots),
        "settings changed" if manifest.definition_digest != definition_digest(definition) else "",
        "embedder changed" if manifest.embedder.fingerprint != fingerprint else "",
    ]
    if workspace is not None:
        reasons.append(_damage(manifest, workspace))
    return tuple(reason for reason in reasons if reason)


def _damage(manifest: DatasetManifest, workspace: Workspace) -> str:
    """What is wrong with a stored dataset, "" when nothing is; damaged, it would stay until something is pushed."""
    location = DatasetLocation.within(workspace, manifest.dataset)
    if not location.exists():
        return f"dataset {manifest.dataset} is missing"
    try:
        check_files(location, digest=manifest.inventory)
    except DatasetCorruptedError:
        return f"dataset {manifest.dataset} is damaged"
    return ""


def _snapshot_changes(before: Sequence[Snapshot], after: Sequence[Snapshot]) -> list[str]:
    """One reason per repository that came, went or moved."""
    old = {(snapshot.name, snapshot.url): snapshot.commit for snapshot in before}
    new = {(snapshot.name, snapshot.url): snapshot.commit for snapshot in after}
    reasons = []
    for name, url in sorted(old.keys() | new.keys()):
        was, now = old.get((name, url)), new.get((name, url))
        if was is None:
            reasons.append(f"{name} added")
        elif now is None:
            reasons.append(f"{name} removed")
        elif was != now:
            reasons.append(f"{name} moved from {was[:10]} to {now[:10]}")
    return reasons
