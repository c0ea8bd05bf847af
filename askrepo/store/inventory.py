"""A list of a dataset's files with sizes and digests.

Damage in an index changes no row, only the answers; damage in a chunk can crash the process that reads it (measured
2026-11: flipped bytes ended Python with a segmentation fault). So files are compared before Deep Lake sees them. The
alias's entry holds the list's own digest, so that the list can neither be lost nor exchanged. Entries of earlier
versions do not: there a local dataset's list is believed as it stands, and what is on a remote store may have none. A
dataset on `al://` never has one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from askrepo.store.deeplake import damaged, reading
from askrepo.store.location import DatasetLocation, FileState
from askrepo.workspace.stores import ObjectMissingError

# Inside the dataset's folder, where Deep Lake does not look, so that it moves and goes with the dataset.
FILE = "askrepo-files.json"
# With some 150 bytes a file, this is the list of 400,000 files.
MAX_LIST_BYTES = 64 * 1024 * 1024
# A dataset has hundreds of small files, whose requests a remote store answers side by side.
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class ListedFile:
    """What a file was when the dataset was published.

    :ivar digest: SHA-256 in hex.
    :ivar tag: the store's entity tag; "" of what was written to a local disk, or by an earlier version.
    """

    size: int
    digest: str
    tag: str = ""


def write(place: Path | DatasetLocation) -> str:
    """List every file of a finished dataset.

    :returns: SHA-256 of the list, in hex; "" where files cannot be looked at.
    :raises StorageError: they cannot be read, or the list cannot be written.
    """
    location = _location(place)
    if not location.has_files:
        return ""
    states = _states(location)
    digests = _digests(location, states)
    tags = {name: [] if location.is_local else [state.stamp] for name, state in states.items()}
    listed = {name: [state.size, digests[name], *tags[name]] for name, state in states.items()}
    content = json.dumps(listed, indent=0, sort_keys=True).encode("utf-8")
    location.write_file(FILE, content)
    return hashlib.sha256(content).hexdigest()


def check_listing(place: Path | DatasetLocation, *, digest: str = "") -> None:
    """Compare names, sizes and a store's tags with the list, if there is one: milliseconds, or two requests.

    A file of another tag is read: copying a dataset between stores may change all of them.

    :param digest: see `listed`.
    :raises DatasetCorruptedError: a file is missing, new or changed; the message names one.
    """
    location = _location(place)
    files = listed(location, digest=digest)
    if files is None:
        return
    states = _states(location)
    _check_sizes(location, files, states)
    if not location.is_local:
        _check_content(
            location, {name: file for name, file in files.items() if file.tag not in ("", states[name].stamp)}
        )


def check_digests(place: Path | DatasetLocation, *, digest: str = "") -> None:
    """Read every file and compare it with the list, if there is one.

    :param digest: see `listed`.
    :raises DatasetCorruptedError: a file is missing, new or changed; the message names one.
    :raises DatasetUnreadableError: this process cannot read one.
    """
    location = _location(place)
    files = listed(location, digest=digest)
    if files is not None:
        _check_sizes(location, files, _states(location))
        _check_content(location, files)


def listed(location: DatasetLocation, *, digest: str = "") -> dict[str, ListedFile] | None:
    """The list, by name; None when there is none.

    :param digest: what the alias's entry says of the list; "" when it says nothing.
    :raises DatasetCorruptedError: it cannot be understood, or is not the one that the entry means.
    """
    if not location.has_files:
        return None
    try:
        content = _bounded(location)
    except ObjectMissingError:
        if digest:
            raise damaged(location.url, f"{FILE}, the list of its files, is missing") from None
        return None
    if digest and hashlib.sha256(content).hexdigest() != digest:
        raise damaged(location.url, f"{FILE}, the list of its files, changed since it was published")
    try:
        return {name: ListedFile(*values) for name, values in json.loads(content).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise damaged(location.url, f"{FILE} cannot be read") from error


def _bounded(location: DatasetLocation) -> bytes:
    """The list as it is stored; a file with a hole in its place would take all memory."""
    content = bytearray()
    for part in location.parts(FILE):
        content += part
        if len(content) > MAX_LIST_BYTES:
            raise damaged(location.url, f"{FILE}, the list of its files, is larger than any")
    return bytes(content)


def _location(place: Path | DatasetLocation) -> DatasetLocation:
    return place if isinstance(place, DatasetLocation) else DatasetLocation.of(str(place))


def _states(location: DatasetLocation) -> dict[str, FileState]:
    return {name: state for name, state in location.states().items() if name != FILE}


def _check_sizes(location: DatasetLocation, files: Mapping[str, ListedFile], states: Mapping[str, FileState]) -> None:
    sizes = {name: state.size for name, state in states.items()}
    expected = {name: file.size for name, file in files.items()}
    added = sorted(states.keys() - files.keys())
    if added and all(sizes.get(name) == size for name, size in expected.items()):
        more = "" if len(added) == 1 else f" and {len(added) - 1} more"
        found = f"{added[0]!r}{more} is none of the files that were published: remove it"
        raise damaged(location.url, found)
    _check_none(location, (name for name in files.keys() | states.keys() if expected.get(name) != sizes.get(name)))


def _check_content(location: DatasetLocation, files: Mapping[str, ListedFile]) -> None:
    try:
        digests = _digests(location, files)
    except ObjectMissingError as error:
        raise damaged(location.url, f"it is incomplete, or is being removed ({error})") from error
    _check_none(location, (name for name, file in files.items() if file.digest != digests[name]))


def _check_none(location: DatasetLocation, different: Iterable[str]) -> None:
    names = sorted(different)
    if names:
        more = "" if len(names) == 1 else " …"
        raise damaged(location.url, f"{len(names)} of its files changed since it was published: {names[0]}{more}")


def _digests(location: DatasetLocation, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of files, by name."""
    wanted = list(names)
    at_once = min(AT_ONCE, os.cpu_count() or 1) if location.is_local else AT_ONCE
    with reading(location.url), ThreadPoolExecutor(at_once) as pool:
        return dict(zip(wanted, pool.map(lambda name: _digest(location, name), wanted), strict=True))


def _digest(location: DatasetLocation, name: str) -> str:
    digest = hashlib.sha256()
    for part in location.parts(name):
        digest.update(part)
    return digest.hexdigest()
