from __future__ import annotations

import io
import logging
from datetime import UTC, datetime

import pytest

from askrepo.search.search import STRATEGIES as KNOWN_STRATEGIES
from askrepo_query.options import STRATEGIES
from askrepo_query.output import age, linked, show_warnings_plainly

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


def linked_on_terminal(monkeypatch: pytest.MonkeyPatch, address: str) -> str:
    monkeypatch.setattr("sys.stdout", type("Terminal", (io.StringIO,), {"isatty": lambda _: True})())
    monkeypatch.setenv("TERM", "xterm")
    return linked("a.py:1-2", address)


@pytest.mark.parametrize(
    "address", ["https://example.org/a/b.py#L1-L2", "vscode://file/srv/a%20b.py:7", "idea://open?file=/a&line=7"]
)
def test_an_address_becomes_a_link(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    assert linked_on_terminal(monkeypatch, address) == f"\x1b]8;;{address}\x1b\\a.py:1-2\x1b]8;;\x1b\\"


@pytest.mark.parametrize(
    "text", ["", "/srv/a", "https://example.org/\x1b]0;owned\x07", "https://example.org/a b", "https://e.org/\u202e"]
)
def test_nothing_else_does(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert linked_on_terminal(monkeypatch, text) == "a.py:1-2"


def test_nothing_is_a_link_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert linked("a.py", "https://example.org/a.py") == "a.py"
