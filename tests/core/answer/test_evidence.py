from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from askrepo.aliases.readers import AliasReader
from askrepo.answer.evidence import MIN_COSINES, relevant_hits
from askrepo.embedders.embedder import Embedder
from askrepo.store.reader import DatasetReader, Filter
from tests.datasets import BuiltAlias, build_alias

FILES = {
    "retry.py": "def backoff(attempt):\n    # seconds to wait, the best exponential backoff\n    return 2**attempt\n",
    "world.py": "WORLD = 1\n",
}


class AimedEmbedder:
    """Puts every question at one cosine from the chunk of retry.py."""

    spec = "hash"

    def __init__(self, reader: AliasReader, cosine: float) -> None:
        self.fingerprint = reader.entry.manifest.embedder.fingerprint
        (chunk,) = reader.dataset.file_chunks("project", "retry.py")
        target = reader.dataset.vectors_of([chunk.id])[chunk.id].astype(np.float64)
        self._target, self._cosine = target / np.linalg.norm(target), cosine
        self.asked = 0

    def embed_texts(self, texts):
        raise NotImplementedError

    def warm_up(self):
        pass

    def embed_question(self, text):
        self.asked += 1
        other = np.zeros_like(self._target)
        other[int(np.argmin(np.abs(self._target)))] = 1.0
        other -= (other @ self._target) * self._target
        other /= np.linalg.norm(other)
        return (self._cosine * self._target + np.sqrt(1 - self._cosine**2) * other).astype(np.float32)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    return build_alias(tmp_path_factory.mktemp("evidence"), FILES)


def reader_at(built: BuiltAlias, cosine: float) -> AliasReader:
    reader = built.reader
    embedder = AimedEmbedder(reader, cosine)
    return AliasReader(reader.entry, reader.dataset, lambda spec: embedder)


@pytest.mark.parametrize(
    ("question", "cosine", "expected"),
    [
        ("backoff", 0.0, True),
        ("exponential backoff of penguins", 0.0, True),
        ("best pasta recipe", MIN_COSINES[1] - 0.05, False),
        ("how does the backoff of penguins work", MIN_COSINES[1] + 0.05, True),
        ("dinosaurs and volcanoes", MIN_COSINES[0] - 0.05, False),
        ("dinosaurs and volcanoes", MIN_COSINES[0] + 0.05, True),
    ],
    ids=["only word", "two words", "one word, far", "one word, not far", "no word, not near", "no word, near"],
)
def test_evidence_is_shared_words_or_a_near_meaning(
    built: BuiltAlias, question: str, cosine: float, expected: bool
) -> None:
    options: dict[str, Any] = {"limit": 5, "strategy": "hybrid", "where": Filter()}

    assert bool(relevant_hits(question, readers=[reader_at(built, cosine)], **options)) is expected


def test_hits_without_evidence_are_none(built: BuiltAlias) -> None:
    options: dict[str, Any] = {"readers": [reader_at(built, 0.0)], "limit": 5, "strategy": "hybrid", "where": Filter()}
    assert relevant_hits("dinosaurs and volcanoes", **options) == []
    assert relevant_hits("backoff", **options)[0].chunk.path == "retry.py"


def test_words_alone_need_no_embedder(built: BuiltAlias) -> None:
    def opener(spec: str) -> Embedder:
        raise AssertionError("opened an embedder")

    reader = AliasReader(built.reader.entry, built.reader.dataset, opener)
    options: dict[str, Any] = {"readers": [reader], "limit": 5, "strategy": "bm25", "where": Filter()}
    assert relevant_hits("backoff", **options)
    assert relevant_hits("dinosaurs and volcanoes", **options) == []


@pytest.mark.parametrize("question", ["dinosaurs and volcanoes", "best pasta recipe", "backoff"])
def test_what_was_gathered_is_judged_without_another_search(
    built: BuiltAlias, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = reader_at(built, 0.0)
    scans = []
    nearest = DatasetReader.nearest
    monkeypatch.setattr(DatasetReader, "nearest", lambda *a, **b: scans.append(a) or nearest(*a, **b))

    relevant_hits(question, readers=[reader], limit=5, strategy="hybrid", where=Filter())

    embedder = reader.embedder()
    assert isinstance(embedder, AimedEmbedder)
    assert (embedder.asked, len(scans)) == (1, 1)


@pytest.mark.parametrize("strategy", ["hybrid", "signals", "cosine", "mmr", "bm25"])
def test_every_strategy_tells_evidence_from_none(built: BuiltAlias, strategy: str) -> None:
    options: dict[str, Any] = {"readers": [reader_at(built, 0.0)], "limit": 5, "strategy": strategy, "where": Filter()}

    assert relevant_hits("exponential backoff of penguins", **options)
    assert relevant_hits("dinosaurs and volcanoes", **options) == []


def test_aliases_of_several_embedders_are_judged_by_cosines_not_by_shares(built: BuiltAlias) -> None:
    """What search compares between them is each alias's share of its best, which is 1 whatever is asked."""
    near, far = reader_at(built, 0.9), reader_at(built, 0.0)
    other = replace(far.entry.manifest.embedder, fingerprint="0" * 64)
    entry = replace(far.entry, alias="other", manifest=replace(far.entry.manifest, embedder=other))
    embedder = AimedEmbedder(built.reader, 0.0)
    embedder.fingerprint = other.fingerprint
    elsewhere = AliasReader(entry, far.dataset, lambda spec: embedder)
    options: dict[str, Any] = {"limit": 5, "strategy": "hybrid", "where": Filter()}

    assert relevant_hits("dinosaurs and volcanoes", readers=[far, elsewhere], **options) == []
    assert relevant_hits("dinosaurs and volcanoes", readers=[near, elsewhere], **options)
