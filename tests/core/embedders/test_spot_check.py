"""Vectors on the wrong texts are noticed: some texts of each batch are embedded again alone."""

from __future__ import annotations

import random

import numpy as np
import pytest

from askrepo.embedders.spot_check import TEXTS_PER_BATCH, check_batch, sample
from askrepo.errors import VerificationError
from askrepo.pipeline.embed import BATCH_TEXTS, embed_chunks
from tests.core.pipeline.test_embed import RUN, make_shard, texts_of
from tests.fakes import CountingEmbedder

WRONG_ORDERS = {
    "reversed": lambda rows: rows[::-1],
    "rotated": lambda rows: np.roll(rows, 1, axis=0),
    "halves swapped": lambda rows: np.concatenate([rows[len(rows) // 2 :], rows[: len(rows) // 2]]),
    "neighbours swapped": lambda rows: rows.reshape(-1, 2, rows.shape[1])[:, ::-1].reshape(rows.shape),
    "sorted": lambda rows: rows[np.argsort(rows[:, 0])],
    "shuffled": lambda rows: rows[np.random.default_rng(1).permutation(len(rows))],
    "all the same": lambda rows: np.repeat(rows[:1], len(rows), axis=0),
    "negated": lambda rows: -rows,
    "of another model": lambda rows: np.roll(rows, 1, axis=1),
}


class WrongEmbedder(CountingEmbedder):
    """Gives every batch of several texts the right vectors in a wrong order, but for the first few batches."""

    def __init__(self, order, *, after=0):
        super().__init__(dimension=16)
        self.order = order
        self.after = after

    def embed_texts(self, texts):
        rows = super().embed_texts(texts)
        return rows if self.calls <= self.after or len(texts) == 1 else self.order(rows)


def embed(workspace, texts, embedder, *, number=0):
    shard = make_shard(workspace, texts, number=number)
    return embed_chunks(shard, workspace=workspace, run=RUN, embedder=embedder, current_vectors=None)


@pytest.mark.parametrize("order", WRONG_ORDERS.values(), ids=WRONG_ORDERS)
@pytest.mark.parametrize("after", [0, 1], ids=["first batch", "second batch"])
def test_wrong_order_is_refused_and_nothing_is_left(workspace, order, after):
    with pytest.raises(VerificationError, match=r"^shard 3: counting gave a text another vector alone") as refused:
        embed(workspace, texts_of(BATCH_TEXTS * 2), WrongEmbedder(order, after=after), number=3)
    assert "function_" not in str(refused.value)
    assert workspace.list_keys(f"{RUN}/embed") == []


def test_two_texts_that_changed_places_are_noticed(workspace):
    with pytest.raises(VerificationError, match="shard 0"):
        embed(workspace, texts_of(2), WrongEmbedder(WRONG_ORDERS["reversed"]))


@pytest.mark.parametrize(
    ("count", "checked"), [(0, 0), (1, 0), (2, 2), (BATCH_TEXTS, 2), (BATCH_TEXTS + 1, 2), (BATCH_TEXTS + 2, 4)]
)
def test_checks_are_counted_apart_and_compute_nothing_twice(workspace, count, checked):
    embedder = CountingEmbedder()
    result = embed(workspace, texts_of(count), embedder)
    assert (result.computed, result.checked, len(embedder.texts)) == (count, checked, count)
    again = embed(workspace, texts_of(count), embedder)
    assert (again.computed, again.checked, again.reused) == (0, 0, count)


def test_sample_depends_on_the_content_alone():
    names = [f"{number:032x}" for number in range(50)]
    shuffled = random.Random(1).sample(names, len(names))
    assert sample(dict.fromkeys(names, "")) == sample(dict.fromkeys(shuffled, "")) == names[:TEXTS_PER_BATCH]


class NoisyEmbedder(CountingEmbedder):
    """A text alone gets a vector of a given cosine with that of the batch."""

    def __init__(self, cosine):
        super().__init__(dimension=64)
        self.cosine = cosine

    def embed_question(self, text):
        vector, other = super().embed_question(text), super().embed_question(f"another {text}")
        across = other - (other @ vector) * vector
        across /= np.linalg.norm(across)
        return (self.cosine * vector + np.sqrt(1 - self.cosine**2) * across).astype(np.float32)


@pytest.mark.parametrize(("cosine", "passes"), [(1, True), (0.99999, True), (0.985, True), (0.92, True), (0.85, False)])
def test_noise_of_a_batch_passes_as_long_as_the_text_is_recognised(cosine, passes):
    batch = {f"{number:032x}": f"text {number}" for number in range(20)}
    embedder = NoisyEmbedder(cosine)
    vectors = dict(zip(batch, embedder.embed_texts(list(batch.values())), strict=True))
    if passes:
        assert check_batch(batch, vectors, embedder, shard=0) == TEXTS_PER_BATCH
        return
    with pytest.raises(VerificationError, match=r"cosine 0\.85"):
        check_batch(batch, vectors, embedder, shard=0)


def test_similar_texts_that_changed_places_are_noticed():
    """Some models put all texts within .9 of each other: then the own vector must be the nearest."""
    common = 4 * np.ones(64, np.float32) / 8
    batch = {f"{number:032x}": f"text {number}" for number in range(20)}

    class NarrowEmbedder(CountingEmbedder):
        def embed_texts(self, texts):
            rows = super().embed_texts(texts) + common
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

        def embed_question(self, text):
            return self.embed_texts([text])[0]

    embedder = NarrowEmbedder(dimension=64)
    rows = embedder.embed_texts(list(batch.values()))
    assert (rows @ rows.T).min() > 0.88
    assert check_batch(batch, dict(zip(batch, rows, strict=True)), embedder, shard=0)
    with pytest.raises(VerificationError):
        check_batch(batch, dict(zip(batch, rows[::-1], strict=True)), embedder, shard=0)
