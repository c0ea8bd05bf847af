"""Opens a dataset for reading, once its files were found to be those that were published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from askrepo.errors import UsageError
from askrepo.store import inventory
from askrepo.store.deeplake import damaged, load_deeplake, reading
from askrepo.store.location import DatasetLocation, FileState
from askrepo.store.proof import check_files
from askrepo.store.reader import DatasetReader
from askrepo.store.schema import MANIFEST_KEY
from askrepo.types import DatasetManifest, dataset_manifest_from

# The vector index looks through all of its clusters at this factor, so that the result is exact; the documented
# 0.5 to 8 change nothing (measured 2026-11: 100 of 100 true neighbours on random data, 70 to 77 by default).
_EXACT_SEARCH = 100


def open_dataset(
    place: str | DatasetLocation, *, manifest: DatasetManifest | None = None, cache: Path | None = None
) -> DatasetReader:
    """The dataset at a place, once its files were found to be those that were published: see `proof.check_files`.

    :param manifest: what the alias says the dataset is.
    :param cache: directory that remembers what was found; None to read a local dataset's files in any case.
    :raises DatasetCorruptedError: it is missing, damaged, or is not what the manifest says.
    :raises DatasetUnreadableError: this process cannot read it.
    :raises StorageError: its store cannot be reached.
    """
    location = location_of(place)
    location.check_present()
    files = check_files(location, digest=manifest.inventory if manifest else "", cache=cache)
    if manifest and location.is_local and inventory.FILE not in files:
        raise damaged(location.url, f"{inventory.FILE}, the list of its files, is missing")
    return _opened(location, manifest, files)


def open_listed(place: str | DatasetLocation, *, manifest: DatasetManifest) -> DatasetReader:
    """The dataset at a place whose files were listed just now, by this process."""
    location = location_of(place)
    inventory.check_listing(location, digest=manifest.inventory)
    return _opened(location, manifest, location.states() if location.has_files else {})


def location_of(place: str | DatasetLocation) -> DatasetLocation:
    """Where a dataset is, given as a URL or as that itself."""
    return place if isinstance(place, DatasetLocation) else DatasetLocation.of(place)


def _opened(
    location: DatasetLocation, manifest: DatasetManifest | None, files: Mapping[str, FileState]
) -> DatasetReader:
    url = location.url
    with reading(url):
        dataset = load_deeplake().open_read_only(**location.arguments)
        dataset.query_config.cluster_search_accuracy_factor = _EXACT_SEARCH
        rows = len(dataset)
        stamp = dataset.metadata[MANIFEST_KEY] if MANIFEST_KEY in dataset.metadata.keys() else None  # noqa: SIM118
    stamped = _stamped_manifest(url, stamp)
    _check_same(url, stamped, manifest)
    if rows != stamped.chunks:
        raise damaged(url, f"it has {rows} rows, its manifest says {stamped.chunks}")
    return DatasetReader(location, dataset, manifest or stamped, files)


def _stamped_manifest(url: str, stamp: Any) -> DatasetManifest:
    if stamp is None:
        raise damaged(url, "it has no manifest: its build did not finish")
    try:
        return dataset_manifest_from(json.loads(str(stamp)))
    except (ValueError, KeyError, TypeError, UsageError) as error:
        raise damaged(url, "its manifest cannot be read") from error


def _check_same(url: str, stamped: DatasetManifest, expected: DatasetManifest | None) -> None:
    """The report and the digests of files may differ: the run completes them after the stamp."""
    if expected is not None and _as_stamped(stamped) != _as_stamped(expected):
        raise damaged(
            url, f"it is dataset {stamped.digest[:12]}… of run {stamped.run}, the alias means {expected.digest[:12]}…"
        )


def _as_stamped(manifest: DatasetManifest) -> DatasetManifest:
    return replace(manifest, report={}, inventory="", files_digest="")
