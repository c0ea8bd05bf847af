"""Siblings: files of one family, each of which says the same of another dialect, platform or generation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from askrepo.search.candidates import File, Ranked
from askrepo.text.terms import name_terms

MOST = 2
"""Files of a family that keep their places; the next ones make room. With 1 a page of 79 is lost (2026-11)."""

SIBLING_FACTOR = 0.6
"""Factor on the third file of a family, squared on the fourth and so on; .4 and .75 rank alike (2026-11)."""

LOOKED_AT = 40
"""Files, best first, that are compared with each other: a list shows ten."""

MIN_COMMON = 2
"""Words that the names of siblings in different folders have in common; in one folder half of the words will do."""


@dataclass(frozen=True, slots=True)
class _Name:
    folder: str
    ending: str
    words: frozenset[str]


def sibling_factors(order: Sequence[Ranked]) -> list[float]:
    """For each of the ranked 1, or less when MOST files of its family come before it.

    :param order: best first.
    """
    names: dict[File, _Name] = {}
    before: dict[File, int] = {}
    for each in order:
        file = each.candidate.file
        if file not in before and len(names) < LOOKED_AT:
            name = _name_of(file[2])
            before[file] = sum(_are_siblings(name, other) for other in names.values())
            names[file] = name
    return [SIBLING_FACTOR ** max(0, before.get(each.candidate.file, 0) - MOST + 1) for each in order]


def _are_siblings(one: _Name, other: _Name) -> bool:
    """Whether two files are called alike: `RetrySyntax` and `AsyncRetrySyntax`, `uid_win` and `uid_unix`."""
    if one.ending != other.ending:
        return False
    common, most = len(one.words & other.words), max(len(one.words), len(other.words))
    if one.folder == other.folder:
        return 2 * common >= most
    return common >= MIN_COMMON and 2 * common > most


def _name_of(path: str) -> _Name:
    pure = PurePosixPath(path)
    words = name_terms(path)
    parts = {word for word in words if not any(word != part and word.startswith(part) for part in words)}
    return _Name(str(pure.parent), pure.suffix, frozenset(parts or words))
