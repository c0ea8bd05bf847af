"""Reads one open dataset: the nearest vectors, BM25, files, chunks."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from askrepo.errors import EmbedderMismatchError, UsageError
from askrepo.files.globs import matches
from askrepo.store import tql
from askrepo.store.deeplake import damaged, reading
from askrepo.store.location import DatasetLocation, FileState
from askrepo.store.schema import (
    HEAD_COLUMN,
    NUMBER_COLUMNS,
    ROW_COLUMNS,
    SCHEMA_KEY,
    SCHEMA_VERSION,
    VECTOR_COLUMN,
    Rows,
    batches,
    chunk_of,
)
from askrepo.types import Chunk, DatasetManifest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The index probes fewer clusters for a smaller LIMIT, so we always ask for this many and cut.
_MIN_LIMIT = 100
_MORE = 4
# Of a server that answers for weeks; a term takes some 100 bytes.
_MAX_FREQUENCIES = 20_000
# Of larger datasets no table of all names is made, and fewer names are looked up.
_MAX_TABLED = 200_000
_LOOKED_UP = 12
_WORD = re.compile(r"(?:(?<![\w-])--?)?[^\W\d][\w-]*\w")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which chunks count. Empty fields do not restrict; the values of one field are alternatives.

    :ivar path: globs over the whole path, see `askrepo.files.globs`.
    """

    repository: str | None = None
    language: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()

    def admits(self, chunk: Chunk) -> bool:
        """Whether a chunk passes."""
        return (
            (not self.language or chunk.language in self.language)
            and (not self.kind or chunk.kind in self.kind)
            and self.admits_place(chunk.repository, chunk.path)
        )

    def admits_place(self, repository: str, path: str) -> bool:
        """Whether a file passes, as far as repository and path tell."""
        return (self.repository is None or repository == self.repository) and (
            not self.path or any(matches(path, pattern) for pattern in self.path)
        )

    def conditions(self) -> list[str]:
        """TQL conditions that together let at least every admitted chunk through; empty ones do not restrict."""
        return [
            "" if self.repository is None else tql.equals("repository", self.repository),
            tql.any_of("language", self.language) if self.language else "",
            tql.any_of("kind", self.kind) if self.kind else "",
            tql.like_any("path", self.path) if self.path else "",
        ]


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """A chunk with the score of one search.

    :ivar score: cosine in [-1, 1] or BM25 above 0; higher is better.
    :ivar more: chunks of its file that a ranking of files puts under it, best first.
    """

    chunk: Chunk
    score: float
    more: tuple[Chunk, ...] = ()


class DatasetReader:
    """A published dataset, opened read-only: see `opening.open_dataset`.

    :ivar url: where it is.
    :ivar manifest: the alias entry's when it was given, else the one stamped in the dataset.
    """

    def __init__(
        self, location: DatasetLocation, dataset: Any, manifest: DatasetManifest, files: Mapping[str, FileState]
    ) -> None:
        self.url = location.url
        self.manifest = manifest
        self._location = location
        self._files = files
        self._frequencies: dict[str, int] = {}
        self._symbol_rows: dict[str, list[int]] | None = None
        self._words: frozenset[str] | None = None
        self._paths: frozenset[tuple[str, str]] | None = None
        self._dataset = dataset  # keeps the native object alive: its columns end with it

    def is_unchanged(self) -> bool:
        """Whether a local dataset's files still are as they were when it was opened: Deep Lake reads them later.

        :raises DatasetUnreadableError: they cannot be looked at any more.
        """
        return not self._location.is_local or self._location.states() == self._files

    def check_unchanged(self) -> None:
        """Make sure of it, after something was read that will be kept.

        :raises DatasetCorruptedError: they are not.
        """
        if not self.is_unchanged():
            raise damaged(self.url, "its files changed while it was read")

    def check_schema(self) -> None:
        """Make sure that rows are stored as they are now, so that their digest can be compared.

        :raises DatasetCorruptedError: an earlier version built the dataset.
        """
        metadata = self._dataset.metadata
        version = metadata[SCHEMA_KEY] if SCHEMA_KEY in metadata.keys() else None  # noqa: SIM118
        if version != SCHEMA_VERSION:
            raise damaged(self.url, "an earlier version of askrepo built it, which stored rows in another way")

    def check_searchable(self) -> None:
        """Make sure that the dataset has what searches read; its vectors can be reused in any case.

        :raises DatasetCorruptedError: an earlier version built it.
        """
        if HEAD_COLUMN not in {column.name for column in self._dataset.schema.columns}:
            raise damaged(self.url, "an earlier version of askrepo built it, which stored rows in another way")

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

        :param terms: as `askrepo.text.terms.query_terms` makes them; none finds nothing.
        """
        text = tql.plain_terms(terms)
        if not text:
            return []
        return self._ranked(f"BM25_SIMILARITY(lexemes, {tql.text_literal(text)})", limit, where)

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """How many chunks hold each of the terms, as `lexical` counts them."""
        return {term: self._frequency(term) for term in terms}

    def defining(self, names: Collection[str], *, limit: int, where: Filter = Filter()) -> list[Chunk]:
        """Chunks that define one of the names, in any case of letters; at most `limit` for each name.

        One query for each name: a condition with OR would read the whole column instead of its index.
        """
        found = (
            chunk
            for name in names
            if tql.is_storable(name)
            for chunk in self._admitted(tql.contains("symbols", name), where, limit)
            if name.lower() in {symbol.lower() for symbol in chunk.symbols}
        )
        return list({chunk.id: chunk for chunk in found}.values())

    def definitions_of(self, names: Sequence[str], *, limit: int) -> dict[str, list[Chunk]]:
        """Chunks that define each of the names, in the very case of its letters.

        Names that nothing defines are left out, and those with more than `limit` definitions.
        """
        if self.manifest.chunks > _MAX_TABLED:
            named = ((name, self.defining([name], limit=limit + 1)) for name in names[:_LOOKED_UP])
            exact = ((name, [chunk for chunk in found if name in chunk.symbols]) for name, found in named)
            return {name: found for name, found in exact if 0 < len(found) <= limit}
        table = self._rows_by_symbol()
        rows = {name: table[name] for name in names if len(table.get(name, ())) in range(1, limit + 1)}
        wanted = sorted({row for found in rows.values() for row in found})
        with reading(self.url):
            chunks = dict(zip(wanted, self._chunks_in(self._dataset[wanted]) if wanted else [], strict=True))
        return {name: [chunks[row] for row in found] for name, found in rows.items()}

    def holding(self, terms: Collection[str], *, limit: int, where: Filter = Filter()) -> list[Chunk]:
        """What `lexical` finds first, in less time: a hundred texts, which it always reads, take half of it."""
        text = tql.plain_terms(terms)
        if not text:
            return []
        score = f"BM25_SIMILARITY(lexemes, {tql.text_literal(text)})"
        found = self._scored(f"{tql.where(where.conditions())} ORDER BY {score} DESC LIMIT {limit}", score)
        return [each.chunk for each in found if where.admits(each.chunk)]

    def containing(self, text: str, *, limit: int, where: Filter = Filter()) -> list[Chunk]:
        """Chunks whose text has these very characters, in the order of the dataset: reads the whole column.

        A hundredth of a second for 12,000 chunks.
        """
        if not tql.is_storable(text):
            return []
        return [chunk for chunk in self._admitted(tql.contains("text", text), where, limit) if text in chunk.text]

    def words(self) -> frozenset[str]:
        """Every word of every text, with the hyphens in it and those of a flag before it; remembered.

        Reads a whole column, an eighth of a second of processor time for 12,000 chunks; none of datasets above
        200,000 chunks, which would take seconds.
        """
        if self._words is None:
            found: set[str] = set()
            with reading(self.url):
                for start, stop in batches(self.manifest.chunks if self.manifest.chunks <= _MAX_TABLED else 0):
                    for text in _texts(self._dataset["text"][start:stop]):
                        found.update(words_of(text))
            self._words = frozenset(found)
        return self._words

    def symbols(self) -> frozenset[str]:
        """Every name that a chunk defines: reads a whole column, a tenth of a second for 36,000 chunks."""
        found: set[str] = set()
        with reading(self.url):
            for start, stop in batches(self.manifest.chunks):
                found.update(*(names.split() for names in _texts(self._dataset["symbols"][start:stop])))
        return frozenset(found)

    def files(self) -> frozenset[tuple[str, str]]:
        """Repository and path of every file: reads two whole columns, like `symbols`."""
        found: set[tuple[str, str]] = set()
        with reading(self.url):
            for start, stop in batches(self.manifest.chunks):
                columns = (_texts(self._dataset[name][start:stop]) for name in ("repository", "path"))
                found.update(zip(*columns, strict=True))
        return frozenset(found)

    def paths(self) -> frozenset[tuple[str, str]]:
        """What `files` says, remembered; none of datasets above 200,000 chunks."""
        if self._paths is None:
            self._paths = self.files() if self.manifest.chunks <= _MAX_TABLED else frozenset()
        return self._paths

    def has_text(self, text: str, *, where: Filter = Filter()) -> bool:
        """Whether any text or path has this one somewhere: reads whole columns.

        Rows are compared together, so that what a long line's parts have between them is found as well.

        :param text: case-folded. :param where: only its repository and its paths count.
        """
        before = ""
        with reading(self.url):
            for start, stop in batches(self.manifest.chunks):
                names = ("repository", "path", "text")
                rows = zip(*(_texts(self._dataset[name][start:stop]) for name in names), strict=True)
                shown = [(path, found) for repository, path, found in rows if where.admits_place(repository, path)]
                joined = before + "".join(found for _, found in shown).casefold()
                if text in joined or any(text in path.casefold() for path in {path for path, _ in shown}):
                    return True
                before = joined[-len(text) :]
        return False

    def at_paths(self, paths: Sequence[str], *, limit: int, where: Filter = Filter()) -> list[Chunk]:
        """Chunks of the files at these very paths, at most `limit`, in the order of the dataset."""
        return self._admitted(tql.any_of("path", paths), where, limit) if paths else []

    def of_files(self, names: Collection[str], *, limit: int, where: Filter = Filter()) -> list[Chunk]:
        """Chunks of files whose path is, or ends with, one of the names; at most `limit` for each name."""
        found = (
            chunk
            for name in names
            if tql.is_storable(name)
            for chunk in self._admitted(tql.like_any("path", [name, f"*/{name}"]), where, limit)
            if chunk.path == name or chunk.path.endswith(f"/{name}")
        )
        return list({chunk.id: chunk for chunk in found}.values())

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
        """All chunks of a file in line order, parts of one long line as stored; none when the dataset lacks it."""
        if not (tql.is_storable(repository) and tql.is_storable(path)):
            return []
        found = self._chunks(tql.where([tql.equals("repository", repository), tql.equals("path", path)]))
        return sorted(found, key=lambda chunk: (chunk.start_line, chunk.end_line))

    def chunks(self, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        """Chunks by id; unknown ids are left out."""
        wanted = [chunk_id for chunk_id in chunk_ids if tql.is_storable(chunk_id)]
        if not wanted:
            return {}
        return {chunk.id: chunk for chunk in self._chunks(tql.where([tql.any_of("id", wanted)]))}

    def chunk(self, chunk_id: str) -> Chunk:
        """The chunk with this id.

        :raises UsageError: the dataset has none.
        """
        found = self.chunks([chunk_id])
        if not found:
            raise UsageError(f"dataset {self.url} has no chunk {chunk_id!r}")
        return found[chunk_id]

    def rows(self, start: int, stop: int) -> Rows:
        """Whole rows, by their place in the dataset."""
        with reading(self.url):
            columns = {name: _values(name, self._dataset[name][start:stop]) for name in ROW_COLUMNS}
            return Rows(columns, _matrix(self._dataset[VECTOR_COLUMN][start:stop], len(columns["id"])))

    def _frequency(self, term: str) -> int:
        """Remembered, since a dataset never changes and questions share most of their words."""
        if term not in self._frequencies:
            if len(self._frequencies) >= _MAX_FREQUENCIES:
                self._frequencies.clear()
            condition = tql.where([tql.contains("lexemes", term)])
            with reading(self.url):
                self._frequencies[term] = len(self._dataset.query(f"SELECT id{condition}"))
        return self._frequencies[term]

    def _admitted(self, condition: str, where: Filter, limit: int) -> list[Chunk]:
        found = self._chunks(f"{tql.where([condition, *where.conditions()])} LIMIT {limit}")
        return [chunk for chunk in found if where.admits(chunk)]

    def _ranked(self, score: str, limit: int, where: Filter) -> list[ScoredChunk]:
        """Best first. Asks for more as long as the exact test of path globs leaves too few."""
        if limit < 1:
            raise UsageError(f"limit must be at least 1, found {limit}")
        asked = max(limit, _MIN_LIMIT)
        while True:
            order = f"{tql.where(where.conditions())} ORDER BY {score} DESC LIMIT {asked}"
            found = self._scored(order, score)
            admitted = [item for item in found if where.admits(item.chunk)]
            if len(admitted) >= limit or len(found) < asked:
                admitted.sort(key=lambda item: (-item.score, item.chunk.id))
                return admitted[:limit]
            asked *= _MORE

    def _rows_by_symbol(self) -> dict[str, list[int]]:
        """Remembered, since a dataset never changes: 10 ms for 32,642 chunks, when a name takes 0.3 ms to look up."""
        if self._symbol_rows is None:
            table: dict[str, list[int]] = {}
            with reading(self.url):
                columns = _texts(self._dataset["symbols"][:])
            for row, names in enumerate(columns):
                for name in names.split():
                    table.setdefault(name, []).append(row)
            self._symbol_rows = table
        return self._symbol_rows

    def _chunks(self, rest: str) -> list[Chunk]:
        """The chunks of a query that is given from its condition on."""
        with reading(self.url):
            return self._chunks_in(self._dataset.query(f"SELECT {HEAD_COLUMN}, text{rest}"))

    def _scored(self, rest: str, score: str) -> list[ScoredChunk]:
        """Likewise with a score, whose column BM25 needs to have exactly that name."""
        with reading(self.url):
            view = self._dataset.query(f"SELECT {HEAD_COLUMN}, text, {score} AS score{rest}")
            chunks = self._chunks_in(view)
            scores = _numbers(view["score"][:]) if chunks else []
        return [ScoredChunk(*pair) for pair in zip(chunks, scores, strict=True)]

    def _chunks_in(self, view: Any) -> list[Chunk]:
        if not len(view):
            return []
        rows = zip(_texts(view[HEAD_COLUMN][:]), _texts(view["text"][:]), strict=True)
        try:
            return [chunk_of(head, text) for head, text in rows]
        except (ValueError, TypeError) as error:
            raise damaged(self.url, "a row cannot be read") from error

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


def words_of(text: str) -> list[str]:
    """The words of a text in its order, with the hyphens in them and those of a flag before it."""
    return _WORD.findall(text)


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
