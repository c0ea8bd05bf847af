"""The lines of a definition, by its name: the whole of it, with the decorators and comments that lead to it."""

from __future__ import annotations

from collections.abc import Sequence

from askrepo.aliases.readers import AliasReader
from askrepo.search.occurrences import find
from askrepo.search.outline import OutlineItem, lead_of, outline
from askrepo.search.question.mentions import Holds, Mention
from askrepo.search.reading import Reading, StoredFile, lines_of, open_file

_MANY = 10**9


def definitions_in(file: StoredFile, name: str) -> list[Reading]:
    """The file's definitions, or sections, of that name, in order; none when it has none.

    :param name: may be qualified: `Retrier.wait` is the `wait` inside of `Retrier`.
    """
    items = outline(file)
    wanted = Mention(name.strip()).parts or (name.strip(),)
    found = [item for place, item in enumerate(items) if _is_called(items, place, wanted, name.strip())]
    return [_lines(file, item) for item in found]


def definitions_of(name: str, *, readers: Sequence[AliasReader]) -> list[Reading]:
    """The definitions of that name in all files, those of tests and copies last.

    :raises UsageError: it is no name.
    """
    definitions = [each for each in find(name, readers=readers, limit=_MANY).found if each.holds is Holds.DEFINES]
    places = dict.fromkeys((each.citation.repository, each.citation.path) for each in definitions)
    readings = []
    for repository, path in places:
        file = open_file(path, readers=readers, repository=repository)
        readings += definitions_in(file, name)
    return readings


def _is_called(items: Sequence[OutlineItem], place: int, wanted: Sequence[str], whole: str) -> bool:
    item = items[place]
    if item.name == whole:
        return True
    if item.name not in (wanted[-1], wanted[-1].rstrip("?!")):
        return False
    owners = {other.name for other in items[:place] if other.start_line <= item.start_line <= other.end_line}
    return len(wanted) == 1 or wanted[-2] in owners


def _lines(file: StoredFile, item: OutlineItem) -> Reading:
    first = item.start_line if item.kind == "heading" else lead_of(file.lines, item.start_line)
    return lines_of(file, first, item.end_line, max_lines=_MANY, max_chars=_MANY)
