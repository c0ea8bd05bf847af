"""What changed between two datasets: commits, files, chunks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from askrepo.pipeline.file_table import listed_files
from askrepo.types import AliasEntry, DatasetManifest

if TYPE_CHECKING:
    from askrepo.workspace.objects import Workspace

Where = tuple[str, str]
"""Repository and path."""


@dataclass(frozen=True, slots=True)
class CommitChange:
    """A repository at the two moments; None where the alias did not have it."""

    repository: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class DatasetDiff:
    """What changed from one entry's dataset to another's; files are sorted by repository and path.

    :ivar moved: the same content at another path: from where, to where.
    :ivar changed: other content, or another outcome: left out before, loaded now. `unchanged` counts the rest.
    """

    before: AliasEntry
    after: AliasEntry
    commits: tuple[CommitChange, ...]
    added: tuple[Where, ...]
    changed: tuple[Where, ...]
    moved: tuple[tuple[Where, Where], ...]
    removed: tuple[Where, ...]
    unchanged: int


def diff_datasets(before: AliasEntry, after: AliasEntry, *, workspace: Workspace) -> DatasetDiff:
    """What changed; nothing is read but the two tables of files, so that a dataset need not be opened.

    :raises UnavailableError: a table of files is gone, damaged or of an earlier version.
    """
    old, new = (_contents(entry.manifest, workspace) for entry in (before, after))
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    moved = _moved({where: old[where] for where in gone}, {where: new[where] for where in come})
    left, arrived = {source for source, _ in moved}, {target for _, target in moved}
    both = old.keys() & new.keys()
    changed = sorted(where for where in both if old[where] != new[where])
    return DatasetDiff(
        before,
        after,
        commits=tuple(_commits(before.manifest, after.manifest)),
        added=tuple(where for where in come if where not in arrived),
        changed=tuple(changed),
        moved=tuple(moved),
        removed=tuple(where for where in gone if where not in left),
        unchanged=len(both) - len(changed),
    )


_Content = tuple[str, str]
"""Object id of the blob, and why it is not loaded."""


def _contents(manifest: DatasetManifest, workspace: Workspace) -> dict[Where, _Content]:
    table = listed_files(manifest, workspace)
    columns: list[list[Any]] = [table[name].to_pylist() for name in ("repository", "path", "blob", "reason")]
    return {(repository, path): (blob, reason) for repository, path, blob, reason in zip(*columns, strict=True)}


def _moved(gone: dict[Where, _Content], come: dict[Where, _Content]) -> list[tuple[Where, Where]]:
    """Pairs of paths with the same content, each used once; within one repository, and never an empty file."""
    sources: dict[tuple[str, str], list[Where]] = {}
    for where, (blob, reason) in gone.items():
        if reason != "empty":
            sources.setdefault((where[0], blob), []).append(where)
    pairs = []
    for where, (blob, _) in come.items():
        waiting = sources.get((where[0], blob))
        if waiting:
            pairs.append((waiting.pop(0), where))
    return pairs


def _commits(before: DatasetManifest, after: DatasetManifest) -> Iterable[CommitChange]:
    old = {snapshot.name: snapshot.commit for snapshot in before.snapshots}
    new = {snapshot.name: snapshot.commit for snapshot in after.snapshots}
    return (CommitChange(name, old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new]))
