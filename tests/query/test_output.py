from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from askrepo.search.search import STRATEGIES as KNOWN_STRATEGIES
from query.options import STRATEGIES
from query.output import age, show_warnings_plainly

NOW = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-05-03T11:59:40Z", "just now"),
        ("2026-05-03T12:00:10Z", "just now"),
        ("2026-05-03T11:18:00+00:00", "42 min ago"),
        ("2026-05-03T09:00:00", "3 h ago"),
        ("2026-05-02T10:00:00Z", "26 h ago"),
        ("2026-04-30T12:00:00Z", "3 days ago"),
    ],
)
def test_age_is_told_in_the_unit_that_fits(moment: str, shown: str) -> None:
    assert age(moment, now=NOW) == shown


def test_warnings_of_the_core_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show_warnings_plainly()
    record = logging.makeLogRecord({"msg": "store says %s", "args": ("\x1b[2J\nok",), "levelno": logging.WARNING})
    assert logging.lastResort is not None
    logging.lastResort.handle(record)
    assert capsys.readouterr().err == "store says \\x1b[2J\\nok\n"


def test_the_strategies_offered_are_those_there_are() -> None:
    assert set(STRATEGIES) == set(KNOWN_STRATEGIES)
