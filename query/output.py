"""What the command prints: results on stdout, everything else on stderr, nothing that steers a terminal."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import click

from askrepo.plain import fitted, plain, plain_line

if TYPE_CHECKING:
    from askrepo.context import Source
    from askrepo.types import AliasEntry, Hit

EXCERPT_LINES = 6
MIN_WIDTH = 40
# Shorter words ("of", "is") are in every line.
MIN_WORD_CHARS = 3


def wants_colour(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Whether to colour: NO_COLOR forbids it (no-color.org), FORCE_COLOR demands it, else a terminal decides."""
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR", "0") not in {"", "0"}:
        return True
    return stream.isatty() and env.get("TERM") != "dumb"


def print_result(text: str = "", *, newline: bool = True) -> None:
    """Text on stdout; untrusted parts of it must have gone through `plain`."""
    click.echo(text, nl=newline, color=wants_colour(sys.stdout, os.environ))
    if not newline:
        sys.stdout.flush()


def print_note(text: str) -> None:
    """Text on stderr."""
    click.echo(text, err=True, color=wants_colour(sys.stderr, os.environ))


class _Line(logging.Formatter):
    """A log record on one line, safe for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return plain_line(super().format(record))


def show_warnings_plainly() -> None:
    """Warnings that no handler takes go to stderr; they quote endpoints, stores and repositories."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Line())


def print_json(value: Mapping[str, Any]) -> None:
    """One object on one line of stdout; every character beyond printable ASCII is escaped."""
    click.echo(json.dumps(value).replace("\x7f", "\\u007f"))


def hit_json(hit: Hit) -> dict[str, Any]:
    """The hit as `search --json` prints it."""
    chunk = hit.chunk
    return {
        "rank": hit.rank,
        "score": hit.score,
        "alias": hit.alias,
        "repository": chunk.repository,
        "commit": hit.commit,
        "path": chunk.path,
        "start_line": chunk.start_line,
        "end_line": chunk.end_line,
        "language": chunk.language,
        "symbol": symbol_of(hit),
        "text": chunk.text,
        "url": hit.url,
    }


def source_json(source: Source) -> dict[str, Any]:
    """The source as `search --context --json` prints it."""
    citation = source.citation
    return {
        "number": source.number,
        "repository": citation.repository,
        "commit": citation.commit,
        "path": citation.path,
        "start_line": citation.start_line,
        "end_line": citation.end_line,
        "tokens": source.tokens,
        "text": source.text,
    }


def symbol_of(hit: Hit) -> str:
    """The first name that the chunk defines within the names around it; else the innermost of those."""
    chunk = hit.chunk
    scope = [name for name in chunk.scope if name]
    if not chunk.symbols:
        return scope[-1] if scope else ""
    first = chunk.symbols[0]
    return ".".join([*scope[-1:], first]) if scope and scope[-1] != first else first


def hit_block(hit: Hit, *, question: str, with_repository: bool, width: int | None) -> str:
    """Heading and excerpt of a hit.

    :param width: columns of the terminal, None when nobody's screen limits the lines.
    """
    chunk = hit.chunk
    place = f"{plain_line(chunk.path)}:{chunk.start_line}-{chunk.end_line}"
    heading = f"{hit.rank}. " + click.style(place, fg="cyan", bold=True)
    if with_repository:
        heading = f"{hit.rank}. {plain_line(chunk.repository)} " + click.style(place, fg="cyan", bold=True)
    symbol = plain_line(symbol_of(hit))
    parts = [heading, click.style(symbol, fg="yellow") if symbol else ""]
    return "\n".join(["  ".join(part for part in parts if part), *excerpt(hit, question=question, width=width)])


def excerpt(hit: Hit, *, question: str, width: int | None) -> list[str]:
    """The few lines of a hit that hold most of the question's words, with line numbers."""
    lines = hit.chunk.text.removesuffix("\n").split("\n")
    first = best_window(lines, words=re.findall(r"\w+", question.casefold()), size=EXCERPT_LINES)
    shown = lines[first : first + EXCERPT_LINES]
    start = hit.chunk.start_line + first
    gutter = len(str(start + len(shown) - 1))
    return [
        click.style(f"   {number:>{gutter}} │ ", dim=True) + _fitted(line, width and width - gutter - 6)
        for number, line in enumerate(shown, start=start)
    ]


def best_window(lines: Sequence[str], *, words: Sequence[str], size: int) -> int:
    """Index of the first line of the window that holds most distinct words, then most lines with one.

    Of equal windows the middle one, so that a match has lines around it; the first when no word is found.
    """
    wanted = {word for word in words if len(word) >= MIN_WORD_CHARS}
    found = [{word for word in wanted if word in line.casefold()} for line in lines]

    def worth(first: int) -> tuple[int, int]:
        window = found[first : first + size]
        return len(set().union(*window)), sum(map(bool, window))

    starts = range(max(1, len(lines) - size + 1))
    best = max(map(worth, starts))
    equal = [first for first in starts if worth(first) == best]
    return equal[len(equal) // 2] if any(found) else 0


def terminal_width() -> int | None:
    """Columns of the terminal on stdout, None when it is not one."""
    if not sys.stdout.isatty():
        return None
    return max(MIN_WIDTH, shutil.get_terminal_size().columns)


def freshness(entry: AliasEntry, *, now: datetime | None = None) -> str:
    """What a result rests on: alias, dataset, each repository's commit, and their age."""
    manifest = entry.manifest
    commits = ", ".join(
        f"{snapshot.name}@{snapshot.commit[:10]} (commit of {snapshot.committed_at[:10]})"
        for snapshot in manifest.snapshots
    )
    line = f"{entry.alias}: {dataset_id(manifest.dataset)} · {commits} · built {age(manifest.created_at, now=now)}"
    return click.style(plain_line(line), dim=True)


def dataset_id(dataset: str) -> str:
    """The dataset's own name: the last part of its key or URL."""
    return dataset.rstrip("/").rpartition("/")[2]


def age(moment: str, *, now: datetime | None = None) -> str:
    """How long ago an ISO 8601 moment was, in the unit that fits."""
    then = datetime.fromisoformat(moment)
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    minutes = int(((now or datetime.now(UTC)) - then).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days ago"


def _fitted(line: str, width: int | None) -> str:
    """The line, cut to a width in columns; tabs are widened first."""
    shown = plain(line.expandtabs(4))
    return shown if width is None else fitted(shown, width)
