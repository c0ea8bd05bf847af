"""Spot check: a few texts of every batch are embedded again alone, and must get the vector that they got together.

An endpoint that answers in another order gives every text a sound vector, and most texts a wrong one. Nothing but the
text's own vector tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from askrepo.errors import VerificationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from askrepo.embedders.embedder import Embedder

    Vectors = Mapping[str, NDArray[np.float32]]

TEXTS_PER_BATCH = 2
"""Of 256. Of the batches in which n texts changed places, all but a share of (1 - n/256)² are found, and a shard has
up to sixteen batches."""
AGREES = 0.99
"""Least cosine of two vectors of one text. Measured 2026-11 with the local model's weights on 64 texts: padding in a
batch costs nothing, float16 1e-7, bfloat16 2e-6."""
RESEMBLES = 0.9
"""Least cosine where no other text's vector of the batch is nearer. A server that quantises a whole batch at once comes
to .985 (int8 activations, measured likewise); the two most similar of 256 chunks of this package have .85."""


def sample(batch: Mapping[str, str]) -> list[str]:
    """Names of the texts to check, chosen by content: those that come first by their hash.

    A batch of one text was sent alone.
    """
    return sorted(batch)[:TEXTS_PER_BATCH] if len(batch) > 1 else []


def check_batch(batch: Mapping[str, str], vectors: Vectors, embedder: Embedder, *, shard: int) -> int:
    """How many texts were embedded again.

    :param batch: what was embedded together, by vector id.
    :raises VerificationError: one has another vector alone; the message names the shard.
    """
    names = sample(batch)
    for name in names:
        alone = embedder.embed_question(batch[name])
        cosine = _cosine(alone, vectors[name])
        if cosine < AGREES and not (cosine >= RESEMBLES and cosine >= _nearest(alone, vectors)):
            raise VerificationError(
                f"shard {shard}: {embedder.spec} gave a text another vector alone than among {len(batch)} texts "
                f"(cosine {cosine:.2f}): its answers are out of order or depend on what is sent together. "
                "Nothing of this shard is kept; try another endpoint or embedder"
            )
    return len(names)


def _nearest(alone: NDArray[np.float32], vectors: Vectors) -> float:
    return max(_cosine(alone, vector) for vector in vectors.values())


def _cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Of vectors of length 1; -1 when they have different dimensions, or numbers that are none."""
    if one.shape != other.shape:
        return -1.0
    found = float(one @ other)
    return found if found == found else -1.0
