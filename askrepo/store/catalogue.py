"""Which dataset an alias points to: an append-only log of numbered entries, one object each."""

from __future__ import annotations

import json
import re

from askrepo.errors import SwapLostError, UnavailableError, UnknownAliasError, UsageError
from askrepo.types import AliasEntry, alias_entry_from, canonical_json, check_alias, to_json
from askrepo.workspace import ObjectExistsError, Workspace

_FOLDER = "aliases"
_ENTRY_NAME = re.compile(r"(\d{8})\.json")


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
        names = self._workspace.list_folders(_FOLDER)
        return [name for name in names if _is_alias(name) and self._is_listed(name)]

    def number(self, alias: str) -> int:
        """The newest entry's number, 0 when there is none; a removal's entry counts like any other."""
        return max(self._numbers(check_alias(alias)), default=0)

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
        """Every entry, those of removals included, oldest first.

        :raises UnknownAliasError: there is none.
        :raises UnavailableError: an entry cannot be understood; the message names its file.
        """
        numbers = self._numbers(check_alias(alias))
        if not numbers:
            raise self._unknown(alias)
        return [self.entry(alias, number) for number in numbers]

    def entry(self, alias: str, number: int) -> AliasEntry:
        """One entry.

        :raises ObjectMissingError: there is none of that number.
        :raises UnavailableError: it cannot be understood; the message names its file.
        """
        key = _key(alias, number)
        content = self._workspace.read(key)
        try:
            entry = alias_entry_from(json.loads(content))
        except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
            raise self._unreadable(key, "it is not an alias entry") from error
        if (entry.alias, entry.number) != (alias, number):
            raise self._unreadable(key, f"it is entry {entry.number} of alias {entry.alias!r}")
        return entry

    def append(self, entry: AliasEntry) -> AliasEntry:
        """Make an entry current, if its number directly follows the current one's and nobody takes it first.

        :raises SwapLostError: the alias has moved on; nothing was changed.
        """
        alias = check_alias(entry.alias)
        current = self.number(alias)
        if entry.number != current + 1:
            raise SwapLostError(f"alias {alias!r} is at entry {current}, so entry {entry.number} cannot be written")
        try:
            self._workspace.create(_key(alias, entry.number), canonical_json(to_json(entry)).encode("utf-8"))
        except ObjectExistsError as error:
            raise SwapLostError(f"alias {alias!r}: another run wrote entry {entry.number} first") from error
        return entry

    def _numbers(self, alias: str) -> list[int]:
        """Numbers of an alias's entries, ascending; files of any other name are nobody's entries."""
        prefix = f"{_FOLDER}/{alias}/"
        names = (key.removeprefix(prefix) for key in self._workspace.list_keys(prefix.rstrip("/")))
        found = (_ENTRY_NAME.fullmatch(name) for name in names)
        return sorted(int(match[1]) for match in found if match and int(match[1]))

    def _is_listed(self, alias: str) -> bool:
        try:
            entry = self.newest(alias)
        except UnavailableError:
            return True  # readers are told what is wrong with it, not that it never was
        return entry is not None and entry.reason != "removed"

    def _unknown(self, alias: str) -> UnknownAliasError:
        known = ", ".join(self.aliases())
        what_now = f"known aliases: {known}" if known else "the workspace has none yet: run the pipeline first"
        return UnknownAliasError(f"no alias {alias!r} in workspace {self._workspace.url}; {what_now}")

    def _removed(self, entry: AliasEntry) -> UnknownAliasError:
        known = ", ".join(self.aliases()) or "none"
        moment = entry.swapped_at[:16].replace("T", " ")
        return UnknownAliasError(
            f"alias {entry.alias!r} was removed on {moment} UTC (entry {entry.number}): bring it back with "
            f"`askrepo rollback {entry.alias}` while its dataset is still there, or build it anew; "
            f"known aliases: {known}"
        )

    def _unreadable(self, key: str, found: str) -> UnavailableError:
        return UnavailableError(
            f"cannot read alias entry {self._workspace.url_of(key)}: {found}; "
            "restore the file, or remove it to go back to the entry before"
        )


def _key(alias: str, number: int) -> str:
    return f"{_FOLDER}/{alias}/{number:08d}.json"


def _is_alias(name: str) -> bool:
    try:
        check_alias(name)
    except UsageError:
        return False
    return True
