"""One question to one alias: all that a strategy or a signal may look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askrepo.aliases.readers import AliasReader
from askrepo.search.question.generic import GENERIC
from askrepo.search.question.question import Question
from askrepo.store.reader import Filter
from askrepo.text.terms import query_terms

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
    """A parsed question, the alias it is put to and the filter that every hit must pass.

    :ivar terms: the question's terms that tell something in the repositories searched.
    :ivar projects: names of all repositories searched, without their owners.
    """

    question: Question
    reader: AliasReader
    where: Filter
    vectors: QuestionVectors
    terms: tuple[str, ...] = ()
    projects: frozenset[str] = frozenset()

    def vector(self) -> NDArray[np.float32]:
        """The question's vector; the first call opens the embedder."""
        return self.vectors.of(self.reader)


def requests_for(question: str, *, readers: Sequence[AliasReader], where: Filter) -> list[SearchRequest]:
    """A request per alias, which share the question and its vectors.

    :raises UsageError: the question is blank.
    """
    parsed = Question.parse(question)
    vectors = QuestionVectors(parsed.text)
    projects = frozenset(
        snapshot.name.rpartition("/")[2] for reader in readers for snapshot in reader.entry.manifest.snapshots
    )
    terms = telling_terms(parsed.terms, projects)
    if parsed.kind == "overview":  # "why use X?" wants its README, not the pages that say "use" or X most often
        terms = tuple(term for term in terms if term not in GENERIC)
    elif not terms:
        terms = parsed.terms
    return [SearchRequest(parsed, reader, where, vectors, terms, projects) for reader in readers]


def telling_terms(terms: Sequence[str], projects: Iterable[str]) -> tuple[str, ...]:
    """The terms without the project's own name, which its every file has."""
    own = {term for name in projects for term in query_terms(name)}
    return tuple(term for term in terms if term not in own)
