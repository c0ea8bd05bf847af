from __future__ import annotations

import io
import logging
from datetime import UTC, datetime

import pytest

from askrepo.search.search import STRATEGIES as KNOWN_STRATEGIES
from query.options import STRATEGIES
from query.output import age, linked, show_warnings_plainly

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


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://example.org/a/b.py#L1-L2", True),
        ("file:///srv/a", False),
        ("https://example.org/\x1b]0;owned\x07", False),
        ("https://example.org/a b", False),
        ("javascript:alert(1)", False),
    ],
)
def test_only_a_web_address_becomes_a_link(monkeypatch: pytest.MonkeyPatch, url: str, is_link: bool) -> None:
    monkeypatch.setattr("sys.stdout", type("Terminal", (io.StringIO,), {"isatty": lambda _: True})())
    monkeypatch.setenv("TERM", "xterm")
    assert linked("a.py:1-2", url) == (f"\x1b]8;;{url}\x1b\\a.py:1-2\x1b]8;;\x1b\\" if is_link else "a.py:1-2")


def test_nothing_is_a_link_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert linked("a.py", "https://example.org/a.py") == "a.py"
