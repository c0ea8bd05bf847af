"""Writes one dataset, once: rows, manifest, commit, indexes. A published dataset is never touched again."""

from __future__ import annotations

import contextlib
import logging
from types import TracebackType
from typing import Any, Self

from askrepo.errors import VerificationError
from askrepo.store.deeplake import load_deeplake, writing
from askrepo.store.location import DatasetLocation
from askrepo.store.schema import (
    MANIFEST_KEY,
    ROW_COLUMNS,
    SCHEMA_KEY,
    SCHEMA_VERSION,
    VECTOR_COLUMN,
    RowDigest,
    Rows,
    deeplake_schema,
)
from askrepo.types import DatasetManifest, canonical_json, to_json

# A dataset takes twice the size of its vectors and four times that of its BM25 text once indexed, and an index
# build writes before it frees (measured 2026-11 on 20,000 and 100,000 rows).
SPACE_FACTOR = 3

_KMEANS_ROUNDS = 0

logger = logging.getLogger(__name__)


class DatasetWriter:
    """A dataset being written; a context manager.

    Leaving the block without `commit` takes back every pending row: Deep Lake would commit them when the object
    is destroyed. After `commit` and `build_indexes` nothing may be added, since rows appended to an indexed
    dataset are not found again.

    :ivar digest: over the rows appended so far.
    """

    def __init__(self, location: DatasetLocation, dataset: Any, *, dimension: int) -> None:
        self.location = location
        self.dimension = dimension
        self._dataset = dataset
        self._digest = RowDigest()
        self._committed = False

    @classmethod
    def create(cls, location: DatasetLocation, *, dimension: int, expected_bytes: int) -> Self:
        """An empty dataset at a place where there is none.

        :param expected_bytes: size of the rows; a local store must have SPACE_FACTOR times as much free.
        :raises StorageError: there is too little space, or the store failed.
        """
        location.check_space(SPACE_FACTOR * expected_bytes)
        deeplake = load_deeplake()
        with writing(location.url):
            if location.is_local:
                location.folder.parent.mkdir(parents=True, exist_ok=True)
            dataset = deeplake.create(**location.arguments, schema=deeplake_schema(dimension))
            dataset.indexing_mode = deeplake.IndexingMode.Off
        return cls(location, dataset, dimension=dimension)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._committed:
            self._take_back()
        self._dataset = None

    @property
    def digest(self) -> str:
        """SHA-256 over every row appended so far."""
        return self._digest.hexdigest()

    @property
    def rows(self) -> int:
        """Rows appended so far."""
        return self._digest.rows

    def append(self, rows: Rows) -> None:
        """Add rows; none is no error.

        Each call commits what it added: rows that Deep Lake only holds pending cost memory until they are (36,625
        rows of 384 dimensions: 316 MB instead of 457 MB at the end of appending, measured 2026-11). No reader can
        open the dataset before `commit` stamps its manifest.

        :raises VerificationError: a value is missing, or the vectors have another shape.
        """
        count = len(rows)
        if rows.vectors.shape != (count, self.dimension):
            raise VerificationError(f"{count} rows of dimension {self.dimension} came with {rows.vectors.shape}")
        columns: dict[str, Any] = {name: list(rows.columns[name]) for name in ROW_COLUMNS}
        for name, values in columns.items():
            # Deep Lake would store a None among texts as it stands.
            if len(values) != count or None in values:
                raise VerificationError(f"column {name!r} does not have a value for each of {count} rows")
        if count:
            with writing(self.location.url):
                self._dataset.append({**columns, VECTOR_COLUMN: rows.vectors})
                self._dataset.commit(f"{self.rows + count} rows")
            self._digest.update(rows)

    def commit(self, manifest: DatasetManifest) -> None:
        """Stamp the manifest, which makes the rows readable.

        :raises VerificationError: nothing was appended, or the manifest speaks of other rows.
        """
        if not self.rows:
            raise VerificationError(f"dataset {self.location.url} would be empty: it is not published")
        if (manifest.chunks, manifest.digest) != (self.rows, self.digest):
            raise VerificationError(f"the manifest of {self.location.url} does not describe its {self.rows} rows")
        with writing(self.location.url):
            self._dataset.metadata[MANIFEST_KEY] = canonical_json(to_json(manifest))
            self._dataset.metadata[SCHEMA_KEY] = SCHEMA_VERSION
            self._dataset.commit(f"run {manifest.run}")
        self._committed = True

    def build_indexes(self) -> None:
        """Build every index, once; the default mode builds none at any size (measured 2026-11).

        The vectors' clusters need no rounds of k-means, since a search looks through all of them: 30,000 vectors of 384
        dimensions take 0.3 s of CPU instead of 5, a million takes no longer per vector than 100,000, and searches are
        as exact and as quick (measured 2026-11).
        """
        with writing(self.location.url):
            self._dataset.indexing_config.build_multiplier = _KMEANS_ROUNDS
            self._dataset.indexing_mode = load_deeplake().IndexingMode.Always
            self._dataset.build_indexes()

    def _take_back(self) -> None:
        """Drop pending rows; the caller's own error matters more than one of the rollback."""
        with contextlib.suppress(Exception):
            self._dataset.rollback()
            return
        logger.warning("could not roll dataset %s back; its folder must not be published", self.location.url)
