"""Publishing: an alias's next entry, for a dataset that was verified a moment before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.claims import claimed
from askrepo.errors import SwapLostError
from askrepo.store.location import DatasetLocation
from askrepo.store.verification import open_unchanged
from askrepo.types import AliasEntry, DatasetManifest
from askrepo.workspace.durable import flush_tree
from askrepo.workspace.stores import store_errors

if TYPE_CHECKING:
    from askrepo.workspace.objects import Workspace


def publish(
    catalogue: AliasCatalogue,
    manifest: DatasetManifest,
    number: int,
    reason: Literal["swap", "rollback"],
    *,
    workspace: Workspace,
    now: datetime,
) -> AliasEntry:
    """The alias's new entry, which points at the dataset; nobody can remove that before the entry protects it.

    :param number: the entry's, one more than the current one's.
    :raises DatasetCorruptedError: the dataset is not what the manifest says.
    :raises SwapLostError: somebody moved the alias meanwhile.
    :raises DatasetClaimedError: the dataset is being removed.
    """
    with claimed(manifest.alias, manifest.dataset, "publish", workspace=workspace) as claim:
        location = DatasetLocation.within(workspace, manifest.dataset)
        open_unchanged(location, manifest=manifest)
        if location.is_local:
            # An entry that outlives a loss of power must not name a dataset that did not.
            with store_errors(f"flush {manifest.dataset} to the disk"):
                flush_tree(location.folder)
        claim.check()
        return _append(catalogue, manifest, number, reason, now)


def _append(
    catalogue: AliasCatalogue,
    manifest: DatasetManifest,
    number: int,
    reason: Literal["swap", "rollback"],
    now: datetime,
) -> AliasEntry:
    """The entry, written and read back."""
    entry = AliasEntry(
        alias=manifest.alias,
        number=number,
        swapped_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        reason=reason,
        manifest=manifest,
    )
    try:
        catalogue.append(entry)
    except SwapLostError:
        # The store may have taken an answer that got lost for a second try of ours.
        if catalogue.number(entry.alias) < number or catalogue.entry(entry.alias, number) != entry:
            raise
    written = catalogue.entry(entry.alias, number)
    if not is_same_dataset(written.manifest, manifest):
        raise SwapLostError(f"alias {entry.alias!r}: entry {number} does not read back as it was written")
    return written


def is_same_dataset(one: DatasetManifest, other: DatasetManifest) -> bool:
    """Whether both are about one dataset with the same rows."""
    return (one.dataset, one.digest) == (other.dataset, other.digest)
