"""Compare: whether a run would build anything else than the alias has, and what its stages must agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.errors import DatasetCorruptedError
from askrepo.pipeline.current_dataset import can_be_carried
from askrepo.pipeline.plan import definition_digest
from askrepo.store.location import DatasetLocation
from askrepo.store.proof import check_files
from askrepo.types import AliasEntry, Comparison, DatasetManifest, Definition, Snapshot

if TYPE_CHECKING:
    from askrepo.workspace.objects import Workspace


def compare_snapshots(
    definition: Definition,
    snapshots: Sequence[Snapshot],
    *,
    workspace: Workspace,
    number: int,
    fingerprint: str,
    force: bool = False,
) -> Comparison:
    """What differs between a run's snapshots and the alias's current dataset.

    :param number: of the alias's newest entry, 0 for none.
    :param fingerprint: of the embedder that the run would use.
    :param force: carry nothing over.
    :raises DatasetUnreadableError: this process cannot read the current dataset.
    """
    current = _current(AliasCatalogue(workspace), definition.alias, number)
    reasons = changed(definition, snapshots, current, fingerprint, workspace=workspace)
    manifest = current.manifest if current else None
    # Without a reason the files were compared with their digests just now.
    carry = not force and can_be_carried(manifest, fingerprint, workspace=workspace, is_checked=not reasons)
    return Comparison(
        number=number, current=number if current else 0, carry=carry, fingerprint=fingerprint, reasons=reasons
    )


def _current(catalogue: AliasCatalogue, alias: str, number: int) -> AliasEntry | None:
    """The entry of that number; None for 0 or when it ended the alias."""
    entry = catalogue.entry(alias, number) if number else None
    return None if entry is None or entry.reason == "removed" else entry


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
