"""Shapes of the Parquet files that carry work from one stage to the next."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from askrepo.types import canonical_json

if TYPE_CHECKING:
    import pyarrow as pa

    from askrepo.workspace import Workspace

FILES = {
    "repository": "string",
    "path": "string",
    "blob": "string",  # git object id, hex
    "size": "int64",  # bytes of the blob
    "language": "string",  # "" when unknown
    "kind": "string",  # types.Kind
    "reason": "string",  # types.SkipReason; "" when loaded
    "encoding": "string",  # "" when skipped
    "text": "string",  # "" when skipped; lines end with \n
}
CHUNKS = {
    "id": "string",
    "repository": "string",
    "path": "string",
    "language": "string",
    "kind": "string",
    "symbols": "string",  # space-separated names
    "scope": "string",  # " > "-separated names, outermost first
    "start_line": "int32",
    "end_line": "int32",
    "tokens": "int32",
    "text": "string",
    "lexemes": "string",  # space-separated BM25 terms
}
SCOPE_SEPARATOR = " > "


def files_schema() -> pa.Schema:
    """One row per path of a commit's tree."""
    return _schema(FILES)


def chunks_schema() -> pa.Schema:
    """One row per chunk, in tree order."""
    return _schema(CHUNKS)


def vectors_schema(dimension: int) -> pa.Schema:
    """One row per distinct vector_id; `vector` is a fixed-size list of float32."""
    import pyarrow as pa

    return pa.schema([("vector_id", pa.string()), ("vector", pa.list_(pa.float32(), dimension))])


def chunk_row_bytes(row: Mapping[str, Any]) -> bytes:
    """What the digest of a chunk shard covers of one row; split computes that digest and build checks it."""
    return canonical_json(row).encode("utf-8") + b"\n"


def write_table(workspace: Workspace, key: str, table: pa.Table) -> None:
    """Write a Parquet object whole: readers see all of it or none."""
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    workspace.write(key, buffer.getvalue())


def read_table(workspace: Workspace, key: str) -> pa.Table:
    """The Parquet object as a table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.read_table(pa.BufferReader(workspace.read(key)))


def _schema(columns: dict[str, str]) -> pa.Schema:
    import pyarrow as pa

    types = {"string": pa.large_string(), "int32": pa.int32(), "int64": pa.int64()}
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])
