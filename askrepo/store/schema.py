"""The columns of a dataset, and the digest over its rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from askrepo.types import Chunk, canonical_json, digest_of
from askrepo.workspace.tables import SCOPE_SEPARATOR

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA_VERSION = "3"
"""Raised when the columns or their meaning change, so that unchanged repositories are indexed again."""

MANIFEST_KEY = "manifest"
"""Where the dataset's metadata holds the manifest, as canonical JSON."""

SCHEMA_KEY = "schema"
"""Where it holds SCHEMA_VERSION."""

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
ROW_COLUMNS = (*CHUNK_COLUMNS, "lexemes", "vector_id", HEAD_COLUMN)
"""Every column but the vector."""

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

    @classmethod
    def packed(cls, columns: Mapping[str, Sequence[Any]], vectors: NDArray[np.float32]) -> Self:
        """Rows whose heads are yet to be packed."""
        heads = [canonical_json(values) for values in zip(*(columns[name] for name in _HEAD), strict=True)]
        return cls({**columns, HEAD_COLUMN: heads}, vectors)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The rows of all parts, at least one, in order."""
        import numpy as np

        if len(parts) == 1:
            return parts[0]
        columns = {name: [value for part in parts for value in part.columns[name]] for name in ROW_COLUMNS}
        return cls(columns, np.concatenate([part.vectors for part in parts]))

    def __len__(self) -> int:
        return len(self.columns["id"])

    def __getitem__(self, places: slice) -> Self:
        return type(self)({name: values[places] for name, values in self.columns.items()}, self.vectors[places])


def batches(rows: int) -> Iterator[tuple[int, int]]:
    """First row and row after the last, of as many rows as memory should hold at a time."""
    return ((start, min(start + _BATCH_ROWS, rows)) for start in range(0, rows, _BATCH_ROWS))


def deeplake_schema(dimension: int) -> dict[str, Any]:
    """The schema that a new dataset is created with."""
    from askrepo.store.deeplake import load_deeplake

    types = load_deeplake().types
    exact = {name: types.Text(types.Exact) for name in ("id", "repository", "language", "kind")}
    lines = {name: types.Int32() for name in ("start_line", "end_line", "tokens")}
    words = {name: types.Text(types.BM25) for name in WORD_COLUMNS}
    known = {**exact, **lines, **words, VECTOR_COLUMN: types.Embedding(dimension)}
    return {name: known.get(name) or types.Text() for name in (*ROW_COLUMNS, VECTOR_COLUMN)}


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
    """SHA-256 over rows in order, vectors included; how the rows were cut into batches does not matter.

    Column by column, since a digest row by row takes longer than writing the rows does: of a text column the lengths
    in characters and the UTF-8 of all values, of a number column int64, of the vectors float32, all little-endian.
    """

    def __init__(self) -> None:
        names = (*ROW_COLUMNS, *(f"{name} lengths" for name in ROW_COLUMNS), VECTOR_COLUMN)
        self._hashes = {name: hashlib.sha256() for name in names}
        self.rows = 0

    def update(self, rows: Rows) -> None:
        """Add rows."""
        import numpy as np

        for name in ROW_COLUMNS:
            values = rows.columns[name]
            if name in NUMBER_COLUMNS:
                self._hashes[name].update(np.asarray(values, dtype="<i8").tobytes())
            else:
                self._hashes[name].update("".join(values).encode("utf-8"))
                self._hashes[f"{name} lengths"].update(np.fromiter(map(len, values), "<i8", len(values)).tobytes())
        self._hashes[VECTOR_COLUMN].update(np.ascontiguousarray(rows.vectors, dtype="<f4").data)
        self.rows += len(rows)

    def hexdigest(self) -> str:
        """The digest of all rows so far, in hex."""
        return digest_of({name: one.hexdigest() for name, one in self._hashes.items()})
