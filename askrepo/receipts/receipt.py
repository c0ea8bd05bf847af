"""A receipt: an answer with all that it rested on, so that it can be sent and compared again without its dataset."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from askrepo.aliases.readers import AliasReader
from askrepo.receipts.spans import Span, span_of
from askrepo.search.reading import StoredFile
from askrepo.types import Citation
from askrepo.workspace.keys import dataset_id

if TYPE_CHECKING:
    from askrepo.answer.answer import AnswerStream, Evidence

ID_BYTES = 6


@dataclass(frozen=True, slots=True)
class DatasetRead:
    """A dataset that was opened for a question.

    :ivar number: of the alias's entry. :ivar digest: over every row.
    :ivar commits: by repository.
    """

    alias: str
    number: int
    dataset: str
    digest: str
    commits: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KeptSource:
    """Lines that the answer rested on.

    :ivar number: as `[n]` in the answer; None of lines that it names by path.
    :ivar is_cited: whether the answer cites them.
    :ivar text: as the chat model saw it; "" of lines that it did not see.
    :ivar span: the stored lines; None when they could not be read.
    """

    number: int | None
    citation: Citation
    url: str
    is_cited: bool
    text: str
    span: Span | None

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """The source that `types.to_json` wrote."""
        span = values["span"]
        return cls(
            **{name: values[name] for name in ("number", "url", "is_cited", "text")},
            citation=Citation(**values["citation"]),
            span=None if span is None else Span.from_mapping(span),
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """An answer, kept; without a chat model it is the passages that were shown, and its text is empty.

    :ivar id: hexadecimal digits; conversation likewise.
    :ivar asked_at: ISO 8601, UTC.
    :ivar settings: those that decide what is found and read.
    :ivar model: None without one; host: of the chat endpoint, with its port; never a key or a user.
    :ivar messages: as they were sent, each with `role` and `content`; schema: of the JSON asked for, None for text.
    :ivar tools: that were shown with the messages, which may hold calls of them.
    :ivar steps: what was read on the way; statements: how each was checked, as `ask --json` prints both.
    :ivar tokens_in: of all requests for this answer; tokens_out: of all replies. None when nobody counted.
    :ivar is_interrupted: whether Ctrl-C ended it, so that it may stop in the middle.
    """

    id: str
    conversation: str
    asked_at: str
    question: str
    standalone_question: str
    datasets: tuple[DatasetRead, ...]
    settings: Mapping[str, Any]
    model: str | None
    host: str
    messages: tuple[Mapping[str, Any], ...]
    schema: Mapping[str, Any] | None
    sources: tuple[KeptSource, ...]
    steps: tuple[Mapping[str, Any], ...]
    answer: str
    finish_reason: str | None
    statements: tuple[Mapping[str, Any], ...]
    unresolved: tuple[str, ...]
    tokens_in: int | None
    tokens_out: int | None
    seconds: float
    is_interrupted: bool = False
    tools: tuple[Mapping[str, Any], ...] = ()

    @property
    def aliases(self) -> tuple[str, ...]:
        """Whose datasets were read."""
        return tuple(read.alias for read in self.datasets)

    @property
    def rested_on(self) -> tuple[KeptSource, ...]:
        """The sources that the answer cites; all that were read when it cites none."""
        return tuple(source for source in self.sources if source.is_cited) or self.sources

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """The receipt that `types.to_json` wrote.

        :raises KeyError, TypeError: it is none.
        """
        kinds = {"datasets": lambda each: DatasetRead(**each), "sources": KeptSource.from_mapping}
        lists = {name: tuple(map(kind, values[name])) for name, kind in kinds.items()}
        plain = {name: tuple(values[name]) for name in ("messages", "steps", "statements", "unresolved")}
        return cls(**{**values, **lists, **plain, "tools": tuple(values.get("tools", ()))})


def new_id() -> str:
    """An id that no other receipt or conversation has."""
    return secrets.token_hex(ID_BYTES)


def host_of(url: str) -> str:
    """Host and port of an endpoint, without path, user or key."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{host}:{parts.port}" if parts.port else host


def datasets_read(readers: Sequence[AliasReader]) -> tuple[DatasetRead, ...]:
    """What the readers hold open."""
    return tuple(
        DatasetRead(
            reader.alias,
            reader.entry.number,
            dataset_id(reader.entry.manifest.dataset),
            reader.entry.manifest.digest,
            {snapshot.name: snapshot.commit for snapshot in reader.entry.manifest.snapshots},
        )
        for reader in readers
    )


def receipt_of(
    stream: AnswerStream,
    *,
    readers: Sequence[AliasReader],
    conversation: str,
    asked_at: datetime,
    settings: Mapping[str, Any],
    model: str,
    endpoint: str,
    steps: Sequence[Mapping[str, Any]],
    statements: Sequence[Mapping[str, Any]],
    tokens: tuple[int, int] | None,
) -> Receipt:
    """The receipt of an answer that has arrived.

    :param asked_at: with a time zone. :param endpoint: URL of the chat endpoint, of which the host is kept.
    :param tokens: sent and received.
    """
    evidence = stream.evidence
    return Receipt(
        **_asked(evidence, readers, conversation, asked_at),
        settings=settings,
        model=model,
        host=host_of(endpoint),
        messages=stream.messages,
        schema=stream.schema,
        sources=_sources(stream, readers),
        steps=tuple(steps),
        answer=stream.text,
        finish_reason=stream.finish_reason,
        statements=tuple(statements),
        unresolved=tuple(stream.unresolved),
        tokens_in=tokens[0] if tokens else None,
        tokens_out=tokens[1] if tokens else None,
        is_interrupted=stream.is_interrupted,
        tools=tuple(stream.tools),
    )


def receipt_of_passages(
    evidence: Evidence,
    *,
    readers: Sequence[AliasReader],
    conversation: str,
    asked_at: datetime,
    settings: Mapping[str, Any],
    shown: int,
) -> Receipt:
    """The receipt of passages that were shown because there is no chat model.

    :param asked_at: with a time zone. :param shown: how many of the sources a person saw; these count as cited.
    """
    return Receipt(
        **_asked(evidence, readers, conversation, asked_at),
        settings=settings,
        model=None,
        host="",
        messages=(),
        schema=None,
        sources=tuple(
            KeptSource(
                source.number,
                source.citation,
                source.url,
                place < shown,
                source.text,
                stored_span(source.citation, readers),
            )
            for place, source in enumerate(evidence.sources)
        ),
        steps=(),
        answer="",
        finish_reason=None,
        statements=(),
        unresolved=(),
        tokens_in=None,
        tokens_out=None,
    )


def _asked(evidence: Evidence, readers: Sequence[AliasReader], conversation: str, asked_at: datetime) -> dict[str, Any]:
    """What every receipt says of its question."""
    return {
        "id": new_id(),
        "conversation": conversation,
        "asked_at": asked_at.astimezone(UTC).isoformat(timespec="seconds"),
        "question": evidence.question,
        "standalone_question": evidence.standalone_question,
        "datasets": datasets_read(readers),
        "seconds": round((datetime.now(UTC) - asked_at).total_seconds(), 2),
    }


def _sources(stream: AnswerStream, readers: Sequence[AliasReader]) -> tuple[KeptSource, ...]:
    """All that was read, then what is cited besides."""
    cited = {each.citation for each in stream.cited}
    read = [
        KeptSource(each.number, each.citation, each.url, each.citation in cited, each.text, None)
        for each in stream.evidence.sources
    ]
    known = {each.citation for each in read}
    besides = [KeptSource(None, each.citation, each.url, True, "", None) for each in stream.cited
               if each.citation not in known]  # fmt: skip
    return tuple(
        KeptSource(each.number, each.citation, each.url, each.is_cited, each.text, stored_span(each.citation, readers))
        for each in (*read, *besides)
    )


def stored_span(citation: Citation, readers: Sequence[AliasReader]) -> Span | None:
    """The cited lines as a dataset stores them; None when none does."""
    for reader in readers:
        chunks = reader.dataset.file_chunks(citation.repository, citation.path)
        if chunks and reader.snapshot_of(citation.repository).commit == citation.commit:
            return span_of(citation, StoredFile.of(reader, chunks).lines)
    return None
