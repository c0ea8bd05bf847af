"""Where an exact name stands in open datasets: its definitions, then where it is set, documented and used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from askrepo.aliases.readers import AliasReader
from askrepo.errors import UsageError
from askrepo.search.exact import holding
from askrepo.search.nearest_names import nearest_names
from askrepo.search.outline import defining_line
from askrepo.search.question.mentions import MAX_NAME_CHARS, Holds, Mention
from askrepo.search.request import SearchRequest, requests_for
from askrepo.search.search import EVERYTHING
from askrepo.search.verbatim import holds, is_double, whole_name
from askrepo.store.reader import Filter
from askrepo.types import Chunk, Citation

MAX_OCCURRENCES = 60
MAX_LINE_CHARS = 200
"""Of a line that is shown with its place."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A line that holds a name.

    :ivar holds: whether it defines, sets, documents or uses the name.
    :ivar text: the line, cut to MAX_LINE_CHARS.
    """

    citation: Citation
    holds: Holds
    text: str

    @property
    def line(self) -> int:
        """1-based."""
        return self.citation.start_line


@dataclass(frozen=True, slots=True)
class Occurrences:
    """What was found of a name.

    :ivar found: definitions first, then where it is set, documented, used; tests, copies and lists of changes last.
    :ivar total: lines found in the chunks looked at; more than are in `found` when that was bounded.
    :ivar nearest: when there are none, names that stand there and are spelled nearly so.
    """

    found: tuple[Occurrence, ...]
    total: int
    nearest: tuple[str, ...] = ()


def find(
    name: str, *, readers: Sequence[AliasReader], where: Filter = EVERYTHING, limit: int = MAX_OCCURRENCES
) -> Occurrences:
    """The lines that hold exactly this name, as a whole word, in this case of letters.

    :param name: an identifier, `Owner.member`, a path, a flag; several words are a message.
    :raises UsageError: it is blank, too long or has no letter or digit.
    """
    text = name.strip()
    if not any(map(str.isalnum, text)) or len(text) > MAX_NAME_CHARS or "\n" in text:
        raise UsageError(
            f"{text[:60]!r} is no name: give one of 1 to {MAX_NAME_CHARS} characters, with a letter or digit"
        )
    mention = Mention(text, is_message=len(text.split()) > 1)
    requests = requests_for(text, readers=readers, where=where)
    lines = {
        (each.citation.repository, each.citation.path, each.line): (distance, each)
        for request in requests
        for chunk in holding(request, mention)
        for distance, each in _lines(request, chunk, mention)
    }
    found = [each for _, each in sorted(lines.values(), key=_order)]
    nearest = () if found else nearest_names(requests, mention)
    return Occurrences(tuple(found[:limit]), len(found), nearest)


def _order(pair: tuple[int, Occurrence]) -> tuple[bool, int, int, str, str, int]:
    distance, each = pair
    is_definition = each.holds is Holds.DEFINES
    return not is_definition, distance, each.holds, each.citation.repository, each.citation.path, each.line


def _lines(request: SearchRequest, chunk: Chunk, mention: Mention) -> Iterator[tuple[int, Occurrence]]:
    """The chunk's lines that hold the name, each with how far its file is from where things are made."""
    how = holds(chunk, mention)
    if how is None:
        return
    lines = chunk.text.removesuffix("\n").split("\n")
    defining = defining_line(lines, mention.name.rstrip("?!")) if how is Holds.DEFINES else None
    name = whole_name(mention.name if how is Holds.DEFINES else mention.text)
    commit = request.reader.snapshot_of(chunk.repository).commit
    for at, line in enumerate(lines):
        is_definition = defining is not None and at == defining[0]
        if is_definition or name.search(line):
            held = Holds.DEFINES if is_definition else Holds.USES if how is Holds.DEFINES else how
            number = chunk.start_line + at
            citation = Citation(chunk.repository, commit, chunk.path, number, number)
            distance = 2 if is_double(chunk) else int(chunk.kind != "source")
            yield distance, Occurrence(citation, held, _cut(line.strip()))


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE_CHARS else line[: MAX_LINE_CHARS - 1] + "…"
