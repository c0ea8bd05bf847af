"""What the command prints: results on stdout, everything else on stderr, nothing that steers a terminal."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import click

from askrepo.text.display import plain_line
from askrepo.workspace.keys import dataset_id

if TYPE_CHECKING:
    from askrepo.answer.context import Source
    from askrepo.types import AliasEntry

MIN_WIDTH = 40
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:[!-~]+")
SCHEMA = 1
"""Version of what `--json` prints, and of what the tools for agents tell beside their texts; see docs/command.md."""


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


def is_styled_terminal() -> bool:
    """Whether stdout is a terminal that takes more than plain text."""
    return sys.stdout.isatty() and wants_colour(sys.stdout, os.environ)


def linked(text: str, address: str) -> str:
    """The text as a link (OSC 8) where a terminal shows it; the text when there is no address.

    :param address: of `query.places.Places`, which says what may be linked to.
    """
    if not (is_styled_terminal() and _ADDRESS.fullmatch(address)):
        return text
    return f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\"


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


def versioned(value: Mapping[str, Any], entries: Iterable[AliasEntry]) -> dict[str, Any]:
    """An object with the version of its fields before them, and behind them what they rest on."""
    return {"schema": SCHEMA, **value, "rests_on": [rests_on(entry) for entry in entries]}


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


def rests_on(entry: AliasEntry, *, now: datetime | None = None) -> dict[str, Any]:
    """The same for a program; `age_s` is in seconds, of the dataset."""
    manifest = entry.manifest
    return {
        "alias": entry.alias,
        "dataset": dataset_id(manifest.dataset),
        "entry": entry.number,
        "commits": [
            {"repository": read.name, "commit": read.commit, "committed_at": read.committed_at}
            for read in manifest.snapshots
        ],
        "built_at": manifest.created_at,
        "age_s": max(0, int(((now or datetime.now(UTC)) - _aware(manifest.created_at)).total_seconds())),
    }


def age(moment: str, *, now: datetime | None = None) -> str:
    """How long ago an ISO 8601 moment was, in the unit that fits."""
    minutes = int(((now or datetime.now(UTC)) - _aware(moment)).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days ago"


def _aware(moment: str) -> datetime:
    then = datetime.fromisoformat(moment)
    return then if then.tzinfo else then.replace(tzinfo=UTC)
