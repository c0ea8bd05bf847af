"""Names that stand in a dataset and are spelled nearly like one that does not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from askrepo.search.question.mentions import Mention
from askrepo.search.request import SearchRequest
from askrepo.text.terms import query_terms

MOST = 3
"""Names told."""

MAX_EDITS = 2
"""Letters that may be wrong, missing, too many or exchanged; fewer in short names."""

CHARS_PER_EDIT = 4
"""Characters that a name must have for each: `cat` is no slip of `car`."""

LOOKED_AT = 100
"""Chunks whose words are compared, best by BM25 of the name's parts: most slips leave some part whole."""

_NAME = re.compile(r"[^\W\d][\w-]*\w")


def nearest_names(requests: Sequence[SearchRequest], mention: Mention) -> tuple[str, ...]:
    """At most MOST names of the datasets searched within MAX_EDITS of the mention's, the nearest first."""
    asked = mention.name
    most = min(MAX_EDITS, len(asked) // CHARS_PER_EDIT)
    if mention.is_message or not most:
        return ()
    known = {name for request in requests for name in _names(request, mention) if abs(len(name) - len(asked)) <= most}
    # The ratio of two words of n characters that differ in one is 1 - 1/n; the exact count decides.
    likely = difflib.get_close_matches(asked, sorted(known), n=MOST * 4, cutoff=max(0.5, 1 - 1.5 * most / len(asked)))
    edits = {name: edit_distance(asked, name) for name in likely}
    return tuple(sorted((name for name in likely if edits[name] <= most), key=lambda name: (edits[name], name))[:MOST])


def edit_distance(one: str, other: str) -> int:
    """Characters to insert, remove, replace or exchange with their neighbour.

    Damerau 1964, as optimal string alignment: no character is edited twice.
    """
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for at, character in enumerate(one, start=1):
        older, before, row = before, row, [at]
        for place, another in enumerate(other, start=1):
            cost = min(before[place] + 1, row[-1] + 1, before[place - 1] + (character != another))
            if at > 1 and place > 1 and (character, one[at - 2]) == (other[place - 2], another):
                cost = min(cost, older[place - 2] + 1)
            row.append(cost)
    return row[-1]


def _names(request: SearchRequest, mention: Mention) -> Iterator[str]:
    """Names that the dataset defines, and words of the chunks that have a part of the mention."""
    dataset = request.reader.dataset
    yield from dataset.symbols()
    terms = query_terms(mention.text)
    if terms:
        for scored in dataset.lexical(terms, limit=LOOKED_AT, where=request.where):
            yield from _NAME.findall(scored.chunk.text)
