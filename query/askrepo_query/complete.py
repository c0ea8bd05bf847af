"""What the shell completes: values that begin with what was typed. Pressing Tab never prints an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from askrepo_query.session import Session

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

MAX_RECEIPTS = 50

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def _completing(values: Callable[[click.Context], Iterable[tuple[str, str | None]]]) -> Complete:
    """The function that Click asks, from one that lists all values, each with what is said of it."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        try:
            found = list(values(ctx))
        except Exception:  # noqa: BLE001 - whatever is wrong is told when the command runs
            return []
        return [CompletionItem(value, help=told) for value, told in found if value.startswith(incomplete)]

    return complete


def _session(ctx: click.Context) -> Session:
    return Session.open(workspace=ctx.params.get("workspace"))


@_completing
def complete_alias(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """Names of the workspace's aliases."""
    return [(name, None) for name in _session(ctx).catalogue.aliases()]


@_completing
def complete_any_alias(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """Names of the workspace's aliases, removed ones included."""
    return [(name, None) for name in _session(ctx).workspace.list_folders("aliases")]


@_completing
def complete_dataset(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """Datasets that the alias may go back to, newest first."""
    from askrepo.workspace.keys import dataset_id

    alias = (
        ctx.params["alias"] or ctx.args[0]
    )  # Click has not sorted the arguments when the last option lacks its value
    *before, newest = _session(ctx).catalogue.history(alias)
    entries = [entry for entry in before if entry.manifest.dataset != newest.manifest.dataset]
    if newest.reason == "removed":
        entries.append(newest)
    told = {dataset_id(entry.manifest.dataset): f"entry {entry.number}, {entry.swapped_at[:10]}" for entry in entries}
    return reversed(told.items())


@_completing
def complete_moment(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """Entries of the alias, newest first."""
    from askrepo.workspace.keys import dataset_id

    session = _session(ctx)
    named = ctx.params.get("aliases") or ctx.params.get("names") or ()
    alias = ctx.params.get("alias") or session.aliases(named)[0]
    entries = [entry for entry in session.catalogue.history(alias) if entry.reason != "removed"]
    return [
        (str(entry.number), f"{dataset_id(entry.manifest.dataset)}, {entry.swapped_at[:10]}")
        for entry in reversed(entries)
    ]


@_completing
def complete_path(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """Paths of the trees that the aliases were built from, each with what became of it."""
    from askrepo.pipeline.file_table import listed_files

    session = _session(ctx)
    named = ctx.params.get("aliases") or ()
    tables = (
        listed_files(session.catalogue.current(name).manifest, session.workspace) for name in session.aliases(named)
    )
    return [
        (path, reason or kind)
        for table in tables
        for path, reason, kind in zip(*(table[name].to_pylist() for name in ("path", "reason", "kind")), strict=True)
    ]


@_completing
def complete_receipt(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """Ids of the answers that are kept, newest first."""
    from askrepo_query.keeping import receipts_of

    return [(receipt.id, receipt.question) for receipt in receipts_of(_session(ctx)).latest(MAX_RECEIPTS)]


@_completing
def complete_watched(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """Ids of the watched questions."""
    from askrepo.receipts.watched import WatchList

    session = _session(ctx)
    watch_list = WatchList(session.workspace)
    return [(each, name) for name in session.known_aliases() for each in watch_list.ids(name)]


@_completing
def complete_language(_: click.Context) -> Iterable[tuple[str, str | None]]:
    """Languages that files are told apart by."""
    from askrepo.files.languages import LANGUAGES

    return [(name, None) for name in sorted(LANGUAGES)]


def complete_folder(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Folders, which the shell knows best."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]
