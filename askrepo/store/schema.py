"""The columns of a dataset, and the digest over its rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from askrepo.manifests import SCOPE_SEPARATOR
from askrepo.types import Chunk, canonical_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA_VERSION = "2"
"""Raised when the columns or their meaning change, so that unchanged repositories are indexed again."""

MANIFEST_KEY = "manifest"
"""Where the dataset's metadata holds the manifest, as canonical JSON."""

CHUNK_COLUMNS = (
    "id",
    "repository",
    "path",
    "language",
    "kind",
    "symbols",
    "scope",
    "start_line",
    "end_line",
    "tokens",
    "text",
)
"""What a reader gets of a row."""

HEAD_COLUMN = "head"
"""All of a chunk but its text, packed into one value: each further column of 300 rows anywhere in a dataset of 100,000
costs a search 1 to 5 ms, and eleven of them cost more than the scan of its vectors (measured 2026-11)."""

_HEAD = tuple(name for name in CHUNK_COLUMNS if name != "text")

WORD_COLUMNS = ("symbols", "lexemes")
"""Columns of words between spaces, found by an index over them."""

NUMBER_COLUMNS = frozenset({"start_line", "end_line", "tokens", "score"})
ROW_COLUMNS = (*CHUNK_COLUMNS, "lexemes", "vector_id")
"""Every column but the vector and what is packed from others, in the order in which the digest reads them."""

VECTOR_COLUMN = "vector"

_BATCH_ROWS = 2000
"""Rows in memory at a time when everything is read: with text and 384 dimensions about 6 MB."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows of a dataset.

    :ivar columns: each of ROW_COLUMNS, equally long.
    :ivar vectors: (rows, dimension) float32.
    """

    columns: Mapping[str, Sequence[Any]]
    vectors: NDArray[np.float32]


def batches(rows: int) -> Iterator[tuple[int, int]]:
    """First row and row after the last, of as many rows as memory should hold at a time."""
    return ((start, min(start + _BATCH_ROWS, rows)) for start in range(0, rows, _BATCH_ROWS))


def deeplake_schema(dimension: int) -> dict[str, Any]:
    """The schema that a new dataset is created with."""
    from askrepo.store._deeplake import load_deeplake

    types = load_deeplake().types
    exact = {name: types.Text(types.Exact) for name in ("id", "repository", "language", "kind")}
    lines = {name: types.Int32() for name in ("start_line", "end_line", "tokens")}
    words = {name: types.Text(types.BM25) for name in WORD_COLUMNS}
    known = {**exact, **lines, **words, VECTOR_COLUMN: types.Embedding(dimension)}
    return {name: known.get(name) or types.Text() for name in (*ROW_COLUMNS, HEAD_COLUMN, VECTOR_COLUMN)}


def heads(columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """The packed value of each row, from its columns."""
    return [canonical_json(values) for values in zip(*(columns[name] for name in _HEAD), strict=True)]


def chunk_of(head: str, text: str) -> Chunk:
    """The chunk that a row stores.

    :raises ValueError: the head is not one.
    """
    values = dict(zip(_HEAD, json.loads(head), strict=True))
    scope = values["scope"]
    values["symbols"] = tuple(values["symbols"].split())
    values["scope"] = tuple(scope.split(SCOPE_SEPARATOR)) if scope else ()
    return Chunk(**values, text=text)


class RowDigest:
    """SHA-256 over rows in order, vectors included; how the rows were cut into batches does not matter."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.rows = 0

    def update(self, rows: Rows) -> None:
        """Add rows."""
        little_endian = rows.vectors.astype("<f4", copy=False)
        values = zip(*(rows.columns[name] for name in ROW_COLUMNS), strict=True)
        for row, vector in zip(values, little_endian, strict=True):
            self._hash.update(canonical_json(row).encode("utf-8"))
            self._hash.update(vector.tobytes())
            self.rows += 1

    def hexdigest(self) -> str:
        """The digest of all rows so far, in hex."""
        return self._hash.hexdigest()
