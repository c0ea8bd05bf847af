"""`askrepo recheck`: whether kept answers still hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from askrepo.errors import AskrepoError, UsageError
from askrepo.text.counting import counted
from askrepo.text.display import plain, plain_line
from askrepo_query.complete import complete_alias, complete_receipt
from askrepo_query.errors import NOTHING_FOUND, error_line, exit_code_of
from askrepo_query.keeping import receipts_of
from askrepo_query.options import example, json_option, workspace_option
from askrepo_query.output import print_json, print_note, print_result
from askrepo_query.progress import progress
from askrepo_query.session import Session

if TYPE_CHECKING:
    from askrepo.receipts.current import RecheckedSource, Rechecker
    from askrepo.receipts.receipt import Receipt
    from askrepo.receipts.recheck import Rechecked

ID_CHARS = 8
COLOURS = {"unchanged": "green", "moved": "cyan", "changed": "yellow", "gone": "red"}
DIFFERENT = frozenset({"changed", "gone"})


@click.command(epilog=example("askrepo recheck 1f0a"))
@click.argument("id", required=False, shell_complete=complete_receipt)
@click.option("--all", "is_all", is_flag=True, help="All answers that are kept.")
@click.option("-a", "--alias", metavar="NAME", shell_complete=complete_alias, help="All answers from this alias.")
@json_option
@workspace_option
def recheck(session: Session, *, id: str | None, is_all: bool, alias: str | None, as_json: bool) -> int:  # noqa: A002
    """Compare the lines that an answer cites with the current dataset.

    Each is unchanged, moved, changed (with a diff) or gone. Default: the latest answer. No model is asked. Exits with 1
    when lines have changed or are gone, with 0 when they are unchanged or only moved.
    """
    receipts = _chosen(session, id, is_all=is_all, alias=alias)
    if not receipts:
        print_note("no answer is kept to compare")
        return NOTHING_FOUND
    checkers = _Checkers(session)
    counts: Counter[str] = Counter()
    for receipt in receipts:
        found = checkers.sources(receipt)
        if found is None:
            continue
        counts.update(source.state or "not kept" for source in found)
        print_json(_json(receipt, found)) if as_json else print_result("\n".join(_lines(receipt, found)))
    if counts:
        told = ", ".join(f"{counts[state]} {state}" for state in (*COLOURS, "not kept") if counts[state])
        print_note(f"{counted(len(receipts), 'answer')}, cited lines: {told}")
    elif not checkers.exit_code:
        print_note("no lines were kept to compare")
        return NOTHING_FOUND
    return NOTHING_FOUND if DIFFERENT & counts.keys() else checkers.exit_code


def _chosen(session: Session, id: str | None, *, is_all: bool, alias: str | None) -> list[Receipt]:  # noqa: A002
    if sum((id is not None, is_all, alias is not None)) > 1:
        raise UsageError("an ID, --all and --alias exclude each other: give one of them")
    store = receipts_of(session)
    if id is not None:
        return [store.find(id)]
    if alias is not None:
        session.catalogue.current(session.alias(alias))
        return store.latest(alias=alias)
    return store.latest(None if is_all else 1)


class _Checkers:
    """What compares receipts, one for each set of aliases; one that cannot be opened is told once.

    :ivar exit_code: of the first that cannot.
    """

    def __init__(self, session: Session) -> None:
        self.exit_code = 0
        self._session = session
        self._opened: dict[tuple[str, ...], Rechecker | None] = {}

    def sources(self, receipt: Receipt) -> list[RecheckedSource] | None:
        """What became of the receipt's sources; None when its aliases cannot be read."""
        if receipt.aliases not in self._opened:
            self._opened[receipt.aliases] = self._open(receipt.aliases)
        checker = self._opened[receipt.aliases]
        if checker is None:
            return None
        with progress("comparing"):
            return checker.receipt(receipt)

    def _open(self, aliases: tuple[str, ...]) -> Rechecker | None:
        from askrepo.receipts.current import Rechecker

        try:
            with progress("opening"):
                return Rechecker(self._session.readers(aliases, warm_up=False))
        except AskrepoError as error:
            print_note(f"Error: answers from {plain_line(', '.join(aliases))} cannot be compared: {error_line(error)}")
            self.exit_code = self.exit_code or exit_code_of(error)
            return None


def _lines(receipt: Receipt, found: Sequence[RecheckedSource]) -> Iterator[str]:
    yield click.style(receipt.id[:ID_CHARS], fg="yellow") + plain_line(f"  {receipt.question}")
    for each in found:
        number = "   " if each.source.number is None else f"[{each.source.number}]"
        cited = each.source.citation
        head = plain_line(f"  {number} {cited.repository} {cited.path}:{cited.start_line}-{cited.end_line}")
        if each.now is None:
            yield f"{head}  its lines were not kept"
            continue
        yield f"{head}  {click.style(each.now.state, fg=COLOURS[each.now.state])}{plain_line(_where(each.now))}"
        if each.now.state == "changed":
            yield from (f"      {plain(line)}" for line in each.now.diff()[2:])


def _where(now: Rechecked) -> str:
    if now.path is None or now.state == "unchanged":
        return ""
    place = f"{now.path}:{now.start_line}-{now.end_line}"
    return f" to {place}" if now.state == "moved" else f", now {place}"


def _json(receipt: Receipt, found: Sequence[RecheckedSource]) -> dict[str, Any]:
    return {"id": receipt.id, "question": receipt.question, "sources": [_source_json(each) for each in found]}


def _source_json(each: RecheckedSource) -> dict[str, Any]:
    cited, now = each.source.citation, each.now
    return {
        "n": each.source.number,
        "repository": cited.repository,
        "path": cited.path,
        "start_line": cited.start_line,
        "end_line": cited.end_line,
        "state": each.state,
        "now": {"path": now.path, "start_line": now.start_line, "end_line": now.end_line} if now and now.path else None,
        "diff": now.diff() if now and now.state == "changed" else [],
    }
