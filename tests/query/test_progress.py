"""The line on a terminal that says what takes so long."""

from __future__ import annotations

import io
import sys
import time
from typing import TYPE_CHECKING

from askrepo.text.display import columns
from askrepo_query import progress as module
from askrepo_query.progress import copying, progress

if TYPE_CHECKING:
    import pytest

MEBIBYTE = 1024 * 1024


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True

    def wait_for(self, text: str) -> bool:
        deadline = time.monotonic() + 10
        while text not in self.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        return text in self.getvalue()


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Not a fixture: pytest replaces sys.stderr between setup and call."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    return terminal


def test_copying_is_told_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with progress("opening"):
        copying(2 * MEBIBYTE, 300 * MEBIBYTE)
        assert terminal.wait_for("opening: copying the dataset, 2 of 300 MiB …")
        copying(300 * MEBIBYTE, 300 * MEBIBYTE)
        assert terminal.wait_for("opening …")
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_copying_without_a_line_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    copying(1, 2)
    assert terminal.getvalue() == ""


def test_a_line_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", "40")
    with progress("opening 検索\x1b[2J" * 9):
        assert terminal.wait_for("…")
    first = terminal.getvalue().split("\r\x1b[K")[1]
    assert (columns(first), "\x1b" in first) == (39, False)
