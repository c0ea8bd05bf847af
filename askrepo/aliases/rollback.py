"""Rollback: an alias moved back to an earlier one of its datasets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from askrepo.aliases.catalogue import AliasCatalogue, AliasLog
from askrepo.aliases.claims import is_being_removed
from askrepo.aliases.publish import publish
from askrepo.errors import UnavailableError, UsageError
from askrepo.store.location import DatasetLocation
from askrepo.text.suggestions import did_you_mean
from askrepo.types import AliasEntry, DatasetManifest
from askrepo.workspace.keys import dataset_id

if TYPE_CHECKING:
    from askrepo.workspace.objects import Workspace


def rollback_alias(
    alias: str, *, workspace: Workspace, to: str | None = None, now: datetime | None = None
) -> AliasEntry:
    """The alias's new entry, which points at an earlier dataset again.

    Parameters and errors as for `rollback_target`.

    :raises SwapLostError: somebody moved the alias at the same time.
    """
    catalogue = AliasCatalogue(workspace)
    log = catalogue.log(alias)
    target = _target(log, to, workspace)
    now = now or datetime.now(UTC)
    return publish(catalogue, target.manifest, log.number + 1, "rollback", workspace=workspace, now=now)


def rollback_target(alias: str, *, workspace: Workspace, to: str | None = None) -> AliasEntry:
    """The entry whose dataset a rollback would go back to; nothing is changed.

    :param to: dataset id, an unambiguous start of one, or an entry's number; None for the dataset before this one, or
        for the last one when the alias was removed.
    :raises UnknownAliasError: there is no such alias.
    :raises UsageError: `to` names no earlier dataset, or several.
    :raises UnavailableError: the dataset was removed, or is about to be; the message names those that remain.
    """
    return _target(AliasCatalogue(workspace).log(alias), to, workspace)


def _target(log: AliasLog, to: str | None, workspace: Workspace) -> AliasEntry:
    if not log.entries:
        raise UnavailableError(log.problems[log.number])
    target = _previous(log) if to is None else _named(log, to)
    if not is_whole(target.manifest, workspace):
        raise _removed(log.alias, target, log.entries, workspace)
    return target


def _previous(log: AliasLog) -> AliasEntry:
    """The newest entry of another dataset than the current one; the last one that there is of a removed alias.

    Likewise when nobody can tell which dataset is the current one.
    """
    current = log.newest
    if current is None or current.reason == "removed":
        return log.entries[-1]
    for entry in reversed(log.entries):
        if entry.manifest.dataset != current.manifest.dataset:
            return entry
    raise UsageError(f"alias {log.alias!r} has had one dataset only: there is nothing to go back to")


def _named(log: AliasLog, to: str) -> AliasEntry:
    """The entry that a user means by a number, a dataset id or the start of one."""
    number = int(to) if re.fullmatch("[0-9]{1,15}", to) else 0
    for entry in log.entries:
        if entry.number == number:
            return entry
    found = {entry.manifest.dataset: entry for entry in log.entries if _means(to, entry.manifest.dataset)}
    if len(found) == 1:
        return next(iter(found.values()))
    if number in log.problems:
        raise UnavailableError(log.problems[number])
    datasets = sorted({dataset_id(entry.manifest.dataset) for entry in log.entries})
    problem = "names several datasets" if found else "names no dataset or entry"
    meant = "" if found else did_you_mean(to, datasets)
    raise UsageError(f"{to!r} {problem} of alias {log.alias!r}; its datasets: {', '.join(datasets)}{meant}")


def _means(to: str, dataset: str) -> bool:
    return bool(to) and (dataset == to or dataset_id(dataset).startswith(to))


def _removed(alias: str, target: AliasEntry, history: Sequence[AliasEntry], workspace: Workspace) -> UnavailableError:
    datasets = {entry.manifest.dataset: entry.manifest for entry in history}
    remaining = [dataset_id(name) for name, manifest in datasets.items() if is_whole(manifest, workspace)]
    return UnavailableError(
        f"dataset {dataset_id(target.manifest.dataset)} of alias {alias!r} (entry {target.number}) was removed; "
        f"those that remain: {', '.join(remaining) or 'none'}"
    )


def is_whole(manifest: DatasetManifest, workspace: Workspace) -> bool:
    """Whether a dataset is stored and nobody has begun to remove it."""
    return DatasetLocation.within(workspace, manifest.dataset).exists() and not is_being_removed(
        manifest.alias, manifest.dataset, workspace=workspace
    )
