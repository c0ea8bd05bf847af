from __future__ import annotations

import pytest

from askrepo.plain import plain, plain_line


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", r"\x1b[2J\x1b]0;owned\x07"),
        ("\x1b]8;;http://evil\x1b\\click", r"\x1b]8;;http://evil\x1b" + "\\click"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\x08\x00\x7f", r"a\x0db\x08\x00\x7f"),
        ("\u202eevil\u2066", r"\u202eevil\u2066"),
        ("line\u2028sep", r"line\u2028sep"),
        ("\udce9", r"\udce9"),
    ],
)
def test_control_characters_are_shown_not_sent(hostile: str, shown: str) -> None:
    assert plain(hostile) == shown


def test_ordinary_text_stays_as_it_is() -> None:
    text = "def naïve():\n\treturn '日本語 🙂'"
    assert plain(text) == text


def test_a_line_stays_one_line() -> None:
    assert plain_line("a\nb\tc") == r"a\nb\tc"
