"""`askrepo why`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from askrepo.errors import UsageError
from askrepo.text.counting import counted
from askrepo.text.display import plain_line
from askrepo_query.complete import complete_path
from askrepo_query.errors import NOTHING_FOUND
from askrepo_query.options import (
    WITHOUT_VECTORS,
    alias_option,
    at_option,
    configured_strategy,
    example,
    json_option,
    not_blank,
    workspace_option,
)
from askrepo_query.output import freshness, print_json, print_note, print_result
from askrepo_query.progress import progress
from askrepo_query.question import check_question
from askrepo_query.session import Session

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.pipeline.file_stage import FileStage
    from askrepo.search.account import Account
    from askrepo.types import AliasEntry, Chunk


@click.command(epilog=example("askrepo why README.md"))
@click.argument("place", metavar="PATH[:LINE]", callback=not_blank, shell_complete=complete_path)
@click.argument("question", nargs=-1)
@alias_option
@at_option
@json_option
@workspace_option
def why(
    session: Session,
    *,
    place: str,
    question: tuple[str, ...],
    aliases: tuple[str, ...],
    at: str | None,
    as_json: bool,
) -> int:
    """Say what became of a file: not in the tree, left out by which pattern, skipped why, or loaded as what.

    With a LINE also which chunk has it; with a QUESTION the rank of the file's best chunk, and what gave it that.
    """
    text = check_question(" ".join(question)) if question else ""
    with progress("reading"):
        entries = session.entries(aliases, at=at)
        if text and _uses_vectors(session):
            session.warm_up(entries)
        stages, line = _stages(place, entries, session)
    for stage in stages:
        told = _Told(session, stage, line, text, at)
        if as_json:
            print_json(told.json())
        else:
            print_result("\n".join(told.lines()))
    for entry in entries:
        print_note(freshness(entry))
    return NOTHING_FOUND if all(stage.stage == "not in the tree" for stage in stages) else 0


def _stages(place: str, entries: Sequence[AliasEntry], session: Session) -> tuple[list[FileStage], int | None]:
    """What became of the path, and the line that was asked for; a path may itself end like a line does."""
    from askrepo.pipeline.file_stage import file_stages, place_of

    path, line, _ = place_of(place)
    if line is not None:
        whole = file_stages(place, entries=entries, workspace=session.workspace)
        if any(stage.stage != "not in the tree" for stage in whole):
            return whole, None
    if line == 0:
        raise UsageError(f"{place[-40:]!r} names line 0: lines are counted from 1")
    return file_stages(path, entries=entries, workspace=session.workspace), line


def _uses_vectors(session: Session) -> bool:
    return configured_strategy(session) not in WITHOUT_VECTORS


class _Told:
    """All that is said of one file."""

    def __init__(self, session: Session, stage: FileStage, line: int | None, question: str, at: str | None) -> None:
        self.stage = stage
        self.line = line
        self.question = question
        self.chunk: Chunk | None = None
        self.account: Account | None = None
        self.candidates = 0
        if stage.stage == "loaded" and (line is not None or question):
            self._look(session, at)

    def _look(self, session: Session, at: str | None) -> None:
        with progress("searching"):
            readers = session.readers([self.stage.alias], warm_up=False, at=at)
            if self.line is not None:
                self.chunk = _chunk_with(readers[0], self.stage, self.line)
            if self.question:
                from askrepo.search.account import account_for

                self.account, self.candidates = account_for(
                    self.stage.path,
                    self.stage.repository,
                    self.question,
                    readers=readers,
                    use_vectors=_uses_vectors(session),
                )

    def lines(self) -> Iterator[str]:
        """For a person."""
        stage = self.stage
        yield plain_line(f"{stage.repository}@{stage.commit[:10]} {stage.path}: {told_of(stage)}")
        if self.line is not None and stage.stage == "loaded":
            yield plain_line(f"  line {self.line}  {_chunk_words(self.chunk)}")
        if self.question and stage.stage == "loaded":
            yield from _account_lines(self.account, self.candidates)

    def json(self) -> dict[str, Any]:
        """For a program."""
        stage = self.stage
        return {
            "alias": stage.alias,
            "repository": stage.repository,
            "commit": stage.commit,
            "path": stage.path,
            "stage": stage.stage,
            "reason": stage.reason or None,
            "pattern": stage.pattern,
            "kind": stage.kind or None,
            "language": stage.language or None,
            "bytes": stage.size,
            "chunks": stage.chunks,
            "nearest": list(stage.nearest),
            "within": dict(stage.within),
            "line": self.line,
            "chunk": _chunk_json(self.chunk),
            "question": self.question or None,
            "candidates": self.candidates,
            "account": _account_json(self.account),
        }


def _chunk_with(reader: AliasReader, stage: FileStage, line: int) -> Chunk | None:
    chunks = reader.dataset.file_chunks(stage.repository, stage.path)
    return next((chunk for chunk in chunks if chunk.start_line <= line <= chunk.end_line), None)


def told_of(stage: FileStage) -> str:
    """What became of a file or a folder, in a few words."""
    size = counted(stage.size, "byte")
    if stage.stage == "not in the tree":
        return "not in the tree" + (f"; nearest: {', '.join(stage.nearest)}" if stage.nearest else "")
    if stage.stage == "folder":
        within = " + ".join(f"{count:,} {what}" for what, count in stage.within.items())
        return f"a folder of {sum(stage.within.values()):,} files = {within}; {stage.chunks:,} chunks"
    if stage.stage == "excluded":
        return (
            f"left out by the pattern {stage.pattern!r}" if stage.pattern else "left out: no pattern of include has it"
        )
    if stage.stage == "skipped":
        return f"skipped, {stage.reason}: {stage.explained} ({size})"
    language = stage.language or "no known language"
    return f"loaded as {stage.kind}, {language} ({stage.encoding}, {size}), {counted(stage.chunks, 'chunk')}"


def _chunk_words(chunk: Chunk | None) -> str:
    if chunk is None:
        return "is behind the end of the file"
    names = f", defines {' '.join(chunk.symbols)}" if chunk.symbols else ""
    within = f", in {' > '.join(chunk.scope)}" if chunk.scope else ""
    return f"is in the chunk {chunk.start_line}-{chunk.end_line} ({chunk.tokens:,} tokens{names}{within})"


def _account_lines(account: Account | None, candidates: int) -> Iterator[str]:
    if account is None:
        yield (
            f"  rank    none: no chunk of it is among the {candidates:,} candidates, by meaning, by words or by a name "
            "of the question"
        )
        return
    chunk = account.chunk
    yield f"  rank    {account.rank:,} of {account.candidates:,}, lines {chunk.start_line}-{chunk.end_line}"
    cosine = "not among the nearest" if account.cosine is None else f"cosine {account.cosine:.3f}"
    bm25 = "not among the best by words" if account.bm25 is None else f"BM25 {account.bm25:.2f}"
    yield f"  found   {cosine}; {bm25}; fused {account.fused:.3f}"
    for name, how in account.holds.items():
        yield plain_line(f"  name    {name}: {how.name.lower()} it, and exact names come first")
    for name, amount in sorted(account.signals.items(), key=lambda pair: -pair[1]):
        yield f"  signal  {name:<12} {amount:+.3f}"
    yield f"  prior   x {account.prior:.2f} for a file of kind {chunk.kind}"
    yield f"  score   {account.score:.3f}"


def _chunk_json(chunk: Chunk | None) -> dict[str, Any] | None:
    if chunk is None:
        return None
    return {
        "start_line": chunk.start_line,
        "end_line": chunk.end_line,
        "tokens": chunk.tokens,
        "symbols": list(chunk.symbols),
        "scope": list(chunk.scope),
    }


def _account_json(account: Account | None) -> dict[str, Any] | None:
    if account is None:
        return None
    return {
        "rank": account.rank,
        "chunk": _chunk_json(account.chunk),
        "score": account.score,
        "cosine": account.cosine,
        "bm25": account.bm25,
        "fused": account.fused,
        "prior": account.prior,
        "signals": dict(account.signals),
        "names": {name: how.name.lower() for name, how in account.holds.items()},
    }
