"""The tools with which a chat model looks further: their descriptions, and what they give of open datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from askrepo.aliases.readers import AliasReader
from askrepo.answer.context import Source, StoredFiles, render_source, source_of
from askrepo.errors import UsageError
from askrepo.files.languages import check_language
from askrepo.search.links import Place, definitions_used
from askrepo.search.occurrences import find
from askrepo.search.outline import outline
from askrepo.search.reading import StoredFile, lines_of, open_file
from askrepo.search.search import EVERYTHING, search_context
from askrepo.store.reader import Filter
from askrepo.text.display import plain_line
from askrepo.text.terms import query_terms
from askrepo.text.tokens import count_tokens, truncate
from askrepo.types import Chunk, Hit

MAX_LEADS = 8
"""Places that a result leads on to."""

LEADS_TOKENS = 300
"""That they may take, as far as a result has them to spare."""

MAX_RESULT_TOKENS = 4000
"""Of one result: an eighth of the default budget; some 350 lines of code."""

SEARCH_HITS = 5
MAX_FOUND = 40
MAX_OUTLINE_LINES = 300
_SEARCHED_HITS = 30
_CHARS_PER_TOKEN = 6


def _tool(called: str, description: str, needed: Sequence[str], /, **parameters: str) -> dict[str, Any]:
    kinds = {"start": "integer", "end": "integer"}
    properties = {key: {"type": kinds.get(key, "string"), "description": text} for key, text in parameters.items()}
    schema = {"type": "object", "properties": properties, "required": list(needed), "additionalProperties": False}
    return {"name": called, "description": description, "parameters": schema}


TOOLS: tuple[dict[str, Any], ...] = (
    _tool(
        "search", "Passages for a question in other words, numbered as further sources.", ["query"],
        query="What to look for: words that the code or the page would use.",
        path="Only paths like this glob, or below this folder.", language="Only this language.",
    ),
    _tool(
        "read", "Lines of a file, numbered as a source. Read around a source, or what an outline names.", ["path"],
        path="The file, as a source's heading writes it.", start="First line, from 1.", end="Last line.",
    ),
    _tool("outline", "What a file defines, or its headings, with their lines.", ["path"], path="The file."),
    _tool(
        "find", "Where an exact name stands: its definitions, then its uses, with path and line.", ["name"],
        name="An identifier, Owner.member, a setting, a flag or a path, in its exact spelling.",
    ),
)  # fmt: skip
"""As an OpenAI-compatible endpoint takes them."""

PARAMETERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {tool["name"]: {key: value["type"] for key, value in tool["parameters"]["properties"].items()} for tool in TOOLS}
)
REQUIRED: Mapping[str, frozenset[str]] = MappingProxyType(
    {tool["name"]: frozenset(tool["parameters"]["required"]) for tool in TOOLS}
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a tool gave.

    :ivar told: what was done, for a person: `reading a.py:1-80`. :ivar brief: what it gave, in a few words.
    :ivar text: for the model; what strangers wrote stands between fences. :ivar numbers: of the sources in it.
    """

    told: str
    brief: str
    text: str
    numbers: tuple[int, ...] = ()

    @property
    def tokens(self) -> int:
        """What the text takes of the budget."""
        return count_tokens(self.text)


class ReadingTools:
    """The tools over the datasets that were opened for a question, and the sources gathered so far.

    New lines get the next number; lines that touch or overlap a source become part of it.

    :ivar sources: those that the first search gave, and those that were read since.
    :param where: what the question is limited to; nothing else is read.
    :param question: what it is all for: names that share its words are led on to first.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        readers: Sequence[AliasReader],
        fence: str,
        strategy: str = "hybrid",
        where: Filter = EVERYTHING,
        question: str = "",
    ) -> None:
        self.sources = list(sources)
        self._readers = readers
        self._fence = fence
        self._strategy = strategy
        self._where = where
        self._terms = frozenset(query_terms(question))
        self._led: set[Place] = set()
        self._files = StoredFiles(readers)

    def run(self, name: str, arguments: Mapping[str, Any], *, max_tokens: int) -> Given:
        """What a tool gives, in no more than so many tokens.

        :param arguments: checked against PARAMETERS.
        :raises UsageError: there is nothing of that kind; the message is for the model.
        """
        tools: Mapping[str, Callable[..., Given]] = {
            "search": self._search, "read": self._read, "outline": self._outline, "find": self._find
        }  # fmt: skip
        return tools[name](**arguments, max_tokens=min(max_tokens, MAX_RESULT_TOKENS))

    def _read(self, path: str, start: int | None = None, end: int | None = None, *, max_tokens: int) -> Given:
        file = self._file(path)
        reading = lines_of(file, start, end, max_chars=max_tokens * _CHARS_PER_TOKEN)
        first, last, shown = self._shown(file, reading.start_line, reading.end_line, max_tokens)
        told = f"reading {file.path}:{first}-{last}"
        if not shown:
            number = self._covering(file, first, last)
            return Given(told, f"they are part of source {number}", f"You have these lines: source {number}.")
        total = len(file.lines)
        left = f"\nThe file goes on to line {total:,}." if last < total else "\nThat is the end of the file."
        text = "\n\n".join(rendered for _, rendered in shown) + left
        numbers = tuple(dict.fromkeys(number for number, _ in shown))
        return Given(told, _sources(numbers), text + self._leading_on(text, numbers, max_tokens), numbers)

    def _search(self, query: str, path: str = "", language: str = "", *, max_tokens: int) -> Given:
        where = Filter(path=globs_of(path), language=(check_language(language),) if language else ())
        hits = search_context(query, readers=self._readers, limit=_SEARCHED_HITS, strategy=self._strategy, where=where)
        told = f'searching "{plain_line(query)}"' + (f" in {plain_line(path)}" if path else "")
        shown: list[tuple[int, str]] = []
        left = max_tokens
        for hit in (hit for hit in hits if self._where.admits(hit.chunk)):
            if len({number for number, _ in shown}) >= SEARCH_HITS:
                break
            found = self._hit(hit, left)
            shown += found
            left -= sum(count_tokens(rendered) for _, rendered in found)
        if not shown:
            known = "; what fits best you have" if hits else ""
            return Given(told, "nothing new", f"Nothing new was found{known}. Try other words, or read.")
        numbers = tuple(dict.fromkeys(number for number, _ in shown))
        text = "\n\n".join(rendered for _, rendered in shown)
        return Given(told, _sources(numbers), text + self._leading_on(text, numbers, max_tokens), numbers)

    def _outline(self, path: str, *, max_tokens: int) -> Given:
        file = self._file(path)
        lines = [
            f"{item.start_line}-{item.end_line}\t{'  ' * item.level}{item.kind + ' ' if item.kind else ''}{item.name}"
            for item in outline(file)
        ]
        told = f"outlining {plain_line(file.path)}"
        if not lines:
            return Given(told, "no names", f"That file defines nothing; it has {len(file.lines):,} lines.")
        heading = f"{file.citation(1, len(file.lines))}, lines and names:"
        return Given(told, f"{len(lines)} names", self._fenced(heading, lines, MAX_OUTLINE_LINES, max_tokens))

    def _find(self, name: str, *, max_tokens: int) -> Given:
        found = find(name, readers=self._readers, where=self._where, limit=MAX_FOUND)
        told = f"finding {plain_line(name)}"
        if not found.found:
            near = [f"Spelled nearly so: {each}" for each in found.nearest]
            return Given(told, "nothing", self._fenced("That name stands nowhere.", near, MAX_FOUND, max_tokens))
        lines = [f"{each.citation.path}:{each.line}\t{each.holds.name.lower()}\t{each.text}" for each in found.found]
        heading = f"{found.total} lines hold the name, definitions first:"
        return Given(told, f"{found.total} lines", self._fenced(heading, lines, MAX_FOUND, max_tokens))

    def leads(self, sources: Sequence[Source]) -> list[Place]:
        """Where names are defined that the sources use, and that no source shows; nearest to the question first."""
        places: dict[Place, AliasReader] = {}
        for source in sources:
            reader = self._reader(source.hit.alias)
            lines = [chunk for chunk in _cut(source, self._files) if chunk.kind == "source"]
            places |= {place: reader for place in definitions_used(lines, reader=reader) if place not in places}
        unknown = [place for place, reader in places.items() if not self._shows(reader.alias, place)]
        return sorted(unknown, key=lambda place: -len(self._terms.intersection(query_terms(place.symbol))))

    def leading_on(self, sources: Sequence[Source], max_tokens: int) -> str:
        """The leads of the sources as the chat model is told them, each once; "" when there are none."""
        found = [place for place in self.leads(sources) if place not in self._led and self._admits(place)][:MAX_LEADS]
        if not found or max_tokens < LEADS_TOKENS:
            return ""
        self._led.update(found)
        lines = [f"{place.symbol}\t{place.repository}/{place.path}:{place.line}" for place in found]
        return self._fenced("Used in these lines, defined elsewhere:", lines, MAX_LEADS, LEADS_TOKENS)

    def _leading_on(self, text: str, numbers: Sequence[int], max_tokens: int) -> str:
        """What follows a result that gave sources of these numbers."""
        sources = [source for source in self.sources if source.number in numbers]
        told = self.leading_on(sources, max_tokens - count_tokens(text))
        return f"\n\n{told}" if told else ""

    def _shows(self, alias: str, place: Place) -> bool:
        here = (each.citation for each in self.sources if each.hit.alias == alias)
        return any(
            (cited.repository, cited.path) == (place.repository, place.path)
            and cited.start_line <= place.line <= cited.end_line
            for cited in here
        )

    def _admits(self, place: Place) -> bool:
        """Whether the question is not limited to other files."""
        if self._where == EVERYTHING:
            return True
        try:
            self._file(f"{place.repository}/{place.path}")
        except UsageError:
            return False
        return True

    def _file(self, path: str) -> StoredFile:
        file = open_file(path, readers=self._readers)
        if not self._where.admits(file.chunks[0]):
            raise UsageError(f"{file.path} is outside of what the question is limited to")
        return file

    def _fenced(self, heading: str, lines: Sequence[str], most: int, max_tokens: int) -> str:
        """The lines, as data; as many as fit."""
        shown = [plain_line(heading), *(plain_line(line).replace("\\t", "\t") for line in lines[:most])]
        body = truncate("\n".join(shown), max_tokens - 60)
        kept = body.count("\n")
        more = "" if kept >= len(lines) else f"\n{len(lines) - kept} more lines are left out."
        return f"<result {self._fence}>\n{body}\n</result {self._fence}>{more}"

    def _hit(self, hit: Hit, max_tokens: int) -> list[tuple[int, str]]:
        """A hit's lines as a source, unless they are known or too many."""
        chunk = hit.chunk
        file = open_file(chunk.path, readers=[self._reader(hit.alias)], repository=chunk.repository)
        if max_tokens < chunk.tokens or self._covering(file, chunk.start_line, chunk.end_line):
            return []
        return self._shown(file, chunk.start_line, chunk.end_line, max_tokens)[2]

    def _reader(self, alias: str) -> AliasReader:
        return next(reader for reader in self._readers if reader.alias == alias)

    def _covering(self, file: StoredFile, first: int, last: int) -> int | None:
        """The source that has all of the lines."""
        for source in self._of(file):
            if source.citation.start_line <= first and last <= source.citation.end_line:
                return source.number
        return None

    def _of(self, file: StoredFile) -> Iterator[Source]:
        key = file.reader.alias, file.repository, file.path
        return (each for each in self.sources if (each.hit.alias, *_place(each)) == key)

    def _shown(
        self, file: StoredFile, first: int, last: int, max_tokens: int
    ) -> tuple[int, int, list[tuple[int, str]]]:
        """The lines that were shown, and what is new of them, rendered, under the numbers of their sources."""
        for _ in range(20):
            parts = [(first, last)] if self._covering(file, first, last) is None else []
            near = next((each for each in self._of(file) if _touches(each, first, last)), None)
            if near is not None:
                parts = _beyond(near, first, last) if parts else []
            number = near.number if near is not None else max((each.number for each in self.sources), default=0) + 1
            sources = [self._made(number, file, *part) for part in parts]
            if sum(source.tokens for source in sources) <= max_tokens or first == last:
                break
            last = first + (last - first) // 2
        if sources:
            self._keep(number, file, near, first, last)
        return first, last, [(number, render_source(source, fence=self._fence)) for source in sources]

    def _made(self, number: int, file: StoredFile, first: int, last: int) -> Source:
        text = "\n".join(file.lines[first - 1 : last]) + "\n"
        chunk = next((each for each in file.chunks if each.end_line >= first), file.chunks[0])
        hit = Hit(number, 0.0, file.reader.alias, file.commit, file.url(first, last), chunk)
        return source_of(number, hit, text, first, self._files)

    def _keep(self, number: int, file: StoredFile, near: Source | None, first: int, last: int) -> None:
        """Add the lines as a source, or to the source that they touch."""
        if near is None:
            self.sources.append(self._made(number, file, first, last))
            return
        first, last = min(first, near.citation.start_line), max(last, near.citation.end_line)
        joined = replace(self._made(number, file, first, last), hit=near.hit)
        self.sources = [joined if each is near else each for each in self.sources]


def _cut(source: Source, files: StoredFiles) -> Iterator[Chunk]:
    """The chunks of a source's file, each cut to the lines that the source shows."""
    cited = source.citation
    for stretch in files.stretches_of(source.hit):
        for chunk in stretch:
            first, last = max(chunk.start_line, cited.start_line), min(chunk.end_line, cited.end_line)
            if first <= last:
                lines = chunk.text.split("\n")[first - chunk.start_line : last - chunk.start_line + 1]
                yield replace(chunk, text="\n".join(lines) + "\n", start_line=first, end_line=last)


def _place(source: Source) -> tuple[str, str]:
    return source.citation.repository, source.citation.path


def _touches(source: Source, first: int, last: int) -> bool:
    return source.citation.start_line <= last + 1 and first <= source.citation.end_line + 1


def _beyond(source: Source, first: int, last: int) -> list[tuple[int, int]]:
    """The lines that the source does not have."""
    start, end = source.citation.start_line, source.citation.end_line
    parts = [(first, min(last, start - 1)), (max(first, end + 1), last)]
    return [(begin, stop) for begin, stop in parts if begin <= stop]


def globs_of(path: str) -> tuple[str, ...]:
    """Patterns of the paths that a chat model or an agent means by a glob, a file or a folder."""
    path = path.strip().removeprefix("./").strip("/")
    if not path or path == ".":
        return ()
    return (path, f"{path}/*", f"*/{path}", f"*/{path}/*")


def _sources(numbers: Sequence[int]) -> str:
    return f"source{'' if len(numbers) == 1 else 's'} " + ", ".join(map(str, numbers))
