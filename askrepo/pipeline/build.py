"""Build: the dataset of a run, written in one pass and verified by reading it back."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from askrepo.errors import AskrepoError, DatasetCorruptedError, NothingToIndexError, VerificationError
from askrepo.pipeline.assembly import Assembly, check_repositories
from askrepo.pipeline.current_dataset import open_for_rows
from askrepo.pipeline.known_files import FileChanges, FileFacts, KnownFiles, write_known_files
from askrepo.pipeline.memory import give_back
from askrepo.pipeline.plan import definition_digest
from askrepo.store import inventory, verification
from askrepo.store.ahead import ahead
from askrepo.store.deletion import delete_dataset
from askrepo.store.location import DatasetLocation
from askrepo.store.opening import open_listed
from askrepo.store.reader import DatasetReader
from askrepo.store.writer import DatasetWriter
from askrepo.types import (
    DatasetManifest,
    Definition,
    EmbedderStamp,
    LoadManifest,
    Snapshot,
    VectorShard,
)
from askrepo.workspace.keys import datasets_folder, new_dataset_id

if TYPE_CHECKING:
    from askrepo.workspace.objects import Workspace

# The text is stored twice (as it is and as BM25 terms); ids, paths and names come to about 300 bytes a row.
_TEXT_COPIES = 2
_ROW_BYTES = 300
# Text of an average chunk, rounded down (measured 2026-11 on 15 repositories: 430 to 560).
_CHUNK_BYTES = 400

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
    current_manifest: DatasetManifest | None = None,
    carry: bool = False,
    clone_s: float = 0.0,
    datasets: str | None = None,
    now: datetime | None = None,
) -> DatasetManifest:
    """A new dataset with every chunk of the snapshots, which no alias points to yet.

    The rows are in the order of the trees, wherever they come from, so equal snapshots give an equal digest whatever
    was retried or carried over. Each call writes a folder of its own, and removes it when anything fails.

    :param vectors: one per chunk shard, in any order.
    :param fingerprint: of the embedder that made the vectors.
    :param current_manifest: the alias's dataset when the run began; the report tells what changed since.
    :param carry: whether load left out what the current dataset has.
    :param clone_s: seconds the clones took, for the report.
    :param datasets: URL to write below instead of the workspace's `datasets/`.
    :raises VerificationError: what the stages wrote does not fit together, or does not read back.
    :raises NothingToIndexError: there is no chunk.
    :raises StorageError: the store failed or has too little space.
    """
    shards = sorted(vectors, key=lambda shard: shard.number)
    _check_sources(definition, snapshots, loads)
    dimension = _check_shards(shards, current_manifest if carry else None)
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
        chunks=0,
        tokens=0,
        digest="",
        report=_report(loads, shards, clone_s),
    )
    carried = open_for_rows(current_manifest, workspace=workspace) if current_manifest is not None and carry else None
    assembly = Assembly(loads, shards, workspace=workspace, embedder=manifest.embedder, current_rows=carried)
    return _publish(manifest, assembly, _expected_bytes(loads, dimension), current_manifest, carried, workspace)


def _publish(
    manifest: DatasetManifest,
    assembly: Assembly,
    expected_bytes: int,
    current_manifest: DatasetManifest | None,
    carried: DatasetReader | None,
    workspace: Workspace,
) -> DatasetManifest:
    """The manifest of the dataset that was written and verified; nothing is left of one that failed."""
    location = DatasetLocation.within(workspace, manifest.dataset)
    seconds = dict(manifest.report["seconds"])
    try:
        manifest = _write(manifest, assembly, expected_bytes, location, seconds)
        check_repositories(assembly.files, manifest.snapshots)
        if carried is not None:
            carried.check_unchanged()
        with _timed(seconds, "verify"):
            manifest = _verified(manifest, location)
        manifest = replace(manifest, files_digest=write_known_files(manifest, assembly.files, workspace))
    except BaseException:
        _discard(location)
        raise
    changes = _changes(current_manifest, assembly.files, workspace)
    reused = manifest.chunks - manifest.report["vectors_computed"]
    chunks = {"carried": assembly.carried, "embedded": manifest.report["vectors_computed"], "reused": reused}
    report = {**manifest.report, "files": changes, "chunks": chunks, "seconds": seconds}
    return replace(manifest, report=report)


def _write(
    manifest: DatasetManifest,
    assembly: Assembly,
    expected_bytes: int,
    location: DatasetLocation,
    seconds: dict[str, float],
) -> DatasetManifest:
    dimension = manifest.embedder.dimension
    tokens = 0
    with DatasetWriter.create(location, dimension=dimension, expected_bytes=expected_bytes) as writer:
        with _timed(seconds, "append"):
            for rows in ahead(assembly.batches()):
                writer.append(rows)
                tokens += sum(rows.columns["tokens"])
            if not writer.rows:
                raise NothingToIndexError("no file gave a chunk: there is no text to build a dataset from")
            manifest = replace(manifest, chunks=writer.rows, tokens=tokens, digest=writer.digest)
            writer.commit(manifest)
        give_back()
        with _timed(seconds, "index"):
            writer.build_indexes()
    give_back()
    return manifest


def _changes(
    current_manifest: DatasetManifest | None, files: Sequence[FileFacts], workspace: Workspace
) -> dict[str, int] | None:
    """What happened to the files since the current dataset; None when nothing is known of its files."""
    known = KnownFiles(()) if current_manifest is None else KnownFiles.of(current_manifest, workspace)
    return None if known is None else FileChanges.between(known.files, files).as_dict()


def _verified(manifest: DatasetManifest, location: DatasetLocation) -> DatasetManifest:
    """The manifest with the digest of the inventory, once everything was read back.

    The files' digests, taken here, are compared by the swap.
    """
    manifest = replace(manifest, inventory=inventory.write(location))
    try:
        verification.check_content(open_listed(location, manifest=manifest))
    except DatasetCorruptedError as error:
        raise VerificationError(f"the new dataset does not read back as it was written: {error}") from error
    return manifest


def _discard(location: DatasetLocation) -> None:
    """Remove a dataset that failed; what cannot be removed now is found by a later swap."""
    try:
        delete_dataset(location)
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


def _check_shards(shards: Sequence[VectorShard], current_manifest: DatasetManifest | None) -> int:
    """The vectors' dimension, when the shards are complete and agree on it.

    :param current_manifest: whose rows are carried over, None for none.
    """
    numbers = [shard.number for shard in shards]
    if numbers != list(range(len(shards))) or any(shard.number != shard.chunks.number for shard in shards):
        raise VerificationError(f"shards must be numbered 0 to {len(shards) - 1}, each once; found {numbers}")
    dimensions = {shard.dimension for shard in shards if shard.chunks.chunks}
    if current_manifest is not None:
        dimensions.add(current_manifest.embedder.dimension)
    if not dimensions:
        raise NothingToIndexError(f"none of {len(shards)} shards has a chunk: there is no text to build a dataset from")
    if len(dimensions) > 1 or min(dimensions) < 1:
        raise VerificationError(f"vectors must have one dimension, found {sorted(dimensions)}")
    return dimensions.pop()


def _new_dataset(alias: str, now: datetime, datasets: str | None) -> str:
    """Workspace key, or absolute URL, of a dataset that nobody else writes."""
    name = new_dataset_id(now)
    if datasets is None:
        return f"{datasets_folder(alias)}/{name}"
    root = datasets.rstrip("/") if "://" in datasets else str(Path(datasets).expanduser().absolute())
    return f"{root}/{alias}/{name}"


def _expected_bytes(loads: Sequence[LoadManifest], dimension: int) -> int:
    text = sum(load.text_bytes for load in loads)
    return _TEXT_COPIES * text + text // _CHUNK_BYTES * (_ROW_BYTES + 4 * dimension)


def _skipped(loads: Sequence[LoadManifest]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for load in loads:
        total.update(load.skipped)
    return dict(sorted(total.items()))


def _report(loads: Sequence[LoadManifest], shards: Sequence[VectorShard], clone_s: float) -> dict[str, Any]:
    """What the stages before did; seconds are summed over tasks, which may have run side by side."""
    return {
        "seconds": {
            "clone": clone_s,
            "load": sum(load.seconds for load in loads),
            "split": sum(shard.chunks.seconds for shard in shards),
            "embed": sum(shard.seconds for shard in shards),
        },
        "text_bytes": sum(load.text_bytes for load in loads),
        "vectors_computed": sum(shard.computed for shard in shards),
        "vectors_checked": sum(shard.checked for shard in shards),
        "vectors_reused": sum(shard.reused for shard in shards),
        "embedded_tokens": sum(shard.embedded_tokens for shard in shards),
    }


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Note how long a block takes."""
    started = time.monotonic()
    yield
    seconds[stage] = time.monotonic() - started
