"""Removal: an alias taken away from its readers and from the schedule, until somebody wants it again."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.definition_store import DefinitionStore, KeptDefinition
from askrepo.errors import SwapLostError, UsageError
from askrepo.types import AliasEntry, Definition, check_alias
from askrepo.workspace.objects import Workspace

# A swap takes minutes to come about, so being overtaken twice in a row is no coincidence any more.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Removal:
    """What a removal did.

    :ivar entry: the entry that says so; None when the alias had no dataset that readers could follow.
    :ivar had_definition: whether the alias would have been refreshed.
    """

    alias: str
    entry: AliasEntry | None
    had_definition: bool


def check_removal(alias: str, *, confirm: str, configured: Collection[str], workspace: Workspace) -> None:
    """Refuse a removal that was not meant, or that would not last; nothing is changed.

    :param confirm: the alias's name, typed a second time.
    :param configured: aliases that have a schedule of their own, which would build them again.
    :raises UsageError: the names differ, or the alias is configured.
    :raises UnknownAliasError: there is nothing to remove.
    :raises UnavailableError: the alias's newest entry cannot be understood.
    """
    if confirm != check_alias(alias):
        # what is no name may be something pasted, a secret even
        found = repr(confirm) if re.fullmatch(r"[\w.-]{0,64}", confirm) else "something else"
        raise UsageError(f"alias {alias!r} is not removed: {found} was typed as confirmation; type the alias again")
    if alias in configured:
        raise UsageError(
            f"alias {alias!r} is not removed: aliases.yaml configures it, so its DAG askrepo_alias_{alias} would build "
            "it again; take it out of aliases.yaml first"
        )
    if alias not in DefinitionStore(workspace).aliases():
        AliasCatalogue(workspace).current(alias)


def remove_alias(alias: str, *, workspace: Workspace, now: datetime | None = None) -> Removal:
    """The alias without readers and without refreshes; its datasets stay until maintenance finds them unneeded.

    Repeating it, also after a kill at any point, ends in the same state with one entry. A swap at the same time either
    comes first, and what it published is removed, or finds the alias moved and loses.

    :raises SwapLostError: swaps overtook the removal again and again.
    :raises UnavailableError: the alias's newest entry cannot be understood; the definition is gone already.
    """
    definitions = DefinitionStore(workspace)
    # First, so that no refresh begins that would build the alias again.
    had_definition = definitions.forget(alias)
    entry = _end(AliasCatalogue(workspace), alias, now or datetime.now(UTC))
    # Again, for a run that ended meanwhile may have kept its definition after the first look.
    had_definition = definitions.forget(alias) or had_definition
    return Removal(alias, entry, had_definition)


def keep_unless_removed(
    definition: Definition, *, by: str, workspace: Workspace, now: datetime | None = None
) -> KeptDefinition | None:
    """The definition, kept for the refresh; None when the alias was removed meanwhile, so that it stays away.

    :param by: who asked for the run.
    :raises UnavailableError: the alias's newest entry cannot be understood.
    """
    catalogue, definitions = AliasCatalogue(workspace), DefinitionStore(workspace)
    if catalogue.current_or_none(definition.alias) is None:
        return None
    kept = definitions.keep(definition, by=by, now=now)
    # A removal that ends after this look forgets what was kept; one that ended before it has to be noticed here.
    if catalogue.current_or_none(definition.alias) is None:
        definitions.forget(definition.alias)
        return None
    return kept


def _end(catalogue: AliasCatalogue, alias: str, now: datetime, tries: int = _TRIES) -> AliasEntry | None:
    """The alias's entry that ends it, written unless it is there; None for an alias without entries."""
    newest = catalogue.newest(alias)
    if newest is None or newest.reason == "removed":
        return newest
    try:
        return catalogue.append(_removed(newest, now))
    except SwapLostError:
        # Somebody was faster, or the store took an answer that got lost for a second try of ours: look again.
        if tries == 1:
            raise
        return _end(catalogue, alias, now, tries - 1)


def _removed(newest: AliasEntry, now: datetime) -> AliasEntry:
    moment = now.astimezone(UTC).isoformat(timespec="seconds")
    return AliasEntry(newest.alias, newest.number + 1, moment, "removed", newest.manifest)
