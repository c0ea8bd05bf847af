"""Airflow's JSON log of one run, reduced to what the person waiting for it wants to know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from askrepo import errors

OPERATORS = "askrepo_operators"
# Tells the reason of a failure once more, for the task's log.
REASON = "askrepo_operators.reason"
# A last line longer than this is no line for a person.
MAX_SHOWN_CHARS = 500
TAIL_BYTES = 64 * 1024
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
ON_PURPOSE = {"AirflowFailException", *(name for name in vars(errors) if name.endswith("Error"))}


class RunLog:
    """Reads the log line by line.

    :ivar error: the reason of the last failure, None while there is none.
    """

    def __init__(self) -> None:
        self.error: str | None = None

    def read(self, line: bytes) -> Iterator[str]:
        """The messages to show for a line; most lines give none."""
        try:
            record = json.loads(line)
        except ValueError:
            return
        if not isinstance(record, dict):
            return
        if record.get("exception") and record.get("level") in {"error", "critical"}:
            self.error = _reason(record["exception"][0])
        elif record.get("new_state") == "up_for_retry":
            yield f"  failed, will be tried again: {self.error}"
        elif record.get("event") == "Skipping task.":
            yield f"  {_printable(str(record.get('reason')))}"
        elif OPERATORS in str(record.get("logger")) and record["logger"] != REASON:
            yield f"  {_printable(str(record['event']))}"


def _reason(exception: Mapping[str, Any]) -> str:
    """One line: the message of an error raised on purpose, type and message of any other."""
    kind, message = str(exception.get("exc_type")), _printable(str(exception.get("exc_value")).strip())
    return message if kind in ON_PURPOSE else f"{kind}: {message}"


def _printable(text: str) -> str:
    """The text without control characters: a repository's paths must not steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def told_by(log: Path) -> str:
    """What a log of Airflow ends with, and where it is."""
    line = last_line(log)
    return f"its last line: {line} (whole log: {log})" if line else f"it wrote nothing to {log}"


def last_line(log: Path) -> str | None:
    """The last line that says something; None when there is none."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    told = (_told(line) for line in reversed(lines))
    return next((text[:MAX_SHOWN_CHARS] for text in told if any(map(str.isalnum, text))), None)


def _told(line: str) -> str:
    """A line without its colours; of a JSON record, its message."""
    with suppress(ValueError):
        record = json.loads(line)
        if isinstance(record, dict):
            reason = _reason(record["exception"][0]) if record.get("exception") else None
            line = ": ".join(str(part) for part in (record.get("event"), reason) if part)
    return _printable(COLOURS.sub("", line)).strip()
