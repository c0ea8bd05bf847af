"""`askrepo watch`: questions whose lines are compared after each swap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from askrepo.errors import UnavailableError, UsageError
from askrepo.text.counting import counted
from askrepo.text.display import plain_line
from askrepo_query.complete import complete_alias, complete_receipt, complete_watched
from askrepo_query.errors import NOTHING_FOUND, error_line
from askrepo_query.keeping import receipts_of
from askrepo_query.options import example, json_option, workspace_option
from askrepo_query.output import print_json, print_note, print_result
from askrepo_query.progress import progress
from askrepo_query.question import check_question
from askrepo_query.session import Session

if TYPE_CHECKING:
    from askrepo.receipts.watched import Watched, WatchList, WatchReport

ID_CHARS = 8
MAX_SOURCES = 5
_ID = re.compile(r"[0-9a-fA-F]{4,12}")


@click.group(epilog=example("askrepo watch add how are failed requests retried"))
def watch() -> None:
    """Questions whose lines are compared after each swap and each rollback.

    They are kept in the workspace, under their alias. Nothing is embedded and no model is asked for them.
    """


@watch.command(epilog=example("askrepo watch add how are failed requests retried"))
@click.argument("question", nargs=-1, required=True, shell_complete=complete_receipt, metavar="ID | QUESTION...")
@click.option(
    "-a",
    "--alias",
    metavar="NAME",
    shell_complete=complete_alias,
    help="Only lines of this alias; needed for a QUESTION if there are several.",
)
@json_option
@workspace_option
def add(session: Session, *, question: tuple[str, ...], alias: str | None, as_json: bool) -> None:
    """Watch the lines that an answer rests on, or the best passages for a question.

    ID is that of an answer (askrepo log).
    """
    from askrepo.receipts.watched import WatchList, watched_of

    if len(question) == 1 and _ID.fullmatch(question[0]):
        found = [each for each in watched_of(receipts_of(session).find(question[0])) if alias in (None, each.alias)]
        if not found:
            raise UsageError(f"answer {question[0]} rests on no lines of {alias!r}: leave out -a")
        for each in found:
            session.catalogue.current(each.alias)
    else:
        found = [_of_question(session, check_question(" ".join(question)), alias)]
    for each in found:
        WatchList(session.workspace).add(each)
        if as_json:
            print_json(_json(each))
        else:
            places = ", ".join(_places(each))
            print_result(plain_line(f"{each.id[:ID_CHARS]}  {each.alias}  {each.question}  ({places})"))


@watch.command(name="list", epilog=example("askrepo watch list"))
@click.option("-a", "--alias", metavar="NAME", shell_complete=complete_alias, help="Only those of this alias.")
@json_option
@workspace_option
def list_(session: Session, *, alias: str | None, as_json: bool) -> int:
    """List the watched questions, and what the last swap changed of their lines."""
    from askrepo.receipts.watched import WatchList

    watch_list = WatchList(session.workspace)
    names = [session.alias(alias)] if alias else session.known_aliases()
    count = 0
    for name in names:
        report = watch_list.report(name)
        for each in _readable(watch_list, name):
            count += 1
            print_json(_json(each, report)) if as_json else print_result(_line(each, report))
    if not count:
        if alias:
            session.catalogue.current(alias)  # one that is not there is another matter
        print_note("no question is watched; add one with `askrepo watch add`")
    return 0 if count else NOTHING_FOUND


@watch.command(epilog=example("askrepo watch remove 1f0a"))
@click.argument("id", shell_complete=complete_watched)
@click.option("-a", "--alias", metavar="NAME", shell_complete=complete_alias, help="Alias of the question.")
@workspace_option
def remove(session: Session, *, id: str, alias: str | None) -> None:  # noqa: A002 - as its argument is called
    """Watch a question no more."""
    from askrepo.receipts.watched import WatchList

    watch_list = WatchList(session.workspace)
    names = [session.alias(alias)] if alias else session.known_aliases()
    found = [(name, each) for name in names for each in watch_list.ids(name) if each.startswith(id.lower())]
    if not id.strip():
        raise UsageError("the id is empty: `askrepo watch list` lists those there are")
    if len({each for _, each in found}) > 1:
        raise UsageError(
            f"{id!r} is the start of several ids: {', '.join(each for _, each in found)}; write more of it"
        )
    if not found:
        raise UsageError(f"no watched question {id[:40]!r}: `askrepo watch list` lists those there are")
    for name, each in found:
        watch_list.remove(name, each)
        print_result(plain_line(f"{each[:ID_CHARS]}  {name}  is not watched any more"))


def watched_lines(session: Session, alias: str, number: int) -> list[str]:
    """What `status` says of an alias's watched questions; nothing when there are none."""
    from askrepo.receipts.watched import WatchList, changed_line

    watch_list = WatchList(session.workspace)
    count = len(watch_list.ids(alias))
    if not count:
        return []
    questions = counted(count, "question")
    report = watch_list.report(alias)
    if report is None or report.number != number:
        return [f"  watched     {questions}, not compared with this entry"]
    if not report.changed:
        return [f"  watched     {questions}, lines as they were"]
    told = [f"  watched     {questions}, lines of {len(report.changed)} changed:"]
    return told + [plain_line(f"              {changed_line(changed)}") for changed in report.changed]


def watched_json(session: Session, alias: str, number: int) -> dict[str, Any]:
    """Likewise as JSON; `changed` is null when they were not compared with this entry."""
    from askrepo.receipts.watched import WatchList

    watch_list = WatchList(session.workspace)
    report = watch_list.report(alias)
    changed = list(report.changed) if report is not None and report.number == number else None
    return {"questions": len(watch_list.ids(alias)), "changed": changed}


def _of_question(session: Session, question: str, alias: str | None) -> Watched:
    """The question with the best passages for it, as they are now."""
    from datetime import UTC, datetime

    from askrepo.answer.context import context_for
    from askrepo.receipts.receipt import new_id, stored_span
    from askrepo.receipts.watched import Watched

    with progress("searching"):
        readers = session.readers([alias] if alias else [], warm_up=True)
        sources = context_for(question, readers=readers, max_tokens=session.settings.context_tokens)[:MAX_SOURCES]
        spans = [span for source in sources if (span := stored_span(source.citation, readers)) is not None]
    if not spans:
        raise UsageError("nothing in the dataset is about this question: there are no lines to watch")
    return Watched(new_id(), readers[0].alias, question, datetime.now(UTC).isoformat(timespec="seconds"), tuple(spans))


def _readable(watch_list: WatchList, alias: str) -> Iterator[Watched]:
    for name in watch_list.ids(alias):
        try:
            yield watch_list.find(alias, name)
        except UnavailableError as error:
            print_note(f"Error: {error_line(error)}")


def _line(each: Watched, report: WatchReport | None) -> str:
    head = click.style(each.id[:ID_CHARS], fg="yellow")
    return f"{head}  {plain_line(f'{each.alias}  {each.question}')}  {plain_line(_state(each, report))}"


def _state(each: Watched, report: WatchReport | None) -> str:
    places = ", ".join(_places(each))
    if report is None or report.checked_at < each.added_at:
        return f"({places}; not compared yet)"
    lines = _changed_lines(each, report)
    told = ", ".join(f"{line['path']}:{line['start_line']}-{line['end_line']} {line['state']}" for line in lines)
    return f"({told or f'{places}: as they were'}; entry {report.number})"


def _changed_lines(each: Watched, report: WatchReport | None) -> Sequence[Any]:
    changed = report.changed if report else ()
    return next((found["lines"] for found in changed if found["id"] == each.id), ())


def _places(each: Watched) -> list[str]:
    cited = [span.citation for span in each.spans]
    return [f"{place.path}:{place.start_line}-{place.end_line}" for place in cited]


def _json(each: Watched, report: WatchReport | None = None) -> dict[str, Any]:
    is_compared = report is not None and report.checked_at >= each.added_at
    return {
        "id": each.id,
        "alias": each.alias,
        "question": each.question,
        "added_at": each.added_at,
        "lines": [
            {"repository": span.citation.repository, "path": span.citation.path,
             "start_line": span.citation.start_line, "end_line": span.citation.end_line}
            for span in each.spans
        ],
        "compared_with_entry": report.number if report and is_compared else None,
        "changed": list(_changed_lines(each, report)),
    }  # fmt: skip
