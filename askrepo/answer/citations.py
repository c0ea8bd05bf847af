"""Citations in an answer, resolved against the stored lines before anything is printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from askrepo.answer import citation_spellings as spelled
from askrepo.answer.windows import Window, Windows
from askrepo.types import Citation, Hit

UNVERIFIED = " (unverified)"
_FOREIGN = "(unverified link: "
# Of numbers in a code block that never ends: enough to say what was not checked.
MAX_FENCED = 20
MIN_COMMIT_CHARS = 7
MAX_NOTED = 200


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
    """Text in, the same text with its citations resolved out; the same however the text is cut into pieces.

    `[n]` stays when source n exists, else becomes `[n: unresolved]`; whatever else a reader would take for a citation
    gets `(unverified)` behind it when it names nothing stored, and so does a line that looks like the heading of our
    list of sources. Links lead to our permalinks or are taken apart, so that their target is read and not followed.
    Numbers in code are indices, not citations, unless they are all of a code span.

    :ivar cited: what resolved, each once, in order of appearance; unresolved: what did not, as written.
    :ivar fenced: numbers in brackets in code blocks that are no sources'; index_end: where the last index ended.
    """

    sources: Sequence[Cited]
    look_up: LookUp
    cited: list[Cited] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    fenced: list[str] = field(default_factory=list, compare=False)
    index_end: int = field(default=-1, compare=False)

    def resolve(self, pieces: Iterable[str]) -> Iterator[str]:
        """The pieces, resolved; text is held back while a citation in it may be unfinished."""
        windows = Windows(mark=UNVERIFIED)
        for piece in pieces:
            ready = "".join(self._shown(window) for window in windows.add(piece))
            if ready:
                yield ready
        rest = "".join(self._shown(window) for window in windows.end()) + self._unclosed(windows)
        if rest:
            yield rest

    def _shown(self, window: Window) -> str:
        """The part of the window that is due, resolved; its first token may need the text behind that part."""
        if window.shown is not None:
            return window.shown
        return _Reading(self, window).shown()

    def _unclosed(self, windows: Windows) -> str:
        """A code block without an end is no code: its numbers are told, since they cannot be marked any more."""
        if not windows.is_in_fence or not self.fenced:
            return ""
        numbers = list(dict.fromkeys(self.fenced))[:MAX_FENCED]
        for number in numbers:
            self.note_unresolved(f"[{number}]")
        return "\n(in the unclosed code block: " + " ".join(f"[{number}: unresolved]" for number in numbers) + ")"

    def note_cited(self, cited: Cited) -> None:
        """Keep what resolved, once."""
        if cited not in self.cited:
            self.cited.append(cited)

    def note_unresolved(self, text: str) -> None:
        """Keep what did not resolve, once, and no more of it than a line can show."""
        text = text if len(text) <= MAX_NOTED else text[:MAX_NOTED] + "…"
        if text not in self.unresolved:
            self.unresolved.append(text)

    def source(self, number: int) -> Cited | None:
        """The source of that number."""
        return next((source for source in self.sources if source.number == number), None)


class _Reading:
    """One window read from left to right."""

    def __init__(self, resolver: CitationResolver, window: Window) -> None:
        self._resolver = resolver
        self._window = window
        seen, self._at = spelled.normal(window.text)
        before, _ = spelled.normal(window.before)
        self._start = len(before)
        self._view = before + seen
        self._due = self._start + len(spelled.normal(window.text[: window.due])[0])
        self._tokens = _CODE_TOKENS if window.in_fence else _TOKENS

    def shown(self) -> str:
        """The due part, resolved. A token that begins in it may end behind it: the window is told how much was read."""
        shown, at = [self._window.text[: self._at[0]]], self._start  # what cannot be seen before the first character
        while at < self._due and (found := self._first(at)) is not None:
            start, (at_next, text) = found
            shown += [self._between(at, start), text]
            at = at_next
        end = max(at, self._due)
        shown.append(self._between(at, end))
        self._window.due = self._position(end)
        return "".join(shown)

    def _first(self, at: int) -> tuple[int, tuple[int, str]] | None:
        """Where the first token at or behind a position begins, and what it is read as; None when none is due."""
        for begin in spelled.BEGIN.finditer(self._view, at, self._due):
            for pattern, read in self._tokens.get(begin.lastgroup or "", ()):
                match = pattern.match(self._view, begin.start())
                result = read(self, match) if match is not None else None
                if result is not None:
                    return begin.start(), result
        return None

    def _position(self, at: int) -> int:
        """Where a character of the view stands in the window's text."""
        return self._at[at - self._start] if at - self._start < len(self._at) else len(self._window.text)

    def _end(self, end: int) -> int:
        """Where the text of the characters before a position of the view ends."""
        return min(self._position(end - 1) + 1, self._position(end)) if end > self._start else self._position(end)

    def _raw(self, start: int, end: int) -> str:
        """The characters of a token as they were written."""
        return self._window.text[self._position(start) : self._end(end)]

    def _between(self, start: int, end: int) -> str:
        """What was written from one position to another, with what cannot be seen at both ends."""
        return self._window.text[self._end(start) : self._position(end)]

    def _written(self, match: re.Match[str]) -> str:
        return self._raw(match.start(), match.end())

    def _marked(self, start: int, end: int) -> tuple[int, str]:
        written = self._raw(start, end)
        self._resolver.note_unresolved(" ".join(written.split()))
        return end, written + UNVERIFIED

    # --- numbers ---

    def bracket(self, match: re.Match[str]) -> tuple[int, str] | None:
        inner = match["inner"].strip("\\")
        found = spelled.LIST.fullmatch(inner) or spelled.LIST_AND_MORE.fullmatch(inner)
        if found is None:
            return self._other_bracket(match, inner)
        numbers = spelled.numbers_of(found["list"])
        if self._is_no_citation(match, found["list"], numbers):
            return match.end(), self._written(match)
        link = self._link_behind(match, numbers)
        if link is not None:
            return link
        return match.end(), self._numbers(found["list"], numbers)

    def _other_bracket(self, match: re.Match[str], inner: str) -> tuple[int, str] | None:
        named = [found.group() for found in spelled.NAMED_IN_TEXT.finditer(inner)]
        if not named or spelled.INDEXED.search(self._view[: match.start()][-80:]):
            return None
        numbers = [number for text in named for number in spelled.numbers_of(text) or [spelled.NO_NUMBER]]
        labelled = all(re.match(r"[^\W\d_]{2}", text) and not re.match("l", text, re.IGNORECASE) for text in named)
        sources = [self._resolver.source(number) for number in numbers]
        if labelled and all(sources):
            self._note_all(sources)
            return match.end(), self._written(match)
        start, end = match.start() + len(match["open"]), match.end() - len(match["close"])
        written = self._raw(start, end)
        self._resolver.note_unresolved(f"[{' '.join(written.split())}]")
        return match.end(), f"[{written}: unresolved]"

    def _is_no_citation(self, match: re.Match[str], listed: str, numbers: list[int] | None) -> bool:
        """Whether the bracket is an index, a literal, an interval, a class of a pattern or a date."""
        before, behind = self._view[: match.start()][-80:], self._view[match.end() : match.end() + 4]
        plain = re.fullmatch(r"[\d\s,;.…-]+", match["inner"]) is not None and match["open"] == "["
        if numbers and len(numbers) > 1 and len(match["open"]) != len(match["close"]):
            return True
        if (match["open"].startswith("\\") or "^" in match["inner"]) and spelled.QUANTIFIER.match(behind):
            return True
        if not plain:
            return bool(match["open"] == "[" and re.match(r"[#^@*]?\d", match["inner"])) and self._is_indexed(
                match, before
            )
        several = numbers is None or len(numbers) > 1
        if numbers == [0] and re.search(r"[\w)\]\"'`}]$", before):
            return True
        return (
            spelled.is_date(listed)
            or bool(spelled.NEGATIVE.search(listed))
            or (bool(spelled.TYPE_BEHIND.match(behind)) and re.search(r"(?:^|\s)$", before) is not None)
            or (several and 0 in (numbers or _ends(listed)))
            or (several and bool(spelled.LITERAL_LIST_BEFORE.search(before)))
            or bool(spelled.LITERAL_BEFORE.search(before))
            or (re.fullmatch(r"\d-\d", listed) is not None and self._is_class(before, behind))
            or self._is_indexed(match, before)
        )

    def _is_class(self, before: str, behind: str) -> bool:
        return bool(spelled.CLASS_BEFORE.search(before) or spelled.CLASS_BEHIND.match(behind))

    def _is_indexed(self, match: re.Match[str], before: str) -> bool:
        """Whether something that reads as code stands right before the bracket."""
        if match["open"] != "[":
            return False
        position = self._window.start + self._at[match.start() - self._start]
        word = re.search(r"[^\s\[\](`]*$", before)
        if before.endswith("$") and self._view[match.end() : match.end() + 1] == "$":
            return False
        named = spelled.INDEXED.search(before) or spelled.CAMEL_CASE.search(before)
        is_index = position == self._resolver.index_end or (
            named is not None and not spelled.SOURCE_FILE.fullmatch(word.group() if word else "")
        )
        if is_index:
            self._resolver.index_end = self._window.start + self._at[match.end() - self._start]
        return is_index

    def _numbers(self, listed: str, numbers: list[int] | None) -> str:
        if numbers is None:
            self._resolver.note_unresolved(f"[{listed}]")
            return f"[{listed}: unresolved]"
        return "".join(self._number(number) for number in numbers)

    def _number(self, number: int) -> str:
        source = self._resolver.source(number)
        shown = "…" if number == spelled.NO_NUMBER else str(number)
        if source is None:
            self._resolver.note_unresolved(f"[{shown}]")
            return f"[{shown}: unresolved]"
        self._resolver.note_cited(source)
        return f"[{number}]"

    def _note_all(self, sources: Sequence[Cited | None]) -> None:
        for source in sources:
            if source is not None:
                self._resolver.note_cited(source)

    def named_numbers(self, match: re.Match[str]) -> tuple[int, str]:
        """`source 9`, `⁹`, `<9>`: as written when all exist."""
        listed = next(text for text in (match.groupdict().get(name) for name in _LISTS) if text)
        numbers = spelled.numbers_of(listed)
        sources = [self._resolver.source(number) for number in numbers or [spelled.NO_NUMBER]]
        if all(sources):
            self._note_all(sources)
            return match.end(), self._written(match)
        return self._marked(match.start(), match.end())

    def raised_numbers(self, match: re.Match[str]) -> tuple[int, str]:
        listed = match["list"].strip("⁽⁾").replace("⁻", "-").replace("˒", ",")
        return match.end(), self._numbers(listed, spelled.numbers_of(listed))

    def unresolvable(self, match: re.Match[str]) -> tuple[int, str]:
        """What is a citation in some notation, and never one of ours."""
        return self._marked(match.start(), match.end())

    # --- paths ---

    def mention(self, match: re.Match[str]) -> tuple[int, str] | None:
        groups = match.groupdict()
        name = "quoted" if groups.get("quoted") else "path"
        lines = groups.get("behind") or groups["lines"]
        if "](" in self._view[match.end(name) : match.start("behind" if groups.get("behind") else "lines")]:
            return None
        path = match[name]
        if not self._is_file(path, lines, call=bool(groups.get("call"))):
            return (match.end(), self._written(match)) if name == "path" and _is_address(path) else None
        behind = spelled.COMMIT_BEHIND.match(self._view, match.end()) or self._name_behind(match.end())
        end = behind.end() if behind else match.end()
        raw = self._raw(match.start(name), match.end(name)) if match.start(name) >= self._start else path
        place = behind.groupdict() if behind else {}
        found = None if self._is_cut(match) else self._found(raw, lines, match.start(), place)
        whole = self._whole_word(match.end(name))
        if found is None and whole != raw and whole.endswith(raw):
            found = self._found(whole, lines, max(0, match.start() - len(whole) + len(raw) - 1), place)
        if found is None:
            return self._marked(match.start(), end)
        self._note_all(found)
        return end, self._raw(match.start(), end)

    def _is_cut(self, match: re.Match[str]) -> bool:
        """Whether the beginning of the path was printed already: nothing stored has such a long one."""
        return self._window.continues_word and match.start() == self._start

    def _whole_word(self, end: int) -> str:
        """The path with what stands before it in a script without spaces: only the store knows which was meant."""
        raw = self._window.before + self._raw(self._start, end)
        return re.split(r"[\s`'\"(\[*:=,]", raw)[-1]

    def _is_file(self, path: str, lines: str, *, call: bool) -> bool:
        """Whether a reader would take it for a file: `host:8080`, `12:30` and `call(3)` are none."""
        if call:
            return spelled.SOURCE_FILE.fullmatch(path) is not None
        if path.rstrip("\\/").isdigit() or not re.search(r"[^\W\d_]", path) or path.endswith((".", "/")):
            return False
        if spelled.KNOWN_FILE.fullmatch(path.rpartition("/")[2]):
            return spelled.LOOSE_LINES.fullmatch(lines) is None
        if "/" not in path and "\\" not in path and spelled.HOST.fullmatch(path):
            return re.fullmatch(r":\d{2,5}", lines) is None
        if spelled.LOOSE_LINES.fullmatch(lines):
            return spelled.SOURCE_FILE.fullmatch(path) is not None
        if any(map(spelled.WITH_ENDING.fullmatch, path.split("@"))):
            return True
        if self._window.in_fence or re.fullmatch(r"#\d+", lines):
            return False
        if re.match(r"[:#]+L\d", lines, re.IGNORECASE):
            return True
        slash = "/" in path.strip("/") or ("\\" in path.strip("\\") and not path.startswith("\\"))
        return slash if lines[0] in ":#" else bool(slash and re.search("[L第行]|line", lines, re.IGNORECASE))

    def _name_behind(self, end: int) -> re.Match[str] | None:
        named = spelled.NAME_BEHIND.match(self._view, end)
        return named if named is not None and self._may_be_repository(named["repository"]) else None

    def _found(self, path: str, lines: str, start: int, place: Mapping[str, str]) -> list[Cited] | None:
        """What all the lines resolve to, in the repository and at the commit that stand beside them; else None."""
        path, repository, commit = self._place(path.replace("\\", "/"), start, place)
        found: list[Cited] = []
        spans = spelled.LINE_NUMBERS.findall(lines)
        if len(spans) > spelled.MAX_SPANS:
            return None
        for first, last in spans:
            if max(len(first), len(last)) > spelled.MAX_DIGITS:
                return None
            cited = self._looked_up(path, int(first), int(last or first), repository, commit)
            if cited is None:
                return None
            found.append(cited)
        return found or None

    def _place(self, path: str, start: int, behind: Mapping[str, str]) -> tuple[str, str | None, str | None]:
        """The path alone, with the repository and the commit written in it, before it or behind it."""
        before = self._view[:start][-240:]
        repository, commit = behind.get("repository"), behind.get("commit")
        if "@" in path and (at := re.fullmatch(r"(?P<path>.+)@(?P<commit>[0-9a-fA-F]{7,64})", path)):
            path, commit = at["path"], at["commit"]
        elif "@" in path and (at := re.fullmatch(r"(?P<name>[^@]+)@(?P<commit>[\w.-]+)/(?P<path>.+)", path)):
            path, repository, commit = at["path"], at["name"], at["commit"]
        elif named := spelled.REPOSITORY_BEFORE.search(before):
            repository, commit = named["repository"], commit or named["commit"]
        elif (named := spelled.NAME_BEFORE.search(before)) and self._may_be_repository(named["repository"]):
            repository = named["repository"]
        return path, repository, commit

    def _may_be_repository(self, word: str) -> bool:
        """`acme/app` may name a repository; `and/or`, `src/app.py` and a folder of a source do not."""
        if word.lower() in {"and/or", "either/or"} or spelled.SOURCE_FILE.fullmatch(word):
            return False
        return not any(f"/{word}/" in f"/{source.citation.path}" for source in self._resolver.sources)

    def _looked_up(self, path: str, start: int, end: int, repository: str | None, commit: str | None) -> Cited | None:
        """The stored lines, when they are of the repository and the commit that were named with them."""
        tries = [path]
        if repository:
            tries += [f"{repository}@{commit}/{path}", f"{repository}/{path}"] if commit else [f"{repository}/{path}"]
        for name in tries:
            found = self._resolver.look_up(name, start, end) if name else None
            if found is not None and _is_of(found.citation, repository, commit):
                return found
        return None

    def at_commit(self, match: re.Match[str]) -> tuple[int, str]:
        """`repository@commit`: one of the sources', or marked."""
        known = (source.citation for source in self._resolver.sources)
        if any(_is_of(citation, match["repository"] or match["apart"], match["commit"]) for citation in known):
            return match.end(), self._written(match)
        return self._marked(match.start(), match.end())

    # --- links ---

    def url(self, match: re.Match[str]) -> tuple[int, str]:
        """A bare address is read as it is; one that cites lines is a permalink of ours, or marked."""
        address = match.group().rstrip(".,;:!?*_'")
        end = match.start() + len(address.rstrip(")]") if address.count("(") < address.count(")") else address)
        if not _cites(self._view[match.start() : end]) or self._is_ours(self._raw(match.start(), end)):
            return end, self._raw(match.start(), end)
        return self._marked(match.start(), end)

    def link(self, match: re.Match[str]) -> tuple[int, str]:
        """The second half of a link or of a link's definition: kept when it leads to stored lines, else taken apart."""
        target = spelled.TARGET.match(self._view, match.end())
        if match["kind"] == "(" and target is not None and self._is_ours(self._target(target)):
            return target.end(), self._raw(match.start(), target.end())
        if match["kind"] == ":":
            return match.end(), "] (unverified link):"
        self._note_foreign(target)
        return match.end(), "] " + _FOREIGN

    def _link_behind(self, match: re.Match[str], numbers: list[int] | None) -> tuple[int, str] | None:
        """What becomes of `[1](target)` and `[1]: target`; None when there is no target."""
        target = spelled.TARGET.match(self._view, match.end() + 1)
        behind = self._view[match.end() : match.end() + 1]
        if target is None or not (behind == "(" and target["target"] and target["end"]):
            foreign = behind == ":" and spelled.LINK.match(self._view, match.end() - 1)
            if not foreign:
                return None
            return match.end() + 1, self._numbers_of_link(match, numbers, ours=False) + " (unverified link):"
        if self._is_ours(self._target(target), numbers):
            shown = self._numbers_of_link(match, numbers, ours=True)
            return target.end(), shown + self._raw(match.end(), target.end())
        self._note_foreign(target)
        return match.end() + 1, self._numbers_of_link(match, numbers, ours=False) + " " + _FOREIGN

    def _numbers_of_link(self, match: re.Match[str], numbers: list[int] | None, *, ours: bool) -> str:
        """The numbers that a link is labelled with: they are those of sources only when it leads to them."""
        if ours:
            return self._numbers(match["inner"], numbers)
        label = match["inner"].strip().strip("^#*_` \\")
        self._resolver.note_unresolved(f"[{label}]")
        return f"[{label}: unresolved]"

    def _target(self, target: re.Match[str]) -> str:
        return self._raw(target.start("target"), target.end("target"))

    def _note_foreign(self, target: re.Match[str] | None) -> None:
        if target is not None and _cites(target["target"]):
            self._resolver.note_unresolved(self._target(target))

    def _is_ours(self, address: str, numbers: list[int] | None = None) -> bool:
        """Whether the address is a permalink of stored lines; with numbers, of one of those sources."""
        for source in self._resolver.sources:
            if source.url == address and source.url.startswith("http") and (not numbers or source.number in numbers):
                self._resolver.note_cited(source)
                return True
        found = None if numbers else self._lines_at(address)
        if found is not None:
            self._resolver.note_cited(found)
        return found is not None

    def _lines_at(self, address: str) -> Cited | None:
        """The stored lines whose permalink this is."""
        parts = re.fullmatch(
            r"https?://[^/]+/(?P<name>.+?)/(?:-/)?(?:blob|src)/(?P<commit>[0-9a-f]{7,64})/(?P<path>[^#?]+)"
            r"#(?:L|lines-)(?P<first>\d{1,9})(?:[-:]L?(?P<last>\d{1,9}))?",
            address,
        )
        if parts is None:
            return None
        first, last = int(parts["first"]), int(parts["last"] or parts["first"])
        found = self._looked_up(parts["path"], first, last, parts["name"], parts["commit"])
        return found if found is not None and found.url == address else None

    def tag(self, match: re.Match[str]) -> tuple[int, str]:
        """HTML and `<address>` are shown, not obeyed; an address of ours stays."""
        target = spelled.TARGET.match(self._view, match.end())
        if target is not None and self._is_ours(self._target(target)):
            return match.end(), "<"
        return match.end(), UNVERIFIED.strip() + " \\<"

    # --- code ---

    def span(self, match: re.Match[str]) -> tuple[int, str] | None:
        """Code between backticks keeps its brackets; all of it may be a citation."""
        if self._window.no_spans or _is_stray(match["ticks"], match["code"]):
            return None
        start, stop = match.start("code"), match.end("code")
        return match.end(), match["ticks"] + self._code(start, stop) + match["ticks"]

    def _code(self, start: int, stop: int) -> str:
        quoted = spelled.BRACKET.fullmatch(self._view, start, stop)
        if (
            quoted
            and quoted["open"] == "["
            and (spelled.ONLY_NUMBER.fullmatch(quoted["inner"]) or re.match(r"(?i)\W*(?:s|ref)\w", quoted["inner"]))
        ):
            found = spelled.LIST.fullmatch(quoted["inner"])
            if found is not None:
                return self._numbers(found["list"], spelled.numbers_of(found["list"]))
        shown, at = [], start
        for match, read in self._in_code(start, stop):
            result = read(self, match) if match.start() >= at else None
            if result is not None:
                shown += [self._between(at, match.start()), result[1]]
                at = result[0]
        return "".join(shown) + self._between(at, max(at, stop))

    def _in_code(self, start: int, stop: int) -> list[tuple[re.Match[str], _Read]]:
        found = [(match, read) for pattern, read in _SPAN_TOKENS for match in pattern.finditer(self._view, start, stop)]
        return sorted(found, key=lambda pair: pair[0].start())

    def ticks(self, match: re.Match[str]) -> tuple[int, str]:
        """Backticks that open nothing; on a line too long to see its end no later ones open anything either."""
        if "\n" not in self._view[match.end() :] and not self._window.is_last:
            self._window.no_spans = True
        return match.end(), self._written(match)

    def fenced_bracket(self, match: re.Match[str]) -> tuple[int, str]:
        """Kept as it is; remembered in case the code block never ends."""
        found = spelled.LIST.fullmatch(match["inner"])
        if found is not None and not self._is_no_citation(match, found["list"], spelled.numbers_of(found["list"])):
            missing = (
                number for number in spelled.numbers_of(found["list"]) or [] if not self._resolver.source(number)
            )
            self._resolver.fenced[MAX_FENCED:] = []
            self._resolver.fenced.extend(str(number) for number in missing)
        return match.end(), self._written(match)


_Read = Callable[[_Reading, re.Match[str]], tuple[int, str] | None]
"""A token → where it ends and what is shown for it; None when it is not what it looks like."""

_LISTS = ("list", "inner", "raised", "named")

_Tokens = tuple[tuple[re.Pattern[str], _Read], ...]
_BRACKETS: _Tokens = ((spelled.BRACKET, _Reading.bracket), (spelled.ENDLESS, _Reading.unresolvable))
_NAMES: _Tokens = ((spelled.COMMAND, _Reading.unresolvable), (spelled.NAMED, _Reading.named_numbers))
_WORDS: _Tokens = (
    (spelled.URL, _Reading.url),
    (spelled.MENTION, _Reading.mention),
    (spelled.ATTACHED, _Reading.mention),
    (spelled.REVERSED, _Reading.mention),
    (spelled.AT_COMMIT, _Reading.at_commit),
    *_NAMES,
)
# By the group of `spelled.BEGIN`; of tokens that begin together the first that is what it looks like counts.
_TOKENS: Mapping[str, _Tokens] = {
    "word": _WORDS,
    "sign": (*_WORDS, *_BRACKETS, (spelled.CARET, _Reading.named_numbers)),
    "unspaced": _NAMES,
    "bracket": _BRACKETS,
    "close": ((spelled.LINK, _Reading.link),),
    "angle": ((spelled.TAG, _Reading.tag), (spelled.ANGLE, _Reading.named_numbers)),
    "tick": ((spelled.MENTION, _Reading.mention), (spelled.SPAN, _Reading.span), (spelled.TICKS, _Reading.ticks)),
    "other": _NAMES,
    "raised": ((spelled.RAISED_NUMBERS, _Reading.raised_numbers),),
    "caret": ((spelled.CARET, _Reading.named_numbers),),
}
_SPAN_TOKENS: _Tokens = (
    (spelled.URL, _Reading.url),
    (spelled.IN_CODE, _Reading.mention),
    (spelled.AT_COMMIT, _Reading.at_commit),
)
_CODE_TOKENS: Mapping[str, _Tokens] = {
    "word": _SPAN_TOKENS,
    "sign": _SPAN_TOKENS,
    "bracket": ((spelled.BRACKET, _Reading.fenced_bracket),),
}


def _is_of(citation: Citation, repository: str | None, commit: str | None) -> bool:
    """Whether the lines are of that repository, by its name or its last part, and at that commit, by its beginning."""
    name = citation.repository
    if repository and repository not in {name, name.rpartition("/")[2]}:
        return False
    return not commit or (len(commit) >= MIN_COMMIT_CHARS and citation.commit.startswith(commit.lower()))


def _is_address(path: str) -> bool:
    return spelled.HOST.fullmatch(path) is not None


def _is_stray(ticks: str, code: str) -> bool:
    """Whether a single backtick and the next one only look like code: nobody writes spaces inside of it."""
    return len(ticks) == 1 and (code[0].isspace() or code[-1].isspace())


def _ends(listed: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d{1,9}", listed)]


def _cites(address: str) -> bool:
    """Whether an address names lines, or a file at a commit."""
    return bool(spelled.CITING_ORIGIN.match(address) or spelled.CITING_URL.search(spelled.ORIGIN.sub("", address)))
