"""Airflow's JSON log of one run, reduced to what the person waiting for it wants to know."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from askrepo import errors

OPERATORS = "askrepo_operators"
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
        elif OPERATORS in str(record.get("logger")):
            yield f"  {_printable(str(record['event']))}"


def _reason(exception: Mapping[str, Any]) -> str:
    """One line: the message of an error raised on purpose, type and message of any other."""
    kind, message = str(exception.get("exc_type")), _printable(str(exception.get("exc_value")).strip())
    return message if kind in ON_PURPOSE else f"{kind}: {message}"


def _printable(text: str) -> str:
    """The text without control characters: a repository's paths must not steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
