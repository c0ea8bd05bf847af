"""Citations in an answer, resolved against the stored lines before anything is printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from askrepo.types import Citation, Hit

# `[1-3]` names three sources; `[1900-2026]` is something else.
MAX_RANGE = 20
# A word longer than this is printed in parts: what waits for its end must not grow without bound.
MAX_HELD_CHARS = 2000

_DASH = r"\-\u2013"  # hyphen and en dash, inside a character class
_NUMBERS = rf"\d{{1,4}}(?:\s?[,;{_DASH}]\s?\d{{1,4}})*"
# In order: code spans and fences; `[3]`, `[1, 2]`, `[1-3]`, `[source 3]` and `【3†source】`; `path.py:12-30`.
_TOKEN = re.compile(
    rf"(?P<ticks>`+)"
    rf"|(?:\[|【)(?:[Ss]ources?\s)?(?P<numbers>{_NUMBERS})(?:†[^\]】\s]*)?(?:\]|】)"
    rf"|(?<![\w./:@+-])(?P<path>[\w./@+-]+):L?(?P<start>\d{{1,7}})(?:[{_DASH}]L?(?P<end>\d{{1,7}}))?(?![\w:])"
)
# `host:8080` and `12:30` are no files; `src/Makefile:3` and `a.py:3` are.
_FILE_LIKE = re.compile(r".*(?:/|\.[A-Za-z])")
# What may still become `[1, 2]`: it waits for more text.
_OPEN_BRACKET = re.compile(rf"[\[【](?:s(?:o(?:u(?:r(?:c(?:es?)?)?)?)?)?\s?)?[\d\s,;{_DASH}]{{0,40}}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation of an answer that resolved to stored lines.

    :ivar number: of the source, None for lines that the answer named by path.
    :ivar url: the lines on the web, or the repository's URL.
    """

    number: int | None
    citation: Citation
    url: str


LookUp = Callable[[str, int, int], Cited | None]
"""Path, first and last line, as written in an answer → the stored lines they name, or None."""


def citation_of(hit: Hit) -> Citation:
    """The lines that a hit shows."""
    chunk = hit.chunk
    return Citation(chunk.repository, hit.commit, chunk.path, chunk.start_line, chunk.end_line)


@dataclass
class CitationResolver:
    """Text in, the same text with its citations resolved out.

    `[n]` stays when source n exists, else becomes `[n: unresolved]`; `path:12-30` that is not stored gets
    `(unverified)` behind it. Numbers in code are indices, not citations, unless they are all of a code span.

    :ivar cited: what resolved, each once, in order of appearance; unresolved: what did not, as written.
    """

    sources: Sequence[Cited]
    look_up: LookUp
    cited: list[Cited] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    _fence: int = 0
    _held: str = ""

    def resolve(self, pieces: Iterable[str]) -> Iterator[str]:
        """The pieces, resolved; a piece is held back while a citation in it may be unfinished."""
        for piece in pieces:
            self._held += piece
            ready, self._held = _split_held(self._held)
            if ready:
                yield self._resolved(ready)
        if self._held:
            rest, self._held = self._held, ""
            yield self._resolved(rest)

    def _resolved(self, text: str) -> str:
        return _TOKEN.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        if match["ticks"]:
            self._toggle(len(match["ticks"]))
            return match.group()
        if match["numbers"]:
            return match.group() if self._is_code(match) else self._numbers(match["numbers"])
        return self._mention(match)

    def _toggle(self, ticks: int) -> None:
        """Code ends at as many backticks as it began with."""
        if self._fence == 0:
            self._fence = ticks
        elif self._fence == ticks:
            self._fence = 0

    def _is_code(self, match: re.Match[str]) -> bool:
        around = match.string[match.start() - 1 : match.start()] + match.string[match.end() : match.end() + 1]
        return self._fence > 0 and not (self._fence == 1 and around == "``")

    def _numbers(self, text: str) -> str:
        numbers = _expanded(text)
        if numbers is None:
            self._note_unresolved(f"[{text}]")
            return f"[{text}: unresolved]"
        return "".join(self._number(number) for number in numbers)

    def _number(self, number: int) -> str:
        source = next((source for source in self.sources if source.number == number), None)
        if source is None:
            self._note_unresolved(f"[{number}]")
            return f"[{number}: unresolved]"
        self._note_cited(source)
        return f"[{number}]"

    def _mention(self, match: re.Match[str]) -> str:
        if not _FILE_LIKE.match(match["path"]):
            return match.group()
        start = int(match["start"])
        end = int(match["end"] or start)
        found = self.look_up(match["path"], start, end)
        if found is None:
            self._note_unresolved(match.group())
            return f"{match.group()} (unverified)"
        self._note_cited(found)
        return match.group()

    def _note_cited(self, cited: Cited) -> None:
        if cited not in self.cited:
            self.cited.append(cited)

    def _note_unresolved(self, text: str) -> None:
        if text not in self.unresolved:
            self.unresolved.append(text)


def _split_held(text: str) -> tuple[str, str]:
    """What can be printed, and the unfinished word (or bracket) that must wait."""
    if len(text) > MAX_HELD_CHARS:
        return text, ""
    cut = max(text.rfind(space) for space in (" ", "\n", "\t")) + 1
    unfinished = _OPEN_BRACKET.search(text)
    across = next((token for token in _TOKEN.finditer(text) if token.start() < cut < token.end()), None)
    for bracket in (unfinished, across):
        if bracket is not None:
            cut = min(cut, _word_start(text, bracket.start()))
    return text[:cut], text[cut:]


def _word_start(text: str, position: int) -> int:
    while position > 0 and not text[position - 1].isspace():
        position -= 1
    return position


def _expanded(text: str) -> list[int] | None:
    """The numbers of `1, 3-5`; None when a range is no list of sources."""
    numbers: list[int] = []
    for part in re.split(r"[,;]", text):
        ends = [int(number) for number in re.split(rf"[{_DASH}]", part)]
        first, last = ends[0], ends[-1]
        if len(ends) > 2 or not 0 <= last - first <= MAX_RANGE:
            return None
        numbers.extend(range(first, last + 1))
    return numbers
