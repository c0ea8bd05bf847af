"""Cutting a text into spans of whole lines, at boundaries of its syntax where its language is known."""

from __future__ import annotations

import json
import logging
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from askrepo.chunking.cuts import HEADING, INSIDE_LINE, document_cuts, line_cuts, tree_cuts
from askrepo.chunking.headings import Heading, document_format, headings
from askrepo.chunking.parser_process import ParserProcess
from askrepo.chunking.rows import MAX_BYTES, TARGET_BYTES, TextRows
from askrepo.chunking.symbols.names import MAX_SCOPE_NAMES, definitions, scopes, symbols
from askrepo.chunking.syntax import Tree, has_grammar, read_tree
from askrepo.errors import StorageError

# A chunk below this size says little alone: it joins a neighbour, across a heading or a little beyond the target.
SMALL_BYTES = 150
PARSER_CODE = "from askrepo.chunking import parser_process, spans; parser_process.serve(spans.answer_split)"

log = logging.getLogger(__name__)

Piece = tuple[int, int]
"""A range of rows: the first, and the one after the last."""


@dataclass(frozen=True, slots=True)
class Span:
    """A chunk of one file, before it has an identity.

    :ivar start_line: 1-based, inclusive; end_line likewise. Two spans share a line only when it is cut inside.
    :ivar symbols: names defined in the span.
    :ivar scope: names of the definitions, or headings, around its first line, outermost first.
    """

    start_line: int
    end_line: int
    text: str
    symbols: tuple[str, ...]
    scope: tuple[str, ...]


def split_text(text: str, *, path: str, language: str) -> list[Span]:
    r"""The text as consecutive spans; joined, they are the text. An empty text has none.

    Only "\n" ends a line. A span is at most MAX_BYTES of UTF-8 and whole lines, unless a line alone is larger.

    :param path: tells a document's format when the language does not.
    :param language: a name of `languages.language_of`; "" when unknown.
    :raises StorageError: a grammar cannot be unpacked to its cache directory.
    """
    if not text:
        return []
    source = text.encode("utf-8", "surrogatepass")
    rows = TextRows.of(source)
    document = document_format(path, language)
    if document is not None:
        found = headings(text.split("\n"), document)
        pieces = _pieces(rows, document_cuts(rows, source, found))
        return _spans(source, rows, pieces, [()] * len(pieces), _heading_scopes(found, rows, pieces))
    return _code_spans(source, rows, language, read_tree(source, language, rows.starts))


def split_by_lines(text: str, *, language: str) -> list[Span]:
    """What `split_text` gives when the text cannot be parsed."""
    source = text.encode("utf-8", "surrogatepass")
    return _code_spans(source, TextRows.of(source), language, None) if text else []


def split_apart(text: str, *, path: str, language: str, parser: ParserProcess) -> list[Span]:
    """What `split_text` gives; a text that would crash the parser is cut by lines.

    :raises StorageError: a grammar cannot be unpacked, or the process cannot be had.
    """
    if document_format(path, language) is not None or not has_grammar(language):
        return split_text(text, path=path, language=language)
    answer = parser.ask(json.dumps({"text": text, "path": path, "language": language}), name=path)
    if answer is None:
        log.warning("the grammar of %s cannot read %s; cut by lines", language, path)
        return split_by_lines(text, language=language)
    reply = json.loads(answer)
    if "error" in reply:
        raise StorageError(reply["error"])
    return [Span(first, last, text, tuple(names), tuple(scope)) for first, last, text, names, scope in reply["spans"]]


def answer_split(request: str) -> str:
    """What the parser's process answers to `split_apart`."""
    try:
        spans = split_text(**json.loads(request))
    except StorageError as error:
        return json.dumps({"error": str(error)})
    return json.dumps({"spans": [[one.start_line, one.end_line, one.text, one.symbols, one.scope] for one in spans]})


def _code_spans(source: bytes, rows: TextRows, language: str, tree: Tree | None) -> list[Span]:
    """Spans of what is no document: cut by its syntax, or by its lines where there is no tree."""
    pieces = _pieces(rows, line_cuts(rows, source) if tree is None else tree_cuts(rows, tree))
    named = definitions(source, language, tree)
    offsets = [rows.starts[first] for first, _ in pieces]
    return _spans(source, rows, pieces, symbols(named, [*offsets, len(source)]), scopes(named, offsets))


def _spans(
    source: bytes,
    rows: TextRows,
    pieces: Sequence[Piece],
    named: Sequence[tuple[str, ...]],
    around: Sequence[tuple[str, ...]],
) -> list[Span]:
    """Each piece with its lines, text, symbols and scope."""
    spans = []
    for (first, end), names, scope in zip(pieces, named, around, strict=True):
        text = source[rows.starts[first] : rows.starts[end]].decode("utf-8", "surrogatepass")
        spans.append(Span(rows.lines[first], rows.lines[end - 1], text, names, scope))
    return spans


def _heading_scopes(found: Sequence[Heading], rows: TextRows, pieces: Sequence[Piece]) -> list[tuple[str, ...]]:
    """Titles of the sections around each piece's first line; a section includes its own heading."""
    heading_lines = [heading.line + 1 for heading in found]
    open_after: list[tuple[Heading, ...]] = [()]
    for heading in found:
        outer = tuple(item for item in open_after[-1] if item.level < heading.level)
        open_after.append((*outer, heading))
    counts = (bisect_right(heading_lines, rows.lines[first]) for first, _ in pieces)
    return [tuple(heading.title for heading in open_after[count])[-MAX_SCOPE_NAMES:] for count in counts]


def _pieces(rows: TextRows, cuts: Sequence[int]) -> list[Piece]:
    """Ranges of rows that become chunks.

    :param cuts: for each row how bad a cut before it is; the first row's value means nothing.
    """
    return _without_small(rows, cuts, list(_packed(rows, cuts, 0, len(rows.lines))))


def _packed(rows: TextRows, cuts: Sequence[int], first: int, end: int) -> Iterator[Piece]:
    """Cut a range at its best cuts, merge what stays within the target, go deeper where one part does not."""
    best = min(cuts[first + 1 : end], default=INSIDE_LINE)
    if end - first == 1 or (rows.size(first, end) <= TARGET_BYTES and best > HEADING):
        yield first, end
        return
    bounds = [first, *(row for row in range(first + 1, end) if cuts[row] == best), end]
    begin = first
    for left, right in pairwise(bounds):
        stands_alone = best <= HEADING or rows.size(left, right) > TARGET_BYTES
        if begin < left and (stands_alone or rows.size(begin, right) > TARGET_BYTES):
            yield begin, left
            begin = left
        if stands_alone:
            yield from _packed(rows, cuts, left, right)
            begin = right
    if begin < end:
        yield begin, end


def _without_small(rows: TextRows, cuts: Sequence[int], pieces: Sequence[Piece]) -> list[Piece]:
    """Let each small or blank piece join the neighbour that the worse cut parts it from, where there is room."""

    def is_small(piece: Piece) -> bool:
        return rows.size(*piece) < TARGET_BYTES // 2 or rows.is_blank(*piece)

    def fits(left: Piece, right: Piece) -> bool:
        limit = TARGET_BYTES if cuts[right[0]] > HEADING else 0
        if min(rows.size(*left), rows.size(*right)) < SMALL_BYTES:
            limit = TARGET_BYTES + SMALL_BYTES
        if rows.is_blank(*left) or rows.is_blank(*right):
            limit = MAX_BYTES
        return rows.size(left[0], right[1]) <= limit

    kept: list[Piece] = []
    for piece, following in zip_longest(pieces, pieces[1:]):
        waits = following is not None and cuts[piece[1]] > cuts[piece[0]] and fits(piece, following)
        if kept and fits(kept[-1], piece) and (is_small(kept[-1]) or (is_small(piece) and not waits)):
            kept[-1] = (kept[-1][0], piece[1])
        else:
            kept.append(piece)
    return kept
