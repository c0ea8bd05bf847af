"""Reads one dataset: the nearest vectors, BM25, files, chunks, and whether it is still what was published."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from askrepo.errors import EmbedderMismatchError, UsageError
from askrepo.globs import matches
from askrepo.store import inventory, tql, verification
from askrepo.store._deeplake import damaged, load_deeplake, reading
from askrepo.store.location import DatasetLocation
from askrepo.store.schema import (
    CHUNK_COLUMNS,
    MANIFEST_KEY,
    NUMBER_COLUMNS,
    ROW_COLUMNS,
    VECTOR_COLUMN,
    Rows,
    batches,
    chunk_of,
)
from askrepo.types import Chunk, DatasetManifest, dataset_manifest_from

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The vector index looks through all of its clusters at this factor, so that the result is exact; the documented
# 0.5 to 8 change nothing (measured 2026-11: 100 of 100 true neighbours on random data, 70 to 77 by default).
_EXACT_SEARCH = 100
# The index probes fewer clusters for a smaller LIMIT, so we always ask for this many and cut.
_MIN_LIMIT = 100
_MORE = 4


@dataclass(frozen=True, slots=True)
class Filter:
    """Which chunks count. Empty fields do not restrict; the values of one field are alternatives.

    :ivar path: globs over the whole path, see `askrepo.globs`.
    """

    repository: str | None = None
    language: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()

    def admits(self, chunk: Chunk) -> bool:
        """Whether a chunk passes."""
        return (
            (self.repository is None or chunk.repository == self.repository)
            and (not self.language or chunk.language in self.language)
            and (not self.kind or chunk.kind in self.kind)
            and (not self.path or any(matches(chunk.path, pattern) for pattern in self.path))
        )

    def condition(self) -> str:
        """A TQL clause that lets at least every admitted chunk through."""
        return tql.where(
            [
                "" if self.repository is None else tql.equals("repository", self.repository),
                tql.any_of("language", self.language) if self.language else "",
                tql.any_of("kind", self.kind) if self.kind else "",
                tql.like_any("path", self.path) if self.path else "",
            ]
        )


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """A chunk with the score of one search.

    :ivar score: cosine in [-1, 1] or BM25 above 0; higher is better.
    """

    chunk: Chunk
    score: float


class DatasetReader:
    """A published dataset, opened read-only.

    :ivar url: where it is.
    :ivar manifest: the alias entry's when it was given, else the one stamped in the dataset.
    """

    def __init__(self, location: DatasetLocation, dataset: Any, manifest: DatasetManifest) -> None:
        self.url = location.url
        self.manifest = manifest
        self._location = location
        self._dataset = dataset  # keeps the native object alive: its columns end with it

    @classmethod
    def open(cls, url: str, *, manifest: DatasetManifest | None = None) -> Self:
        """The dataset at a URL.

        :param manifest: what the alias says the dataset is.
        :raises DatasetCorruptedError: it is missing, cannot be read, or is not what the manifest says.
        :raises StorageError: its store cannot be reached.
        """
        location = DatasetLocation.of(url)
        location.check_present()
        if location.is_local:
            inventory.check_sizes(location.folder)
        return cls._opened(location, manifest)

    @classmethod
    def open_verified(cls, url: str, *, manifest: DatasetManifest) -> Self:
        """The dataset at a URL, once every file and row was found to be what the manifest says.

        :raises DatasetCorruptedError: it is not.
        :raises StorageError: its store cannot be reached.
        """
        location = DatasetLocation.of(url)
        location.check_present()
        if location.is_local:
            inventory.check_digests(location.folder)  # before Deep Lake sees a damaged file: it may crash
        reader = cls._opened(location, manifest)
        verification.check_dimension(reader)
        verification.check_rows(reader)
        verification.check_search(reader)
        return reader

    @classmethod
    def _opened(cls, location: DatasetLocation, manifest: DatasetManifest | None) -> Self:
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
        return cls(location, dataset, manifest or stamped)

    def nearest(
        self,
        vector: NDArray[np.float32],
        *,
        limit: int,
        where: Filter = Filter(),
    ) -> list[ScoredChunk]:
        """The chunks whose vectors are closest by cosine: exact, best first, equal ones by chunk id.

        :param vector: (dimension,) with the dataset's dimension, finite, not zero.
        :raises EmbedderMismatchError: the vector has another dimension.
        :raises UsageError: the vector has no direction.
        """
        self._check_vector(vector)
        return self._ranked(f"COSINE_SIMILARITY({VECTOR_COLUMN}, {tql.vector_literal(vector)})", limit, where)

    def lexical(
        self,
        terms: Sequence[str],
        *,
        limit: int,
        where: Filter = Filter(),
    ) -> list[ScoredChunk]:
        """The chunks that have any of the terms, by BM25: best first, equal ones by chunk id.

        :param terms: as `askrepo.lexemes.query_terms` makes them; none finds nothing.
        """
        text = tql.plain_terms(terms)
        if not text:
            return []
        return self._ranked(f"BM25_SIMILARITY(lexemes, {tql.text_literal(text)})", limit, where)

    def vectors(self, vector_ids: Collection[str]) -> dict[str, NDArray[np.float32]]:
        """Stored vectors by vector id; unknown ids are left out."""
        wanted = set(vector_ids)
        rows: dict[str, int] = {}
        with reading(self.url):
            for start, stop in batches(self.manifest.chunks):
                names = _texts(self._dataset["vector_id"][start:stop])
                rows.update((name, start + at) for at, name in enumerate(names) if name in wanted)
            return dict(zip(rows, self._vectors_at(list(rows.values())), strict=True))

    def vectors_of(self, chunk_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Stored vectors by chunk id; unknown ids are left out."""
        if not chunk_ids:
            return {}
        query = f"SELECT id, {VECTOR_COLUMN}{tql.where([tql.any_of('id', list(chunk_ids))])}"
        with reading(self.url):
            view = self._dataset.query(query)
            if not len(view):
                return {}
            return dict(zip(_texts(view["id"][:]), _matrix(view[VECTOR_COLUMN][:], len(view)), strict=True))

    def file_chunks(self, repository: str, path: str) -> list[Chunk]:
        """All chunks of a file in line order; none when the dataset does not have it."""
        if not (tql.is_storable(repository) and tql.is_storable(path)):
            return []
        rows = self._select(tql.where([tql.equals("repository", repository), tql.equals("path", path)]))
        return sorted((chunk_of(row) for row in rows), key=lambda chunk: (chunk.start_line, chunk.end_line, chunk.id))

    def chunks(self, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        """Chunks by id; unknown ids are left out."""
        wanted = [chunk_id for chunk_id in chunk_ids if tql.is_storable(chunk_id)]
        if not wanted:
            return {}
        return {row["id"]: chunk_of(row) for row in self._select(tql.where([tql.any_of("id", wanted)]))}

    def chunk(self, chunk_id: str) -> Chunk:
        """The chunk with this id.

        :raises UsageError: the dataset has none.
        """
        found = self.chunks([chunk_id])
        if not found:
            raise UsageError(f"dataset {self.url} has no chunk {chunk_id!r}")
        return found[chunk_id]

    def verify(self, *, deep: bool) -> None:
        """Make sure that the dataset still is what was published.

        :param deep: read every file and row, compare the digests and search for a few rows, since Deep Lake reads
            damaged files as if nothing were wrong; else little more than what opening costs.
        :raises DatasetCorruptedError: it is not.
        """
        if deep:
            self.open_verified(self.url, manifest=self.manifest)
        else:
            verification.check_dimension(self)

    def rows(self, start: int, stop: int) -> Rows:
        """Whole rows, by their place in the dataset."""
        with reading(self.url):
            columns = {name: _values(name, self._dataset[name][start:stop]) for name in ROW_COLUMNS}
            return Rows(columns, _matrix(self._dataset[VECTOR_COLUMN][start:stop], len(columns["id"])))

    def _ranked(self, score: str, limit: int, where: Filter) -> list[ScoredChunk]:
        """Best first. Asks for more as long as the exact test of path globs leaves too few."""
        if limit < 1:
            raise UsageError(f"limit must be at least 1, found {limit}")
        asked = max(limit, _MIN_LIMIT)
        while True:
            order = f"{where.condition()} ORDER BY {score} DESC LIMIT {asked}"
            rows = self._select(order, score=score)
            scored = (ScoredChunk(chunk_of(row), row["score"]) for row in rows)
            admitted = [item for item in scored if where.admits(item.chunk)]
            if len(admitted) >= limit or len(rows) < asked:
                admitted.sort(key=lambda item: (-item.score, item.chunk.id))
                return admitted[:limit]
            asked *= _MORE

    def _select(self, rest: str, *, score: str | None = None) -> list[dict[str, Any]]:
        """Rows of a query: the chunk columns and, when given, the score (BM25 needs exactly that name)."""
        wanted = [*CHUNK_COLUMNS, f"{score} AS score"] if score else list(CHUNK_COLUMNS)
        with reading(self.url):
            view = self._dataset.query(f"SELECT {', '.join(wanted)}{rest}")
            if not len(view):
                return []
            columns = {name: _values(name, view[name][:]) for name in (*CHUNK_COLUMNS, *(["score"] if score else []))}
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def _check_vector(self, vector: NDArray[np.float32]) -> None:
        """Deep Lake answers a vector of another dimension with no rows and takes NaN as a number."""
        import numpy as np

        dimension = self.manifest.embedder.dimension
        if vector.shape != (dimension,):
            found = vector.shape[0] if vector.ndim == 1 else vector.shape
            raise EmbedderMismatchError(
                f"the question's vector has dimension {found}, those of dataset {self.url} have {dimension}: "
                f"use embedder {self.manifest.embedder.spec!r}"
            )
        if not np.isfinite(vector).all() or not vector.any():
            raise UsageError("the question's vector is zero or not finite: its embedder is broken")

    def _vectors_at(self, rows: list[int]) -> NDArray[np.float32]:
        import numpy as np

        if not rows:
            return np.empty((0, self.manifest.embedder.dimension), dtype=np.float32)
        return _matrix(self._dataset[rows][VECTOR_COLUMN][:], len(rows))


def _stamped_manifest(url: str, stamp: Any) -> DatasetManifest:
    if stamp is None:
        raise damaged(url, "it has no manifest: its build did not finish")
    try:
        return dataset_manifest_from(json.loads(str(stamp)))
    except (ValueError, KeyError, TypeError, UsageError) as error:
        raise damaged(url, "its manifest cannot be read") from error


def _check_same(url: str, stamped: DatasetManifest, expected: DatasetManifest | None) -> None:
    """The report may differ: the run completes it after the stamp."""
    if expected is not None and replace(stamped, report={}) != replace(expected, report={}):
        raise damaged(
            url, f"it is dataset {stamped.digest[:12]}… of run {stamped.run}, the alias means {expected.digest[:12]}…"
        )


def _values(column: str, values: Any) -> list[Any]:
    return _numbers(values) if column in NUMBER_COLUMNS else _texts(values)


def _texts(values: Any) -> list[str]:
    """A text column's slice; one row may come as a bare string, and an empty text comes as None."""
    return [value or "" for value in ([values] if isinstance(values, str) else values)]


def _numbers(values: Any) -> list[Any]:
    import numpy as np

    numbers: list[Any] = np.ravel(values).tolist()
    return numbers


def _matrix(values: Any, rows: int) -> NDArray[np.float32]:
    import numpy as np

    return np.asarray(values, dtype=np.float32).reshape(rows, -1)
