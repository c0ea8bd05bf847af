"""`askrepo diff`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from askrepo.errors import UsageError
from askrepo.text.display import plain_line
from askrepo.workspace.keys import dataset_id
from askrepo_query.complete import complete_moment
from askrepo_query.options import alias_argument, example, json_option, not_blank, workspace_option
from askrepo_query.output import print_json, print_result
from askrepo_query.progress import progress
from askrepo_query.session import Session

if TYPE_CHECKING:
    from askrepo.pipeline.dataset_diff import DatasetDiff, Where
    from askrepo.types import AliasEntry

COMMIT_CHARS = 10


@click.command(epilog=example("askrepo diff main"))
@alias_argument
@click.argument("before", metavar="[A]", required=False, callback=not_blank, shell_complete=complete_moment)
@click.argument("after", metavar="[B]", required=False, callback=not_blank, shell_complete=complete_moment)
@json_option
@workspace_option
def diff(session: Session, *, alias: str, before: str | None, after: str | None, as_json: bool) -> None:
    """Say what changed between two datasets of an alias: commits, files, chunks.

    A and B are moments as for --at. Default: the dataset before, and the current one.
    """
    from askrepo.pipeline.dataset_diff import diff_datasets

    with progress("reading"):
        newer = _entry(session, alias, after) if after else session.catalogue.current(session.alias(alias))
        older = _entry(session, alias, before) if before else _before(session, newer)
        found = diff_datasets(older, newer, workspace=session.workspace)
    if as_json:
        print_json(_json(found))
    else:
        print_result("\n".join(_lines(found)))


def _entry(session: Session, alias: str, at: str) -> AliasEntry:
    """The entry of that moment, be its dataset kept or not: only its table of files is read."""
    from datetime import UTC, datetime

    from askrepo.aliases.entry_at import named_entry

    return named_entry(session.catalogue.log(session.alias(alias)), at.strip(), now=datetime.now(UTC))


def _before(session: Session, entry: AliasEntry) -> AliasEntry:
    """The newest entry of another dataset before this one."""
    for other in reversed(session.catalogue.history(entry.alias)):
        if other.number < entry.number and other.manifest.dataset != entry.manifest.dataset:
            return other
    raise UsageError(f"alias {entry.alias!r} has had one dataset only until entry {entry.number}: nothing to compare")


def _lines(found: DatasetDiff) -> Iterator[str]:
    before, after = found.before, found.after
    yield click.style(plain_line(after.alias), bold=True) + plain_line(
        f"  entry {before.number} ({dataset_id(before.manifest.dataset)}) -> "
        f"entry {after.number} ({dataset_id(after.manifest.dataset)})"
    )
    for each in found.commits:
        commits = [(commit or "none")[:COMMIT_CHARS] for commit in (each.before, each.after)]
        same = each.before == each.after
        yield plain_line(f"  {each.repository}  {commits[0]}{', unchanged' if same else f' -> {commits[1]}'}")
    counts = [(len(paths), name) for name, paths in _by_name(found)]
    files = ", ".join(f"{count:,} {name}" for count, name in [*counts, (found.unchanged, "unchanged")])
    yield f"  files   {files}"
    chunks = before.manifest.chunks, after.manifest.chunks
    yield f"  chunks  {chunks[0]:,} -> {chunks[1]:,} ({chunks[1] - chunks[0]:+,})"
    several = len(found.commits) > 1
    for sign, colour, paths in (
        ("+", "green", [_shown(where, several) for where in found.added]),
        ("~", "yellow", [_shown(where, several) for where in found.changed]),
        (">", "cyan", [f"{_shown(one, several)} -> {_shown(other, several)}" for one, other in found.moved]),
        ("-", "red", [_shown(where, several) for where in found.removed]),
    ):
        for path in paths:
            yield click.style(f"{sign} {plain_line(path)}", fg=colour)


def _by_name(found: DatasetDiff) -> list[tuple[str, tuple[Any, ...]]]:
    return [("added", found.added), ("changed", found.changed), ("moved", found.moved), ("removed", found.removed)]


def _shown(where: Where, several: bool) -> str:
    repository, path = where
    return f"{repository}/{path}" if several else path


def _json(found: DatasetDiff) -> dict[str, Any]:
    return {
        "alias": found.after.alias,
        "before": _entry_json(found.before),
        "after": _entry_json(found.after),
        "commits": [
            {"repository": each.repository, "before": each.before, "after": each.after} for each in found.commits
        ],
        "added": [_where_json(where) for where in found.added],
        "changed": [_where_json(where) for where in found.changed],
        "moved": [{"from": _where_json(one), "to": _where_json(other)} for one, other in found.moved],
        "removed": [_where_json(where) for where in found.removed],
        "unchanged": found.unchanged,
    }


def _entry_json(entry: AliasEntry) -> dict[str, Any]:
    manifest = entry.manifest
    return {"number": entry.number, "dataset": dataset_id(manifest.dataset), "chunks": manifest.chunks}


def _where_json(where: Where) -> dict[str, str]:
    return {"repository": where[0], "path": where[1]}
