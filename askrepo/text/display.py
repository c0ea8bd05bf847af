"""Untrusted text made safe to show: no character left that steers a terminal or cannot be seen."""

from __future__ import annotations

import re

# Ranges, inclusive. Controls but tab and newline begin escape sequences; bidirectional marks reorder what stands around
# them ("Trojan Source", CVE-2021-42574); the others have no glyph, so that text for a model alone can hide in them.
# Unicode 17: category Cf, Default_Ignorable_Code_Point, and what is drawn as nothing though it counts as a letter or a
# symbol. Variation selectors and joiners are among them, emoji or not: one rule that every reader can know.
_UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0, DEL and C1
    "\xad\u034f\u061c"  # soft hyphen, grapheme joiner, Arabic letter mark
    "\u0600-\u0605\u06dd\u070f\u0890-\u0891\u08e2"  # Arabic and Syriac format characters
    "\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u2800\u3164\uffa0"  # fillers, inherent vowels, Braille blank
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # zero width, line separators, bidirectional, operators
    "\ufe00-\ufe0f\U000e0000-\U000e0fff"  # variation selectors, tags
    "\ufdd0-\ufdef\ufff0-\ufffc\ufffe-\uffff"  # annotations, object replacement, not characters
    "\ud800-\udfff"  # lone surrogates
    "\U000110bd\U000110cd\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3"
    "\U0001d159\U0001d173-\U0001d17a"
)
_HIDDEN = re.compile(f"[{_UNSEEN}]")

_CUT = "\N{HORIZONTAL ELLIPSIS}"


def plain(text: str) -> str:
    """The text with what steers a terminal or cannot be seen written as escapes; newlines and tabs stay."""
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub(_escaped, text)


def plain_line(text: str) -> str:
    """The text on one line: newlines and tabs are written as escapes, too."""
    return plain(text).replace("\n", "\\n").replace("\t", "\\t")


def columns(text: str) -> int:
    """Columns that safe text takes on a terminal: two for a wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    from wcwidth import wcwidth

    return sum(max(0, wcwidth(character)) for character in text)


def fitted(text: str, width: int) -> str:
    """The safe text, cut to a width in columns; an ellipsis stands for what was cut."""
    if columns(text) <= width:
        return text
    return _first_columns(text, width - 1) + _CUT


def padded(text: str, width: int) -> str:
    """The safe text with spaces behind it, up to a width in columns."""
    return text + " " * (width - columns(text))


def _first_columns(text: str, width: int) -> str:
    """As many characters from the beginning as the columns hold, with the marks that combine with the last."""
    from wcwidth import wcwidth

    used = 0
    for position, character in enumerate(text):
        used += max(0, wcwidth(character))
        if used > width:
            return text[:position]
    return text


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
