"""Maximal marginal relevance: relevant to the question, and unlike what was chosen before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def mmr_order(
    question: NDArray[np.float32], vectors: NDArray[np.float32], *, k: int, relevance_weight: float = 0.5
) -> list[int]:
    """Row numbers in the order of choice: each maximises weight x relevance - (1 - weight) x redundancy.

    Relevance is the cosine with the question, redundancy the largest cosine with a row chosen before
    (Carbonell and Goldstein, SIGIR 1998). The first choice is the most relevant row; ties go to the earlier row.

    :param question: (dimension,) unit length. :param vectors: (n, dimension) rows of unit length.
    :returns: min(k, n) distinct row numbers.
    """
    import numpy as np

    if len(vectors) == 0 or k < 1:
        return []
    relevance = vectors @ question
    chosen = [int(np.argmax(relevance))]
    redundancy = vectors @ vectors[chosen[0]]
    while len(chosen) < min(k, len(vectors)):
        value = relevance_weight * relevance - (1 - relevance_weight) * redundancy
        value[chosen] = -np.inf
        chosen.append(int(np.argmax(value)))
        redundancy = np.maximum(redundancy, vectors @ vectors[chosen[-1]])
    return chosen
