"""Build: the dataset of a run, written in one pass and verified by reading it back."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from askrepo.errors import AskrepoError, DatasetCorruptedError, NothingToIndexError, VerificationError
from askrepo.manifests import chunk_row_bytes, read_table
from askrepo.plan import definition_digest
from askrepo.store import inventory
from askrepo.store.location import DatasetLocation
from askrepo.store.reader import DatasetReader
from askrepo.store.schema import Rows
from askrepo.store.writer import DatasetWriter
from askrepo.types import (
    DatasetManifest,
    Definition,
    EmbedderStamp,
    LoadManifest,
    Snapshot,
    VectorShard,
)

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from askrepo.workspace import Workspace

_UNIT_TOLERANCE = 1e-3
# The text is stored twice (as it is and as BM25 terms); ids, paths and names come to about 300 bytes a row.
_TEXT_COPIES = 2
_ROW_BYTES = 300

logger = logging.getLogger(__name__)


def build_dataset(
    definition: Definition,
    snapshots: Sequence[Snapshot],
    loads: Sequence[LoadManifest],
    vectors: Sequence[VectorShard],
    *,
    workspace: Workspace,
    run: str,
    fingerprint: str,
    datasets: str | None = None,
    now: datetime | None = None,
) -> DatasetManifest:
    """A new dataset with every chunk of the run, which no alias points to yet.

    The rows are in shard order, then chunk order, so equal input gives an equal digest whatever was retried. Each
    call writes a folder of its own, and removes it when anything fails.

    :param vectors: one per chunk shard, in any order.
    :param fingerprint: of the embedder that made the vectors.
    :param datasets: URL to write below instead of the workspace's `datasets/`.
    :raises VerificationError: what the stages wrote does not fit together, or does not read back.
    :raises NothingToIndexError: there is no chunk.
    :raises StorageError: the store failed or has too little space.
    """
    shards = sorted(vectors, key=lambda shard: shard.number)
    _check_sources(definition, snapshots, loads)
    dimension = _check_shards(shards)
    now = now or datetime.now(UTC)
    manifest = DatasetManifest(
        dataset=_new_dataset(definition.alias, now, datasets),
        alias=definition.alias,
        run=run,
        created_at=now.isoformat(timespec="seconds"),
        definition=definition,
        definition_digest=definition_digest(definition),
        snapshots=tuple(snapshots),
        embedder=EmbedderStamp(spec=definition.embedder, fingerprint=fingerprint, dimension=dimension),
        files=sum(load.files for load in loads),
        loaded=sum(load.loaded for load in loads),
        skipped=_skipped(loads),
        chunks=sum(shard.chunks.chunks for shard in shards),
        tokens=sum(shard.chunks.tokens for shard in shards),
        digest="",
        report=_report(loads, shards),
    )
    return _publish(manifest, loads, shards, workspace)


def _publish(
    manifest: DatasetManifest, loads: Sequence[LoadManifest], shards: Sequence[VectorShard], workspace: Workspace
) -> DatasetManifest:
    """The manifest of the dataset that was written and verified; nothing is left of one that failed."""
    location = DatasetLocation.of(workspace.url_of(manifest.dataset))
    seconds = dict(manifest.report["seconds"])
    try:
        manifest = _write(manifest, loads, shards, workspace, location, seconds)
        with _timed(seconds, "verify"):
            _verify(manifest, location)
    except BaseException:
        _discard(location)
        raise
    return replace(manifest, report={**manifest.report, "seconds": seconds})


def _write(
    manifest: DatasetManifest,
    loads: Sequence[LoadManifest],
    shards: Sequence[VectorShard],
    workspace: Workspace,
    location: DatasetLocation,
    seconds: dict[str, float],
) -> DatasetManifest:
    dimension = manifest.embedder.dimension
    expected = _expected_bytes(loads, manifest.chunks, dimension)
    with DatasetWriter.create(location, dimension=dimension, expected_bytes=expected) as writer:
        with _timed(seconds, "append"):
            for rows in _all_rows(manifest, shards, workspace):
                writer.append(rows)
            manifest = replace(manifest, digest=writer.digest)
            writer.commit(manifest)
        with _timed(seconds, "index"):
            writer.build_indexes()
    return manifest


def _all_rows(manifest: DatasetManifest, shards: Sequence[VectorShard], workspace: Workspace) -> Iterator[Rows]:
    """The rows of each shard, checked against what its stages said, and among each other."""
    repositories = {snapshot.name for snapshot in manifest.snapshots}
    seen: set[str] = set()
    for shard in shards:
        rows = _rows(shard, manifest.embedder, workspace)
        ids = rows.columns["id"]
        repeated = len(ids) - len(set(ids)) or len(seen.intersection(ids))
        if repeated:
            raise VerificationError(f"{repeated} chunks of {shard.chunks.key} have an id that another chunk has")
        foreign = set(rows.columns["repository"]) - repositories
        if foreign:
            raise VerificationError(
                f"{shard.chunks.key} has chunks of {min(foreign)!r}, which no snapshot of the run is"
            )
        seen.update(ids)
        yield rows


def _rows(shard: VectorShard, embedder: EmbedderStamp, workspace: Workspace) -> Rows:
    """A shard's chunks, each with its vector."""
    from askrepo.embed import embedded_text, vector_id

    table = read_table(workspace, shard.chunks.key)
    if table.num_rows != shard.chunks.chunks or _chunks_digest(table) != shard.chunks.digest:
        raise VerificationError(f"{shard.chunks.key} is not what split wrote: run the split stage of this run again")
    columns = {name: table[name].to_pylist() for name in table.column_names}
    texts = map(embedded_text, columns["path"], columns["text"])
    columns["vector_id"] = [vector_id(embedder.fingerprint, text) for text in texts]
    return Rows(columns, _joined_vectors(shard, columns["vector_id"], embedder.dimension, workspace))


def _chunks_digest(table: pa.Table) -> str:
    """SHA-256 over the chunks as split computes it while writing them."""
    digest = hashlib.sha256()
    for row in table.to_pylist():
        digest.update(chunk_row_bytes(row))
    return digest.hexdigest()


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


def _verify(manifest: DatasetManifest, location: DatasetLocation) -> None:
    """Read everything back."""
    if location.is_local:
        inventory.write(location.folder)
    try:
        DatasetReader.open_verified(location.url, manifest=manifest)
    except DatasetCorruptedError as error:
        raise VerificationError(f"the new dataset does not read back as it was written: {error}") from error


def _discard(location: DatasetLocation) -> None:
    """Remove a dataset that failed; what cannot be removed now is found by a later swap."""
    try:
        location.delete()
    except AskrepoError as error:
        logger.warning("build: %s", error)


def _check_sources(definition: Definition, snapshots: Sequence[Snapshot], loads: Sequence[LoadManifest]) -> None:
    """Every repository of the definition has one snapshot, every snapshot one load manifest that adds up."""
    if len(snapshots) != len(definition.repositories):
        raise VerificationError(
            f"alias {definition.alias!r} names {len(definition.repositories)} repositories, "
            f"the run has {len(snapshots)} snapshots"
        )
    wanted = Counter((snapshot.name, snapshot.commit) for snapshot in snapshots)
    found = Counter((load.snapshot.name, load.snapshot.commit) for load in loads)
    if wanted != found or max(wanted.values(), default=0) > 1:
        names = ", ".join(sorted(name for name, _ in (wanted - found) + (found - wanted))) or "one twice"
        raise VerificationError(f"snapshots and load manifests do not pair: {names}")
    for load in loads:
        skipped = sum(load.skipped.values())
        if load.files != load.loaded + skipped:
            raise VerificationError(
                f"{load.snapshot.name} has {load.files} files, but {load.loaded} were loaded and {skipped} skipped"
            )


def _check_shards(shards: Sequence[VectorShard]) -> int:
    """The vectors' dimension, when the shards are complete and agree on it."""
    numbers = [shard.number for shard in shards]
    if numbers != list(range(len(shards))) or any(shard.number != shard.chunks.number for shard in shards):
        raise VerificationError(f"shards must be numbered 0 to {len(shards) - 1}, each once; found {numbers}")
    dimensions = {shard.dimension for shard in shards if shard.chunks.chunks}
    if not dimensions:
        raise NothingToIndexError(f"none of {len(shards)} shards has a chunk: there is no text to build a dataset from")
    if len(dimensions) > 1 or min(dimensions) < 1:
        raise VerificationError(f"vectors must have one dimension, found {sorted(dimensions)}")
    return dimensions.pop()


def _new_dataset(alias: str, now: datetime, datasets: str | None) -> str:
    """Workspace key, or absolute URL, of a dataset that nobody else writes."""
    dataset_id = f"{now.astimezone(UTC):%Y%m%dt%H%M%Sz}-{secrets.token_hex(3)}"
    if datasets is None:
        return f"datasets/{alias}/{dataset_id}"
    root = datasets.rstrip("/") if "://" in datasets else str(Path(datasets).expanduser().absolute())
    return f"{root}/{alias}/{dataset_id}"


def _expected_bytes(loads: Sequence[LoadManifest], chunks: int, dimension: int) -> int:
    text = sum(load.text_bytes for load in loads)
    return _TEXT_COPIES * text + chunks * (_ROW_BYTES + 4 * dimension)


def _skipped(loads: Sequence[LoadManifest]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for load in loads:
        total.update(load.skipped)
    return dict(sorted(total.items()))


def _report(loads: Sequence[LoadManifest], shards: Sequence[VectorShard]) -> dict[str, Any]:
    """What the stages before did; seconds are summed over tasks, which may have run side by side."""
    return {
        "seconds": {
            "load": sum(load.seconds for load in loads),
            "split": sum(shard.chunks.seconds for shard in shards),
            "embed": sum(shard.seconds for shard in shards),
        },
        "text_bytes": sum(load.text_bytes for load in loads),
        "vectors_computed": sum(shard.computed for shard in shards),
        "vectors_reused": sum(shard.reused for shard in shards),
        "embedded_tokens": sum(shard.embedded_tokens for shard in shards),
    }


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Note how long a block takes."""
    started = time.monotonic()
    yield
    seconds[stage] = time.monotonic() - started
