"""Syntax trees: the seam to tree-sitter and its packaged grammars."""

from __future__ import annotations

import functools
import logging
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from askrepo.errors import StorageError

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

logger = logging.getLogger(__name__)

# Grammars whose C scanner crashes the process on hostile input (semble-grammars 0.1.2, measured 2026-11: yaml and
# typst on some hundred levels of indentation, markdown on as many quotes). These files are cut by lines or headings.
UNSAFE_GRAMMARS = frozenset({"yaml", "markdown", "markdown_inline", "typst"})
# A larger file is generated or data; parsing it would only cost memory (some 100 bytes per byte of source).
MAX_PARSED_BYTES = 1_000_000
# A longer line is minified or data: there is nothing to cut between in it, and most grammars turn quadratic on it.
MAX_PARSED_LINE = 20_000
# The C# grammar keeps every reading of an unclosed `<` (1.7 GB for 5,000 of them); real files stay far below this.
MAX_OPEN_ANGLES = 300
# Scanners of markup copy the names of all open tags at every token: 20,000 open tags took 11 s for 120 kB, and 70 times
# that for 1 MB. People's documents stay below 50, or below 200 where they leave tags open.
MAX_OPEN_TAGS = 500
MARKUP_GRAMMARS = frozenset({"astro", "html", "svelte", "vue", "xml"})
# Many grammars turn quadratic on text that is not their language, or on what is never closed: 200 kB take minutes.
# The limits below count what the parser does, never its time, so that a file is cut the same everywhere; they depend on
# the text, the grammar and the version of tree-sitter alone. A step is 100 operations of the parser.
# 4,000 real files took 4,400 steps at most, of 0.05 ms each (measured 2026-11).
MAX_STEPS = 20_000
# After a first error a step may take 5 ms: each recovery walks over what was skipped. Real files took 160 at most.
MAX_ERROR_STEPS = 300
# Grammars whose steps may cost more: scanners that copy all open tags at every token, and haskell's layout.
DEAR_STEPS = {"astro": 250, "html": 700, "svelte": 700, "vue": 700}
DEAR_ERROR_STEPS = {"haskell": 60}
# The text is handed over in pieces: a lexer that looks for an end that never comes asks for them again and again.
READ_BYTES = 1024
# Real files took 800 pieces at most; 100,000 take a second.
MAX_READS = 100_000
# What asks for the text or the surroundings of every node must not cost more on deep nesting than on flat code.
MAX_TEXT_BYTES = 256
MAX_ANCESTORS = 64

# Comments and the like stay with the definition below them.
_LEADING = re.compile(r"comment|^(?:decorator|attribute_item|attribute_list|haddock|signature|annotation|spec)$")
# An opening or closing tag: its name, what follows, and its end.
_TAG = re.compile(rb"""<(/?)([A-Za-z_:][\w:.-]{0,40})((?:[^<>"']|"[^"<]*"|'[^'<]*')*+)(>?)""")
_VOID = frozenset(b"area base br col embed hr img input link meta source track wbr".split())
# A body stays with its head; the best cuts are those between its statements.
_BODY = re.compile(r"(?:^|_)(?:block|body|suite)$|^compound_statement$|declaration_list$")
# What may define names below itself although it stands on one line.
_NAMING = re.compile(
    r"declarat|definition|statement|_item$|_spec|signature|class|interface|trait|struct|enum|impl|object|namespace|module"
    r"|function|method|property|export|assignment|body|block|^call$"
)


class Visit(NamedTuple):
    """A node of the tree that matters for cutting or naming.

    :ivar parent: position of the parent's visit, -1 for a child of the root.
    :ivar start: byte offset; end likewise, exclusive.
    :ivar first: row of the node's first line, or of the comments and decorators directly above it.
    :ivar last: row of its last line.
    """

    node: Node
    kind: str
    parent: int
    start: int
    end: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A file's syntax, as far as it matters for cutting and naming.

    :ivar visits: parents first: nodes of several rows, their children, and the children of small statements.
    """

    source: bytes
    visits: list[Visit]

    @property
    def unparsed(self) -> list[tuple[int, int]]:
        """Stretches of several rows that the grammar could not read: offsets of their beginning and end."""
        return [(visit.start, visit.end) for visit in self.visits if visit.kind == "ERROR" and visit.last > visit.first]

    def text(self, node: Node) -> bytes:
        """The node's source, as far as a name reaches. (`node.text` would call the reader of the parser again.)"""
        return self.source[node.start_byte : min(node.end_byte, node.start_byte + MAX_TEXT_BYTES)]

    def ancestors(self, visit: Visit) -> Iterator[Visit]:
        """What the node stands in, innermost first, without the root; only the nearest when there are many."""
        position = visit.parent
        for _ in range(MAX_ANCESTORS):
            if position < 0:
                return
            outer = self.visits[position]
            yield outer
            position = outer.parent

    def parent_kind(self, visit: Visit, *, up: int = 1) -> str:
        """Kind of the node that many levels up; "" for the root."""
        position = visit.parent
        for _ in range(up - 1):
            position = self.visits[position].parent if position >= 0 else -1
        return self.visits[position].kind if position >= 0 else ""


class _Traits(NamedTuple):
    """What a kind of node means for the walk."""

    is_leading: bool
    is_body: bool
    is_naming: bool


def read_tree(source: bytes, language: str, rows: Sequence[int]) -> Tree | None:
    """The syntax of a text.

    :param rows: byte offset at which each row starts, ascending, the first 0.
    :returns: None when the language has no usable grammar or the text cannot be parsed within bounds.
    :raises StorageError: a grammar cannot be unpacked to its cache directory.
    """
    root = parse(source, language)
    return None if root is None else Tree(source, list(_walk(root, rows)))


def parse(source: bytes, language: str) -> Node | None:
    """The syntax tree's root, or None when there is no usable grammar or parsing exceeds its bounds."""
    parser = _parser(language)
    if parser is None or not _is_parsable(source, language):
        return None
    budget = _Budget(source, language)
    try:
        tree = parser.parse(budget.read, progress_callback=budget.stops)
    except ValueError:  # tree-sitter's word for "stopped"
        parser.reset()
    if budget.is_spent:
        logger.info("a %s file of %d bytes exceeds the parser's bounds; cut by lines", language, len(source))
        return None
    return tree.root_node


class _Budget:
    """What one parse may do: steps, and pieces of the text to read."""

    def __init__(self, source: bytes, language: str) -> None:
        self._view = memoryview(source)  # the binding keeps every slice until parsing ends: no copies
        self._steps = DEAR_STEPS.get(language, MAX_STEPS)
        self._error_steps = DEAR_ERROR_STEPS.get(language, MAX_ERROR_STEPS)
        self._reads = MAX_READS

    @property
    def is_spent(self) -> bool:
        return min(self._steps, self._error_steps, self._reads) < 0

    def read(self, offset: int, _point: object) -> memoryview:
        """The text at an offset; none when the budget is spent, so that a lexer comes to an end at once."""
        self._reads -= 1
        return self._view[offset : offset + READ_BYTES] if self._reads >= 0 else self._view[:0]

    def stops(self, _offset: int, has_error: bool) -> bool:
        """Count a step, and say whether it was one too many."""
        self._steps -= 1
        self._error_steps -= has_error
        return self.is_spent


def _is_parsable(source: bytes, language: str) -> bool:
    """Whether the text has a shape that the grammar takes in bounded memory."""
    if len(source) > MAX_PARSED_BYTES or max(map(len, source.split(b"\n"))) > MAX_PARSED_LINE:
        return False
    if language in MARKUP_GRAMMARS:
        return _open_tags_fit(source, is_xml=language == "xml")
    return language != "csharp" or _open_angles_fit(source)


def _open_tags_fit(source: bytes, *, is_xml: bool) -> bool:
    """Whether the tags that are open at once stay within bounds; a closing one closes those inside of it."""
    is_open: list[bytes] = []
    for closes, name, rest, end in _TAG.findall(source):
        if closes and name in is_open:
            while is_open.pop() != name:
                pass
        elif not closes and not (end and rest.endswith(b"/")) and (is_xml or name.lower() not in _VOID):
            is_open.append(name)
        if len(is_open) > MAX_OPEN_TAGS:
            return False
    return True


def _open_angles_fit(source: bytes) -> bool:
    open_angles = 0
    for match in re.finditer(rb"[<>]", source):
        open_angles = max(open_angles + (1 if match[0] == b"<" else -1), 0)
        if open_angles > MAX_OPEN_ANGLES:
            return False
    return True


def _walk(root: Node, rows: Sequence[int]) -> Iterator[Visit]:
    """Visits, parents first; an explicit stack, because trees can be thousands of levels deep."""
    count = 0
    pending: list[tuple[Node, int, int, int, bool]] = [(root, -1, 0, -1, True)]
    while pending:
        parent, position, parent_first, previous_last, parent_is_body = pending.pop()
        group_first, group_last = -1, -2
        for node in parent.named_children:
            # Some scanners claim more than there is (cmake, on an unclosed bracket).
            start, end, kind = node.start_byte, min(node.end_byte, rows[-1]), node.type
            if start >= end:
                continue
            traits = _TRAITS.get(kind) or _traits(kind)
            first = own_first = bisect_right(rows, start) - 1
            last = first if end <= rows[first + 1] else bisect_right(rows, end - 1) - 1
            if traits.is_leading and first > previous_last:
                group_first = group_first if first == group_last + 1 else first
                group_last = last
            elif first <= group_last + 1:
                first, group_last = group_first, -2
            previous_last = last
            if traits.is_body and not parent_is_body:
                first = min(first, parent_first)
            if last > own_first or node.child_count:
                yield Visit(node, kind, position, start, end, first, last)
                if last > own_first or traits.is_naming:
                    pending.append((node, count, first, own_first if traits.is_body else -1, traits.is_body))
                count += 1


_TRAITS: dict[str, _Traits] = {}


def _traits(kind: str) -> _Traits:
    """The kind's traits, from now on in `_TRAITS`."""
    patterns = (_LEADING, _BODY, _NAMING)
    return _TRAITS.setdefault(kind, _Traits(*(pattern.search(kind) is not None for pattern in patterns)))


def has_grammar(language: str) -> bool:
    """Whether texts of the language are parsed."""
    return language not in UNSAFE_GRAMMARS and language in _grammars()


@functools.lru_cache(maxsize=128)
def _parser(language: str) -> Parser | None:
    import semble_grammars

    if not has_grammar(language):
        return None
    try:
        parser: Any = semble_grammars.get_parser(language)
    except semble_grammars.GrammarLoadError as error:
        message = (
            f"cannot unpack the grammar for {language}: {error}; set SEMBLE_GRAMMARS_CACHE_DIR to a writable folder"
        )
        raise StorageError(message) from error
    return parser  # type: ignore[no-any-return]


@functools.lru_cache(maxsize=1)
def _grammars() -> frozenset[str]:
    """Languages that have a grammar on this platform."""
    import semble_grammars

    try:
        return frozenset(semble_grammars.available_languages())
    except semble_grammars.UnsupportedPlatformError as error:
        logger.warning("no syntax trees, files are cut by lines: %s", error)
        return frozenset()
