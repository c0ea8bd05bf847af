"""A dataset has exactly the chunks of its run, or does not exist."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from askrepo.errors import NothingToIndexError, StorageError, VerificationError
from askrepo.pipeline.build import build_dataset
from askrepo.pipeline.embed import embedded_text, vector_id
from askrepo.pipeline.plan import definition_digest
from askrepo.pipeline.split import split_files
from askrepo.store.opening import open_dataset
from askrepo.store.reader import Filter
from askrepo.store.writer import DatasetWriter
from askrepo.types import (
    DatasetManifest,
    Definition,
    FileShard,
    LoadManifest,
    Snapshot,
    VectorShard,
)
from askrepo.workspace.objects import Workspace
from askrepo.workspace.tables import files_schema, read_table, vectors_schema, write_table
from tests.core.datasets import SNAPSHOT
from tests.fakes import seeded_vector

RUN = "runs/main/first"
FINGERPRINT = "f" * 64
DIMENSION = 16
DEFINITION = Definition("main", (SNAPSHOT.url,), embedder="hash")
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
FILES = [
    {"src/a.py": "def alpha():\n    return 1\n", "src/b.py": "class Beta:\n    '''It's; quoted'''\n"},
    {"docs/guide.md": "# Guide\n\nHow to use alpha with beta.\n"},
    {"src/same.py": "def alpha():\n    return 1\n\ndef gamma():\n    pass\n"},
]


class Stages:
    """What the stages before build write, for files given as text."""

    def __init__(self, workspace: Workspace, *, run: str = RUN) -> None:
        self.workspace = workspace
        self.run = run

    def shard(self, number: int, files: dict[str, str], *, repository: str = SNAPSHOT.name) -> VectorShard:
        columns = {name: [] for name in files_schema().names}
        for path, text in files.items():
            row = {"repository": repository, "path": path, "blob": "0" * 40, "size": len(text), "language": "python"}
            row |= {
                "kind": "source",
                "reason": "",
                "encoding": "utf-8",
                "attributes": "{}",
                "generated": False,
                "documents": False,
            }
            row |= {"text_bytes": len(text), "first_row": -1, "rows": 0, "known_as": "", "text": text}
            for name, values in columns.items():
                values.append(row[name])
        part = f"{self.run}/load/part-{number:05d}.parquet"
        write_table(self.workspace, part, pa.table(columns, schema=files_schema()))
        chunks = split_files(FileShard(number, (part,)), workspace=self.workspace, run=self.run)
        table = read_table(self.workspace, chunks.key)
        texts = map(embedded_text, table["path"].to_pylist(), table["text"].to_pylist())
        vectors = {vector_id(FINGERPRINT, text): seeded_vector(text, DIMENSION) for text in texts}
        key = self.vectors(number, vectors)
        return VectorShard(number, chunks, key, DIMENSION, len(vectors), 0, chunks.tokens, 0.5)

    def shard_unknown_to_load(self, number: int) -> VectorShard:
        shard = self.shard(number, {"src/other.py": "import os\n"})
        self.workspace.delete(f"{self.run}/load/part-{number:05d}.parquet")
        return shard

    def vectors(self, number: int, vectors: dict[str, np.ndarray], dimension: int = DIMENSION) -> str:
        key = f"{self.run}/embed/shard-{number:05d}.parquet"
        rows = [[float(value) for value in vector] for vector in vectors.values()]
        table = pa.table(
            [list(vectors), pa.array(rows, vectors_schema(dimension).field("vector").type)],
            schema=vectors_schema(dimension),
        )
        write_table(self.workspace, key, table)
        return key

    def shards(self, files: Sequence[dict[str, str]] = FILES) -> list[VectorShard]:
        return [self.shard(number, each) for number, each in enumerate(files)]


def loads_of(snapshot: Snapshot = SNAPSHOT, **changes: Any) -> LoadManifest:
    known = {"files": 6, "loaded": 4, "skipped": {"binary": 2}, "text_bytes": 200, "seconds": 0.25}
    return LoadManifest(snapshot=snapshot, **{"parts": (), "part_bytes": (), **known, **changes})


def all_parts(workspace: Workspace, run: str = RUN) -> tuple[str, ...]:
    return tuple(workspace.list_keys(f"{run}/load"))


@pytest.fixture
def stages(workspace: Workspace) -> Stages:
    return Stages(workspace)


@pytest.fixture
def build(workspace: Workspace) -> Callable[..., DatasetManifest]:
    def call(vectors: Sequence[VectorShard], **changes: Any) -> DatasetManifest:
        run = changes.get("run", RUN)
        options = {"definition": DEFINITION, "snapshots": [SNAPSHOT]}
        options |= {"loads": [loads_of(parts=all_parts(workspace, run))]}
        options |= {"workspace": workspace, "run": run, "fingerprint": FINGERPRINT, "now": NOW}
        return build_dataset(vectors=vectors, **{**options, **changes})

    return call


def datasets(workspace: Workspace) -> list[str]:
    return workspace.list_folders("datasets/main")


def test_the_dataset_has_every_chunk_with_its_vector(stages, build, workspace):
    shards = stages.shards()

    manifest = build(shards)

    reader = open_dataset(workspace.url_of(manifest.dataset), manifest=manifest)
    tables = [read_table(workspace, shard.chunks.key) for shard in shards]
    ids = [chunk_id for table in tables for chunk_id in table["id"].to_pylist()]
    assert reader.rows(0, len(ids)).columns["id"] == ids
    assert manifest.chunks == len(ids)
    for chunk in reader.chunks(ids).values():
        expected = seeded_vector(embedded_text(chunk.path, chunk.text), DIMENSION)
        assert np.array_equal(reader.vectors_of([chunk.id])[chunk.id], expected)
    assert reader.lexical(["guid"], limit=1, where=Filter(path=("docs/*",)))[0].chunk.path == "docs/guide.md"


def test_the_manifest_says_what_the_dataset_is(stages, build):
    manifest = build(stages.shards(), now=NOW)

    assert re.fullmatch(r"datasets/main/20260301t123000z-[0-9a-f]{6}", manifest.dataset)
    assert manifest.created_at == "2026-03-01T12:30:00+00:00"
    assert manifest.definition_digest == definition_digest(DEFINITION)
    assert (manifest.embedder.spec, manifest.embedder.fingerprint, manifest.embedder.dimension) == (
        "hash",
        FINGERPRINT,
        16,
    )
    assert (manifest.files, manifest.loaded, manifest.skipped) == (6, 4, {"binary": 2})
    assert manifest.report["vectors_computed"] == sum(shard.computed for shard in stages.shards())
    assert manifest.report["seconds"].keys() == {"clone", "load", "split", "embed", "append", "index", "verify"}
    assert manifest.report["seconds"]["embed"] == 1.5


def test_equal_input_gives_an_equal_digest_in_any_order(stages, build, workspace):
    first = build(stages.shards())
    again = build(reversed(Stages(workspace, run="runs/main/second").shards()), run="runs/main/second")

    assert again.digest == first.digest
    assert again.dataset != first.dataset


def test_the_digest_does_not_depend_on_where_shards_are_cut(stages, build, workspace):
    whole = {path: text for files in FILES for path, text in files.items()}
    other = Stages(workspace, run="runs/main/second")

    assert build(stages.shards()).digest == build(other.shards([whole]), run="runs/main/second").digest


def test_another_text_gives_another_digest(stages, build):
    changed = [{**FILES[0], "src/a.py": "def alpha():\n    return 2\n"}, *FILES[1:]]

    assert build(stages.shards()).digest != build(stages.shards(changed)).digest


def test_an_empty_shard_is_no_error(stages, build):
    empty = replace(stages.shard(1, {}), dimension=0)

    assert build([stages.shard(0, FILES[0]), empty]).chunks > 0


def test_several_repositories_share_one_dataset(stages, build, workspace):
    other = replace(SNAPSHOT, name="other/name", url="https://example.org/other/name")
    shards = [stages.shard(0, FILES[0]), stages.shard(1, FILES[0], repository="other/name")]

    manifest = build(
        shards,
        definition=replace(DEFINITION, repositories=(SNAPSHOT.url, other.url)),
        snapshots=[SNAPSHOT, other],
        loads=[loads_of(parts=all_parts(workspace)[:1]), loads_of(other, parts=all_parts(workspace)[1:])],
    )

    reader = open_dataset(workspace.url_of(manifest.dataset), manifest=manifest)
    assert manifest.files == 12
    assert reader.file_chunks("other/name", "src/a.py")[0].repository == "other/name"


def test_datasets_can_be_written_elsewhere(stages, build, tmp_path):
    manifest = build(stages.shards(), datasets=str(tmp_path / "elsewhere"))

    assert manifest.dataset.startswith(str(tmp_path / "elsewhere" / "main"))
    assert open_dataset(manifest.dataset, manifest=manifest).manifest == manifest


def test_no_chunk_at_all_is_refused(stages, build, workspace):
    with pytest.raises(NothingToIndexError):
        build([stages.shard(0, {})])

    assert datasets(workspace) == []


# --- what does not fit together ---------------------------------------------------------------------------------------


def without_a_vector(stages: Stages, shard: VectorShard) -> VectorShard:
    return replace(shard, key=stages.vectors(7, {"0" * 32: seeded_vector("x", DIMENSION)}))


def with_vectors(stages: Stages, shard: VectorShard, change: Callable[[np.ndarray], np.ndarray]) -> VectorShard:
    table = read_table(stages.workspace, shard.key)
    names, rows = table["vector_id"].to_pylist(), np.array(table["vector"].to_pylist(), dtype=np.float32)
    rows[0] = change(rows[0])
    return replace(shard, key=stages.vectors(7, dict(zip(names, rows, strict=True))))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without_a_vector, "have no vector"),
        (lambda stages, shard: with_vectors(stages, shard, lambda row: row * np.nan), "not finite"),
        (lambda stages, shard: with_vectors(stages, shard, lambda row: row * 1.01), "not of length 1"),
        (lambda _, shard: replace(shard, dimension=8), "one dimension"),
        (lambda _, shard: replace(shard, number=5), "numbered 0 to 2"),
        (lambda _, shard: replace(shard, chunks=replace(shard.chunks, chunks=99)), "not what split wrote"),
        (lambda _, shard: replace(shard, chunks=replace(shard.chunks, digest="0" * 64)), "not what was written"),
        (lambda stages, shard: stages.shard(shard.number, FILES[0]), "id that another chunk has"),
        (lambda stages, shard: stages.shard(shard.number, FILES[1], repository="a/b"), "no snapshot of it"),
        (lambda stages, shard: stages.shard_unknown_to_load(shard.number), "no file that load wrote"),
    ],
    ids=["missing", "NaN", "length", "dimension", "number", "count", "digest", "repeated", "foreign", "unknown"],
)
def test_stages_that_do_not_fit_together_leave_no_dataset(stages, build, workspace, spoil, message):
    first, second, third = stages.shards()

    with pytest.raises(VerificationError, match=message):
        build([first, spoil(stages, second), third])

    assert datasets(workspace) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loads": []}, "do not pair"),
        ({"loads": [loads_of(), loads_of()]}, "do not pair"),
        ({"loads": [loads_of(replace(SNAPSHOT, commit="b" * 40))]}, "do not pair"),
        ({"loads": [loads_of(loaded=5)]}, "6 files, but 5 were loaded and 2 skipped"),
        ({"snapshots": [], "loads": []}, "names 1 repositories, the run has 0 snapshots"),
    ],
    ids=["no load", "load twice", "other commit", "files lost", "no snapshot"],
)
def test_sources_that_do_not_add_up_are_refused(stages, build, workspace, changes, message):
    with pytest.raises(VerificationError, match=message):
        build(stages.shards(), **changes)

    assert datasets(workspace) == []


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError(28, "No space left on device")])
@pytest.mark.parametrize("step", ["append", "commit", "build_indexes"])
def test_a_failure_at_any_step_leaves_nothing(stages, build, workspace, monkeypatch, step, error):
    real = getattr(DatasetWriter, step)

    def fail_after(self: DatasetWriter, *args: Any) -> None:
        real(self, *args)
        raise error

    monkeypatch.setattr(DatasetWriter, step, fail_after)
    with pytest.raises(error if isinstance(error, type) else OSError):
        build(stages.shards())

    assert datasets(workspace) == []


def test_what_does_not_read_back_is_removed(stages, build, workspace, monkeypatch):
    build_indexes = DatasetWriter.build_indexes

    def damage(self: DatasetWriter) -> None:
        build_indexes(self)
        vector = seeded_vector(embedded_text("docs/guide.md", FILES[1]["docs/guide.md"]), DIMENSION).tobytes()
        for path in Path(self.location.folder).rglob("*"):
            if path.is_file() and vector in path.read_bytes():
                path.write_bytes(path.read_bytes().replace(vector, vector[::-1]))

    monkeypatch.setattr(DatasetWriter, "build_indexes", damage)
    with pytest.raises(VerificationError, match="does not read back"):
        build(stages.shards())

    assert datasets(workspace) == []


def test_a_full_disk_is_found_before_anything_is_written(stages, build, workspace):
    with pytest.raises(StorageError, match="free"):
        build(stages.shards(), loads=[loads_of(text_bytes=10**15)])

    assert datasets(workspace) == []
