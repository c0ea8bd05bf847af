"""Finds out whether a dataset is what its manifest says: Deep Lake reads damaged files as if nothing were wrong."""

from __future__ import annotations

import re

from askrepo.store import inventory
from askrepo.store.ahead import ahead
from askrepo.store.deeplake import damaged
from askrepo.store.location import DatasetLocation
from askrepo.store.opening import location_of, open_dataset
from askrepo.store.reader import DatasetReader
from askrepo.store.schema import RowDigest, batches
from askrepo.types import DatasetManifest

_FOUND_AMONG = 100
_SELF_SCORE = 1 - 1e-3
# The longest are rare. Thirty terms of a chunk read so much of the index that they cost 400 MB among a million chunks,
# and are common enough for more than a hundred other rows (measured 2026-11).
_LONGEST_TERMS = 3
# What Deep Lake's tokeniser surely keeps as one token.
_PLAIN_TERM = re.compile(r"[a-z0-9]+")


def open_unchanged(place: str | DatasetLocation, *, manifest: DatasetManifest) -> DatasetReader:
    """The dataset at a place, once its files were found to be those that build verified.

    Build lists the files, then compares every row and searches; the same files are the same rows and indexes.
    A remote store keeps content whole, so names and sizes are compared there, and a search is tried. A dataset
    without a list is verified as `open_verified` does.

    :raises DatasetCorruptedError: it is not what the manifest says.
    :raises StorageError: its store cannot be reached.
    """
    location = location_of(place)
    location.check_present()
    if not location.is_local and inventory.listed(location, digest=manifest.inventory) is None:
        return open_verified(location, manifest=manifest)
    reader = open_dataset(location, manifest=manifest)
    check_dimension(reader)
    if not location.is_local:
        check_search(reader)
    return reader


def open_verified(place: str | DatasetLocation, *, manifest: DatasetManifest) -> DatasetReader:
    """The dataset at a place, once every file and row was found to be what the manifest says.

    :raises DatasetCorruptedError: it is not.
    :raises StorageError: its store cannot be reached.
    """
    location = location_of(place)
    location.check_present()
    if not location.is_local:
        inventory.check_digests(location, digest=manifest.inventory)
    reader = open_dataset(location, manifest=manifest)
    check_content(reader)
    return reader


def check_content(reader: DatasetReader) -> None:
    """Read everything that Deep Lake makes of the files, and search.

    :raises DatasetCorruptedError: something is not what the manifest says.
    """
    check_dimension(reader)
    check_rows(reader)
    check_search(reader)


def check_dimension(reader: DatasetReader) -> None:
    """Read one row.

    :raises DatasetCorruptedError: its vector does not have the manifest's dimension.
    """
    found = reader.rows(0, 1).vectors.shape[1]
    expected = reader.manifest.embedder.dimension
    if found != expected:
        raise damaged(reader.url, f"its vectors have dimension {found}, its manifest says {expected}")


def check_rows(reader: DatasetReader) -> None:
    """Read every row, a batch at a time, and compare the digest.

    :raises DatasetCorruptedError: the rows are not those of the manifest.
    """
    reader.check_schema()
    digest = RowDigest()
    for rows in ahead(reader.rows(start, stop) for start, stop in batches(reader.manifest.chunks)):
        digest.update(rows)
    if digest.hexdigest() != reader.manifest.digest:
        expected = reader.manifest.digest
        raise damaged(reader.url, f"the digest of its rows is {digest.hexdigest()[:12]}…, not {expected[:12]}…")


def check_search(reader: DatasetReader) -> None:
    """Search for the first, the middle and the last row: a broken index loses rows without an error.

    :raises DatasetCorruptedError: a row is not found by its own vector or by its own terms.
    """
    last = reader.manifest.chunks - 1
    for place in sorted({0, last // 2, last}):
        rows = reader.rows(place, place + 1)
        chunk_id = rows.columns["id"][0]
        nearest = reader.nearest(rows.vectors[0], limit=_FOUND_AMONG)
        equals = len(nearest) == _FOUND_AMONG and nearest[-1].score >= _SELF_SCORE
        if not equals and chunk_id not in {scored.chunk.id for scored in nearest}:
            raise damaged(reader.url, f"row {place} is not found by its own vector")
        terms = {term for term in rows.columns["lexemes"][0].split() if _PLAIN_TERM.fullmatch(term)}
        if terms:
            longest = sorted(terms, key=lambda term: (-len(term), term))[:_LONGEST_TERMS]
            lexical = reader.lexical(longest, limit=_FOUND_AMONG)
            # Among very many equal rows it need not be within the first hundred.
            if len(lexical) < _FOUND_AMONG and chunk_id not in {scored.chunk.id for scored in lexical}:
                raise damaged(reader.url, f"row {place} is not found by its own terms")
