"""Embed computes each vector once, whatever is retried, killed or refreshed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from askrepo.errors import RemoteUnavailableError, VerificationError
from askrepo.pipeline import embed
from askrepo.pipeline.embed import embed_chunks, embedded_text, vector_id
from askrepo.text.tokens import count_tokens
from askrepo.types import ChunkShard
from askrepo.workspace.tables import chunks_schema, read_table, write_table
from tests.fakes import CountingEmbedder, seeded_vector

RUN = "runs/main/manual"


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(embed, "BATCH_TEXTS", 4)


def texts_of(count, *, start=0):
    return [(f"src/file{number}.py", f"def function_{number}(): ...") for number in range(start, start + count)]


def make_shard(workspace, texts, *, number=0):
    """A chunk shard with one chunk per (path, text)."""
    empty = {"repository": "r", "language": "", "kind": "source", "symbols": "", "scope": "", "lexemes": ""}
    rows = [
        {**empty, "id": f"{row:032x}", "path": path, "text": text, "start_line": 1, "end_line": 1, "tokens": 1}
        for row, (path, text) in enumerate(texts)
    ]
    key = f"{RUN}/split/shard-{number:05d}.parquet"
    write_table(workspace, key, pa.Table.from_pylist(rows, schema=chunks_schema()))
    return ChunkShard(number=number, key=key, chunks=len(rows), tokens=len(rows), digest="0" * 64)


def run_embed(workspace, shard, embedder, *, current_vectors=None, on_progress=None, run=RUN):
    return embed_chunks(
        shard, workspace=workspace, run=run, embedder=embedder, current_vectors=current_vectors, on_progress=on_progress
    )


def written(workspace, result):
    """The vectors of the result's file, by id, in its order."""
    table = read_table(workspace, result.key)
    return dict(zip(table["vector_id"].to_pylist(), table["vector"].to_pylist(), strict=True))


class CurrentVectors:
    """A dataset's vectors, and what was asked of it."""

    def __init__(self, vectors):
        self.known = vectors
        self.asked = []

    def vectors(self, vector_ids):
        self.asked.append(list(vector_ids))
        return {name: self.known[name] for name in vector_ids if name in self.known}


def current_vectors_of(texts, embedder):
    embedded = [embedded_text(*text) for text in texts]
    names = [vector_id(embedder.fingerprint, text) for text in embedded]
    return CurrentVectors(dict(zip(names, CountingEmbedder().embed_texts(embedded), strict=True)))


def test_every_distinct_text_gets_its_vector_in_order_of_first_chunk(workspace):
    texts = [*texts_of(5), *texts_of(2)]
    embedder = CountingEmbedder()
    result = run_embed(workspace, make_shard(workspace, texts), embedder)
    expected = [embedded_text(*text) for text in texts_of(5)]
    assert embedder.texts == expected
    vectors = written(workspace, result)
    assert list(vectors) == [vector_id(embedder.fingerprint, text) for text in expected]
    stored = np.array(list(vectors.values()), np.float32)
    assert np.array_equal(stored, [seeded_vector(text, 8) for text in expected])


def test_result_counts_exactly(workspace):
    texts = [*texts_of(9), *texts_of(3)]
    embedder = CountingEmbedder()
    shard = make_shard(workspace, texts, number=7)
    result = run_embed(workspace, shard, embedder, current_vectors=current_vectors_of(texts_of(2), embedder))
    assert (result.number, result.chunks, result.dimension) == (7, shard, 8)
    assert (result.computed, result.reused) == (7, 2)
    assert result.embedded_tokens == sum(count_tokens(text) for text in embedder.texts) > 0
    assert result.key == f"{RUN}/embed/{embedder.fingerprint[:12]}/shard-00007.parquet"


def test_finished_shard_is_not_computed_again(workspace):
    shard = make_shard(workspace, texts_of(6))
    first = run_embed(workspace, shard, CountingEmbedder())
    before = workspace.read(first.key)
    again = CountingEmbedder(fail_after=0)
    current_vectors = CurrentVectors({})
    second = run_embed(workspace, shard, again, current_vectors=current_vectors)
    assert (second.computed, second.reused, second.embedded_tokens) == (0, 6, 0)
    assert (second.key, workspace.read(second.key), current_vectors.asked) == (first.key, before, [])


def test_killed_task_goes_on_where_it_was(workspace):
    shard = make_shard(workspace, texts_of(14))
    killed = CountingEmbedder(fail_after=2)
    with pytest.raises(RemoteUnavailableError):
        run_embed(workspace, shard, killed)
    retried = CountingEmbedder()
    result = run_embed(workspace, shard, retried)
    assert (len(killed.texts), len(retried.texts)) == (8, 6)
    assert sorted(killed.texts + retried.texts) == sorted(embedded_text(*text) for text in texts_of(14))
    assert (result.computed, result.reused) == (6, 8)


def test_killed_task_leaves_no_finished_file(workspace):
    shard = make_shard(workspace, texts_of(6))
    with pytest.raises(RemoteUnavailableError):
        run_embed(workspace, shard, CountingEmbedder(fail_after=1))
    left = workspace.list_keys(f"{RUN}/embed")
    assert {key.rsplit("/", 2)[1] for key in left} == {"shard-00000"}


@pytest.mark.parametrize("kills", [[1], [0, 1, 0], [1, 1, 1]], ids=str)
def test_file_is_the_same_whatever_was_retried(workspace, kills):
    shard = make_shard(workspace, texts_of(14))
    straight = run_embed(workspace, shard, CountingEmbedder(), run="runs/undisturbed/manual")
    for batches in kills:
        with pytest.raises(RemoteUnavailableError):
            run_embed(workspace, shard, CountingEmbedder(fail_after=batches))
    retried = run_embed(workspace, shard, CountingEmbedder())
    assert workspace.read(retried.key) == workspace.read(straight.key)


def test_batches_are_gone_when_the_shard_is_finished(workspace):
    result = run_embed(workspace, make_shard(workspace, texts_of(9)), CountingEmbedder())
    names = [key.rsplit("/", 1)[1] for key in workspace.list_keys(f"{RUN}/embed")]
    assert names == ["shard-00000.ids", "shard-00000.parquet"]
    assert len(written(workspace, result)) == 9


def test_refresh_takes_the_vectors_of_the_current_dataset(workspace):
    embedder = CountingEmbedder()
    current_vectors = current_vectors_of(texts_of(10), embedder)
    result = run_embed(workspace, make_shard(workspace, texts_of(12)), embedder, current_vectors=current_vectors)
    assert embedder.texts == [embedded_text(*text) for text in texts_of(2, start=10)]
    assert (result.computed, result.reused) == (2, 10)
    assert written(workspace, result).keys() >= current_vectors.known.keys()


def test_the_same_file_in_another_shard_is_not_computed_again(workspace):
    first = make_shard(workspace, texts_of(5))
    second = make_shard(workspace, texts_of(6, start=3), number=1)
    embedder = CountingEmbedder()
    run_embed(workspace, first, embedder)
    result = run_embed(workspace, second, embedder)
    assert (result.computed, result.reused) == (4, 2)
    assert len(embedder.texts) == len(set(embedder.texts)) == 9


def test_a_new_run_goes_on_where_a_killed_one_was(workspace):
    texts = texts_of(20)
    embedder = CountingEmbedder(fail_after=2)
    with pytest.raises(RemoteUnavailableError):
        run_embed(workspace, make_shard(workspace, texts), embedder, run="runs/main/manual__2026-11-22T10:00")
    embedder.fail_after = None
    result = run_embed(workspace, make_shard(workspace, texts), embedder, run="runs/main/manual__2026-11-22T11:00")
    assert (result.computed, result.reused) == (12, 8)
    assert len(embedder.texts) == len(set(embedder.texts)) == 20


def test_a_new_run_takes_what_an_earlier_one_finished_but_never_swapped(workspace):
    shard, embedder = make_shard(workspace, texts_of(6)), CountingEmbedder()
    run_embed(workspace, shard, embedder, run="runs/main/scheduled__2026-11-22")
    assert run_embed(workspace, shard, embedder, run="runs/main/manual__2026-11-23").computed == 0


def test_runs_of_other_aliases_are_not_asked(workspace):
    shard, embedder = make_shard(workspace, texts_of(6)), CountingEmbedder()
    run_embed(workspace, shard, embedder, run="runs/other/manual__2026-11-22")
    assert run_embed(workspace, shard, embedder, run="runs/main/manual__2026-11-22").computed == 6


def test_another_embedder_computes_its_own(workspace):
    shard = make_shard(workspace, texts_of(3))
    one = run_embed(workspace, shard, CountingEmbedder(fingerprint="aa" * 16))
    other = run_embed(workspace, shard, CountingEmbedder(fingerprint="bb" * 16))
    assert (other.computed, one.key != other.key) == (3, True)
    assert written(workspace, one).keys().isdisjoint(written(workspace, other))


def test_same_text_under_another_path_is_another_vector(workspace):
    texts = [("a.py", "pass"), ("b.py", "pass")]
    result = run_embed(workspace, make_shard(workspace, texts), CountingEmbedder())
    assert result.computed == 2


@pytest.mark.parametrize("damage", [b"", b"PAR1 is not all", "cut"], ids=["empty", "no parquet", "cut"])
def test_damaged_finished_file_is_made_again(workspace, damage):
    shard = make_shard(workspace, texts_of(5))
    result = run_embed(workspace, shard, CountingEmbedder())
    sound = workspace.read(result.key)
    workspace.write(result.key, sound[: len(sound) // 2] if damage == "cut" else damage)
    again = run_embed(workspace, shard, CountingEmbedder())
    assert (again.computed, workspace.read(again.key)) == (5, sound)


def test_unsound_vector_of_the_current_dataset_is_made_again(workspace):
    embedder = CountingEmbedder()
    current_vectors = current_vectors_of(texts_of(4), embedder)
    first, second, *_ = current_vectors.known
    current_vectors.known[first] = np.full(8, np.nan, np.float32)
    current_vectors.known[second] = np.zeros(8, np.float32)
    result = run_embed(workspace, make_shard(workspace, texts_of(4)), embedder, current_vectors=current_vectors)
    assert (result.computed, result.reused) == (2, 2)
    assert np.isfinite(list(written(workspace, result).values())).all()


def test_vectors_of_two_dimensions_are_refused(workspace):
    small = CountingEmbedder(dimension=8)
    current_vectors = current_vectors_of(texts_of(2), small)
    shard = make_shard(workspace, texts_of(4))
    with pytest.raises(VerificationError, match=r"several dimensions: \[8, 9\]"):
        run_embed(workspace, shard, CountingEmbedder(dimension=9), current_vectors=current_vectors)


BAD_OUTPUT = {
    "one too few": lambda rows: rows[1:],
    "not a number": lambda rows: np.where(np.arange(len(rows))[:, None] == 0, np.nan, rows),
    "not of length 1": lambda rows: rows * 1.1,
    "flat": lambda rows: rows.ravel(),
}


@pytest.mark.parametrize("spoil", BAD_OUTPUT.values(), ids=BAD_OUTPUT)
def test_bad_output_of_an_embedder_is_refused_and_not_written(workspace, spoil):
    class Spoilt(CountingEmbedder):
        def embed_texts(self, texts):
            return spoil(super().embed_texts(texts))

    with pytest.raises(VerificationError, match="embedder counting"):
        run_embed(workspace, make_shard(workspace, texts_of(3)), Spoilt())
    assert workspace.list_keys(f"{RUN}/embed") == []


def test_progress_counts_up_to_the_distinct_texts(workspace):
    embedder = CountingEmbedder()
    seen = []
    shard = make_shard(workspace, [*texts_of(11), *texts_of(4)])
    current_vectors = current_vectors_of(texts_of(2), embedder)
    run_embed(
        workspace, shard, embedder, current_vectors=current_vectors, on_progress=lambda *numbers: seen.append(numbers)
    )
    assert seen == [(2, 11), (6, 11), (10, 11), (11, 11)]


def test_shard_without_chunks_gives_an_empty_file(workspace):
    result = run_embed(workspace, make_shard(workspace, []), CountingEmbedder())
    assert (result.computed, result.reused, result.dimension) == (0, 0, 8)
    assert written(workspace, result) == {}


def test_vectors_come_back_bit_for_bit(workspace):
    extreme = np.array([1, 1e-30, -1e-38, 3.4e-7, 0.01, 0, -0.0, 2**-24], np.float32)

    class Extreme(CountingEmbedder):
        def embed_texts(self, texts):
            return np.stack([extreme] * len(texts))

    result = run_embed(workspace, make_shard(workspace, texts_of(1)), Extreme())
    [vector] = embed._vectors(read_table(workspace, result.key)).values()
    assert vector.dtype == np.float32
    assert vector.tobytes() == extreme.tobytes()


def test_vector_id_depends_on_fingerprint_path_and_text():
    names = {
        vector_id(fingerprint, embedded_text(path, text))
        for fingerprint in ("a", "b")
        for path in ("x.py", "y.py")
        for text in ("1", "2", "")
    }
    assert len(names) == 12
    assert all(len(name) == 32 and int(name, 16) >= 0 for name in names)
