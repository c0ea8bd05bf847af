"""Embed: vectors for a shard of chunks, never computed twice."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from askrepo.embedders.spot_check import check_batch
from askrepo.errors import VerificationError
from askrepo.housekeeping.retention import latest_runs
from askrepo.text.tokens import total_tokens
from askrepo.types import ChunkShard, VectorShard
from askrepo.workspace.keys import IDS_SUFFIX, batch_stem, run_name, vectors_folder, vectors_stem
from askrepo.workspace.objects import ObjectMissingError
from askrepo.workspace.tables import read_table, vectors_schema, write_table

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from askrepo.embedders.embedder import Embedder
    from askrepo.workspace.objects import Workspace

    Vectors = dict[str, NDArray[np.float32]]

BATCH_TEXTS = 256
"""Texts embedded between two writes: what a killed task loses, about two seconds of the local embedder."""
UNIT_TOLERANCE = 1e-3
"""How far from 1 a vector's length may be; float32 rounding stays below 1e-6."""
LIST_READERS = 16
"""Small objects read at once: hides the latency of a remote store."""


class VectorSource(Protocol):
    """Where vectors that were made earlier are found: the current dataset."""

    def vectors(self, vector_ids: Collection[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors it has of those asked for."""
        ...


def embedded_text(path: str, text: str) -> str:
    """What the embedder is given of a chunk: the file's name says what it belongs to, which the text often does not.

    Not the whole path: moving a folder would make every vector below it again, and search reads the stored path anyway.
    Measured 2026-11 over 81 questions to four repositories, NDCG@10 of the default search with the name instead of the
    path differs by -.007 ± .010, without either by -.016 ± .009 (docs/lab-notebook.md).
    """
    return f"{path.rpartition('/')[2]}\n{text}"


def vector_id(fingerprint: str, embedded: str) -> str:
    """The name, 32 hex digits, of what one embedder makes of one text."""
    identity = f"{fingerprint}\n{embedded}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(identity).hexdigest()[:32]


def embed_chunks(
    shard: ChunkShard,
    *,
    workspace: Workspace,
    run: str,
    embedder: Embedder,
    current_vectors: VectorSource | None,
    on_progress: Callable[[int, int], None] | None = None,
) -> VectorShard:
    """The shard's vectors, written whole; each is looked up first and computed only when nobody made it before.

    A few texts of each batch are embedded once more, alone, before the batch is kept: see `spot_check`.

    Looked up in: the shard's own file (a finished task tried again), the current dataset, batches of a killed try of
    this task, other shards of this run, the latest earlier runs of the alias, which may have been killed before their
    swap. What is computed is written batch by batch, so that a next try goes on there.

    :param run: workspace key of the run's folder.
    :param current_vectors: the current dataset of the alias, when it was made by the same embedder.
    :param on_progress: called with (vectors at hand, vectors needed) after the look-up and after each batch.
    :returns: computed + reused is the number of distinct texts; computed counts this call only, and none of the
        texts that were embedded again as a check: those are `checked`.
    :raises VerificationError: the embedder made vectors of a wrong shape or with numbers that are none, or gave a
        text another vector alone; nothing is left of the shard then.
    """
    started = time.monotonic()
    files = _ShardFiles(workspace, run, embedder.fingerprint, shard.number)
    texts = _texts_by_id(workspace, shard, embedder.fingerprint)
    found = _look_up(texts, files, current_vectors)
    missing = {name: text for name, text in texts.items() if name not in found}
    _report(on_progress, len(found), len(texts))
    checked = 0
    for batch in _batches(missing):
        vectors = _embed_batch(embedder, batch)
        with files.nothing_left_on_failure():
            checked += check_batch(batch, vectors, embedder, shard=shard.number)
        found |= files.write_batch(vectors)
        _report(on_progress, len(found), len(texts))
    dimension = _dimension(found, embedder)
    files.finish({name: found[name] for name in texts}, dimension)
    return VectorShard(
        number=shard.number,
        chunks=shard,
        key=files.key,
        dimension=dimension,
        computed=len(missing),
        reused=len(texts) - len(missing),
        checked=checked,
        embedded_tokens=total_tokens(missing.values()),
        seconds=time.monotonic() - started,
    )


class _ShardFiles:
    """What embed keeps of one shard: the finished file, the batches on the way to it, and a list of ids beside each.

    Each is an object of the workspace, written whole. A list is written last: whoever sees it finds its file.
    """

    def __init__(self, workspace: Workspace, run: str, fingerprint: str, number: int) -> None:
        self._workspace = workspace
        self._run = run
        self._fingerprint = fingerprint
        self._stem = vectors_stem(run, fingerprint, number)
        self.key = f"{self._stem}.parquet"
        self._ids_key = f"{self._stem}{IDS_SUFFIX}"

    def finished(self) -> Vectors:
        """The vectors of the finished file; none when there is no such file."""
        return self._read(self.key)

    def batches(self) -> Vectors:
        """The vectors that a killed try left."""
        found: Vectors = {}
        for key in self._workspace.list_keys(self._stem):
            if key.endswith(".parquet"):
                found |= self._read(key)
        return found

    def elsewhere(self, wanted: Collection[str]) -> Vectors:
        """Vectors that other shards of this run finished: the same file in two repositories, for instance.

        Shards are embedded side by side, so this saves what it can and guarantees nothing.
        """
        return self._listed(vectors_folder(self._run, self._fingerprint), wanted)

    def earlier(self, wanted: Collection[str]) -> Vectors:
        """Vectors that the alias's latest other runs made, finished shards or not."""
        folder, own = run_name(self._run)
        others = [name for name in self._workspace.list_folders(folder) if name != own]
        found: Vectors = {}
        for name in latest_runs(others):
            found |= self._listed(vectors_folder(f"{folder}/{name}", self._fingerprint), wanted)
        return found

    def _listed(self, folder: str, wanted: Collection[str]) -> Vectors:
        """The wanted vectors of all files below a folder that have a list of ids."""
        lists = [key for key in self._workspace.list_keys(folder) if key.endswith(IDS_SUFFIX) and key != self._ids_key]
        wanted = set(wanted)
        with ThreadPoolExecutor(LIST_READERS) as pool:
            held = pool.map(lambda key: self._ids_among(wanted, key), lists)
            found: Vectors = {}
            for key, names in zip(lists, held, strict=True):
                if names:
                    vectors = self._read(key.removesuffix(IDS_SUFFIX) + ".parquet")
                    found |= {name: vectors[name] for name in names if name in vectors}
        return found

    def _ids_among(self, wanted: set[str], key: str) -> set[str]:
        """Which of the wanted ids a list has: not the list itself, since all lists are as long as the repository.

        None when it went away meanwhile, as those of a finished shard's batches do.
        """
        try:
            return wanted.intersection(self._workspace.read(key).decode().split())
        except ObjectMissingError:
            return set()

    def write_batch(self, vectors: Vectors) -> Vectors:
        """Keep a batch for the next try, in case this one is killed; returns it."""
        name = hashlib.sha256(" ".join(vectors).encode()).hexdigest()[:16]
        dimension = len(next(iter(vectors.values())))
        key = batch_stem(self._stem, name)
        write_table(self._workspace, f"{key}.parquet", _table(vectors, dimension))
        self._workspace.write(f"{key}{IDS_SUFFIX}", " ".join(vectors).encode())
        return vectors

    @contextmanager
    def nothing_left_on_failure(self) -> Iterator[None]:
        """Drop the batches of this and of killed tries when a check fails: they came from the same embedder."""
        try:
            yield
        except VerificationError:
            self._workspace.delete_folder(self._stem)
            raise

    def finish(self, vectors: Vectors, dimension: int) -> None:
        """Write the finished file and its list, drop the batches."""
        write_table(self._workspace, self.key, _table(vectors, dimension))
        self._workspace.write(self._ids_key, " ".join(vectors).encode())
        self._workspace.delete_folder(self._stem)

    def _read(self, key: str) -> Vectors:
        """The sound vectors of a Parquet object; one that is missing or damaged has none, and is made again."""
        try:
            table = read_table(self._workspace, key)
        except (ObjectMissingError, VerificationError):
            return {}
        return _sound(_vectors(table))


def _texts_by_id(workspace: Workspace, shard: ChunkShard, fingerprint: str) -> dict[str, str]:
    """The distinct texts to embed, by vector id, in the order of their first chunk."""
    rows = read_table(workspace, shard.key).select(["path", "text"])
    texts = map(embedded_text, rows["path"].to_pylist(), rows["text"].to_pylist())
    return {vector_id(fingerprint, text): text for text in texts}


def _look_up(texts: Mapping[str, str], files: _ShardFiles, current_vectors: VectorSource | None) -> Vectors:
    """Vectors that need not be computed, asking one place after the other for what is still missing."""
    places: tuple[Callable[[Collection[str]], Vectors], ...] = (
        lambda _: files.finished(),
        lambda wanted: {} if current_vectors is None else _sound(current_vectors.vectors(wanted)),
        lambda _: files.batches(),
        files.elsewhere,
        files.earlier,
    )
    found: Vectors = {}
    for place in places:
        wanted = [name for name in texts if name not in found]
        if wanted:
            at_hand = place(wanted)
            found |= {name: at_hand[name] for name in wanted if name in at_hand}
    return found


def _batches(texts: Mapping[str, str]) -> Iterator[dict[str, str]]:
    names = list(texts)
    for start in range(0, len(names), BATCH_TEXTS):
        yield {name: texts[name] for name in names[start : start + BATCH_TEXTS]}


def _embed_batch(embedder: Embedder, batch: Mapping[str, str]) -> Vectors:
    """The batch's vectors, checked."""
    vectors = embedder.embed_texts(list(batch.values()))
    if vectors.ndim != 2 or len(vectors) != len(batch):
        raise VerificationError(
            f"embedder {embedder.spec} was given {len(batch)} texts and made vectors of shape {vectors.shape}"
        )
    named = dict(zip(batch, vectors, strict=True))
    if len(_sound(named)) < len(batch):
        raise VerificationError(f"embedder {embedder.spec} made a vector that is not finite or not of length 1")
    return named


def _sound(vectors: Mapping[str, NDArray[np.float32]]) -> Vectors:
    """Those vectors whose numbers are finite and whose length is 1."""
    import numpy as np

    return {
        name: vector
        for name, vector in vectors.items()
        if abs(float(np.linalg.norm(vector)) - 1) <= UNIT_TOLERANCE  # false for NaN and infinity
    }


def _dimension(vectors: Mapping[str, NDArray[np.float32]], embedder: Embedder) -> int:
    """The vectors' common dimension; the embedder's own (0 when it cannot say) when there are none."""
    if not vectors:
        return int(embedder.embed_texts([]).shape[1])
    dimensions = sorted({len(vector) for vector in vectors.values()})
    if len(dimensions) > 1:
        raise VerificationError(
            f"vectors of embedder {embedder.spec} have several dimensions: {dimensions}; if the model behind its "
            "name changed, force a run with another embedder name or delete the alias's datasets"
        )
    return dimensions[0]


def _table(vectors: Mapping[str, NDArray[np.float32]], dimension: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    schema = vectors_schema(dimension)
    if not vectors:
        return schema.empty_table()
    numbers = pa.array(np.stack(list(vectors.values())).astype(np.float32, copy=False).ravel())
    columns = [pa.array(list(vectors), pa.string()), pa.FixedSizeListArray.from_arrays(numbers, type=schema[1].type)]
    return pa.table(columns, schema=schema)


def _vectors(table: pa.Table) -> Vectors:
    names = table["vector_id"].to_pylist()
    numbers = table["vector"].combine_chunks().flatten().to_numpy()
    return dict(zip(names, numbers.reshape(len(names), -1), strict=True)) if names else {}


def _report(on_progress: Callable[[int, int], None] | None, done: int, total: int) -> None:
    if on_progress is not None:
        on_progress(done, total)
