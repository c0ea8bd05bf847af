"""What stands in a dataset of a message that a program filled in: `timeout of ` of "timeout of 500ms exceeded"."""

from __future__ import annotations

from collections.abc import Sequence

from askrepo.search.question.mentions import Mention
from askrepo.search.request import SearchRequest
from askrepo.search.verbatim import whole_name
from askrepo.text.terms import STOP_WORDS, query_terms

LOOKED_AT = 100
"""Chunks that are read for it, best by BM25 of the message's words."""

MAX_RUN_WORDS = 30
"""Words of a message that are looked for."""

MIN_RUN_WORDS = 2
MIN_RUN_LETTERS = 7
"""Of the words of a run that are no stop words: "Cannot index" tells something, "of the" does not."""

MAX_RUN_CHUNKS = 20
"""Chunks that may have a run: what stands everywhere is no message."""

_FILLED_IN = "\"'`()[]{}<>,;"


def longest_part(requests: Sequence[SearchRequest], mention: Mention) -> tuple[str, ...]:
    """The longest part of a message that stands somewhere, of whole words; nothing of one that says little.

    A program fills its messages in: of "timeout of 500ms exceeded" its source has "timeout of".
    """
    words = mention.text.split()[:MAX_RUN_WORDS]
    terms = query_terms(mention.text)
    if not terms:
        return ()
    texts = [
        " ".join(scored.chunk.text.split())
        for request in requests
        for scored in request.reader.dataset.lexical(terms, limit=LOOKED_AT, where=request.where)
    ]
    for length in range(len(words) - 1, MIN_RUN_WORDS - 1, -1):
        for start in range(len(words) - length + 1):
            run = " ".join(words[start : start + length]).strip(_FILLED_IN)
            told = "".join(word for word in run.split() if word.lower() not in STOP_WORDS)
            if sum(map(str.isalpha, told)) < MIN_RUN_LETTERS:
                continue
            spelled = whole_name(run)
            if 0 < sum(spelled.search(text) is not None for text in texts if run in text) <= MAX_RUN_CHUNKS:
                return (run,)
    return ()
