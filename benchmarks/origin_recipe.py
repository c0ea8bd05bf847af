"""The recipe that askrepo started from, for comparison: pieces of 1000 characters, cosine and MMR, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from langchain_text_splitters import CharacterTextSplitter

from askrepo.embedders.embedder import Embedder
from askrepo.search.mmr import mmr_order
from askrepo.types import Chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK_CHARS = 1000
CHUNK_OVERLAP = 0
SEPARATOR = "\n\n"
FETCH_K = 100
RELEVANCE_WEIGHT = 0.5

BATCH_TEXTS = 256


class OriginRecipe:
    """One repository's pieces and their vectors.

    The recipe returns ten hits. Its order is continued beyond them to fill a context, in the recipe's favour.
    """

    def __init__(self, pieces: list[Chunk], vectors: NDArray[np.float32], embedder: Embedder) -> None:
        self.pieces = pieces
        self._vectors = vectors
        self._embedder = embedder

    @classmethod
    def build(cls, repository: str, files: Iterable[tuple[str, str]], *, embedder: Embedder) -> OriginRecipe:
        """Split and embed the files.

        :param files: paths and texts.
        """
        pieces = [piece for path, text in files for piece in split(repository, path, text)]
        texts = [piece.text for piece in pieces]
        batches = [texts[start : start + BATCH_TEXTS] for start in range(0, len(texts), BATCH_TEXTS)]
        return cls(pieces, np.concatenate([embedder.embed_texts(batch) for batch in batches]), embedder)

    def mmr(self, question: str) -> list[Chunk]:
        """The nearest FETCH_K pieces, each chosen unlike those before it: what the recipe did."""
        vector = self._embedder.embed_question(question)
        nearest = self._nearest(vector)
        order = mmr_order(vector, self._vectors[nearest], k=FETCH_K, relevance_weight=RELEVANCE_WEIGHT)
        return [self.pieces[nearest[number]] for number in order]

    def cosine(self, question: str) -> list[Chunk]:
        """The nearest pieces."""
        return [self.pieces[number] for number in self._nearest(self._embedder.embed_question(question))]

    def _nearest(self, vector: NDArray[np.float32]) -> NDArray[np.int64]:
        return np.argsort(-(self._vectors @ vector), kind="stable")[:FETCH_K]


def split(repository: str, path: str, text: str) -> Iterator[Chunk]:
    """The file's pieces, with the lines they are from."""
    splitter = CharacterTextSplitter(separator=SEPARATOR, chunk_size=CHUNK_CHARS, chunk_overlap=CHUNK_OVERLAP)
    at = 0
    for piece in splitter.split_text(text):
        start, at = _place(piece, text, at)
        yield Chunk(
            id=hashlib.sha256(f"{path}\0{start}\0{piece}".encode("utf-8", "surrogatepass")).hexdigest(),
            repository=repository,
            path=path,
            language="",
            kind="source",
            symbols=(),
            scope=(),
            start_line=text.count("\n", 0, start) + 1,
            end_line=text.count("\n", 0, at) + 1,
            tokens=0,
            text=piece,
        )


def _place(piece: str, text: str, after: int) -> tuple[int, int]:
    """Where the piece begins and ends in the text.

    The splitter joins paragraphs by SEPARATOR even where more blank lines were between them, so each is looked for.
    """
    start = None
    for paragraph in piece.split(SEPARATOR):
        found = text.index(paragraph, after)
        start = found if start is None else start
        after = found + len(paragraph)
    return start or 0, after
