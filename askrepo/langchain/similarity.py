"""The query half of a LangChain vector store: all that follows from nearest neighbours by cosine."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.vectorstores import VectorStore

from askrepo.search.mmr import mmr_order

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.documents import Document
    from numpy.typing import NDArray

DEFAULT_DOCUMENTS = 4
"""LangChain's default for k."""

FETCH_K = 100
"""Neighbours that `max_marginal_relevance_search` chooses from, unless told otherwise."""


class SimilarityStore(VectorStore):
    """A vector store whose scores are cosines in [-1, 1], higher is closer, and whose documents all have ids.

    Keyword arguments beyond LangChain's go to `_nearest`: they narrow what is searched.
    """

    @abstractmethod
    def _nearest(self, vector: NDArray[np.float32], *, limit: int, **narrow: Any) -> list[tuple[Document, float]]:
        """The nearest documents with their cosines, best first."""

    @abstractmethod
    def _vectors_of(self, ids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """The stored vectors by document id."""

    @abstractmethod
    def _vector_of_query(self, query: str) -> NDArray[np.float32]:
        """The query's vector: (dimension,)."""

    def similarity_search_with_score(
        self, query: str, k: int = DEFAULT_DOCUMENTS, **narrow: Any
    ) -> list[tuple[Document, float]]:
        """The k nearest documents to a query with their cosines, best first."""
        return self._nearest(self._vector_of_query(query), limit=k, **narrow)

    def similarity_search(self, query: str, k: int = DEFAULT_DOCUMENTS, **narrow: Any) -> list[Document]:
        """The k nearest documents to a query, best first."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **narrow)]

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = DEFAULT_DOCUMENTS, **narrow: Any
    ) -> list[Document]:
        """The k nearest documents to a vector, best first."""
        return [document for document, _ in self._nearest(_float32(embedding), limit=k, **narrow)]

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = DEFAULT_DOCUMENTS,
        fetch_k: int = FETCH_K,
        lambda_mult: float = 0.5,
        **narrow: Any,
    ) -> list[Document]:
        """K of the fetch_k nearest documents to a query, each chosen unlike those before it."""
        vector = self._vector_of_query(query)
        return self._diverse(vector, k=k, fetch_k=fetch_k, lambda_mult=lambda_mult, narrow=narrow)

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = DEFAULT_DOCUMENTS,
        fetch_k: int = FETCH_K,
        lambda_mult: float = 0.5,
        **narrow: Any,
    ) -> list[Document]:
        """K of the fetch_k nearest documents to a vector, each chosen unlike those before it."""
        return self._diverse(_float32(embedding), k=k, fetch_k=fetch_k, lambda_mult=lambda_mult, narrow=narrow)

    def _diverse(
        self, vector: NDArray[np.float32], *, k: int, fetch_k: int, lambda_mult: float, narrow: Mapping[str, Any]
    ) -> list[Document]:
        documents = [document for document, _ in self._nearest(vector, limit=fetch_k, **narrow)]
        if not documents:
            return []
        ids = [document.id or "" for document in documents]
        vectors = self._vectors_of(ids)
        rows = _unit([vectors[key] for key in ids])
        order = mmr_order(_unit([vector])[0], rows, k=k, relevance_weight=lambda_mult)
        return [documents[number] for number in order]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return _clamped


def _clamped(cosine: float) -> float:
    """LangChain wants relevance in [0, 1]; an opposite vector is not more irrelevant than an unrelated one."""
    return min(1.0, max(0.0, cosine))


def _float32(values: Sequence[float]) -> NDArray[np.float32]:
    import numpy as np

    return np.asarray(values, dtype=np.float32)


def _unit(vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    import numpy as np

    rows: NDArray[np.float32] = np.stack(vectors)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    rows /= lengths
    return rows
