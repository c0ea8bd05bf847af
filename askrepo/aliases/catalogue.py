"""Which dataset an alias points to: an append-only log of numbered entries, one object each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from askrepo.errors import (
    ForbiddenError,
    StorageError,
    SwapLostError,
    UnavailableError,
    UnknownAliasError,
    UsageError,
)
from askrepo.text.suggestions import did_you_mean
from askrepo.types import AliasEntry, alias_entry_from, canonical_json, check_alias, to_json
from askrepo.workspace import keys
from askrepo.workspace.objects import (
    REMOTE_SCHEMES,
    ObjectExistsError,
    ObjectMissingError,
    ObjectTooLargeError,
    Workspace,
)

_FIELD_TYPES: Mapping[str, Any] = {
    "str": str, "int": int, "str | None": str | None, "Mapping[str, int]": dict, "Mapping[str, Any]": dict
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AliasLog:
    """What can be read of an alias's log, and what cannot.

    :ivar number: the newest entry's, readable or not.
    :ivar entries: those that can be read, oldest first.
    :ivar problems: of the others, by number; beyond the newest entry's number they are of files that are none.
    """

    alias: str
    number: int
    entries: tuple[AliasEntry, ...]
    problems: Mapping[int, str]

    @property
    def newest(self) -> AliasEntry | None:
        """The newest entry; None when it cannot be read."""
        return self.entries[-1] if self.entries and self.entries[-1].number == self.number else None


class AliasCatalogue:
    """The aliases of a workspace.

    An entry is created only if its number is free, which is the compare-and-swap on every store; nothing is
    ever changed or removed, and the highest number is current. An alias that was removed has an entry that says so
    as its last one, until somebody moves it again.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def aliases(self) -> list[str]:
        """Names of the aliases that readers can follow, sorted; one whose entry cannot be read is among them."""
        names = self._workspace.list_folders(keys.ALIASES)
        return [name for name in names if _is_alias(name) and self._is_listed(name)]

    def number(self, alias: str) -> int:
        """The newest entry's number, 0 when there is none; a removal's entry counts like any other.

        Entries are written one after the other. A file with a number far beyond the others counts only when it is
        that entry: what somebody left under such a name neither hides the log nor stops it.
        """
        return self._newest(check_alias(alias), self._numbers(alias))

    def numbers(self, alias: str) -> list[int]:
        """Numbers of the entries, readable or not, ascending."""
        numbers = self._numbers(check_alias(alias))
        newest = self._newest(alias, numbers)
        return [number for number in numbers if number <= newest]

    def newest(self, alias: str) -> AliasEntry | None:
        """The entry of the highest number, a removal's too; None when there is none.

        :raises UnavailableError: the entry cannot be understood; the message names its file.
        """
        number = self.number(alias)
        return self.entry(alias, number) if number else None

    def current(self, alias: str) -> AliasEntry:
        """The entry that readers follow.

        :raises UnknownAliasError: there is none, or the alias was removed; the message tells which, and names the
            known aliases.
        :raises UnavailableError: the entry cannot be understood; the message names its file.
        """
        entry = self.newest(alias)
        if entry is None:
            raise self._unknown(alias)
        if entry.reason == "removed":
            raise self._removed(entry)
        return entry

    def current_or_none(self, alias: str) -> AliasEntry | None:
        """The entry that readers follow, None when there is none or the alias was removed.

        :raises UnavailableError: the entry cannot be understood; the message names its file.
        """
        entry = self.newest(alias)
        return None if entry is None or entry.reason == "removed" else entry

    def history(self, alias: str) -> list[AliasEntry]:
        """Every entry that can be read, those of removals included, oldest first.

        :raises UnknownAliasError: there is none.
        :raises UnavailableError: none can be read; the message names a file.
        """
        log = self.log(alias)
        if not log.entries:
            raise UnavailableError(log.problems[log.number])
        return list(log.entries)

    def log(self, alias: str) -> AliasLog:
        """All that can be read of the log, and what is wrong with the rest.

        :raises UnknownAliasError: there is no entry.
        :raises ForbiddenError: this user may not read the log.
        """
        numbers = self._numbers(check_alias(alias))
        if not numbers:
            raise self._unknown(alias)
        newest = self._newest(alias, numbers)
        entries, problems = [], {}
        for number in numbers:
            found = self._readable(alias, number)
            if number > newest:
                problems[number] = f"{self._url(alias, number)} is no entry of the log and is ignored: remove it"
            elif isinstance(found, AliasEntry):
                entries.append(found)
            else:
                problems[number] = found
        return AliasLog(alias, newest, tuple(entries), problems)

    def entry(self, alias: str, number: int) -> AliasEntry:
        """One entry.

        :raises ObjectMissingError: there is none of that number.
        :raises UnavailableError: it cannot be understood; the message names its file.
        """
        key = keys.entry_key(alias, number)
        try:
            content = self._workspace.read_document(key)
        except ObjectTooLargeError as error:
            raise self._unreadable(alias, number, "it is too large for an alias entry") from error
        try:
            entry = alias_entry_from(json.loads(content))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError) as error:
            raise self._unreadable(alias, number, "it is not an alias entry") from error
        if not _is_typed(entry) or entry.reason not in ("swap", "rollback", "removed"):
            raise self._unreadable(alias, number, "it is not an alias entry")
        if not _is_moment(entry.swapped_at) or not _is_moment(entry.manifest.created_at):
            raise self._unreadable(alias, number, "it has a date that is none")
        if not _is_place(entry.manifest.dataset):
            raise self._unreadable(alias, number, "what it names can be no dataset")
        if (entry.alias, entry.number) != (alias, number):
            raise self._unreadable(alias, number, f"it is entry {entry.number} of alias {entry.alias!r}")
        return entry

    def append(self, entry: AliasEntry) -> AliasEntry:
        """Make an entry current, if its number directly follows the current one's and nobody takes it first.

        :raises SwapLostError: the alias has moved on; nothing was changed.
        """
        alias = check_alias(entry.alias)
        numbers = self._numbers(alias)
        current = self._newest(alias, numbers)
        if entry.number != current + 1:
            raise SwapLostError(f"alias {alias!r} is at entry {current}, so entry {entry.number} cannot be written")
        if entry.number + 1 in numbers:  # it would be the newest entry next, and nobody could read it
            raise self._in_the_way(alias, entry.number + 1)
        try:
            self._workspace.create(keys.entry_key(alias, entry.number), canonical_json(to_json(entry)).encode("utf-8"))
        except ObjectExistsError as error:
            if entry.number not in self._numbers(alias) or entry.number in numbers:
                raise self._in_the_way(alias, entry.number) from error
            raise SwapLostError(f"alias {alias!r}: another run wrote entry {entry.number} first") from error
        return entry

    def _numbers(self, alias: str) -> list[int]:
        """Numbers of the files that are named like entries, ascending; files of any other name are nobody's entries."""
        found = map(keys.entry_number, self._workspace.list_names(keys.entries_folder(alias)))
        return sorted(number for number in found if number)

    def _newest(self, alias: str, numbers: list[int]) -> int:
        """The highest number that follows the entries before it, or whose own entries can be read."""
        for run in reversed(list(_runs(numbers))):
            if run[0] == 1 or any(isinstance(self._readable(alias, number), AliasEntry) for number in reversed(run)):
                return run[-1]
        return numbers[-1] if numbers else 0

    def _readable(self, alias: str, number: int) -> AliasEntry | str:
        """The entry, or why it cannot be read.

        :raises ForbiddenError: this user may not read it.
        :raises StorageError: the store failed.
        """
        try:
            return self.entry(alias, number)
        except ForbiddenError:
            raise
        except (UnavailableError, ObjectMissingError) as error:
            return str(error)

    def _is_listed(self, alias: str) -> bool:
        try:
            entry = self.newest(alias)
        except (UnavailableError, StorageError):
            return True  # readers are told what is wrong with it, not that it never was
        return entry is not None and entry.reason != "removed"

    def _unknown(self, alias: str) -> UnknownAliasError:
        known = ", ".join(self.aliases())
        what_now = f"known aliases: {known}" if known else "the workspace has none yet: run the pipeline first"
        meant = did_you_mean(alias, self.aliases())
        return UnknownAliasError(f"no alias {alias!r} in workspace {self._workspace.url}; {what_now}{meant}")

    def _removed(self, entry: AliasEntry) -> UnknownAliasError:
        known = ", ".join(self.aliases()) or "none"
        moment = entry.swapped_at[:16].replace("T", " ")
        return UnknownAliasError(
            f"alias {entry.alias!r} was removed on {moment} UTC (entry {entry.number}): bring it back with "
            f"`askrepo rollback {entry.alias}` while its dataset is still there, or build it anew; "
            f"known aliases: {known}"
        )

    def _unreadable(self, alias: str, number: int, found: str) -> UnavailableError:
        return UnavailableError(
            f"cannot read alias entry {self._url(alias, number)}: {found}; restore the file, or go back to an "
            f"earlier dataset with `askrepo rollback {alias}`"
        )

    def _in_the_way(self, alias: str, number: int) -> UnavailableError:
        return UnavailableError(
            f"alias {alias!r} cannot be moved: {self._url(alias, number)} has the name of its next entries and is "
            "none; remove it and try again. Readers keep the current dataset"
        )

    def _url(self, alias: str, number: int) -> str:
        return self._workspace.url_of(keys.entry_key(alias, number))


def _is_alias(name: str) -> bool:
    try:
        check_alias(name)
    except UsageError:
        return False
    return True


def _runs(numbers: Iterable[int]) -> Iterator[list[int]]:
    """The numbers, ascending, in groups without a gap."""
    run: list[int] = []
    for number in numbers:
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _is_typed(value: Any) -> bool:
    """Whether the fields of a dataclass, and of those in it, hold what they are declared to."""
    for field in fields(value):
        found = getattr(value, field.name)
        if not isinstance(found, _FIELD_TYPES.get(str(field.type), object)):
            return False
        if str(field.type) == "Mapping[str, int]" and not all(isinstance(value, int) for value in found.values()):
            return False
        parts = found if isinstance(found, tuple) else (found,)
        if not all(_is_typed(part) for part in parts if is_dataclass(part)):
            return False
    return True


def _is_place(dataset: str) -> bool:
    """Whether it may be a key, an absolute path or a store's URL; what it leads to is looked at when it is opened."""
    scheme, separator, path = dataset.rpartition("://")
    if "\0" in dataset or not path.strip("/"):
        return False
    if separator or path.startswith("/"):
        return scheme in ("", "file", "al", *REMOTE_SCHEMES)
    return not {"", ".", ".."} & set(path.rstrip("/").split("/"))


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def moment_of(entry: AliasEntry) -> datetime:
    """When the entry was written."""
    return datetime.fromisoformat(entry.swapped_at).astimezone(UTC)
