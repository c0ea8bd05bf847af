"""The question of a command: its arguments, or standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from askrepo.errors import UsageError

# Some 30,000 tokens: more than a pasted log needs, less than would surprise on a bill.
MAX_QUESTION_CHARS = 120_000


def read_question(words: Sequence[str]) -> str:
    """The words as one question; `-`, or none at all with something piped in, reads standard input.

    :raises UsageError: it is blank or too long.
    """
    if list(words) == ["-"] or (not words and not sys.stdin.isatty()):
        # one character more than allowed tells that it is too long, whatever is piped in
        text = sys.stdin.read(MAX_QUESTION_CHARS + 1)
    else:
        text = " ".join(words)
    return check_question(text)


def check_question(text: str) -> str:
    """The question with what no store or model takes (NUL, broken encoding) blanked out.

    :raises UsageError: it is blank or too long.
    """
    if len(text) > MAX_QUESTION_CHARS:
        raise UsageError(f"the question is longer than {MAX_QUESTION_CHARS:,} characters; ask a shorter one")
    question = text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ").strip()
    if not question:
        raise UsageError("the question is empty; give it as arguments, or pipe it in")
    return question
