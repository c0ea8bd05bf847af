"""Names that a chunk defines, and names of what encloses it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from askrepo.definitions import Definition
from askrepo.symbol_patterns import PATTERN_LANGUAGES, pattern_definitions
from askrepo.symbol_rules import RULED_LANGUAGES, tree_definitions
from askrepo.syntax import Tree

MAX_SCOPE_NAMES = 8  # innermost ones; deeper nesting is generated code


def definitions(source: bytes, language: str, tree: Tree | None) -> list[Definition]:
    """Definitions in order of position: from the syntax tree, or by patterns where it does not tell."""
    if tree is None or language in PATTERN_LANGUAGES:
        return pattern_definitions(source, language)
    found = tree_definitions(language, tree)
    return found if found or language in RULED_LANGUAGES else pattern_definitions(source, language)


def symbols(found: Sequence[Definition], starts: Sequence[int]) -> list[tuple[str, ...]]:
    """For each stretch between two offsets the distinct names defined in it, in order.

    :param starts: ascending; one more than there are stretches.
    """
    named = sorted((item.at, item.name) for item in found if item.is_symbol)
    bounds = [bisect_left(named, (start, "")) for start in starts]
    return [tuple(dict.fromkeys(name for _, name in named[begin:end])) for begin, end in pairwise(bounds)]


def scopes(found: Sequence[Definition], starts: Sequence[int]) -> list[tuple[str, ...]]:
    """Names of the definitions around each offset, outermost first.

    :param starts: ascending.
    """
    ordered = sorted(found, key=lambda item: (item.start, -item.end))
    result: list[tuple[str, ...]] = []
    around: list[Definition] = []
    following = 0
    for start in starts:
        while following < len(ordered) and ordered[following].start < start:
            around.append(ordered[following])
            following += 1
        around = [item for item in around if item.end > start]
        result.append(tuple(dict.fromkeys(item.name for item in around))[-MAX_SCOPE_NAMES:])
    return result
