"""An answer whose statements are checked as it arrives: text in, the same text with marks out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from askrepo.answer.answer_form import Said
from askrepo.answer.citations import CitationResolver, Cited, LookUp
from askrepo.answer.source_lines import SourceLines
from askrepo.answer.statement_parts import parts_of
from askrepo.answer.statements import Block, StatementSplitter
from askrepo.answer.verification import MIN_TERMS, Checked, Found, State, Statement, Verifier
from askrepo.text.counting import counted
from askrepo.text.terms import query_terms
from askrepo.types import Citation

NOT_FOUND = " (not found)"
NO_SOURCE = " (no source)"
NO_QUOTE = " (quote not found)"

STATES: tuple[tuple[State, str], ...] = (
    ("verified", "verified"),
    ("repaired", "repaired"),
    ("cited", "cited"),
    ("attributed", "attributed"),
    ("not found", "not found"),
    ("nothing", "resting on nothing"),
)
"""The states in the order of a summary, and what it calls them."""

LinesOf = Callable[[Citation], Sequence[str]]
"""Lines that a citation names; none when they are not stored."""

MAX_LISTED = 8
"""Parts that a summary names."""

MAX_LISTED_CHARS = 60
_NUMBER = re.compile(r"(?<![\w)`])\[(\d{1,4})\]")
_MARKED = re.compile(r": unresolved\]|\(unverified\)|\(unverified link")
_CLOSING = ".!?:;\u3002\uff01\uff1f |\n"
# That the sources do not say something is a statement about them, and rests on all that was read.
_OF_ABSENCE = re.compile(
    r"\b(?:sources?|excerpts?|passages?|context|evidence|code (?:shown|given|provided))\b[^.]{0,80}"
    r"\b(?:do(?:es)? not|don't|doesn't|did not|cannot|no|not|never|nothing|lacks?|without)\b"
    r"|\b(?:no|none|nothing|not)\b[^.]{0,60}\b(?:sources?|excerpts?|passages?|context|evidence)\b",
    re.IGNORECASE,
)
_MAX_ABSENCE_CHARS = 300


def no_lines(_: Citation) -> Sequence[str]:
    """No stored lines."""
    return ()


@dataclass
class VerifiedAnswer:
    """Marks the statements of an answer.

    What stands in no source gets `(not found)` behind it; a citation is replaced by the one of the lines that hold the
    statement; a sentence without a citation gets `\u2248[n]`, or `(no source)`.

    :ivar verifier: knows the sources and the dataset. :ivar look_up: as `citations.CitationResolver` takes it.
    :ivar lines_of: the stored lines of a citation by path; none when they are not stored.
    :ivar checked: the statements so far, in order. A list item, a row and a code block without a citation rest on what
        the sentence that leads to them cites.
    """

    verifier: Verifier
    look_up: LookUp
    lines_of: LinesOf = no_lines
    checked: list[Checked] = field(default_factory=list)
    _leading: tuple[SourceLines, ...] = ()
    _latest: tuple[SourceLines, ...] = ()
    _is_item: bool = False

    def marked(self, pieces: Iterable[str]) -> Iterator[str]:
        """The pieces, whose citations are resolved, with their marks; a sentence is held back until it is whole.

        What was held back is passed on when the pieces end with an error.
        """
        splitter = StatementSplitter()
        try:
            for piece in pieces:
                yield from filter(None, map(self._shown, splitter.add(piece)))
        except Exception:
            yield from filter(None, map(self._shown, splitter.end()))
            raise
        yield from filter(None, map(self._shown, splitter.end()))

    def said(self, statements: Iterable[Said], resolver: CitationResolver) -> Iterator[str]:
        """Statements of a form as prose with citations, checked, each as soon as it is there.

        :param resolver: learns what they cite.
        """
        before = ""
        for said in statements:
            text = self._prose_of(said, resolver)
            yield _gap(before, said) + text if before else text
            before = said.text

    def _prose_of(self, said: Said, resolver: CitationResolver) -> str:
        text = "".join(resolver.resolve([said.text])).strip()
        known = {source.number: source for source in self.verifier.sources}
        for number in said.sources:
            cited = resolver.source(number)
            resolver.note_unresolved(f"[{number}]") if cited is None else resolver.note_cited(cited)
        sources = tuple(known[number] for number in said.sources if number in known)
        splitter = StatementSplitter()
        blocks = _one_statement([*splitter.add(text), *splitter.end()])
        last = max((at for at, block in enumerate(blocks) if block.kind in ("sentence", "row")), default=None)
        numbers = "".join(f"[{number}]" if number in known else f"[{number}: unresolved]" for number in said.sources)
        shown = [self._of_form(block, sources, said, numbers, is_last=at == last) for at, block in enumerate(blocks)]
        return "".join(shown) + ("" if last is not None or not numbers else f" {numbers}")

    def _of_form(
        self, block: Block, sources: tuple[SourceLines, ...], said: Said, numbers: str, *, is_last: bool
    ) -> str:
        """A part of a statement of a form: all of it rests on its sources, and its end shows them."""
        if block.kind == "other":
            return block.text
        self._latest = sources
        if block.kind == "code":
            return self._code(block)
        text = _with_end(block.text, f" {numbers}") if is_last and numbers and numbers not in block.text else block.text
        cited = tuple(dict.fromkeys([*self.cited_by(text), *sources]))
        quotes = (said.quote,) if is_last and said.quote and said.quote not in text else ()
        if not cited and not quotes and not self._says_something(block, cited):
            return text
        block = replace(block, text=text)
        return self._marked(block, self.take(Statement(text, cited, quotes)))

    def take(self, statement: Statement) -> Checked:
        """The statement, checked and kept."""
        checked = self.verifier.check(statement)
        self.checked.append(checked)
        return checked

    def _shown(self, block: Block) -> str:
        if block.kind == "other":
            self._is_item = bool(block.text.strip()) or (self._is_item and "\n" not in block.text)
            return block.text
        if block.kind == "code":
            return self._code(block)
        cited = self.cited_by(block.text)
        if block.text.rstrip().endswith(":"):
            self._leading = cited
        elif not (self._is_item or block.kind == "row"):
            self._leading = ()
        inherited = () if cited else self._leading
        self._latest = cited or inherited
        if not self._says_something(block, cited):
            return block.text
        quotes = (block.text.lstrip(" \t>").strip(),) if block.kind == "quotation" else ()
        return self._marked(block, self.take(Statement(block.text, cited or inherited, quotes)))

    def _says_something(self, block: Block, cited: Sequence[SourceLines]) -> bool:
        """Whether a block is a statement: a heading of what follows, a question, a word or two are none."""
        text = block.text.strip()
        if cited or block.kind == "quotation":
            return True
        if text.endswith((":", "?")) or _OF_ABSENCE.search(text[:_MAX_ABSENCE_CHARS]):
            return False
        return bool(parts_of(text)) or len(query_terms(text)) >= MIN_TERMS

    def cited_by(self, text: str) -> tuple[SourceLines, ...]:
        """What a text cites, by number or by path, without what is not stored."""
        known = {source.number: source for source in self.verifier.sources}
        numbered = [Cited(source.number, source.citation, source.url) for source in self.verifier.sources]
        resolver = CitationResolver(numbered, self.look_up)
        list(resolver.resolve([text]))
        found = (known.get(cited.number) or self._by_path(cited) for cited in resolver.cited)
        return tuple(dict.fromkeys(found))

    def _by_path(self, cited: Cited) -> SourceLines:
        return SourceLines(cited.number, cited.citation, cited.url, tuple(self.lines_of(cited.citation)))

    def _code(self, block: Block) -> str:
        """What is shown at the end of a code block: which of its lines stand nowhere."""
        checked = self.take(Statement("", self._latest, (), block.code))
        if not checked.found:
            self.checked.pop()
            return block.text
        if not checked.missing:
            numbers = " ".join(f"\u2248{_name(support.source).strip()}" for support in checked.supports)
            is_new = checked.state == "attributed" or (checked.state == "repaired" and numbers)
            return block.text + (f"{numbers}\n" if is_new else "")
        if len(checked.missing) == len(checked.found):
            return f"{block.text.rstrip()}\n(this code stands in no source)\n"
        lines = ", ".join(f"`{_short(each.part.text)}`" for each in checked.missing[:MAX_LISTED])
        return f"{block.text.rstrip()}\n(in no source: {lines})\n"

    def _marked(self, block: Block, checked: Checked) -> str:
        text = _with_citations(_with_missing(block.text, checked), checked)
        if checked.state == "nothing":  # what cites nothing that is stored was marked already
            return text if _MARKED.search(text) else _with_end(text, NO_SOURCE)
        if not checked.statement.cited and checked.supports:
            return _with_end(text, f" \u2248{_name(checked.supports[0].source)}")
        return text

    @property
    def corrections(self) -> list[Cited]:
        """What is cited in place of what the answer cited, or beside it."""
        return self._supports("repaired")

    @property
    def attributions(self) -> list[Cited]:
        """Sources of statements that cite none."""
        return self._supports("attributed")

    def _supports(self, state: State) -> list[Cited]:
        sources = (each.source for checked in self.checked for each in checked.supports if each.state == state)
        return list(dict.fromkeys(Cited(source.number, source.citation, source.url) for source in sources))

    @property
    def holds(self) -> bool:
        """Whether anything that is cited bears a statement out, or nothing could be looked up in it."""
        cited = [checked for checked in self.checked if checked.statement.cited]
        good = {"verified", "repaired", "cited"}
        return not cited or any(support.state in good for checked in cited for support in checked.supports)

    @property
    def missing(self) -> list[str]:
        """What stands in nothing that it is said of, each once."""
        absent = (each for checked in self.checked if checked.state == "not found" for each in checked.missing)
        return list(dict.fromkeys(each.part.text for each in absent))

    def summary(self) -> str:
        """`5 statements: 4 verified, 1 repaired \u00b7 not found: retry_limit`; empty without statements."""
        if not self.checked:
            return ""
        counts = Counter(checked.state for checked in self.checked)
        told = ", ".join(f"{counts[state]} {name}" for state, name in STATES if counts[state])
        missing = [_short(text) for text in self.missing]
        more = f" and {len(missing) - MAX_LISTED} more" if len(missing) > MAX_LISTED else ""
        listed = f" \u00b7 not found: {', '.join(missing[:MAX_LISTED])}{more}" if missing else ""
        return f"{counted(len(self.checked), 'statement')}: {told}{listed}"


def _one_statement(blocks: Sequence[Block]) -> Sequence[Block]:
    """Sentences that follow each other as one block: the quotation of a form is of all of them."""
    if {block.kind for block in blocks} <= {"sentence", "other"} and not any("\n" in block.text for block in blocks):
        joined = "".join(block.text for block in blocks)
        return [Block("sentence", joined)] if joined.strip() else blocks
    return blocks


def _gap(before: str, said: Said) -> str:
    """What stands between two statements: a list and code have lines of their own."""
    was_block = Said(before).begins_block
    if said.begins_block:
        return "\n" if was_block else "\n\n"
    return "\n\n" if was_block else " "


def _with_missing(text: str, checked: Checked) -> str:
    """The text with a mark behind each part that stands in nothing it rests on."""
    if checked.state == "nothing":
        return text
    for each in sorted(checked.missing, key=lambda each: each.part.end, reverse=True):
        if each.part.start < each.part.end:
            text = text[: each.part.end] + _mark(each, checked) + text[each.part.end :]
    if any(each.part.start == each.part.end for each in checked.missing):
        text = _with_end(text, NO_QUOTE)
    return text


def _mark(found: Found, checked: Checked) -> str:
    numbers = "".join(_name(support.source) for support in checked.supports if support.source.number is not None)
    return f" (not in {numbers})" if found.is_known and numbers else NOT_FOUND


def _with_citations(text: str, checked: Checked) -> str:
    """The text with the lines that hold the statement cited in place of those that do not."""
    added = "".join(_name(support.source) for support in checked.supports if support.state == "repaired").strip()
    if not added or not checked.statement.cited:
        return text
    dropped = {source.number for source in checked.dropped if source.number is not None}
    shown, at, is_said = [], 0, False
    for match in _NUMBER.finditer(text):
        if int(match[1]) in dropped:
            shown += [
                text[at : match.start()],
                "" if is_said else f"{added} (corrected from {_names(checked.dropped)})",
            ]
            at, is_said = match.end(), True
    if is_said:
        return "".join([*shown, text[at:]])
    said = f"corrected from {_names(checked.dropped)}" if checked.dropped else "added"
    return _with_end(text, f" {added} ({said})")


def _with_end(text: str, mark: str) -> str:
    """The text with a mark before the punctuation that ends it."""
    end = len(text.rstrip(_CLOSING))
    return text[:end] + mark + text[end:]


def _name(source: SourceLines) -> str:
    """How a source is cited: by its number, or by its lines."""
    citation = source.citation
    lines = f" {citation.path}:{citation.start_line}-{citation.end_line}"
    return lines if source.number is None else f"[{source.number}]"


def _names(sources: Sequence[SourceLines]) -> str:
    return "".join(map(_name, sources)).strip()


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_LISTED_CHARS else f"{line[:MAX_LISTED_CHARS]}\u2026"
