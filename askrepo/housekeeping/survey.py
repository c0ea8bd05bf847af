"""Sorts what a workspace holds into things that are needed, and removed, as one: datasets, runs, snapshots …"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from askrepo.workspace import keys
from askrepo.workspace.listing import StoredObject, is_temporary, list_objects
from askrepo.workspace.objects import Workspace

ThingKind = keys.OwnerKind | Literal["temporary file"]
_Place = tuple[ThingKind, str, str]  # kind, alias and name of a thing

_PLAIN = re.compile(r"[A-Za-z0-9._/#@+=,~-]+")


@dataclass(frozen=True, slots=True)
class Thing:
    """Objects that are needed, and removed, together.

    :ivar name: workspace key of the object or of the folder; of a snapshot, that of its archive.
    :ivar alias: whose it is; "" for what aliases share.
    """

    kind: ThingKind
    name: str
    alias: str
    objects: tuple[StoredObject, ...]

    @property
    def bytes(self) -> int:
        """Size of all objects."""
        return sum(one.bytes for one in self.objects)

    @property
    def newest(self) -> datetime:
        """When something of it was last written."""
        return max(one.modified for one in self.objects)


def survey(workspace: Workspace) -> list[Thing]:
    """Everything that askrepo itself wrote, apart from what is never removed: entries of aliases and definitions.

    Files and folders of other names are somebody else's and are left out.

    :raises StorageError: the store failed.
    """
    found: dict[_Place, list[StoredObject]] = {}
    for folder in keys.FOLDERS:
        for one in list_objects(workspace, folder):
            is_left_over = is_temporary(workspace, one.key)
            place: _Place | None = ("temporary file", "", one.key) if is_left_over else keys.owner_of(one.key)
            if place is not None and _PLAIN.fullmatch(one.key):
                found.setdefault(place, []).append(one)
    things = (Thing(kind, name, alias, tuple(objects)) for (kind, alias, name), objects in found.items())
    return [thing for thing in things if thing.kind != "run" or _is_of_a_run(thing)]


def known_aliases(workspace: Workspace, things: Iterable[Thing]) -> list[str]:
    """Names of all aliases that have entries, or something else stored, sorted; removed ones too."""
    names = {*workspace.list_folders(keys.ALIASES), *(thing.alias for thing in things if thing.alias)}
    return sorted(name for name in names if keys.is_alias(name))


def _is_of_a_run(thing: Thing) -> bool:
    return any(one.key.startswith(f"{thing.name}/{stage}/") for one in thing.objects for stage in keys.STAGES)
