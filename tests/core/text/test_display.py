from __future__ import annotations

import sys
import unicodedata

import pytest

from askrepo.text.display import columns, fitted, padded, plain, plain_line

# Default_Ignorable_Code_Point of Unicode 17, ranges inclusive (DerivedCoreProperties.txt).
DEFAULT_IGNORABLE = [
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
]
BLANK = [0x2800, 0x1D159, 0x16FE4, 0xFFFC, 0xFFFE, 0xFDD0]


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


@pytest.mark.parametrize("category", ["Cc", "Cf", "Cs", "Zl", "Zp"])
def test_no_character_of_a_category_that_cannot_be_seen_is_shown(category: str) -> None:
    unseen = {chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == category}
    assert {character for character in unseen if plain(character) == character} <= {"\n", "\t"}


def test_no_ignorable_or_blank_character_is_shown() -> None:
    codes = [code for first, last in DEFAULT_IGNORABLE for code in range(first, last + 1)] + BLANK
    assert [hex(code) for code in codes if not plain(chr(code)).startswith("\\")] == []


def test_text_hidden_in_tags_and_selectors_is_shown_as_escapes() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "hi")
    assert plain(f"a{hidden}\u00adb\ufe0f") == r"a\U000e0068\U000e0069\xadb\ufe0f"


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("日本", 4), ("🙂", 2), ("e\u0301", 1), ("\uff57", 2), ("naïve", 5), ("", 0)],
)
def test_columns_are_counted_as_a_terminal_does(text: str, width: int) -> None:
    assert columns(text) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("abcdef", 4, "abc…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("🙂🙂", 3, "🙂…"),
    ],
)
def test_what_is_cut_fits_the_columns(text: str, width: int, shown: str) -> None:
    assert fitted(text, width) == shown
    assert columns(fitted(text, width)) <= width


def test_padding_counts_columns() -> None:
    assert [padded(text, 5) for text in ("日本", "abc", "longer")] == ["日本 ", "abc  ", "longer"]
