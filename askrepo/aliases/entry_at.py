"""Which entry of an alias is meant by a number, a date, a dataset, a commit or a tag: any moment that is still kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time

from askrepo.aliases.catalogue import AliasCatalogue, AliasLog, moment_of
from askrepo.aliases.rollback import is_whole
from askrepo.errors import UnavailableError, UsageError
from askrepo.types import AliasEntry, Snapshot
from askrepo.workspace.keys import dataset_id
from askrepo.workspace.objects import Workspace

MIN_COMMIT_CHARS = 4
WAYS = "an entry's number, a date (2026-11-28 or 2026-11-28T14:30), a dataset id, repository@commit, or a tag"

_NUMBER = re.compile(r"[0-9]{1,7}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]{2,15}(?:Z|[+-][0-9:]{2,6})?)?")
_COMMIT = re.compile(r"(?P<repository>[^@]+)@(?P<commit>[^@]+)")
_HEX = re.compile(r"[0-9a-fA-F]+")
_MAX_SHOWN = 60
_MAX_CHARS = 200


class SeveralMomentsError(UsageError):
    """What was written may mean several entries.

    :ivar entries: those, the newest of each dataset or commit.
    """

    def __init__(self, message: str, entries: Iterable[AliasEntry]) -> None:
        super().__init__(message)
        self.entries = tuple(entries)


def entry_at(alias: str, at: str, *, workspace: Workspace, now: datetime | None = None) -> AliasEntry:
    """The entry of an alias at a moment, whose dataset is still kept.

    :param at: a number, a date (UTC unless it says otherwise; a day means its end), a dataset id or the start of one,
        `repository@commit`, or a tag or branch as it was asked for, with or without `repository@`. Of several entries
        that fit the newest is taken.
    :raises UnknownAliasError: there is no such alias.
    :raises UsageError: it names no moment of the alias, or several commits or datasets; the message says what to write.
    :raises UnavailableError: what it names is no longer kept; the message names the entries that are.
    """
    return kept_entry(AliasCatalogue(workspace).log(alias), at, workspace=workspace, now=now)


def kept_entry(log: AliasLog, at: str, *, workspace: Workspace, now: datetime | None = None) -> AliasEntry:
    """The same, of a log that was read; parameters and errors as `entry_at`."""
    entry = named_entry(log, at.strip(), now=now or datetime.now(UTC))
    if not is_whole(entry.manifest, workspace):
        raise UnavailableError(
            f"entry {entry.number} of {log.alias} ({dataset_id(entry.manifest.dataset)}) is no longer kept; "
            f"kept: {_kept(log, workspace)}"
        )
    return entry


def named_entry(log: AliasLog, at: str, *, now: datetime) -> AliasEntry:
    """The entry that is meant, kept or not; parameters and errors as `entry_at`.

    :raises SeveralMomentsError: it may be several; a `UsageError` like the others.
    """
    entries = [entry for entry in log.entries if entry.reason != "removed"]
    if _NUMBER.fullmatch(at):
        return _of_number(log, int(at))
    if _DATE.fullmatch(at):
        return _of_date(log, at, now)
    if written := _COMMIT.fullmatch(at):
        return _of_commit(log.alias, entries, written["repository"], written["commit"])
    datasets = {entry.manifest.dataset: entry for entry in entries if at and _id(entry).startswith(at)}
    if len(datasets) > 1:
        several = datasets.values()
        raise SeveralMomentsError(f"{_shown(at)} may be any of {_list(several)}: write more of it", several)
    for entry in (*datasets.values(), *_asked_for(at, entries)):
        return entry
    raise UsageError(f"{_shown(at)} names no moment of alias {log.alias!r}: write {WAYS}; it has {_list(entries)}")


def _of_number(log: AliasLog, number: int) -> AliasEntry:
    for entry in log.entries:
        if entry.number == number:
            return _not_removed(entry)
    if number in log.problems:
        raise UnavailableError(log.problems[number])
    first, last = log.entries[0].number if log.entries else 1, log.number
    raise UsageError(f"alias {log.alias!r} has no entry {number}: it has entries {first} to {last}")


def _of_date(log: AliasLog, at: str, now: datetime) -> AliasEntry:
    moment = _moment(at)
    if moment > now and _start_of_day(at) > now:
        raise UsageError(f"{_shown(at)} is in the future: it is {now:%Y-%m-%d %H:%M} UTC")
    before = [entry for entry in log.entries if moment_of(entry) <= moment]
    if not before:
        since = f"; its first entry is of {log.entries[0].swapped_at[:16]}" if log.entries else ""
        raise UsageError(f"alias {log.alias!r} had nothing yet at {_shown(at)}{since}")
    return _not_removed(before[-1])


def _asked_for(ref: str, entries: Sequence[AliasEntry], repository: str | None = None) -> list[AliasEntry]:
    """The entries for which a tag or branch was asked for by this name, newest first."""
    return [
        entry
        for entry in reversed(entries)
        if any(one.ref == ref for one in entry.manifest.snapshots if repository is None or _is_named(one, repository))
    ]


def _of_commit(alias: str, entries: Sequence[AliasEntry], repository: str, ref: str) -> AliasEntry:
    for entry in _asked_for(ref, entries, repository):
        return entry
    commit = ref.lower() if _HEX.fullmatch(ref) else ""
    if commit and len(commit) < MIN_COMMIT_CHARS:
        raise UsageError(f"commit {commit!r} is too short: write {MIN_COMMIT_CHARS} characters of it at least")
    found: dict[str, AliasEntry] = {}
    known: dict[str, None] = {}
    for entry in entries:
        for snapshot in entry.manifest.snapshots:
            if _is_named(snapshot, repository):
                tag = f" ({snapshot.ref})" if snapshot.ref else ""
                known[f"{snapshot.name}@{snapshot.commit[:10]}{tag}"] = None
                if commit and snapshot.commit.startswith(commit):
                    found[f"{snapshot.name}@{snapshot.commit}"] = entry
    if len(found) > 1:
        told = f"{commit!r} is the start of several commits: {', '.join(found)}; write more of it"
        raise SeveralMomentsError(told, found.values())
    for entry in found.values():
        return entry
    has = f"it has {', '.join(known)}" if known else f"it has no repository {_shown(repository)}"
    raise UsageError(f"alias {alias!r} was never at {_shown(f'{repository}@{ref}')}: {has}")


def _is_named(snapshot: Snapshot, repository: str) -> bool:
    return repository in (snapshot.name, snapshot.name.rpartition("/")[2])


def check_moment(at: str) -> str:
    """The text itself when it may name a moment of some alias.

    :raises UsageError: it cannot, whatever the alias has.
    """
    if _DATE.fullmatch(at):
        _moment(at)
    elif not at or len(at) > _MAX_CHARS or not at.isprintable() or re.search(r"\s|://", at):
        raise UsageError(f"{_shown(at) if '://' not in at else 'a URL'} names no moment: write {WAYS}")
    elif _NUMBER.fullmatch(at) and not int(at):
        raise UsageError("there is no entry 0: the first entry has the number 1")
    return at


def _moment(at: str) -> datetime:
    """The moment; a day is meant to its end."""
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        raise UsageError(f"{_shown(at)} is no date: write 2026-11-28 or 2026-11-28T14:30") from None
    if len(at) == len("2026-11-28"):
        found = datetime.combine(found.date(), time.max)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _start_of_day(at: str) -> datetime:
    """The moment itself, or the beginning of the day: today is not in the future."""
    found = datetime.fromisoformat(at)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _not_removed(entry: AliasEntry) -> AliasEntry:
    if entry.reason == "removed":
        raise UsageError(
            f"alias {entry.alias!r} was removed by entry {entry.number} ({entry.swapped_at[:16]}): name one before it"
        )
    return entry


def _kept(log: AliasLog, workspace: Workspace) -> str:
    kept = {entry.manifest.dataset: entry for entry in log.entries if is_whole(entry.manifest, workspace)}
    return _list(kept.values()) or "none"


def _list(entries: Iterable[AliasEntry]) -> str:
    return ", ".join(f"entry {entry.number} ({_id(entry)})" for entry in entries)


def _id(entry: AliasEntry) -> str:
    return dataset_id(entry.manifest.dataset)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…")
