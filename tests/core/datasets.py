"""Real datasets for tests, written without the stages before build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from askrepo.store import inventory
from askrepo.store.location import DatasetLocation
from askrepo.store.schema import Rows
from askrepo.store.writer import DatasetWriter
from askrepo.types import DatasetManifest, Definition, EmbedderStamp, Snapshot
from askrepo.workspace.objects import Workspace

DIMENSION = 16
SNAPSHOT = Snapshot("owner/name", "https://example.org/owner/name", None, "a" * 40, "2026-01-02T03:04:05Z", "s.tar", 1)
ROW = {
    "id": "c0",
    "repository": "owner/name",
    "path": "src/main.py",
    "language": "python",
    "kind": "source",
    "symbols": "main run",
    "scope": "Main > run",
    "start_line": 1,
    "end_line": 9,
    "tokens": 5,
    "text": "def main(): ...",
    "lexemes": "def main",
    "vector_id": "v0",
}


def unit_vectors(count: int, dimension: int = DIMENSION, *, seed: int = 0) -> np.ndarray:
    """Random directions: the hardest case for an approximate index."""
    vectors = np.random.default_rng(seed).normal(size=(count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def rows_of(rows: Sequence[dict], vectors: np.ndarray | None = None) -> Rows:
    """Rows with ROW's values where nothing else is said; ids are c0, c1, … and v0, v1, …"""
    full = [{**ROW, "id": f"c{at}", "vector_id": f"v{at}", **row} for at, row in enumerate(rows)]
    columns = {name: [row[name] for row in full] for name in ROW}
    return Rows.packed(columns, unit_vectors(len(full)) if vectors is None else vectors)


def manifest_of(dataset: str, rows: int, digest: str, *, dimension: int = DIMENSION) -> DatasetManifest:
    """A manifest that fits a dataset."""
    return DatasetManifest(
        dataset=dataset,
        alias=dataset.split("/")[-2],
        run="runs/main/first",
        created_at="2026-01-02T03:04:05+00:00",
        definition=Definition(alias="main", repositories=(SNAPSHOT.url,)),
        definition_digest="d" * 64,
        snapshots=(SNAPSHOT,),
        embedder=EmbedderStamp("hash", "f" * 64, dimension),
        files=2,
        loaded=1,
        skipped={"binary": 1},
        chunks=rows,
        tokens=5 * rows,
        digest=digest,
    )


def write_dataset(
    workspace: Workspace, rows: Rows, *, dataset: str = "datasets/main/20260102t030405z-000001"
) -> DatasetManifest:
    """Write, index and list a dataset as build does."""
    location = DatasetLocation.of(workspace.url_of(dataset))
    dimension = rows.vectors.shape[1]
    with DatasetWriter.create(location, dimension=dimension, expected_bytes=0) as writer:
        writer.append(rows)
        manifest = manifest_of(dataset, writer.rows, writer.digest, dimension=dimension)
        writer.commit(manifest)
        writer.build_indexes()
    return replace(manifest, inventory=inventory.write(location), report={"seconds": {"verify": 0.0}})
