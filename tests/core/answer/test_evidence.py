from __future__ import annotations

import numpy as np
import pytest

from askrepo.aliases.sources import AliasReader
from askrepo.answer.evidence import MIN_COSINES, has_evidence, relevant_hits
from askrepo.store.reader import Filter
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

    def embed_texts(self, texts):
        raise NotImplementedError

    def embed_question(self, text):
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
        ("dinosaurs", MIN_COSINES[0] - 0.05, False),
        ("dinosaurs", MIN_COSINES[0] + 0.05, True),
    ],
    ids=["only word", "two words", "one word, far", "one word, not far", "no word, not near", "no word, near"],
)
def test_evidence_is_shared_words_or_a_near_meaning(
    built: BuiltAlias, question: str, cosine: float, expected: bool
) -> None:
    assert has_evidence(question, readers=[reader_at(built, cosine)], where=Filter()) is expected


def test_hits_without_evidence_are_none(built: BuiltAlias) -> None:
    options = {"readers": [reader_at(built, 0.0)], "limit": 5, "strategy": "hybrid", "where": Filter()}
    assert relevant_hits("dinosaurs", **options) == []
    assert relevant_hits("backoff", **options)[0].chunk.path == "retry.py"


def test_words_alone_need_no_embedder(built: BuiltAlias) -> None:
    def opener(spec: str) -> None:
        raise AssertionError("opened an embedder")

    reader = AliasReader(built.reader.entry, built.reader.dataset, opener)
    options = {"readers": [reader], "limit": 5, "strategy": "bm25", "where": Filter()}
    assert relevant_hits("backoff", **options)
    assert relevant_hits("dinosaurs", **options) == []
