"""What a check of an answer's statements found, as the command tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from askrepo.text.display import plain_line
from askrepo_query.output import print_note

if TYPE_CHECKING:
    from askrepo.answer.verification import Checked, Found
    from askrepo.answer.verified_answer import VerifiedAnswer
    from askrepo.types import Citation


def print_summary(verified: VerifiedAnswer) -> None:
    """`5 statements: 4 verified, 1 repaired · not found: retry_limit` on stderr."""
    if summary := verified.summary():
        print_note(plain_line(summary))


def statements_json(verified: VerifiedAnswer) -> list[dict[str, Any]]:
    """Every statement with its state, its sources with theirs, and where what can be looked up stands."""
    return [_statement(checked) for checked in verified.checked]


def _statement(checked: Checked) -> dict[str, Any]:
    return {
        "text": checked.statement.text or checked.statement.code,
        "state": checked.state,
        "sources": [
            {"n": support.source.number, "state": support.state, **_lines(support.source.citation)}
            for support in checked.supports
        ],
        "quotes": [_part(found) for found in checked.found],
    }


def _part(found: Found) -> dict[str, Any]:
    place = _lines(found.place) if found.place else dict.fromkeys(("path", "start_line", "end_line"))
    return {"kind": found.part.kind, "text": found.part.text, "found": found.place is not None, **place}


def _lines(citation: Citation) -> dict[str, Any]:
    return {"path": citation.path, "start_line": citation.start_line, "end_line": citation.end_line}
