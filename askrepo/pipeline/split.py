"""Split: the chunks of a shard of files, cut from their texts or taken from the current dataset."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from askrepo.chunking.parser_process import ParserProcess
from askrepo.chunking.spans import PARSER_CODE, Span, split_apart
from askrepo.errors import VerificationError
from askrepo.text.terms import index_terms
from askrepo.text.tokens import count_tokens
from askrepo.types import ChunkShard, FileShard, digest_of
from askrepo.workspace import tables
from askrepo.workspace.keys import chunks_key

if TYPE_CHECKING:
    from askrepo.store import schema
    from askrepo.workspace.objects import Workspace

SPLITTER_VERSION = "8"
"""Changes whenever the same file would give other chunks, terms or kind."""

ID_CHARS = 32


class RowSource(Protocol):
    """Where the rows of files are that were split before: the current dataset."""

    def rows(self, start: int, stop: int) -> schema.Rows:
        """Whole rows, by their place in the dataset."""
        ...


def split_files(
    shard: FileShard, *, workspace: Workspace, run: str, open_current: Callable[[], RowSource] | None = None
) -> ChunkShard:
    """Split the files of the shard and write the chunks as one Parquet object.

    Files that the current dataset has at the same path are left out: build carries their rows over. Those it has at
    another path are not split again either: their chunks are the same but for what depends on the path.

    :param run: workspace key under which this run keeps its files.
    :param open_current: opens the dataset whose files load was given; called when a file of it moved, once.
    """
    import pyarrow as pa

    began = time.monotonic()
    columns: dict[str, list[Any]] = {name: [] for name in tables.CHUNKS}
    opened = None if open_current is None else functools.cache(open_current)
    with ParserProcess(PARSER_CODE) as parser:
        for part in shard.parts:
            for file in tables.read_table(workspace, part).to_pylist():
                if file["reason"] == "" and file["known_as"] != file["path"]:
                    for row in _chunk_rows(file, _spans_of(file, opened, parser)):
                        for name, values in columns.items():
                            values.append(row[name])
    key = chunks_key(run, shard.number)
    digest = tables.write_table(workspace, key, pa.table(columns, schema=tables.chunks_schema()))
    return ChunkShard(
        number=shard.number,
        key=key,
        chunks=len(columns["id"]),
        tokens=sum(columns["tokens"]),
        digest=digest,
        seconds=round(time.monotonic() - began, 3),
    )


def _spans_of(
    file: Mapping[str, Any], open_current: Callable[[], RowSource] | None, parser: ParserProcess
) -> list[Span]:
    """The spans of one row of `tables.FILES`: cut from its text, or as the current dataset has them."""
    if not file["known_as"]:
        return split_apart(file["text"], path=file["path"], language=file["language"], parser=parser)
    if open_current is None:
        raise VerificationError(
            f"load skipped {file['path']}, but this run has no dataset to copy it from; start a new run"
        )
    columns = open_current().rows(file["first_row"], file["first_row"] + file["rows"]).columns
    if set(columns["path"]) - {file["known_as"]}:
        raise VerificationError(
            f"the current dataset lacks {file['known_as']} where its table of files has it; run with force"
        )
    names = ("start_line", "end_line", "text", "symbols", "scope")
    return [
        Span(first, last, text, tuple(symbols.split()), tuple(scope.split(tables.SCOPE_SEPARATOR) if scope else ()))
        for first, last, text, symbols, scope in zip(*(columns[name] for name in names), strict=True)
    ]


def _chunk_rows(file: Mapping[str, Any], spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
    """Rows of `tables.CHUNKS` for one row of `tables.FILES`."""
    seen: Counter[str] = Counter()
    for span in spans:
        identity = (file["repository"], file["path"], span.text, seen[span.text])
        seen[span.text] += 1
        yield {
            "id": digest_of(identity)[:ID_CHARS],
            "repository": file["repository"],
            "path": file["path"],
            "language": file["language"],
            "kind": file["kind"],
            "symbols": " ".join(span.symbols),
            "scope": tables.SCOPE_SEPARATOR.join(span.scope),
            "start_line": span.start_line,
            "end_line": span.end_line,
            "tokens": count_tokens(span.text),
            "text": span.text,
            "lexemes": " ".join(index_terms(span.text, path=file["path"], scope=span.scope)),
        }
