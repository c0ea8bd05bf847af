"""Assembly: the rows of a new dataset in the order of the trees, from the run's shards and from the current dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from askrepo.errors import VerificationError
from askrepo.pipeline.known_files import FileFacts
from askrepo.store.schema import Rows
from askrepo.types import EmbedderStamp, LoadManifest, Snapshot, VectorShard
from askrepo.workspace.tables import FILE_FACTS, read_table

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from askrepo.pipeline.split import RowSource
    from askrepo.workspace.objects import Workspace

BATCH_ROWS = 4096
"""Rows appended at once: with text and 384 dimensions about 16 MB."""

_UNIT_TOLERANCE = 1e-3
# The first 64 bits of an id tell rows apart: among a million, two are equal by chance once in 30 million runs.
_ID_PREFIX = 16

FileRows = tuple[str, str, Rows]
"""The rows of one file: repository, path, rows."""


class Assembly:
    """The rows of one dataset; to be gone through once.

    :ivar files: what the dataset's table of files will say; complete once every batch was taken.
    :ivar carried: rows taken from the current dataset so far.
    """

    def __init__(
        self,
        loads: Sequence[LoadManifest],
        shards: Sequence[VectorShard],
        *,
        workspace: Workspace,
        embedder: EmbedderStamp,
        current_rows: RowSource | None,
    ) -> None:
        self._loads = loads
        self._workspace = workspace
        self._current_rows = current_rows
        self._by_file = _RowsByFile(_rows_of(shard, embedder, workspace) for shard in shards)
        self.files: list[FileFacts] = []
        self.carried = 0

    def batches(self) -> Iterator[Rows]:
        """Every row, BATCH_ROWS or a little more at a time.

        :raises VerificationError: what the stages wrote does not fit together.
        """
        seen = _SeenIds()
        waiting: list[Rows] = []
        for piece in self._pieces():
            waiting.append(piece)
            if sum(map(len, waiting)) >= BATCH_ROWS:
                yield seen.checked(Rows.joined(waiting))
                waiting = []
        if waiting:
            yield seen.checked(Rows.joined(waiting))
        self._by_file.check_exhausted()
        seen.check_distinct()

    def _pieces(self) -> Iterator[Rows]:
        """Rows in the order of the trees; files that follow each other in the current dataset are read together."""
        place = 0
        carried: list[FileFacts] = []
        for file, known_as in self._files():
            first_row, rows = -1, 0
            if file.reason == "" and known_as == file.path:
                first_row, rows = place, file.rows
                if carried and carried[-1].first_row + carried[-1].rows != file.first_row:
                    yield from self._carried(carried)
                    carried = []
                carried.append(file)
            elif file.reason == "":
                yield from self._carried(carried)
                carried = []
                piece = self._by_file.take(file)
                if piece is not None:
                    first_row, rows = place, len(piece)
                    yield piece
            place += rows
            self.files.append(replace(file, first_row=first_row, rows=rows))
        yield from self._carried(carried)

    def _files(self) -> Iterator[tuple[FileFacts, str]]:
        """Every path of the trees, and as what the current dataset knows it."""
        for load in self._loads:
            for part in load.parts:
                table = read_table(self._workspace, part, columns=[*FILE_FACTS, "known_as"])
                columns = [table[name].to_pylist() for name in FILE_FACTS]
                yield from zip(map(FileFacts, *columns), table["known_as"].to_pylist(), strict=True)

    def _carried(self, files: Sequence[FileFacts]) -> Iterator[Rows]:
        """The current dataset's rows of files that follow each other there."""
        if not files:
            return
        if self._current_rows is None:
            raise VerificationError(
                f"{files[0].path} is to be copied from the current dataset, but this run has none; start a new run"
            )
        expected = [file.path for file in files for _ in range(file.rows)]
        start = files[0].first_row
        for offset in range(0, len(expected), BATCH_ROWS):
            paths = expected[offset : offset + BATCH_ROWS]
            rows = self._current_rows.rows(start + offset, start + offset + len(paths))
            if list(rows.columns["path"]) != paths:
                raise VerificationError("the current dataset does not match its table of files: run again with force")
            self.carried += len(rows)
            yield rows


class _RowsByFile:
    """The rows of the run's shards, file by file."""

    def __init__(self, shards: Iterator[Rows]) -> None:
        self._by_file = _by_file(shards)
        self._next: FileRows | None = next(self._by_file, None)

    def take(self, file: FileFacts) -> Rows | None:
        """The rows of a file when they come next; None when the file has none."""
        if self._next is None or self._next[:2] != (file.repository, file.path):
            return None
        rows = self._next[2]
        self._next = next(self._by_file, None)
        return rows

    def check_exhausted(self) -> None:
        """Every row must belong to a file that load saw."""
        if self._next is not None:
            repository, path, rows = self._next
            raise VerificationError(
                f"{len(rows)} chunks of {path!r} of {repository!r} belong to no file that load wrote, or come out of "
                "order: run the split stage of this run again"
            )


class _SeenIds:
    """Finds an id that two rows have, at eight bytes a row."""

    def __init__(self) -> None:
        self._prefixes: list[NDArray[np.uint64]] = []

    def checked(self, rows: Rows) -> Rows:
        """The rows, remembered."""
        import numpy as np

        self._prefixes.append(np.array([int(one[:_ID_PREFIX], 16) for one in rows.columns["id"]], dtype=np.uint64))
        return rows

    def check_distinct(self) -> None:
        """Every chunk has an id of its own."""
        import numpy as np

        ids = np.concatenate(self._prefixes) if self._prefixes else np.empty(0, np.uint64)
        repeated = len(ids) - len(np.unique(ids))
        if repeated:
            raise VerificationError(f"{repeated} chunks have an id that another chunk has")


def check_repositories(files: Sequence[FileFacts], snapshots: Sequence[Snapshot]) -> None:
    """Every file is of one of the snapshots.

    :raises VerificationError: one is not.
    """
    foreign = {file.repository for file in files} - {snapshot.name for snapshot in snapshots}
    if foreign:
        raise VerificationError(f"there are files of {min(foreign)!r}, but this run has no snapshot of it")


def _by_file(shards: Iterator[Rows]) -> Iterator[FileRows]:
    for rows in shards:
        start = 0
        pairs = zip(rows.columns["repository"], rows.columns["path"], strict=True)
        for (repository, path), group in groupby(pairs):
            stop = start + sum(1 for _ in group)
            yield repository, path, rows[start:stop]
            start = stop


def _rows_of(shard: VectorShard, embedder: EmbedderStamp, workspace: Workspace) -> Rows:
    """A shard's chunks, each with its vector."""
    from askrepo.pipeline.embed import embedded_text, vector_id

    table = read_table(workspace, shard.chunks.key, digest=shard.chunks.digest)
    if table.num_rows != shard.chunks.chunks:
        raise VerificationError(f"{shard.chunks.key} is not what split wrote: run the split stage of this run again")
    columns = {name: table[name].to_pylist() for name in table.column_names}
    texts = map(embedded_text, columns["path"], columns["text"])
    columns["vector_id"] = [vector_id(embedder.fingerprint, text) for text in texts]
    return Rows.packed(columns, _joined_vectors(shard, columns["vector_id"], embedder.dimension, workspace))


def _joined_vectors(
    shard: VectorShard, vector_ids: Sequence[str], dimension: int, workspace: Workspace
) -> NDArray[np.float32]:
    """The chunks' vectors, (chunks, dimension), each finite and of length 1."""
    import numpy as np

    if not vector_ids:
        return np.empty((0, dimension), dtype=np.float32)
    table = read_table(workspace, shard.key)
    places = {name: place for place, name in enumerate(table["vector_id"].to_pylist())}
    missing = sum(name not in places for name in vector_ids)
    if missing:
        raise VerificationError(
            f"{missing} of {len(vector_ids)} chunks of {shard.chunks.key} have no vector in {shard.key}: "
            "run the embed stage of this run again"
        )
    vectors = _matrix(table, shard, dimension)[[places[name] for name in vector_ids]]
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = int((~(np.abs(lengths - 1) <= _UNIT_TOLERANCE)).sum())  # NaN and infinity are wrong too
    if wrong:
        raise VerificationError(f"{wrong} vectors of {shard.key} are not finite or not of length 1")
    return vectors


def _matrix(table: pa.Table, shard: VectorShard, dimension: int) -> NDArray[np.float32]:
    import numpy as np

    values = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    if values.size != table.num_rows * dimension:
        raise VerificationError(f"{shard.key} does not have {dimension} numbers for each of its vectors")
    return np.ascontiguousarray(values, dtype=np.float32).reshape(table.num_rows, dimension)
