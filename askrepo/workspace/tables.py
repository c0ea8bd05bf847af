"""Shapes of the Parquet files that carry work from one stage to the next."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from askrepo.errors import VerificationError

if TYPE_CHECKING:
    import pyarrow as pa

    from askrepo.workspace.objects import Workspace

FILE_FACTS = {
    "repository": "string",
    "path": "string",
    "blob": "string",  # git object id, hex
    "size": "int64",  # bytes of the blob
    "language": "string",  # "" when unknown
    "kind": "string",  # types.FileKind
    "reason": "string",  # types.SkipReason; "" when loaded
    "encoding": "string",  # "" when skipped
    "attributes": "string",  # what .gitattributes declares of the path, as canonical JSON
    "generated": "bool",  # whether its header says so
    "documents": "bool",  # whether it is documentation in comments
    "text_bytes": "int64",  # bytes of the decoded text, 0 when skipped
    "first_row": "int64",  # of its chunks in a dataset: in this table's, in FILES in the current one; -1 for none
    "rows": "int32",  # chunks from there on
}
"""What a dataset's table of files says of each path."""
FILES = {
    **FILE_FACTS,
    "known_as": "string",  # the current dataset's path of the same content; "" when the text is here
    "text": "string",  # "" when skipped or known; lines end with \n
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


def file_facts_schema() -> pa.Schema:
    """One row per path of the trees that a dataset was built from."""
    return _schema(FILE_FACTS)


def chunks_schema() -> pa.Schema:
    """One row per chunk, in tree order."""
    return _schema(CHUNKS)


def vectors_schema(dimension: int) -> pa.Schema:
    """One row per distinct vector_id; `vector` is a fixed-size list of float32.

    :param dimension: 0 when there is no vector that would tell it. Parquet's writer divides by a list's size, and the
        process ends by a signal when that is 0 (pyarrow 26), so that lists have any size then.
    """
    import pyarrow as pa

    return pa.schema([("vector_id", pa.string()), ("vector", pa.list_(pa.float32(), dimension or -1))])


def write_table(workspace: Workspace, key: str, table: pa.Table) -> str:
    """Write a Parquet object whole: readers see all of it or none.

    :returns: SHA-256 of the object, in hex.
    """
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    content = buffer.getvalue()
    workspace.write(key, content)
    return hashlib.sha256(content).hexdigest()


def read_table(
    workspace: Workspace, key: str, *, columns: Sequence[str] | None = None, digest: str | None = None
) -> pa.Table:
    """The Parquet object as a table.

    :param columns: those to read; None for all.
    :param digest: what `write_table` returned; None to believe the object.
    :raises VerificationError: the object has another digest, or does not read back.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = workspace.read(key)
    if digest is not None and hashlib.sha256(content).hexdigest() != digest:
        raise VerificationError(f"{key} is not what was written: run that stage of this run again")
    try:
        # not `pq.read_table`, which loads pyarrow.dataset: 40 ms
        with pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True) as file:
            return file.read(columns=columns)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise VerificationError(f"{key} is damaged: run that stage of this run again") from error


def _schema(columns: dict[str, str]) -> pa.Schema:
    import pyarrow as pa

    types = {"string": pa.large_string(), "int32": pa.int32(), "int64": pa.int64(), "bool": pa.bool_()}
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])
