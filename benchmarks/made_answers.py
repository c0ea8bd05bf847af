"""Answers made from the chunks of repositories: every statement is known to be true, and can be made false."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from askrepo.answer.quantities import NUMBER
from askrepo.answer.source_lines import SourceLines
from askrepo.answer.statement_parts import COMMON_WORDS, Part
from askrepo.chunking.spans import split_text
from askrepo.files.kinds import kind_of
from askrepo.files.languages import language_of
from askrepo.types import Citation

COMMIT = "c" * 40
MAX_FILES, MAX_FILE_BYTES = 400, 60_000
SOURCES, STATEMENTS = 8, 5
SKIPPED = {".git", "node_modules", "vendor", "dist", "build"}
WORD = re.compile(r"\w+")
NAME = re.compile(r"(?<![\w.])[A-Za-z_][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+(?!\w)|(?<![\w.])[A-Za-z][a-z0-9]+[A-Z]\w*(?!\w)")
ASSIGNED = re.compile(
    r"(?<!\w)(?P<name>[A-Za-z_]\w{3,40})(?:\s*:\s*\w+)?\s*(?:=|:|:=)\s*(?P<value>\d{1,7}(?:\.\d{1,3})?)(?![\w.]|\s*\*)"
)
COMMENT = re.compile(r"^\s*(?:#(?!!|\[)|//[/!]?|\*(?!/))\s?(?P<said>.*)$")
LEADS = (
    "According to the source,", "The implementation relies on this:", "As the file shows,", "In short,", "Here",
    "For this purpose", "Internally", "By design,",
)  # fmt: skip
ABOUT_NAMES = (
    "{lead} `{name}` does the work",
    "The part that matters is `{name}`",
    "This is handled by `{name}`, which callers see",
    "- `{name}`: the entry that decides",
    "Whoever changes this should look at `{name}` first",
)
ABOUT_QUOTES = (
    "{lead} {open}{quote}{close}", "The text says {open}{quote}{close}", "{open}{quote}{close} is how it is described",
    "It is documented as {open}{quote}{close}",
)  # fmt: skip
UNITS = (
    ("time|delay|wait|interval|age|ttl|backoff", "seconds"),
    ("size|byte|len|buf", "bytes"),
    ("retr|attempt", "retries"),
    ("thread|worker|pool", "threads"),
    ("conn", "connections"),
    ("", "items"),
)
NAMED_UNITS = {
    "ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "millis": "milliseconds", "s": "seconds",
    "sec": "seconds", "secs": "seconds", "seconds": "seconds", "minutes": "minutes", "hours": "hours", "days": "days",
    "kb": "KB", "mb": "MB", "bytes": "bytes", "percent": "%",
}  # fmt: skip
"""What a name ends with when it tells its unit."""

NUMBER_WORDS = re.compile(r"(?i)\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|once|twice)\b")
OTHER_UNITS = (
    ("nanoseconds", "nanosecond", "ns"), ("microseconds", "microsecond", "us"), ("milliseconds", "millisecond", "ms"),
    ("seconds", "second", "secs", "sec", "s"), ("minutes", "minute", "mins", "min"), ("hours", "hour", "hrs", "h"),
    ("days", "day", "d"), ("bytes", "byte", "B"), ("KiB", "KB", "kB"), ("MiB", "MB"), ("%", "percent"),
    ("lines", "line"), ("tokens", "token"), ("characters", "character", "chars", "char"),
    ("retries", "retry", "attempts", "attempt", "times", "time", "tries", "try"),
    ("threads", "thread", "workers", "worker", "processes", "process"), ("requests", "request"),
)  # fmt: skip
"""Units that a mutation may put in the place of another, those that mean the same together."""


@dataclass
class Corpus:
    """The chunks of one repository, as sources with no number; finds words as the dataset does."""

    name: str
    chunks: list[SourceLines]

    def __post_init__(self) -> None:
        self._with: dict[str, set[int]] = {}
        for at, chunk in enumerate(self.chunks):
            for word in set(WORD.findall("\n".join(chunk.lines).lower())):
                self._with.setdefault(word, set()).add(at)
        self.words = sorted(word for word in self._with if len(word) > 3 and word.isalpha())

    @classmethod
    def of_folder(cls, folder: Path, rng: random.Random) -> Corpus:
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not SKIPPED & set(path.parts)]
        files: dict[str, str] = {}
        for path in rng.sample(paths, len(paths)):
            inside = str(path.relative_to(folder))
            if len(files) < MAX_FILES and language_of(inside) != "text" and path.stat().st_size <= MAX_FILE_BYTES:
                files[inside] = path.read_text(encoding="utf-8", errors="replace")
        return cls.of_files(folder.name, files)

    @classmethod
    def of_files(cls, name: str, files: Mapping[str, str]) -> Corpus:
        chunks = []
        for path, text in sorted(files.items()):
            language = language_of(path)
            if kind_of(path, language=language) in {"generated", "vendored"}:
                continue
            for span in split_text(text, path=path, language=language):
                lines = tuple(span.text.removesuffix("\n").split("\n"))
                citation = Citation(f"acme/{name}", COMMIT, path, span.start_line, span.start_line + len(lines) - 1)
                chunks.append(SourceLines(None, citation, "", lines, frozenset((*span.symbols, *span.scope))))
        return cls(name, chunks)

    def places(self, part: Part) -> list[SourceLines]:
        """The chunks that hold the part."""
        if part.kind == "path":
            return [chunk for chunk in self.chunks if chunk.citation.path.endswith(part.text)][:1]
        held = [self._with.get(word, set()) for word in WORD.findall(part.text.lower())]
        found = sorted(set.intersection(*held)) if held else []
        return [self.chunks[at] for at in found if self.chunks[at].find(part) is not None][:8]


@dataclass(frozen=True)
class MadeStatement:
    """A statement that one source bears out.

    :ivar pattern: its text, with `{item}` where what can be looked up stands.
    :ivar item: what can be looked up, as in the source. :ivar fact: of the item, what a mutation changes.
    """

    kind: str
    pattern: str
    item: str
    source: int

    def text(self, item: str | None = None, cited: Sequence[int] | None = None) -> str:
        """As an answer says it: with its citations at its end."""
        said = self.pattern.replace("{item}", item or self.item)
        numbers = "".join(f"[{number}]" for number in ((self.source,) if cited is None else cited))
        if said.endswith("```"):
            return f"This is the code {numbers}:\n\n{said}"
        return f"{said} {numbers}." if numbers else f"{said}."


@dataclass(frozen=True)
class MadeAnswer:
    corpus: Corpus
    sources: tuple[SourceLines, ...]
    statements: tuple[MadeStatement, ...]


def make_answers(corpus: Corpus, count: int, rng: random.Random) -> list[MadeAnswer]:
    """Answers of some statements each, about sources that stand near each other."""
    answers: list[MadeAnswer] = []
    while len(answers) < count:
        sources = _sources(corpus, rng)
        made: list[MadeStatement] = []
        for _ in range(STATEMENTS * 4):
            maker = rng.choice(MAKERS)
            of_each = (maker(source, rng) for source in rng.sample(sources, len(sources)))
            statement = next(filter(None, of_each), None)
            if statement is not None and statement.item not in {each.item for each in made}:
                made.append(statement)
        if len(made) >= STATEMENTS:
            answers.append(MadeAnswer(corpus, sources, tuple(made[:STATEMENTS])))
    return answers


def _sources(corpus: Corpus, rng: random.Random) -> tuple[SourceLines, ...]:
    """Runs of one to three chunks, half of them from one neighbourhood."""
    home = rng.randrange(len(corpus.chunks))
    near = [min(max(0, home + rng.randint(-40, 40)), len(corpus.chunks) - 1) for _ in range(SOURCES // 2)]
    starts = dict.fromkeys([*near, *rng.sample(range(len(corpus.chunks)), min(SOURCES, len(corpus.chunks)))])
    runs = [_run(corpus, start, rng.randint(1, 3)) for start in list(starts)[:SOURCES]]
    return tuple(replace(run, number=number) for number, run in enumerate(runs, start=1))


def _run(corpus: Corpus, start: int, length: int) -> SourceLines:
    first = corpus.chunks[start]
    lines, names, end = list(first.lines), set(first.names), first.citation.end_line
    for chunk in corpus.chunks[start + 1 : start + length]:
        if chunk.citation.path != first.citation.path or chunk.citation.start_line != end + 1:
            break
        lines += chunk.lines
        names |= chunk.names
        end = chunk.citation.end_line
    return SourceLines(None, replace(first.citation, end_line=end), "", tuple(lines), frozenset(names))


def _number(source: SourceLines) -> int:
    return source.number or 0


def _of_name(source: SourceLines, rng: random.Random) -> MadeStatement | None:
    names = [name for name in dict.fromkeys(NAME.findall("\n".join(source.lines))) if name.lower() not in COMMON_WORDS]
    if not names:
        return None
    name = rng.choice(names)
    shown = f"{name}()" if any(f"{name}(" in line for line in source.lines) and rng.random() < 0.5 else name
    pattern = rng.choice(ABOUT_NAMES).replace("{lead}", rng.choice(LEADS)).replace("{name}", "{item}")
    return MadeStatement("name", pattern, shown, _number(source))


def _prose(source: SourceLines) -> str:
    """What the source says in words: a page's paragraphs, or its comments."""
    is_page = source.citation.path.endswith((".md", ".markdown", ".rst"))
    said = []
    for line in source.lines:
        comment = COMMENT.match(line)
        if is_page or comment:
            said.append((comment["said"] if comment and not is_page else line).strip())
        else:
            said.append("")  # what code divides is no one paragraph
    return "\n".join(said)


def _plain_words(text: str) -> list[str]:
    """A run of words that a person could quote from one paragraph."""
    for paragraph in text.split("\n\n"):
        words = paragraph.split()
        run: list[str] = []
        for word in words:
            if re.fullmatch(r"[A-Za-z][\w'-]*[,.;:]?", word):
                run.append(word)
                continue
            if len(run) >= 6:
                return run
            run = []
        if len(run) >= 6:
            return run
    return []


def _of_quote(source: SourceLines, rng: random.Random) -> MadeStatement | None:
    paragraphs = _prose(source).split("\n\n")
    rng.shuffle(paragraphs)
    words = _plain_words("\n\n".join(paragraphs))
    if len(words) < 6:
        return None
    start = rng.randrange(len(words) - 5)
    quote = words[start : start + rng.randint(5, 14)]
    quote[-1] = quote[-1].rstrip(",.;:")
    if rng.random() < 0.2 and len(quote) >= 8:
        middle = len(quote) // 2
        quote[middle : middle + rng.randint(1, 2)] = [rng.choice(("…", "...", "[...]"))]
    text = " ".join(quote)
    text = text[0].upper() + text[1:] if rng.random() < 0.3 else text
    text = text + rng.choice((".", ",")) if rng.random() < 0.2 else text
    marks = rng.choice((('"', '"'), ("\u201c", "\u201d")))
    pattern = rng.choice(ABOUT_QUOTES).replace("{lead}", rng.choice(LEADS)).replace("{quote}", "{item}")
    return MadeStatement(
        "quote", pattern.replace("{open}", marks[0]).replace("{close}", marks[1]), text, _number(source)
    )


def _of_number(source: SourceLines, rng: random.Random) -> MadeStatement | None:
    found = [match for line in source.lines for match in ASSIGNED.finditer(line)]
    said = [match for line in _prose(source).split("\n") for match in NUMBER.finditer(line)]
    if said and (not found or rng.random() < 0.5):
        match = rng.choice(said)
        before = match.string[: match.start()].split()[-5:]
        behind = match.string[match.end() :].split()[:4]
        around = [[word for word in words if re.fullmatch(r"[A-Za-z]+", word)] for words in (before, behind)]
        if sum(map(len, around)) >= 3:
            pattern = f"Roughly, {' '.join(around[0])} {{item}} {' '.join(around[1])}".strip()
            return MadeStatement("number", pattern, match.group(), _number(source))
    if not found:
        return None
    match = rng.choice(found)
    item = f"{match['value']} {_unit(match)}"
    is_number = NUMBER.fullmatch(item) is not None
    return (
        MadeStatement("number", f"There `{match['name']}` stands for {{item}}", item, _number(source))
        if is_number
        else None
    )


def _unit(given: re.Match[str]) -> str:
    """The unit of a number that a name is given: the one that stands there, else a likely one."""
    behind = given.string[given.end() :]
    beside = re.match(r" ?([A-Za-z]+|%)", behind)
    told = beside[1] if beside else _unit_told(given["name"], behind)
    return told or next(unit for names, unit in UNITS if re.search(names, given["name"], re.IGNORECASE))


def _unit_told(name: str, behind: str) -> str | None:
    """The unit that a name ends with, or that a remark behind its number says."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    remark = re.match(r"\W*(?:#|//|/\*)\s*(?:in )?(\w+)", behind)
    found = [NAMED_UNITS.get(word.lower()) for word in (words[-1:] + ([remark[1]] if remark else []))]
    return next(filter(None, found[::-1]), None) if "per" not in map(str.lower, words) else None


def _code_lines(source: SourceLines) -> list[int]:
    if source.citation.path.endswith((".md", ".markdown", ".rst", ".txt")):
        return []
    return [
        at
        for at, line in enumerate(source.lines)
        if 12 <= len(line.strip()) <= 90
        and "`" not in line
        and not COMMENT.match(line)
        and len(WORD.findall(line)) >= 3
    ]


def _of_code(source: SourceLines, rng: random.Random) -> MadeStatement | None:
    lines = _code_lines(source)
    if not lines:
        return None
    line = source.lines[rng.choice(lines)].strip()
    line = line.replace(" = ", "=") if rng.random() < 0.2 else line
    line = line.replace('"', "'") if rng.random() < 0.2 else line
    return MadeStatement(
        "code", rng.choice(("The line `{item}` does it", "It runs `{item}` there")), line, _number(source)
    )


def _of_block(source: SourceLines, rng: random.Random) -> MadeStatement | None:
    lines = _code_lines(source)
    runs = [at for at in lines if at + 1 in lines and at + 2 in lines]
    if not runs:
        return None
    at = rng.choice(runs)
    shown = [line for line in source.lines[at : at + rng.randint(3, 6)] if "`" not in line and line.strip()]
    indent = min(len(line) - len(line.lstrip()) for line in shown)
    shown = [line[indent:] for line in shown]
    if rng.random() < 0.3 and len(shown) > 3:
        shown[1:-1] = ["..."]
    if rng.random() < 0.3:
        shown = [f"{number}\t{line}" for number, line in enumerate(shown, start=1)]
    return MadeStatement("block", "```\n{item}\n```", "\n".join(shown), _number(source))


def _of_path(source: SourceLines, rng: random.Random) -> MadeStatement | None:
    if "/" not in source.citation.path or not re.fullmatch(r"[\w./-]+\.[a-z]{1,4}", source.citation.path):
        return None
    pattern = rng.choice(("This is part of `{item}`", "The file {item} has it"))
    return MadeStatement("path", pattern, source.citation.path, _number(source))


MAKERS = (_of_name, _of_name, _of_quote, _of_quote, _of_number, _of_number, _of_code, _of_block, _of_path)


def mutations(statement: MadeStatement, answer: MadeAnswer, kind: str, rng: random.Random) -> Iterator[str]:
    """Items that make the statement false; what happens to stand in its source as well is none of them.

    :param kind: what is changed: the statement's own kind, or the "unit" of its number.
    """
    source = answer.sources[statement.source - 1]
    text = "\n".join(source.lines)
    makers = {"name": _other_names, "quote": _other_quotes, "number": _other_numbers, "unit": _other_units,
              "code": _other_code}  # fmt: skip
    if kind == "unit" and not _is_told_with_unit(statement, source):
        return
    for item in makers[kind](statement.item, answer.corpus, rng):
        bare = item.removesuffix("()")
        is_there = statement.kind != "number" and re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", text)
        is_near = kind == "number" and _is_near(statement, item, source)
        if item != statement.item and not is_there and not is_near:
            yield item


def _is_told_with_unit(statement: MadeStatement, source: SourceLines) -> bool:
    """Whether the source tells the unit wherever it has the number; where it tells none, any unit may be meant."""
    match = NUMBER.fullmatch(statement.item)
    if match is None:
        return False
    value = match["value"] + (match["rest"] or "")
    plain = value.replace(",", "").replace("_", "")
    alone = rf"(?<![\w.])(?:{re.escape(value)}|{re.escape(plain)})"
    held = [(line, found) for line in source.lines for found in re.finditer(rf"{alone}(?!\d|\.\d*[1-9])", line)]
    behind = rf"[ \u00a0-]?{re.escape(match['unit'])}(?![\w%])"
    named = re.search(r"`(\w+)`", statement.pattern)
    in_words = NUMBER_WORDS.search("\n".join(source.lines))
    return (
        bool(held)
        and (len(plain) > 2 or not in_words)
        and all(
            re.match(behind, line[found.end() :])
            or (named and named[1] in line[: found.start()] and _unit_told(named[1], line[found.end() :]))
            for line, found in held
        )
    )


def _other_units(item: str, _: Corpus, rng: random.Random) -> Iterator[str]:
    match = NUMBER.fullmatch(item)
    if match is None:
        return
    others = [units for units in OTHER_UNITS if match["unit"] not in units]
    for units in rng.sample(others, 4):
        gap = "" if units[0] == "%" else " "
        yield f"{item[: match.start('unit')].rstrip(' -')}{gap}{units[0]}"


def _is_near(statement: MadeStatement, item: str, source: SourceLines) -> bool:
    """Whether a mutated number stands on a line with what it is said of."""
    if statement.kind != "number":
        return False
    value = re.split("[ -]", item, maxsplit=1)[0].rstrip("%").replace(",", "")
    named = re.search(r"`(\w+)`", statement.pattern)
    lines = [line for line in source.lines if named is None or named[1] in line]
    return any(re.search(rf"(?<![\w.]){re.escape(value)}(?![\w.])", line) for line in lines)


def _other_names(name: str, corpus: Corpus, rng: random.Random) -> Iterator[str]:
    bare, call = name.removesuffix("()"), "()" if name.endswith("()") else ""
    other = rng.choice(corpus.words)
    parts = bare.split("_")
    ways = [
        bare + rng.choice(("s", "_limit", "Ex", "2")),
        bare[:-1],
        bare[: len(bare) // 2] + bare[len(bare) // 2 + 1 :],
        "_".join([*parts[:-1], other]) if len(parts) > 1 else re.sub(r"[A-Z][a-z]*$", other.title(), bare),
        re.sub(r"_(\w)", lambda match: match[1].upper(), bare)
        if "_" in bare
        else re.sub(r"(?<!^)([A-Z])", r"_\1", bare).lower(),
    ]
    rng.shuffle(ways)
    yield from (f"{way}{call}" for way in ways)


def _other_quotes(quote: str, corpus: Corpus, rng: random.Random) -> Iterator[str]:
    words = quote.split()
    # a word less beside an ellipsis is as true as it was
    gaps = {near for at, word in enumerate(words) if word in ("…", "...", "[...]") for near in (at - 1, at + 1)}
    inner = [at for at in range(1, len(words)) if words[at].strip(".,").isalpha() and len(words[at]) > 2]
    inner = [at for at in inner if at not in gaps]
    for at in rng.sample(inner, len(inner)):
        other = rng.choice(corpus.words)
        ways = [
            [*words[:at], other, *words[at + 1 :]],
            [*words[:at], "not", *words[at:]],
            [*words[: at - 1], words[at], words[at - 1], *words[at + 1 :]],
            [*words[:at], *words[at + 1 :]] if at < len(words) - 1 else [*words, other],
        ]
        yield " ".join(rng.choice(ways))


def _other_numbers(item: str, _: Corpus, rng: random.Random) -> Iterator[str]:
    match = NUMBER.fullmatch(item)
    if match is None:
        return
    text = match["value"] + (match["rest"] or "")
    value = float(text.replace(",", "").replace("_", ""))
    ways = [value * 2, value + 1, value * 10, value + rng.randint(2, 90), value / 2, value - 1]
    rng.shuffle(ways)
    for other in ways:
        if other > 0:
            yield item.replace(text, f"{other:g}" if other < 1e6 else str(int(other)), 1)


def _other_code(code: str, corpus: Corpus, rng: random.Random) -> Iterator[str]:
    words = [match for match in WORD.finditer(code) if len(match.group()) > 2]
    swaps = [
        (" == ", " != "),
        (" + ", " - "),
        ("<", ">="),
        ("true", "false"),
        ("True", "False"),
        (" and ", " or "),
        ("&&", "||"),
    ]
    yield from (code.replace(old, new, 1) for old, new in swaps if old in code)
    for match in rng.sample(words, len(words)):
        yield code[: match.start()] + rng.choice(corpus.words) + code[match.end() :]
