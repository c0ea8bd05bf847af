"""The definitions of aliases that were made by hand, kept so that a schedule can refresh them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from askrepo.errors import ForbiddenError, UnavailableError, UsageError
from askrepo.git.repository_urls import parse_repository
from askrepo.types import Definition, to_json
from askrepo.workspace.keys import DEFINITIONS, defined_alias, definition_key
from askrepo.workspace.objects import ObjectMissingError, ObjectTooLargeError, Workspace


@dataclass(frozen=True, slots=True)
class KeptDefinition:
    """What an alias is refreshed from.

    :ivar definition: as it was given; `max_file_bytes` is a setting of each run, not part of it.
    :ivar made_at: ISO 8601, UTC: when the alias's definition was first kept; changed_at: when it last became another.
    :ivar made_by: who asked for the run, or the run's id where Airflow names nobody; changed_by likewise.
    """

    definition: Definition
    made_at: str
    made_by: str
    changed_at: str
    changed_by: str


_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError, ObjectTooLargeError)


class DefinitionStore:
    """The definitions kept in a workspace, one object per alias, each written in one step."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def aliases(self) -> list[str]:
        """Aliases with a definition, readable or not, sorted; files of other names are nobody's definitions."""
        names = map(defined_alias, self._workspace.list_names(DEFINITIONS))
        return sorted(name for name in names if name)

    def find(self, alias: str) -> KeptDefinition | None:
        """The alias's definition, None when there is none.

        :raises UnavailableError: it cannot be understood; the message names its file.
        """
        try:
            return _kept_from(json.loads(self._workspace.read_document(definition_key(alias))), alias)
        except ObjectMissingError:
            return None
        except _UNREADABLE as error:
            raise UnavailableError(
                f"cannot read the definition {self._workspace.url_of(definition_key(alias))}: {_problem(error)}; "
                f"remove it, or run askrepo_ingest for alias {alias!r} again to write it anew"
            ) from error

    def keep(self, definition: Definition, *, by: str, now: datetime | None = None) -> KeptDefinition:
        """The alias's definition from now on; nothing is written when it is kept already.

        A path relative to a directory is kept absolute, for the refresh works elsewhere. A kept definition that
        cannot be read is replaced, unless it is another user's.

        :raises ForbiddenError: this user may not read or write it.
        """
        definition = _portable(definition)
        before = self._find_readable(definition.alias)
        if before is not None and before.definition == definition:
            return before
        moment = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
        made_at, made_by = (before.made_at, before.made_by) if before else (moment, by)
        kept = KeptDefinition(definition, made_at=made_at, made_by=made_by, changed_at=moment, changed_by=by)
        self._workspace.write(definition_key(definition.alias), _text_of(kept).encode("utf-8"))
        return kept

    def forget(self, alias: str) -> bool:
        """Remove the alias's definition; whether there was one."""
        found = self._workspace.exists(definition_key(alias))
        self._workspace.delete(definition_key(alias))
        return found

    def holds(self, definition: Definition) -> bool:
        """Whether this very definition is the one kept for its alias."""
        kept = self._find_readable(definition.alias)
        return kept is not None and kept.definition == _portable(definition)

    def _find_readable(self, alias: str) -> KeptDefinition | None:
        try:
            return self.find(alias)
        except ForbiddenError:
            raise
        except UnavailableError:
            return None


def parameters_of(definition: Definition) -> dict[str, Any]:
    """The parameters of a run that builds the definition."""
    values = to_json(definition)
    del values["max_file_bytes"]
    return values  # type: ignore[no-any-return]


def _text_of(kept: KeptDefinition) -> str:
    """Readable for the person who looks at the file."""
    history = {name: getattr(kept, name) for name in ("made_at", "made_by", "changed_at", "changed_by")}
    values = {"definition": parameters_of(kept.definition), **history}
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _kept_from(values: Mapping[str, Any], alias: str) -> KeptDefinition:
    """The definition that `_text_of` wrote.

    :raises UsageError: it is not one, or another alias's.
    """
    definition = _portable(Definition.from_mapping(values["definition"]))
    if definition.alias != alias:
        raise UsageError(f"it defines alias {definition.alias!r}")
    history = {name: values[name] for name in ("made_at", "made_by", "changed_at", "changed_by")}
    if not all(isinstance(value, str) for value in (definition.embedder, *history.values())):
        raise UsageError("a value that must be text is something else")
    return KeptDefinition(definition, **history)


def _portable(definition: Definition) -> Definition:
    """The definition without what differs between the places where a run may work.

    :raises UsageError: a repository cannot be one.
    """
    repositories = tuple(map(_absolute, definition.repositories))
    return Definition(definition.alias, repositories, definition.include, definition.exclude, definition.embedder)


def _absolute(text: str) -> str:
    repository = parse_repository(text, allow_local=True)
    if not repository.url.startswith("file://") or text.startswith(("/", "file:")):
        return text
    return repository.url if repository.ref is None else f"{repository.url}@{repository.ref}"


def _problem(error: Exception) -> str:
    if isinstance(error, UsageError):
        return str(error)
    return f"it has no {error}" if isinstance(error, KeyError) else "it is not a definition"
