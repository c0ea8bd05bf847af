"""Sorts what a workspace holds into things that are needed, and removed, as one: datasets, runs, snapshots …"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from askrepo.errors import UsageError
from askrepo.housekeeping.retention import begun_at
from askrepo.types import check_alias
from askrepo.workspace.listing import StoredObject, is_temporary, list_objects
from askrepo.workspace.objects import Workspace

Kind = Literal["dataset", "run", "snapshot", "file list", "claim", "temporary file"]
_Place = tuple[Kind, str, str]  # kind, alias and name of a thing

_FOLDERS = ("aliases", "claims", "datasets", "definitions", "files", "runs", "snapshots")
# A folder that holds none of these was not made by a run.
_STAGES = ("load", "split", "embed")
_RUN = re.compile(r"(?P<name>runs/(?P<alias>[^/]+)/[A-Za-z0-9._-]+)/.+")
_DATASET = re.compile(r"(?P<name>datasets/(?P<alias>[^/]+)/[^/]+)/.+")
_FILE_LIST = re.compile(r"(?P<name>files/(?P<alias>[^/]+)/[^/]+\.parquet)")
_CLAIM = re.compile(r"(?P<name>claims/(?P<alias>[^/]+)/[^/]+\.json)")
_SNAPSHOT = re.compile(r"(?P<name>snapshots/[^/]+/[0-9a-f]{40}([0-9a-f]{24})?)\.(tar|json)")
_PLAIN = re.compile(r"[A-Za-z0-9._/#@+=,~-]+")


@dataclass(frozen=True, slots=True)
class Thing:
    """Objects that are needed, and removed, together.

    :ivar name: workspace key of the object or of the folder; of a snapshot, that of its archive.
    :ivar alias: whose it is; "" for what aliases share.
    """

    kind: Kind
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
    for folder in _FOLDERS:
        for one in list_objects(workspace, folder):
            is_left_over = is_temporary(workspace, one.key)
            place: _Place | None = ("temporary file", "", one.key) if is_left_over else _place_of(one.key)
            if place is not None and _PLAIN.fullmatch(one.key):
                found.setdefault(place, []).append(one)
    things = (Thing(kind, name, alias, tuple(objects)) for (kind, alias, name), objects in found.items())
    return [thing for thing in things if thing.kind != "run" or _is_of_a_run(thing)]


def known_aliases(workspace: Workspace, things: Iterable[Thing]) -> list[str]:
    """Names of all aliases that have entries, or something else stored, sorted; removed ones too."""
    names = {*workspace.list_folders("aliases"), *(thing.alias for thing in things if thing.alias)}
    return sorted(name for name in names if _is_alias(name))


def _place_of(key: str) -> _Place | None:
    """The thing that an object belongs to; None when it is not ours."""
    if match := _SNAPSHOT.fullmatch(key):
        return "snapshot", "", f"{match['name']}.tar"
    kinds: dict[Kind, re.Pattern[str]] = {"dataset": _DATASET, "run": _RUN, "file list": _FILE_LIST, "claim": _CLAIM}
    for kind, pattern in kinds.items():
        match = pattern.fullmatch(key)
        if match and _is_alias(match["alias"]):
            is_ours = kind == "run" or begun_at(match["name"].removesuffix(".parquet").removesuffix(".json"))
            return (kind, match["alias"], match["name"]) if is_ours else None
    return None


def _is_of_a_run(thing: Thing) -> bool:
    return any(one.key.startswith(f"{thing.name}/{stage}/") for one in thing.objects for stage in _STAGES)


def _is_alias(name: str) -> bool:
    try:
        check_alias(name)
    except UsageError:
        return False
    return True
