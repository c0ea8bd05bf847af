"""`askrepo aliases`, `status`, `history` and `rollback`: what aliases point to, and moving one back."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from askrepo.errors import AskrepoError, UsageError
from askrepo.text.counting import counted
from askrepo.text.display import plain_line
from askrepo.workspace.keys import dataset_id
from askrepo_query.complete import complete_alias, complete_dataset
from askrepo_query.errors import FAILED, UNAVAILABLE, error_line, exit_code_of
from askrepo_query.options import alias_argument, at_option, example, json_option, workspace_option
from askrepo_query.output import age, print_json, print_note, print_result, versioned
from askrepo_query.progress import progress
from askrepo_query.session import Session
from askrepo_query.streams import OutputError
from askrepo_query.watch import watched_json, watched_lines

if TYPE_CHECKING:
    from askrepo.aliases.catalogue import AliasLog
    from askrepo.types import AliasEntry

DIGEST_CHARS = 16


@click.command(epilog=example("askrepo aliases"))
@json_option
@workspace_option
def aliases(session: Session, *, as_json: bool) -> int:
    """List the aliases, what they hold and how old it is."""
    unreadable = _Unreadable()
    for name in session.known_aliases():
        with unreadable.noted():
            entry = session.catalogue.current(name)
            manifest = entry.manifest
            repositories = [snapshot.name for snapshot in manifest.snapshots]
            if as_json:
                print_json({"alias": name, "dataset": dataset_id(manifest.dataset), "repositories": repositories,
                            "chunks": manifest.chunks, "created_at": manifest.created_at})  # fmt: skip
            else:
                print_result(plain_line(
                    f"{name}  {', '.join(repositories)}  {manifest.chunks:,} chunks  built {age(manifest.created_at)}"
                ))  # fmt: skip
    return unreadable.exit_code


@click.command(epilog=example("askrepo status --alias main"))
@click.option("-a", "--alias", "names", multiple=True, metavar="NAME", shell_complete=complete_alias,
              help="Alias to show; may be repeated. Default: all.")  # fmt: skip
@at_option
@json_option
@workspace_option
def status(session: Session, *, names: tuple[str, ...], at: str | None, as_json: bool) -> int:
    """Account for every file of the aliases' current datasets."""
    unreadable = _Unreadable()
    for name in [session.alias(name) for name in names] or session.known_aliases():
        with unreadable.noted():
            with progress("reading"):
                (entry,) = session.entries([name], at=at)
                kept = _kept_datasets(session, entry)
                is_current = at is None or entry.number == session.catalogue.number(name)
                named = _named_to_keep(session, name)
            if as_json:
                watched = watched_json(session, entry.alias, entry.number)
                found = {**_status_json(entry, kept=kept, is_current=is_current), "watched": watched}
                print_json(versioned({**found, **({"keep": named} if named else {})}, [entry]))
            else:
                more = [*_keep_lines(named), *watched_lines(session, entry.alias, entry.number)]
                print_result("\n".join([*_status_lines(entry, kept=kept), *more]) + "\n")
    return unreadable.exit_code


@click.command(epilog=example("askrepo history main"))
@alias_argument
@json_option
@workspace_option
def history(session: Session, *, alias: str, as_json: bool) -> int:
    """Show an alias's swaps, newest first; the current one is marked. A removed alias has none.

    Entries that cannot be read are named on stderr.
    """
    log = session.catalogue.log(session.alias(alias))
    named = _datasets_to_keep(session, log)
    entries = {entry.number: entry for entry in log.entries}
    for number in sorted({*entries, *log.problems}, reverse=True):
        if number in log.problems:
            print_note(plain_line(f"entry {number}: {log.problems[number]}"))
            continue
        entry = entries[number]
        keep = named.get(entry.manifest.dataset) if entry.reason != "removed" else None
        is_current = entry is log.newest and entry.reason != "removed"
        if as_json:
            print_json({**_entry_json(entry, is_current=is_current), **({"keep": keep} if keep else {})})
        else:
            line = _entry_line(entry, is_current=is_current)
            print_result(f"{line}  {plain_line('kept: ' + ', '.join(keep))}" if keep else line)
    return 0 if log.newest else UNAVAILABLE


@click.command(epilog=example("askrepo rollback main --yes"))
@alias_argument
@click.option(
    "--to", metavar="DATASET", shell_complete=complete_dataset,
    help="Dataset or entry number to go back to (see history). Default: the dataset before.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask.")
@workspace_option
def rollback(session: Session, *, alias: str, to: str | None, yes: bool) -> int:
    """Point an alias back to an earlier dataset, as a new entry of its history.

    A removed alias comes back, by default with the dataset it had. The lines of watched questions are compared with it.
    """
    from askrepo.aliases.rollback import rollback_alias, rollback_target
    from askrepo.receipts.watched import recheck_after_swap

    newest = session.catalogue.log(session.alias(alias)).newest
    is_removed = newest is not None and newest.reason == "removed"
    target = rollback_target(alias, workspace=session.workspace, to=to)
    if newest is not None and not is_removed and target.manifest.dataset == newest.manifest.dataset:
        raise UsageError(f"alias {alias!r} already points to {dataset_id(target.manifest.dataset)}")
    if not yes and not _is_confirmed(newest, target):
        print_note("nothing was changed")
        return FAILED
    with progress("checking the dataset"):
        entry = rollback_alias(alias, workspace=session.workspace, to=to)
    before = "removed" if is_removed else _dataset_of(newest)
    print_result(plain_line(f"{alias}: {before} -> {dataset_id(entry.manifest.dataset)} (entry {entry.number})"))
    with progress("comparing the watched questions"):
        recheck_after_swap(entry, workspace=session.workspace, settings=session.settings)
    for line in watched_lines(session, alias, entry.number):
        print_note(line.strip())
    if is_removed:
        print_note(f"{alias} will not be refreshed until askrepo_ingest or aliases.yaml builds it again")
    return 0


def _is_confirmed(newest: AliasEntry | None, target: AliasEntry) -> bool:
    alias, wanted = target.alias, dataset_id(target.manifest.dataset)
    if not sys.stdin.isatty():
        raise UsageError(f"rollback moves alias {alias!r} for every reader; add --yes to do it without being asked")
    question = f"Move {alias} from {_dataset_of(newest)} to {wanted} (entry {target.number})?"
    if newest is not None and newest.reason == "removed":
        question = f"Bring {alias} back, with {wanted}?"
    return click.confirm(plain_line(question), err=True)


def _dataset_of(newest: AliasEntry | None) -> str:
    return "an entry that cannot be read" if newest is None else dataset_id(newest.manifest.dataset)


class _Unreadable:
    """Aliases that cannot be read do not hide the others: each is told, and the command ends with the first's code."""

    def __init__(self) -> None:
        self.exit_code = 0

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Turn an error of one alias into its line."""
        try:
            yield
        except OutputError:
            raise
        except AskrepoError as error:
            print_note(f"Error: {error_line(error)}")
            self.exit_code = self.exit_code or exit_code_of(error)


def _status_lines(entry: AliasEntry, *, kept: int | None) -> Iterator[str]:
    manifest = entry.manifest
    yield click.style(plain_line(entry.alias), bold=True) + plain_line(
        f"  {dataset_id(manifest.dataset)}  built {age(manifest.created_at)}, entry {entry.number} ({entry.reason})"
    )
    for snapshot in manifest.snapshots:
        ref = snapshot.ref or "default branch"
        commit = f"{snapshot.name}@{snapshot.commit[:10]} ({ref}), commit of {snapshot.committed_at[:10]}"
        yield plain_line(f"  repository  {commit}")
    yield plain_line(f"  files       {_files(entry)}")
    yield f"  chunks      {manifest.chunks:,} ({manifest.tokens:,} tokens)"
    yield plain_line(f"  embedder    {manifest.embedder.spec} ({manifest.embedder.fingerprint[:DIGEST_CHARS]})")
    yield plain_line(f"  digest      {manifest.digest[:DIGEST_CHARS]}")
    if kept is not None:
        yield f"  kept        {counted(kept, 'dataset')}"


def _files(entry: AliasEntry) -> str:
    """Every file of the trees: loaded, or skipped for a reason."""
    manifest = entry.manifest
    skipped = "".join(f" + {count:,} {reason}" for reason, count in sorted(manifest.skipped.items()) if count)
    line = f"{manifest.files:,} = {manifest.loaded:,} loaded{skipped}"
    missing = _unaccounted(entry)
    return line if missing == 0 else f"{line}; {missing:,} UNACCOUNTED FOR, rebuild the alias"


def _unaccounted(entry: AliasEntry) -> int:
    manifest = entry.manifest
    return manifest.files - manifest.loaded - sum(manifest.skipped.values())


def _status_json(entry: AliasEntry, *, kept: int | None, is_current: bool) -> dict[str, Any]:
    manifest = entry.manifest
    return {
        **_entry_json(entry, is_current=is_current),
        "created_at": manifest.created_at,
        "files": manifest.files,
        "loaded": manifest.loaded,
        "skipped": dict(manifest.skipped),
        "unaccounted": _unaccounted(entry),
        "tokens": manifest.tokens,
        "embedder": {"spec": manifest.embedder.spec, "fingerprint": manifest.embedder.fingerprint},
        "digest": manifest.digest,
        "kept": kept,
    }


def _entry_json(entry: AliasEntry, *, is_current: bool) -> dict[str, Any]:
    manifest = entry.manifest
    commits = [
        {"repository": read.name, "ref": read.ref, "commit": read.commit, "committed_at": read.committed_at}
        for read in manifest.snapshots
    ]
    return {
        "alias": entry.alias,
        "number": entry.number,
        "current": is_current,
        "swapped_at": entry.swapped_at,
        "reason": entry.reason,
        "dataset": dataset_id(manifest.dataset),
        "repositories": commits,
        "chunks": manifest.chunks,
    }


def _entry_line(entry: AliasEntry, *, is_current: bool) -> str:
    manifest = entry.manifest
    commits = ", ".join(f"{snapshot.name}@{snapshot.commit[:10]}" for snapshot in manifest.snapshots)
    mark = "*" if is_current else " "
    moment = entry.swapped_at[:16].replace("T", " ")
    line = f"{mark} {entry.number:>3}  {moment}  {entry.reason:<8}  {dataset_id(manifest.dataset)}"
    return plain_line(f"{line}  {commits}  {manifest.chunks:,} chunks")


def _named_to_keep(session: Session, alias: str) -> list[dict[str, Any]]:
    """Each item of the alias's `keep`, with the entries that it keeps: those whose dataset is stored."""
    from askrepo.aliases.kept import kept_entries, read_keep
    from askrepo.aliases.rollback import is_whole

    items = read_keep(alias, workspace=session.workspace)
    named = kept_entries(session.catalogue.log(alias), items) if items else {}
    return [
        {"name": item, "entries": [each.number for each in found if is_whole(each.manifest, session.workspace)]}
        for item, found in named.items()
    ]


def _keep_lines(named: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in named:
        numbers = ", ".join(map(str, each["entries"]))
        yield plain_line(f"  keep        {each['name']}: {f'entry {numbers}' if numbers else 'keeps nothing'}")


def _datasets_to_keep(session: Session, log: AliasLog) -> Mapping[str, Sequence[str]]:
    """The stored datasets that `keep` names; what cannot be read of it does not hide the history."""
    from askrepo.aliases.kept import kept_datasets, read_keep
    from askrepo.aliases.rollback import is_whole

    manifests = {entry.manifest.dataset: entry.manifest for entry in log.entries}
    try:
        named = kept_datasets(log, read_keep(log.alias, workspace=session.workspace))
        return {one: items for one, items in named.items() if is_whole(manifests[one], session.workspace)}
    except AskrepoError as error:
        print_note(plain_line(str(error)))
        return {}


def _kept_datasets(session: Session, entry: AliasEntry) -> int | None:
    """How many of the alias's datasets are stored; None when they are outside the workspace."""
    if "://" in entry.manifest.dataset or entry.manifest.dataset.startswith("/"):
        return None
    return len(session.workspace.list_folders(entry.manifest.dataset.rpartition("/")[0]))
