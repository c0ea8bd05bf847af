"""The `hash` embedder, for tests and benchmarks: no model, no meaning beyond shared words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from askrepo.types import digest_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIMENSION = 64
VERSION = 1
_WORD = re.compile(r"\w+")


class HashedEmbedder:
    """Signed feature hashing of lower-cased words: texts are close when they share words."""

    spec = "hash"

    def __init__(self) -> None:
        self.fingerprint = digest_of({"embedder": "hash", "version": VERSION, "dimension": DIMENSION})[:32]

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n_texts, 64) float32, rows of length 1."""
        import numpy as np

        rows = [self.embed_question(text) for text in texts]
        return np.stack(rows) if rows else np.empty((0, DIMENSION), np.float32)

    def warm_up(self) -> None:
        """Nothing to load."""

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """(64,) float32, of length 1."""
        import numpy as np

        counts = np.zeros(DIMENSION, np.float64)
        for word in _WORD.findall(text.lower()):
            position, sign = _slot(word)
            counts[position] += sign
        length = float(np.linalg.norm(counts))
        if length == 0:  # no words, or words that cancel each other out
            counts[0] = length = 1.0
        return (counts / length).astype(np.float32)


def _slot(word: str) -> tuple[int, int]:
    """Where a word counts, and with which sign."""
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest[:4], "big") % DIMENSION, 1 if digest[4] & 1 else -1
