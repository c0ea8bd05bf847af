"""Functions of C whose braces do not match: each branch of an `#ifdef` opens a block that only one of them closes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from askrepo.chunking.symbols.definitions import SymbolDefinition

C_LANGUAGES = frozenset({"c", "cpp", "objc"})

_FUNCTION = re.compile(
    rb"^(?!(?:else|return|typedef|case|goto|do|using|namespace|template|class|struct|enum|union|extern[ \t]+\")\b)"
    rb"[A-Za-z_][\w \t*&:<>,]{0,200}?[ \t*&]([A-Za-z_]\w*)[ \t]*\([^;{}#]{0,1000}\)\s{0,80}\{",
    re.MULTILINE,
)
"""A function's head at the beginning of a line, with its result before its name and its body behind."""


def with_top_functions(found: Sequence[SymbolDefinition], source: bytes) -> list[SymbolDefinition]:
    """The definitions with the functions that the tree took for a part of another one, which ends before them.

    No function of C is inside of another, and what begins at the beginning of a line is inside of none.
    """
    heads = [(match.start(), match.start(1), match[1].decode()) for match in _FUNCTION.finditer(source)]
    known = {item.at for item in found}
    if all(at in known for _, at, _ in heads):
        return list(found)
    ends = {at: following for (_, at, _), (following, _, _) in pairwise([*heads, (len(source), 0, "")])}
    kept = [replace(item, end=min(item.end, ends.get(item.at, item.end))) for item in found]
    added = [SymbolDefinition(name, at, start, ends[at]) for start, at, name in heads if at not in known]
    return sorted([*kept, *added], key=lambda item: item.at)
