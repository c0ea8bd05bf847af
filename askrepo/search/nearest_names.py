"""Names that stand in a dataset and are spelled nearly like one that does not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

from askrepo.search.filled_in import longest_part
from askrepo.search.question.mentions import Mention
from askrepo.search.request import SearchRequest
from askrepo.store.reader import words_of
from askrepo.text.terms import query_terms

MOST = 3
"""Names told."""

MAX_EDITS = 2
"""Letters that may be wrong, missing, too many or exchanged; fewer in short names."""

CHARS_PER_EDIT = 4
"""Characters that a name must have for each: `cat` is no slip of `car`."""

LOOKED_AT = 100
"""Chunks whose words are compared, best by BM25 of the name's parts: most slips leave some part whole."""

_DOTTED = re.compile(r"(?<!\w)\w+(?:(?:::|->|[.#\\:])\w+)+")


def nearest_names(requests: Sequence[SearchRequest], mention: Mention) -> tuple[str, ...]:
    """At most MOST names of the datasets searched within MAX_EDITS of the mention's, the nearest first.

    The same words joined in another way (`startUp`, `start_up`) are nearest, whole names come before parts of them. A
    flag is compared with flags, a path with the ends of paths, a qualified name as a whole and by its last part.
    """
    if mention.is_message:
        return longest_part(requests, mention)
    if not any(map(str.isalpha, mention.text.lstrip("vV"))):
        return ()  # another version is another thing
    defined = {symbol for request in requests for symbol in request.reader.dataset.symbols()}
    asked = {mention.name: _names(requests, mention, defined)}
    if len(mention.parts) > 1 or "." in mention.text or "/" in mention.text:
        asked[mention.text] = chain(_paths(requests, mention.text), _qualified_near(requests, mention))
    edits = {name: edited for text, known in asked.items() for name, edited in _edits(text, set(known)).items()}
    near = [name for name, edited in edits.items() if edited <= MAX_EDITS]
    near.sort(
        key=lambda name: (
            len(_parts(name)) != len(mention.parts),
            edits[name],
            name not in defined,
            edit_distance(mention.name, name),
            name,
        )
    )
    return tuple(near[:MOST])


def _parts(name: str) -> tuple[str, ...]:
    return Mention(name).parts


def _edits(asked: str, known: Collection[str]) -> dict[str, int]:
    """Names that may be meant, each with its edits; none count where only case and what joins the words differ."""
    alike = _joined(asked)
    edits = {name: edit_distance(asked.lower(), name.lower()) for name in _likely(asked, known)}
    return edits | {name: 0 for name in known if len(alike) >= CHARS_PER_EDIT and _joined(name) == alike}


def _joined(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _likely(asked: str, known: Iterable[str]) -> list[str]:
    """Those of the names known that may be within the edits that a name of this length allows, in any case."""
    most = min(MAX_EDITS, len(asked.lstrip("-")) // CHARS_PER_EDIT)
    spelled: dict[str, list[str]] = {}
    for name in known if most else ():
        if abs(len(name) - len(asked)) <= most:
            spelled.setdefault(name.lower(), []).append(name)
    # The ratio of two words of n characters that differ in one is 1 - 1/n; the exact count decides.
    cutoff = max(0.5, 1 - 1.5 * most / len(asked))
    near = difflib.get_close_matches(asked.lower(), sorted(spelled), n=MOST * 4, cutoff=cutoff)
    return [name for each in near if edit_distance(asked.lower(), each) <= most for name in sorted(spelled[each])]


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


def _names(requests: Sequence[SearchRequest], mention: Mention, defined: Iterable[str]) -> Iterator[str]:
    """Names that a dataset defines and words that it has: flags for a flag, all others for any other name.

    Of a dataset too large to read whole, the words of the chunks that have a part of the mention.
    """
    is_flag = mention.name.startswith("-")
    words = {word for request in requests for word in request.reader.dataset.words() or _words_near(request, mention)}
    yield from (word for word in words if word.startswith("-") == is_flag)
    if not is_flag:
        yield from defined


def _words_near(request: SearchRequest, mention: Mention) -> Iterator[str]:
    terms = query_terms(mention.text)
    if terms:
        for scored in request.reader.dataset.lexical(terms, limit=LOOKED_AT, where=request.where):
            yield from words_of(scored.chunk.text)


def _qualified_near(requests: Sequence[SearchRequest], mention: Mention) -> Iterator[str]:
    """The qualified names in the chunks that have a part of the mention: a slip in one part leaves another whole."""
    for request in requests:
        for scored in request.reader.dataset.lexical(query_terms(mention.text), limit=LOOKED_AT, where=request.where):
            yield from _DOTTED.findall(scored.chunk.text)


def _paths(requests: Sequence[SearchRequest], asked: str) -> Iterator[str]:
    """The ends of the files' paths that have as many folders as the one asked for."""
    parts = asked.removeprefix("./").strip("/").count("/") + 1
    for request in requests:
        for _, path in request.reader.dataset.files():
            yield "/".join(path.split("/")[-parts:])
