"""The keys of a workspace: the only place where one is spelled, or taken apart.

    aliases/<alias>/00000042.json                     an entry of the alias's log: one swap
    claims/<alias>/<dataset>.json                     somebody publishes or removes the dataset
    datasets/<alias>/<dataset>/…                      a dataset; its id is the time at which its build began
    definitions/<alias>.json                          what an alias made by hand is refreshed from
    files/<alias>/<dataset>.parquet                   the table of the dataset's files
    kept/<alias>.json                                 what its `keep` names: datasets that retention spares
    runs/<alias>/<run>/load/<repository>/part-00000.parquet
    runs/<alias>/<run>/split/shard-00000.parquet
    runs/<alias>/<run>/embed/<embedder>/shard-00000.parquet, and .ids; below shard-00000/ the batches on the way to it
    snapshots/<repository>/<commit>.tar, and .json    a commit; it is published once the .json is there
    watched/<alias>/<id>.json                         a watched question; checked.json: what the last swap did to them

Tests alone spell keys out, to notice when one changes.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from askrepo.errors import UsageError
from askrepo.types import check_alias

ALIASES = "aliases"
DEFINITIONS = "definitions"
FOLDERS = (ALIASES, "claims", "datasets", DEFINITIONS, "files", "kept", "runs", "snapshots", "watched")
"""Everything that askrepo writes is below one of these."""

STAGES = ("load", "split", "embed")
"""Folders of a run; one that holds none of these was not made by a run."""

IDS_SUFFIX = ".ids"

_ENTRY = re.compile(r"([0-9]{8}|[1-9][0-9]{8,14})\.json")
_DEFINITION = re.compile(r"([a-z0-9][a-z0-9._-]{0,63})\.json")
_WATCHED = re.compile(r"([0-9a-f]{4,32})\.json")
_DATASET_ID = re.compile(r"([0-9]{8}t[0-9]{6}z)-[0-9a-f]{6}")
_DATASET_TIME = "%Y%m%dt%H%M%Sz"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_RUN_CHARS = 80
_EMBEDDER_CHARS = 12

OwnerKind = Literal["dataset", "run", "snapshot", "file list", "claim"]
"""What objects belong to together."""

_SNAPSHOT = re.compile(r"(?P<name>snapshots/[^/]+/[0-9a-f]{40}([0-9a-f]{24})?)\.(tar|json)")
_OF_ALIASES: dict[OwnerKind, re.Pattern[str]] = {
    "dataset": re.compile(r"(?P<name>datasets/(?P<alias>[^/]+)/[^/]+)/.+"),
    "run": re.compile(r"(?P<name>runs/(?P<alias>[^/]+)/[A-Za-z0-9._-]+)/.+"),
    "file list": re.compile(r"(?P<name>files/(?P<alias>[^/]+)/[^/]+\.parquet)"),
    "claim": re.compile(r"(?P<name>claims/(?P<alias>[^/]+)/[^/]+\.json)"),
}


class Owner(NamedTuple):
    """What an object belongs to.

    :ivar alias: whose it is; "" for what aliases share.
    :ivar name: key of the object or of the folder; of a snapshot, that of its archive.
    """

    kind: OwnerKind
    alias: str
    name: str


def owner_of(key: str) -> Owner | None:
    """What the object at a key belongs to; None when no run wrote it."""
    if match := _SNAPSHOT.fullmatch(key):
        return Owner("snapshot", "", f"{match['name']}.tar")
    for kind, pattern in _OF_ALIASES.items():
        match = pattern.fullmatch(key)
        if match and is_alias(match["alias"]):
            is_ours = kind == "run" or begun_at(match["name"].removesuffix(".parquet").removesuffix(".json"))
            return Owner(kind, match["alias"], match["name"]) if is_ours else None
    return None


def is_alias(name: str) -> bool:
    """Whether a folder may be an alias's."""
    try:
        check_alias(name)
    except UsageError:
        return False
    return True


def entries_folder(alias: str) -> str:
    """Folder of the alias's log."""
    return f"{ALIASES}/{alias}"


def entry_key(alias: str, number: int) -> str:
    """Key of one entry of the alias's log."""
    return f"{entries_folder(alias)}/{number:08d}.json"


def entry_number(name: str) -> int:
    """The number of the entry that a file of the log is by its name; 0 for one that is none."""
    match = _ENTRY.fullmatch(name)
    return int(match[1]) if match else 0


def claim_key(alias: str, dataset: str) -> str:
    """Key of the claim on a dataset, wherever that is."""
    return f"claims/{alias}/{dataset_id(dataset)}.json"


def definition_key(alias: str) -> str:
    """Key of the definition that is kept for an alias.

    :raises UsageError: that can be no alias's name.
    """
    return f"{DEFINITIONS}/{check_alias(alias)}.json"


def defined_alias(name: str) -> str | None:
    """The alias that a file among the definitions is of, by its name; None for one that is none."""
    match = _DEFINITION.fullmatch(name)
    return match[1] if match else None


def datasets_folder(alias: str) -> str:
    """Folder of those of the alias's datasets that are in the workspace."""
    return f"datasets/{alias}"


def new_dataset_id(now: datetime) -> str:
    """An id that no other dataset has."""
    import secrets

    return f"{now.astimezone(UTC):{_DATASET_TIME}}-{secrets.token_hex(3)}"


def dataset_id(dataset: str) -> str:
    """The last part of a dataset's key or URL."""
    return dataset.rstrip("/").rpartition("/")[2]


def begun_at(dataset: str) -> datetime | None:
    """When the build of a dataset began, as its id tells; None for a name that build does not give."""
    match = _DATASET_ID.fullmatch(dataset_id(dataset))
    if not match:
        return None
    try:
        return datetime.strptime(match[1], _DATASET_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def files_key(alias: str, dataset: str) -> str:
    """Key of the table of a dataset's files, wherever the dataset is."""
    return f"files/{alias}/{dataset_id(dataset)}.parquet"


def kept_key(alias: str) -> str:
    """Key of what an alias's `keep` names."""
    return f"kept/{check_alias(alias)}.json"


def run_key(alias: str, run_id: str) -> str:
    """Folder of a run; different runs have different ones.

    :raises UsageError: that can be no alias's name.
    """
    name = _UNSAFE.sub("_", run_id).strip(".")[:_MAX_RUN_CHARS]
    if name != run_id or not name:
        name = f"{name}-{hashlib.sha256(run_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"runs/{check_alias(alias)}/{name}"


def run_name(run: str) -> tuple[str, str]:
    """The folder of the alias's runs, and the run's name in it."""
    folder, _, name = run.rpartition("/")
    return folder, name


def part_key(run: str, repository_id: str, number: int) -> str:
    """Key of a part of what load read of a snapshot."""
    return f"{run}/load/{repository_id}/part-{number:05}.parquet"


def chunks_key(run: str, number: int) -> str:
    """Key of a shard of chunks."""
    return f"{run}/split/shard-{number:05d}.parquet"


def vectors_folder(run: str, fingerprint: str) -> str:
    """Folder of all that one embedder made in a run."""
    return f"{run}/embed/{fingerprint[:_EMBEDDER_CHARS]}"


def vectors_stem(run: str, fingerprint: str, number: int) -> str:
    """Key of a shard of vectors without its suffix, which is also the folder of its batches."""
    return f"{vectors_folder(run, fingerprint)}/shard-{number:05d}"


def batch_stem(shard: str, name: str) -> str:
    """Key of a batch of a shard without its suffix.

    :param shard: see `vectors_stem`.
    """
    return f"{shard}/batch-{name}"


def snapshots_folder(repository_id: str) -> str:
    """Folder of a repository's snapshots."""
    return f"snapshots/{repository_id}"


def archive_key(repository_id: str, commit: str) -> str:
    """Key of a snapshot's archive."""
    return f"{snapshots_folder(repository_id)}/{commit}.tar"


def description_key(archive: str) -> str:
    """Key of a snapshot's description, by that of its archive."""
    return f"{archive.removesuffix('.tar')}.json"


def watched_folder(alias: str) -> str:
    """Folder of an alias's watched questions."""
    return f"watched/{check_alias(alias)}"


def watched_key(alias: str, id: str) -> str:  # noqa: A002 - what a person calls it
    """Key of a watched question."""
    return f"{watched_folder(alias)}/{id}.json"


def watched_id(name: str) -> str | None:
    """The id of the watched question that a file is by its name; None for one that is none."""
    match = _WATCHED.fullmatch(name)
    return match[1] if match else None


def watch_report_key(alias: str) -> str:
    """Key of what the last swap did to the watched questions."""
    return f"{watched_folder(alias)}/checked.json"
