"""What of an alias is kept on purpose: the items of its `keep`, whose datasets retention spares.

`keep` stands in `aliases.yaml` or in the form of a run; the run writes it to the workspace before it begins, so that
whoever removes datasets needs nothing but the workspace. A run that says nothing of it changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from askrepo.aliases.catalogue import AliasCatalogue, AliasLog
from askrepo.aliases.entry_at import SeveralMomentsError, check_moment, kept_entry, named_entry
from askrepo.errors import UnavailableError, UnknownAliasError, UsageError
from askrepo.text.display import plain_line
from askrepo.types import AliasEntry
from askrepo.workspace.keys import kept_key
from askrepo.workspace.objects import ObjectMissingError, ObjectTooLargeError, Workspace

NOTHING = "none"
"""As the only item: nothing is kept any more. A form cannot send an empty list."""
MAX_ITEMS = 100


def check_keep(values: object) -> tuple[str, ...] | None:
    """The items of a `keep`; None when it says nothing, so that what was kept stays kept.

    :raises UsageError: it is no list of what may name entries.
    """
    if values is None:
        return None
    if not isinstance(values, list | tuple):
        raise UsageError(f"keep must be a list, found {type(values).__name__}")
    if len(values) > MAX_ITEMS:
        raise UsageError(f"keep has {len(values):,} items, and at most {MAX_ITEMS} are taken: raise ASKREPO_RETENTION")
    items = tuple(dict.fromkeys(map(_item, values)))
    if NOTHING in items and len(items) > 1:
        raise UsageError(f"keep has {NOTHING!r} and other items: write it alone, to keep nothing any more")
    return () if items == (NOTHING,) else items


def write_keep(alias: str, items: Sequence[str], *, workspace: Workspace) -> list[str]:
    """Keep what the items name from now on, and nothing else; nothing is written when that is so already.

    :returns: for each item that does not name one stored dataset, a line that says what was found.
    :raises ForbiddenError: this user may not read or write it.
    """
    if not _is_written(alias, items, workspace):
        content = json.dumps({"alias": alias, "keep": list(items)}, indent=2, ensure_ascii=False) + "\n"
        workspace.write(kept_key(alias), content.encode("utf-8"))
    if not items:
        return []
    # Whoever removes a dataset claims it first and then looks at what is kept, so one of the two notices the other.
    try:
        log = AliasCatalogue(workspace).log(alias)
    except UnknownAliasError:
        return [f"keep: alias {alias} has no entry yet, so nothing of it can be kept"]
    return [plain_line(line) for item in items if (line := _problem(log, item, workspace))]


def read_keep(alias: str, *, workspace: Workspace) -> tuple[str, ...]:
    """The items that are kept; none when nobody ever said so.

    :raises UnavailableError: what was written cannot be understood; the message names its file.
    """
    try:
        values = json.loads(workspace.read_document(kept_key(alias)))
        return check_keep(values["keep"]) or ()
    except ObjectMissingError:
        return ()
    except (ValueError, KeyError, TypeError, RecursionError, UsageError, ObjectTooLargeError) as error:
        raise UnavailableError(
            f"cannot read {workspace.url_of(kept_key(alias))}, which names what is kept of {alias}: restore it, "
            "start a run that gives keep again, or remove it to keep nothing"
        ) from error


def kept_entries(log: AliasLog, items: Sequence[str]) -> Mapping[str, tuple[AliasEntry, ...]]:
    """By item, the entries that it names; none when it names none, several when it is not clear which one it means."""
    return {item: _entries(log, item) for item in items}


def kept_datasets(log: AliasLog, items: Sequence[str]) -> dict[str, list[str]]:
    """The datasets that are kept, each with the items that name it."""
    named: dict[str, list[str]] = {}
    for item, entries in kept_entries(log, items).items():
        for entry in entries:
            named.setdefault(entry.manifest.dataset, []).append(item)
    return named


def _item(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        # To YAML 1.10 is the number 1.1, and 2026-11-28 a date.
        raise UsageError(f"keep has an item of type {type(value).__name__}: write it in quotes")
    try:
        return check_moment(str(value).strip())
    except UsageError as error:
        raise UsageError(f"keep: {error}") from error


def _is_written(alias: str, items: Sequence[str], workspace: Workspace) -> bool:
    try:
        return read_keep(alias, workspace=workspace) == tuple(items)
    except UnavailableError:
        return False


def _problem(log: AliasLog, item: str, workspace: Workspace) -> str:
    try:
        kept_entry(log, item, workspace=workspace)
    except SeveralMomentsError as error:
        return f"keep {item!r} keeps several datasets: {error}"
    except (UsageError, UnavailableError) as error:
        return f"keep {item!r} keeps nothing: {error}"
    return ""


def _entries(log: AliasLog, item: str) -> tuple[AliasEntry, ...]:
    try:
        return (named_entry(log, item, now=datetime.now(UTC)),)
    except SeveralMomentsError as error:
        return error.entries
    except (UsageError, UnavailableError):
        return ()
