"""The words of a question and its pairs of neighbouring words: what a linear model can weigh one by one."""

from __future__ import annotations

import re
from itertools import pairwise

BEGINNING = "^"
"""Stands before the first word: "can" as a question's first word tells more than anywhere else."""

_WORD = re.compile(r"[a-z']+|\d+|[?:]")


def phrases_of(text: str) -> frozenset[str]:
    """Every word, number, question mark and colon, in lower case, and every two that follow each other.

    :param text: at most a thousand characters, with the project's name masked as in `cues.mask_projects`.
    """
    words = [BEGINNING, *_WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))]
    return frozenset((*words, *(f"{one} {other}" for one, other in pairwise(words))))
