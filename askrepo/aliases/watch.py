"""What the watch decides: which repositories have commits that no run published, and when to look again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from askrepo.types import digest_of

if TYPE_CHECKING:
    from askrepo.aliases.catalogue import AliasCatalogue
    from askrepo.types import DatasetManifest, Snapshot

Commits = Mapping[tuple[str, str], str]
"""Commits by name and URL of the repository."""

MAX_PAUSE_S = 600.0
"""Longest pause after failures; an alias that is polled less often than that keeps its pace."""


def unpublished(commits: Commits, alias: str, *, catalogue: AliasCatalogue) -> list[str]:
    """Names of the repositories that the alias's last run did not publish at these commits, sorted.

    A rollback publishes nothing: whoever rolled back does not want the newest commit again.
    """
    manifest = _last_published(catalogue, alias)
    held = {(snapshot.name, snapshot.url): snapshot for snapshot in manifest.snapshots} if manifest else {}
    keys = {key for key in commits.keys() | held.keys() if not _is_at(held.get(key), commits.get(key))}
    return sorted({name for name, _ in keys})


def commits_digest(commits: Commits) -> str:
    """Equal for equal commits, in whatever order."""
    return digest_of(sorted([name, url, commit] for (name, url), commit in commits.items()))


def pause_s(failures: int, poll_s: float) -> float:
    """Seconds until the next look: after each failure in a row twice as long, up to `MAX_PAUSE_S`."""
    return min(poll_s * (1 << min(failures, 10)), max(poll_s, MAX_PAUSE_S))


def _last_published(catalogue: AliasCatalogue, alias: str) -> DatasetManifest | None:
    """What the alias's last run made, whatever a person pointed the alias to since; None before the first run."""
    entries = catalogue.history(alias) if catalogue.number(alias) else []
    return next((entry.manifest for entry in reversed(entries) if entry.reason == "swap"), None)


def _is_at(snapshot: Snapshot | None, commit: str | None) -> bool:
    """Whether the snapshot is what the commit became; an annotated tag's own id became the commit it names."""
    return snapshot is not None and commit in {snapshot.commit, (snapshot.ref or "").lower()}
