"""A small writable vector store for texts that come from no repository: what a dataset is compared with."""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
import weakref
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from langchain_core.documents import Document

from askrepo.langchain.similarity import SimilarityStore
from askrepo.store.deeplake import load_deeplake

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray


class AdhocVectorStore(SimilarityStore):
    """Texts in a Deep Lake dataset of their own, which may change.

    Searches compare with every vector: without an index a changed dataset stays right (an indexed one does not), and
    thousands of texts take milliseconds.

    :param directory: where the dataset is or will be; None for a temporary one that goes with this object.
    """

    def __init__(self, embedding: Embeddings, *, directory: Path | None = None) -> None:
        self._embedding = embedding
        self._path = str((directory or self._temporary_directory()) / "texts")
        self._dataset: Any = self._open()

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        directory: Path | None = None,
        **kwargs: Any,  # noqa: ARG003 (LangChain's signature)
    ) -> Self:
        """A store that holds the texts."""
        store = cls(embedding, directory=directory)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @property
    def embeddings(self) -> Embeddings:
        """What makes the vectors."""
        return self._embedding

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,  # noqa: ARG002 (LangChain's signature)
    ) -> list[str]:
        """Add texts, replacing those of the same id; a missing id is made up.

        :returns: the ids, in the order of the texts.
        """
        contents = list(texts)
        keys = [key or uuid.uuid4().hex for key in (ids or [None] * len(contents))]
        details = metadatas or [{} for _ in contents]
        if not len(contents) == len(keys) == len(details):
            raise ValueError(f"{len(contents)} texts, {len(keys)} ids, {len(details)} metadatas: give as many of each")
        vectors = self._embedding.embed_documents(contents) if contents else []
        rows = {row[0]: row for row in zip(keys, contents, details, vectors, strict=True)}
        self._replace(rows.keys(), [*rows.values()])
        return keys

    def add_documents(self, documents: list[Document], **kwargs: Any) -> list[str]:
        """Add documents under the given ids, else under their own, replacing those of the same id."""
        ids = kwargs.pop("ids", None) or [document.id for document in documents]
        metadatas = [document.metadata for document in documents]
        return self.add_texts([document.page_content for document in documents], metadatas, ids=ids, **kwargs)

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:  # noqa: ARG002 (LangChain's signature)
        """Remove the texts of those ids, or all without ids; unknown ids are no error."""
        self._replace(self._positions() if ids is None else ids, [])
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents of those ids, in that order; unknown ids are left out."""
        positions = self._positions()
        return [self._document(positions[key]) for key in ids if key in positions]

    def _nearest(self, vector: NDArray[np.float32], *, limit: int, **_: Any) -> list[tuple[Document, float]]:
        import numpy as np

        if len(self._dataset) == 0:
            return []
        rows = np.asarray(self._dataset["vector"][:], dtype=np.float32)
        lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(vector)
        cosines = rows @ vector / np.where(lengths == 0, 1, lengths)
        best = np.argsort(-cosines, kind="stable")[:limit]
        return [(self._document(int(number)), float(cosines[number])) for number in best]

    def _vectors_of(self, ids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        positions = self._positions()
        return {key: self._dataset["vector"][positions[key]] for key in ids}

    def _vector_of_query(self, query: str) -> NDArray[np.float32]:
        import numpy as np

        return np.asarray(self._embedding.embed_query(query), dtype=np.float32)

    def _document(self, position: int) -> Document:
        row = self._dataset[position]
        return Document(id=row["id"], page_content=row["text"], metadata=json.loads(row["metadata"]))

    def _positions(self) -> dict[str, int]:
        if len(self._dataset) == 0:
            return {}
        return {key: position for position, key in enumerate(self._dataset["id"][:])}

    def _replace(self, ids: Iterable[str], rows: Sequence[tuple[str, str, dict[str, Any], list[float]]]) -> None:
        """Delete ids and add rows in one commit: all of it or nothing."""
        import numpy as np

        positions = self._positions()
        try:
            for position in sorted((positions[key] for key in ids if key in positions), reverse=True):
                self._dataset.delete(position)
            if rows:
                keys, texts, metadatas, vectors = zip(*rows, strict=True)
                self._dataset.append(
                    {
                        "id": list(keys),
                        "text": list(texts),
                        "metadata": [json.dumps(metadata) for metadata in metadatas],
                        "vector": np.asarray(vectors, dtype=np.float32),
                    }
                )
            self._dataset.commit()
        except BaseException:
            # Deep Lake would commit pending rows when the object goes
            self._dataset.rollback()
            raise

    def _temporary_directory(self) -> Path:
        directory = Path(tempfile.mkdtemp(prefix="askrepo-"))
        weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
        return directory

    def _open(self) -> Any:
        deeplake = load_deeplake()
        types = deeplake.types
        if deeplake.exists(self._path):
            dataset = deeplake.open(self._path)
        else:
            dimension = len(self._embedding.embed_query("dimension"))
            vector = types.Array("float32", shape=[dimension])
            columns = {"id": types.Text(), "text": types.Text(), "metadata": types.Text(), "vector": vector}
            dataset = deeplake.create(self._path, schema=columns)
        dataset.indexing_mode = deeplake.IndexingMode.Off
        return dataset
