"""Names that a chunk defines, and names of what encloses it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from askrepo.chunking.rows import TextRows
from askrepo.chunking.symbols.c_functions import C_LANGUAGES, with_top_functions
from askrepo.chunking.symbols.definitions import SymbolDefinition
from askrepo.chunking.symbols.languages import RULES
from askrepo.chunking.symbols.patterns import PATTERN_LANGUAGES, pattern_definitions
from askrepo.chunking.symbols.rules import tree_definitions
from askrepo.chunking.syntax import Tree, read_tree

MAX_SCOPE_NAMES = 8  # innermost ones; deeper nesting is generated code
# What only C++ writes at the start of a line: a header named .h can be either, and the grammar of C makes a hash of it.
_CPP_LINE = re.compile(
    rb"^[ \t]*(?:template[ \t]*<|namespace[ \t]+\w|using[ \t]+\w|class[ \t]+\w|(?:public|private|protected)[ \t]*:)",
    re.MULTILINE,
)


def definitions(source: bytes, language: str, tree: Tree | None) -> list[SymbolDefinition]:
    """Definitions in order of position: from the syntax tree, or by patterns where it does not tell."""
    if tree is None or language in PATTERN_LANGUAGES:
        return pattern_definitions(source, language)
    if language == "c" and _CPP_LINE.search(source):
        cpp_tree = read_tree(source, "cpp", TextRows.of(source).starts)
        return tree_definitions("c", tree) if cpp_tree is None else tree_definitions("cpp", cpp_tree)
    found = tree_definitions(language, tree)
    if not found and language not in RULES:
        return pattern_definitions(source, language)
    if tree.unparsed:
        found += _in_unparsed(pattern_definitions(source, language), tree)
    return with_top_functions(found, source) if language in C_LANGUAGES else found


def _in_unparsed(found: Sequence[SymbolDefinition], tree: Tree) -> list[SymbolDefinition]:
    """Those that stand where the tree does not tell."""
    result: list[SymbolDefinition] = []
    begin = end = 0
    remaining = iter(sorted(tree.unparsed))
    for item in found:
        while end <= item.at and (stretch := next(remaining, None)) is not None:
            begin, end = stretch
        if begin <= item.at < end:
            result.append(item)
    return result


def symbols(found: Sequence[SymbolDefinition], starts: Sequence[int]) -> list[tuple[str, ...]]:
    """For each stretch between two offsets the distinct names defined in it, in order.

    :param starts: ascending; one more than there are stretches.
    """
    named = sorted((item.at, item.name) for item in found if item.is_symbol)
    bounds = [bisect_left(named, (start, "")) for start in starts]
    return [tuple(dict.fromkeys(name for _, name in named[begin:end])) for begin, end in pairwise(bounds)]


def scopes(found: Sequence[SymbolDefinition], starts: Sequence[int]) -> list[tuple[str, ...]]:
    """Names of the definitions around each offset, outermost first.

    :param starts: ascending.
    """
    ordered = sorted(found, key=lambda item: (item.start, -item.end))
    result: list[tuple[str, ...]] = []
    around: list[SymbolDefinition] = []
    following = 0
    for start in starts:
        while following < len(ordered) and ordered[following].start < start:
            around.append(ordered[following])
            following += 1
        around = [item for item in around if item.end > start]
        result.append(tuple(dict.fromkeys(item.name for item in around))[-MAX_SCOPE_NAMES:])
    return result
