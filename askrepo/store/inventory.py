"""A list of a dataset's files with sizes and digests.

Damage in an index changes no row, only the answers; damage in a chunk can crash the process that reads it (measured
2026-11: flipped bytes ended Python with a segmentation fault). So files are compared before Deep Lake sees them:
sizes whenever a dataset is opened, digests when it is verified or copied. What an earlier version wrote to a remote
store has no list, and neither has a dataset on `al://`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askrepo.object_stores import ObjectMissingError
from askrepo.store._deeplake import damaged
from askrepo.store.location import DatasetLocation

# Inside the dataset's folder, where Deep Lake does not look, so that it moves and goes with the dataset.
FILE = "askrepo-files.json"
# A dataset has hundreds of small files, whose requests a remote store answers side by side.
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class ListedFile:
    """What a file was when the dataset was published.

    :ivar digest: SHA-256 in hex.
    """

    size: int
    digest: str


def write(place: Path | DatasetLocation) -> None:
    """List every file of a finished dataset.

    :raises StorageError: they cannot be read, or the list cannot be written.
    """
    location = _location(place)
    if not location.has_files:
        return
    sizes = _sizes(location)
    digests = _digests(location, sizes)
    listed = {name: [sizes[name], digests[name]] for name in sizes}
    location.write_file(FILE, json.dumps(listed, indent=0, sort_keys=True).encode("utf-8"))


def check_sizes(place: Path | DatasetLocation) -> None:
    """Compare names and sizes with the list, if there is one: milliseconds, or two requests.

    :raises DatasetCorruptedError: a file is missing, new or of another size; the message names one.
    """
    location = _location(place)
    files = listed(location)
    if files is not None:
        _compare(location, {name: file.size for name, file in files.items()}, _sizes(location))


def check_digests(place: Path | DatasetLocation) -> None:
    """Read every file and compare it with the list, if there is one.

    :raises DatasetCorruptedError: a file is missing, new or changed; the message names one.
    """
    location = _location(place)
    files = listed(location)
    if files is not None:
        found = _digests(location, _sizes(location))
        _compare(location, {name: file.digest for name, file in files.items()}, found)


def listed(location: DatasetLocation) -> dict[str, ListedFile] | None:
    """The list, by name; None when there is none.

    :raises DatasetCorruptedError: it cannot be understood.
    """
    if not location.has_files:
        return None
    try:
        content = json.loads(b"".join(location.parts(FILE)))
        return {name: ListedFile(size, digest) for name, (size, digest) in content.items()}
    except ObjectMissingError:
        return None
    except (ValueError, TypeError, AttributeError) as error:
        raise damaged(location.url, f"{FILE} cannot be read") from error


def _location(place: Path | DatasetLocation) -> DatasetLocation:
    return place if isinstance(place, DatasetLocation) else DatasetLocation.of(str(place))


def _compare(location: DatasetLocation, listed: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    different = sorted(name for name in listed.keys() | found.keys() if listed.get(name) != found.get(name))
    if different:
        raise damaged(location.url, f"{len(different)} of its files changed since it was published: {different[0]} …")


def _sizes(location: DatasetLocation) -> dict[str, int]:
    return {name: size for name, size in location.sizes().items() if name != FILE}


def _digests(location: DatasetLocation, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of files, by name."""
    wanted = list(names)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(lambda name: _digest(location, name), wanted), strict=True))


def _digest(location: DatasetLocation, name: str) -> str:
    digest = hashlib.sha256()
    for part in location.parts(name):
        digest.update(part)
    return digest.hexdigest()
