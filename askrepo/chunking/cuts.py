"""How bad a cut before each row of a file would be: the lower the number, the better the place to cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

from askrepo.chunking.headings import Heading
from askrepo.chunking.rows import TextRows
from askrepo.chunking.syntax import Tree

# A heading always cuts, however little stands below it; level 1 is the best cut of all.
HEADING = 0
HEADING_LEVELS = 16
# Nesting deeper than this is cut anywhere: the splitter works level by level.
MAX_NESTING = 64
# Layout tells fewer levels apart: indentation after a blank line, then indentation alone.
MAX_INDENT = 31
TAB_COLUMNS = 4
# Before a blank line: it belongs to what stands above it.
BLANK = 1000
# Inside a line that is too long for a chunk.
INSIDE_LINE = 1001

_INDENT = re.compile(rb"[ \t]*")


def tree_cuts(rows: TextRows, tree: Tree) -> list[int]:
    """Cuts by syntax: how many nodes a cut would tear apart."""
    changes = [0] * (len(rows.starts) + 1)
    for visit in tree.visits:
        if visit.last > visit.first:
            changes[visit.first + 1] += 1
            changes[visit.last + 1] -= 1
    depths = accumulate(changes[: len(rows.lines)])
    return _checked(rows, [HEADING + 1 + min(depth, MAX_NESTING) for depth in depths])


def line_cuts(rows: TextRows, source: bytes) -> list[int]:
    """Cuts by layout: after a blank line, and at a small indentation."""
    cuts = []
    follows_blank = True
    for row, (start, end) in enumerate(pairwise(rows.starts)):
        depth = min(_indentation(source[start:end]), MAX_INDENT)
        cuts.append(HEADING + 1 + depth + (0 if follows_blank else MAX_INDENT + 1))
        follows_blank = rows.blank[row]
    return _checked(rows, cuts)


def document_cuts(rows: TextRows, source: bytes, found: Sequence[Heading]) -> list[int]:
    """Cuts by sections: at headings always, else by layout."""
    levels = {heading.line + 1: HEADING - HEADING_LEVELS + min(heading.level, HEADING_LEVELS) for heading in found}
    cuts = line_cuts(rows, source)
    return [levels.get(line, cut) if cut < BLANK else cut for line, cut in zip(rows.lines, cuts, strict=True)]


def _indentation(row: bytes) -> int:
    """Columns of white space before the row's first character."""
    match = _INDENT.match(row)
    return len(match[0].expandtabs(TAB_COLUMNS)) if match else 0


def _checked(rows: TextRows, cuts: list[int]) -> list[int]:
    """The cuts with the worst places marked: before blank rows and inside lines."""
    for row in range(1, len(cuts)):
        if rows.lines[row] == rows.lines[row - 1]:
            cuts[row] = INSIDE_LINE
        elif rows.blank[row]:
            cuts[row] = BLANK
    return cuts
