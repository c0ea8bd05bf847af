"""One question to one alias: all that a strategy or a signal may look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from askrepo.search.question import Question
from askrepo.sources import AliasReader
from askrepo.store.reader import Filter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class QuestionVectors:
    """A question's vector from each embedder: computed when asked for, once, however many aliases share it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def of(self, reader: AliasReader) -> NDArray[np.float32]:
        """The vector to compare with the reader's: (dimension,) float32 of length 1.

        :raises EmbedderMismatchError: the alias was built with another embedder.
        """
        embedder = reader.embedder()
        if embedder.fingerprint not in self._vectors:
            self._vectors[embedder.fingerprint] = embedder.embed_question(self._text)
        return self._vectors[embedder.fingerprint]


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A parsed question, the alias it is put to and the filter that every hit must pass."""

    question: Question
    reader: AliasReader
    where: Filter
    vectors: QuestionVectors

    def vector(self) -> NDArray[np.float32]:
        """The question's vector; the first call opens the embedder."""
        return self.vectors.of(self.reader)
