"""Watched questions: kept in the workspace with the lines that they rest on, which are compared after each swap."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from askrepo.aliases.readers import AliasReader, open_entry
from askrepo.errors import AskrepoError, UnavailableError, UsageError
from askrepo.receipts.current import Rechecker
from askrepo.receipts.receipt import Receipt
from askrepo.receipts.recheck import Rechecked
from askrepo.receipts.spans import Span
from askrepo.settings import Settings
from askrepo.types import AliasEntry, to_json
from askrepo.workspace.keys import watch_report_key, watched_folder, watched_id, watched_key
from askrepo.workspace.objects import ObjectMissingError, ObjectTooLargeError, Workspace

DIFFERENT = frozenset({"changed", "gone"})

logger = logging.getLogger(__name__)

_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, ObjectTooLargeError)


@dataclass(frozen=True, slots=True)
class Watched:
    """A question whose lines are compared after each swap.

    :ivar id: of the receipt that it came from, or its own.
    :ivar added_at: ISO 8601, UTC.
    """

    id: str
    alias: str
    question: str
    added_at: str
    spans: tuple[Span, ...]

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """The question that `types.to_json` wrote.

        :raises KeyError, TypeError: it is none.
        """
        return cls(**{**values, "spans": tuple(map(Span.from_mapping, values["spans"]))})


@dataclass(frozen=True, slots=True)
class WatchReport:
    """What a comparison found.

    :ivar number: of the alias's entry whose dataset was compared.
    :ivar questions: how many were compared. :ivar changed: those of which lines have changed or are gone, each with
        `id`, `question` and `lines` (`repository`, `path`, `start_line`, `end_line`, `state`, `now`).
    """

    number: int
    checked_at: str
    questions: int
    changed: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """What a swap is announced with."""
        return {"questions": self.questions, "changed": [dict(each) for each in self.changed]}


class WatchList:
    """The watched questions of a workspace, an object each."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def add(self, watched: Watched) -> None:
        """Watch a question; one of the same id is replaced."""
        content = json.dumps(to_json(watched), indent=1).encode("utf-8")
        self._workspace.write(watched_key(watched.alias, watched.id), content)

    def remove(self, alias: str, id: str) -> None:  # noqa: A002 - what a person calls it
        """Watch a question no more."""
        self._workspace.delete(watched_key(alias, id))

    def ids(self, alias: str) -> list[str]:
        """Ids of an alias's watched questions, readable or not, sorted."""
        names = map(watched_id, self._workspace.list_names(watched_folder(alias)))
        return sorted(name for name in names if name)

    def find(self, alias: str, id: str) -> Watched:  # noqa: A002
        """The question of an id.

        :raises UnavailableError: it cannot be understood, or is gone; the message names its file.
        """
        key = watched_key(alias, id)
        try:
            return Watched.from_mapping(json.loads(self._workspace.read_document(key)))
        except (*_UNREADABLE, ObjectMissingError) as error:
            raise UnavailableError(
                f"cannot read the watched question {self._workspace.url_of(key)} ({type(error).__name__}); "
                f"remove it with `askrepo watch remove {id} -a {alias}`, and add it again"
            ) from error

    def report(self, alias: str) -> WatchReport | None:
        """What the last comparison found; None when there was none, or it cannot be read."""
        try:
            values = json.loads(self._workspace.read_document(watch_report_key(alias)))
            return WatchReport(**{**values, "changed": tuple(map(dict, values["changed"]))})
        except (*_UNREADABLE, ObjectMissingError):
            return None

    def keep_report(self, alias: str, report: WatchReport) -> None:
        """Put what a comparison found in place of what the last one did."""
        self._workspace.write(watch_report_key(alias), json.dumps(to_json(report), indent=1).encode("utf-8"))


def watched_of(receipt: Receipt) -> list[Watched]:
    """The receipt's question for each alias that lines of its answer came from.

    :raises UsageError: the receipt has no lines to compare.
    """
    added_at = datetime.now(UTC).isoformat(timespec="seconds")
    spans = [source.span for source in receipt.rested_on if source.span is not None]
    found: dict[str, list[Span]] = {}
    for span in spans:
        alias = next((read.alias for read in receipt.datasets if span.citation.repository in read.commits), None)
        if alias is not None:
            found.setdefault(alias, []).append(span)
    if not found:
        raise UsageError(f"answer {receipt.id} rests on no lines that were kept: there is nothing to compare")
    return [Watched(receipt.id, alias, receipt.standalone_question, added_at, tuple(its))
            for alias, its in found.items()]  # fmt: skip


def recheck_watched(reader: AliasReader, questions: Sequence[Watched]) -> WatchReport:
    """Compare the lines of watched questions with an open dataset; nothing is embedded or asked."""
    checker = Rechecker([reader])
    changed = [
        {"id": each.id, "question": each.question, "lines": lines}
        for each in questions
        if (lines := list(_changed(checker.span(span, [reader.alias]) for span in each.spans)))
    ]
    checked_at = datetime.now(UTC).isoformat(timespec="seconds")
    return WatchReport(reader.entry.number, checked_at, len(questions), tuple(changed))


def recheck_after_swap(entry: AliasEntry, *, workspace: Workspace, settings: Settings) -> WatchReport | None:
    """Compare an alias's watched questions with the dataset that it was moved to, and keep what was found.

    The swap is done, so whatever fails here is only logged.

    :returns: None when no question is watched, or the comparison failed.
    """
    try:
        watch_list = WatchList(workspace)
        questions = list(_readable(watch_list, entry.alias))
        if not questions:
            return None
        reader = open_entry(entry, workspace=workspace, settings=settings)
        report = recheck_watched(reader, questions)
        watch_list.keep_report(entry.alias, report)
    except Exception as error:  # noqa: BLE001 - nothing may fail a swap that is done
        logger.warning("swap %s: could not compare its watched questions: %s", entry.alias, error)
        return None
    return report


def _readable(watch_list: WatchList, alias: str) -> Iterator[Watched]:
    for name in watch_list.ids(alias):
        try:
            yield watch_list.find(alias, name)
        except AskrepoError as error:
            logger.warning("%s", error)


def _changed(found: Iterator[Rechecked]) -> Iterator[dict[str, Any]]:
    """Those lines that have changed or are gone."""
    for each in found:
        if each.state in DIFFERENT:
            cited = each.span.citation
            now = {"path": each.path, "start_line": each.start_line, "end_line": each.end_line}
            yield {
                "repository": cited.repository,
                "path": cited.path,
                "start_line": cited.start_line,
                "end_line": cited.end_line,
                "state": each.state,
                "now": now if each.path else None,
            }


def changed_line(changed: Mapping[str, Any]) -> str:
    """A watched question and its changed lines, on one line."""
    places = ", ".join(
        f"{line['path']}:{line['start_line']}-{line['end_line']} {line['state']}" for line in changed["lines"]
    )
    return f"{changed['id'][:8]} {changed['question']!r}: {places}"
