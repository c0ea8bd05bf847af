"""LangChain's view of an alias: a read-only vector store, and a retriever that ranks as `search` does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from askrepo.aliases.following import AliasFollower
from askrepo.aliases.readers import AliasReader
from askrepo.langchain.similarity import SimilarityStore
from askrepo.search.question.question import searchable
from askrepo.search.search import DEFAULT_K, EVERYTHING, hit_of, search
from askrepo.store.reader import Filter, ScoredChunk
from askrepo.types import Hit

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from numpy.typing import NDArray


class AskrepoRetriever(BaseRetriever):
    """Retrieves exactly the hits of `askrepo.search.search.search`, in its order.

    :ivar readers: of the datasets to search for ever, or, in a process that outlives them, a follower of their aliases.
    :ivar k, strategy, where: as in `search`; `invoke` takes each of them too, for one call.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    readers: Sequence[AliasReader] | AliasFollower
    k: int = DEFAULT_K
    strategy: str = "hybrid"
    where: Filter = EVERYTHING

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (LangChain passes it by name)
        k: int | None = None,
        strategy: str | None = None,
        where: Filter | None = None,
    ) -> list[Document]:
        def hits(readers: Sequence[AliasReader]) -> list[Hit]:
            return search(
                query,
                readers=readers,
                k=self.k if k is None else k,
                strategy=self.strategy if strategy is None else strategy,
                where=self.where if where is None else where,
            )

        found = self.readers.read(hits) if isinstance(self.readers, AliasFollower) else hits(self.readers)
        return [document_of(hit) for hit in found]


class AskrepoVectorStore(SimilarityStore):
    """An alias's current dataset, by vector alone; `where=Filter(…)` narrows any of its searches.

    Datasets never change after publication, so nothing can be added or deleted: a run of the pipeline does that.
    """

    def __init__(self, reader: AliasReader) -> None:
        self._reader = reader

    @property
    def embeddings(self) -> Embeddings:
        """The embedder that made the dataset's vectors, as LangChain sees it."""
        return _ReaderEmbeddings(self._reader)

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The chunks of those ids, without a score; ids that the dataset lacks are left out."""
        found = self._reader.dataset.chunks(ids)
        chunks = [found[key] for key in ids if key in found]
        documents = [document_of(hit_of(0, self._reader, ScoredChunk(chunk, 0.0))) for chunk in chunks]
        for document in documents:
            del document.metadata["score"]
        return documents

    def add_texts(
        self,
        texts: Iterable[str],  # noqa: ARG002
        metadatas: list[dict[str, Any]] | None = None,  # noqa: ARG002
        *,
        ids: list[str] | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> NoReturn:
        """Nothing: the dataset is read-only."""
        self._refuse("add texts to")

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        """Nothing: the dataset is read-only."""
        self._refuse("delete texts from")

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> NoReturn:
        """Nothing: a dataset comes from the pipeline."""
        raise NotImplementedError(
            "an alias's dataset comes from the pipeline, not from texts; "
            "for texts of your own use a vector store of LangChain, such as InMemoryVectorStore"
        )

    def _refuse(self, action: str) -> NoReturn:
        raise NotImplementedError(
            f"cannot {action} alias {self._reader.alias!r}: a published dataset never changes; refresh the alias with "
            "the pipeline, or use LangChain's InMemoryVectorStore for texts of your own"
        )

    def _nearest(
        self, vector: NDArray[np.float32], *, limit: int, where: Filter = EVERYTHING, **_: Any
    ) -> list[tuple[Document, float]]:
        found = self._reader.dataset.nearest(vector, limit=limit, where=where)
        hits = [hit_of(rank, self._reader, scored) for rank, scored in enumerate(found, start=1)]
        return [(document_of(hit), hit.score) for hit in hits]

    def _vectors_of(self, ids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        return self._reader.dataset.vectors_of(ids)

    def _vector_of_query(self, query: str) -> NDArray[np.float32]:
        return self._reader.embedder().embed_question(searchable(query))


class _ReaderEmbeddings(Embeddings):
    """An alias's embedder with LangChain's method names; opened at the first text."""

    def __init__(self, reader: AliasReader) -> None:
        self._reader = reader

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._reader.embedder().embed_texts(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        vector: list[float] = self._reader.embedder().embed_question(text).tolist()
        return vector


def document_of(hit: Hit) -> Document:
    """The hit as a LangChain document: its text, and where it stands as metadata."""
    chunk = hit.chunk
    return Document(
        id=chunk.id,
        page_content=chunk.text,
        metadata={
            "alias": hit.alias,
            "repository": chunk.repository,
            "commit": hit.commit,
            "path": chunk.path,
            "start_line": chunk.start_line,
            "end_line": chunk.end_line,
            "language": chunk.language,
            "kind": chunk.kind,
            "symbols": list(chunk.symbols),
            "score": hit.score,
            "url": hit.url,
        },
    )
