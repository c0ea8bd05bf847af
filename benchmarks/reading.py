"""How much of the evidence reading on can reach: a scripted reader without a model, over our own code questions.

    python -m benchmarks.reading ALIAS … [--half development] [--limit 10] [--tokens 32000]

ALIAS names a dataset of a repository that benchmarks/questions has questions about. Three ways are compared: one shot
in 8,000 tokens, one shot in all of the budget, and the reader. The reader starts from the first one's sources and uses
the tools that a chat model gets: it reads what the question's words name in the first files, searches for parts of the
question and on in those files, reads the definitions beside what was found and the lines between, and follows names.
Prints for each way the mean share of the evidence's lines that were shown, the share of its ranges of which something
was, and the tokens.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from askrepo.aliases.readers import AliasReader, open_alias
from askrepo.answer.context import Source, context_for
from askrepo.answer.reading_tools import ReadingTools
from askrepo.errors import UsageError
from askrepo.search.evaluation import EvaluationQuestion
from askrepo.search.links import Place
from askrepo.search.outline import OutlineItem, lead_of, outline
from askrepo.search.reading import StoredFile, open_file
from askrepo.settings import Settings
from askrepo.text.terms import query_terms
from askrepo.workspace.objects import Workspace
from benchmarks.question_sets import HALVES, read_sets

QUESTIONS = Path(__file__).parent / "questions"
FIRST_TOKENS = 8000
FIRST_FILES, SEARCHED_FILES, HALVED_FILES = 14, 6, 5
MAX_NAMED, MAX_ITEM_LINES = 8, 80
FOLLOWED_SOURCES, FOLLOWED_NAMES, FOLLOWED_LINES, FOLLOWED_TOKENS, UNKNOWN_LINES = 12, 12, 60, 1500, 15
NEIGHBOURED_SOURCES, BESIDE_LINES, BESIDE_TOKENS = 12, 30, 5000
BETWEEN, FAR_BETWEEN = (8, 25, 3000), (3, 100, 5000)
"""Files, lines between two sources of one, and tokens of all that is read there."""


@dataclass
class Shown:
    """What a way showed for one question."""

    sources: Sequence[Source]
    tokens: int


Way = Callable[[str, AliasReader, int], Shown]


class ScriptedReader:
    """Reads on for one question within a budget."""

    def __init__(self, question: str, reader: AliasReader, budget: int, strategy: str = "hybrid") -> None:
        self._question = question
        self._terms = set(query_terms(question))
        self._reader = reader
        sources = context_for(question, readers=[reader], max_tokens=min(FIRST_TOKENS, budget), strategy=strategy)
        self.tools = ReadingTools(sources, readers=[reader], fence="0" * 12, question=question, strategy=strategy)
        self.left = budget - sum(source.tokens for source in sources)
        self._outlines: dict[str, list[OutlineItem]] = {}

    def run(self) -> None:
        """The steps that reached most of the evidence on the development half, in that order."""
        for _, step in self.steps():
            step()

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """The steps, with what each is called."""
        return [
            ("named", self._read_named),
            ("between", lambda: self._read_between(*BETWEEN)),
            ("follow", self._follow),
            ("halves everywhere", lambda: self._search(self._halves())),
            ("search", lambda: self._search([self._question], self._files()[:SEARCHED_FILES])),
            ("beside", self._read_beside),
            ("between again", lambda: self._read_between(*BETWEEN)),
            ("far between", lambda: self._read_between(*FAR_BETWEEN)),
            ("halves", lambda: self._search(self._halves(), self._files()[:HALVED_FILES])),
        ]

    def _halves(self) -> list[str]:
        """What one half of a question asks for may stand in other files than what the whole finds."""
        words = self._question.split()
        middle = len(words) // 2
        return list(filter(None, [" ".join(words[:middle]), " ".join(words[middle:])]))

    def _follow(self) -> None:
        """Definitions of names that the sources use, as the tools lead on to them; then those that these use."""
        seen: set[Place] = set()
        before = self.left
        for sources in (self.tools.sources[:FOLLOWED_SOURCES], self.tools.sources, self.tools.sources):
            leads = [place for place in self.tools.leads(sources)[:FOLLOWED_NAMES] if place not in seen]
            seen.update(leads)
            for place in leads:
                if before - self.left < FOLLOWED_TOKENS:
                    self._read_definition(place)

    def _read_definition(self, place: Place) -> None:
        file = open_file(place.path, readers=[self._reader], repository=place.repository)
        items = (item for item in self._outline_of(file) if item.name == place.symbol)
        item = next((item for item in items if abs(item.start_line - place.line) <= 2), None)
        if item is None:
            self._read(file, place.line, min(len(file.lines), place.line + UNKNOWN_LINES))
            return
        end = min(item.end_line, item.start_line + FOLLOWED_LINES)
        self._read(file, lead_of(file.lines, item.start_line), end)

    def _read_beside(self) -> None:
        """The definitions behind and before those of the first sources, unless they are large."""
        before = self.left
        for source in self.tools.sources[:NEIGHBOURED_SOURCES]:
            chunk = source.hit.chunk
            if chunk.kind != "source":
                continue
            file = open_file(chunk.path, readers=[self._reader], repository=chunk.repository)
            items = self._outline_of(file)
            behind = [item for item in items if item.start_line > max(chunk.end_line, source.citation.end_line - 1)]
            above = sorted((item for item in items if item.end_line < chunk.start_line), key=lambda item: item.end_line)
            for item in (*behind[:1], *above[-1:]):
                if item.end_line - item.start_line <= BESIDE_LINES and before - self.left < BESIDE_TOKENS:
                    self._read(file, lead_of(file.lines, item.start_line), item.end_line)

    def _read_between(self, most_files: int, most_lines: int, most_tokens: int) -> None:
        """The lines between two sources of a file, and above the first, where they are few."""
        spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for source in self.tools.sources:
            if source.hit.chunk.kind == "source":
                cited = source.citation
                spans.setdefault((cited.repository, cited.path), []).append((cited.start_line, cited.end_line))
        before = self.left
        files = sorted(spans, key=lambda file: -sum(end - start for start, end in spans[file]))
        for repository, path in files[:most_files]:
            file = open_file(path, readers=[self._reader], repository=repository)
            last = 0
            for start, end in [*sorted(spans[repository, path]), (len(file.lines) + 1, 0)]:
                if 0 < start - last - 1 <= most_lines and before - self.left < most_tokens:
                    self._read(file, last + 1, start - 1)
                last = max(last, end)

    def _read_named(self) -> None:
        """Definitions whose names share words with the question, those that share most first."""
        found = []
        for place, file in enumerate(self._files()):
            for item in self._outline_of(file):
                shared = len(self._terms.intersection(query_terms(item.name)))
                if shared and item.end_line - item.start_line < MAX_ITEM_LINES:
                    found.append((-shared, place, item.start_line, item, file))
        for *_, item, file in sorted(found, key=lambda each: each[:3])[:MAX_NAMED]:
            self._read(file, lead_of(file.lines, item.start_line), item.end_line)

    def _search(self, queries: Sequence[str], files: Sequence[StoredFile] = ()) -> None:
        """Put the queries to each of the files alone, or to everything."""
        for query in queries:
            for where in [{"path": file.path} for file in files] or [{}]:
                self._call("search", {"query": query, **where})

    def _files(self) -> list[StoredFile]:
        places = dict.fromkeys((each.citation.repository, each.citation.path) for each in self.tools.sources)
        return [
            open_file(path, readers=[self._reader], repository=repository)
            for repository, path in list(places)[:FIRST_FILES]
        ]

    def _outline_of(self, file: StoredFile) -> list[OutlineItem]:
        if file.path not in self._outlines:
            self._outlines[file.path] = outline(file)
        return self._outlines[file.path]

    def _read(self, file: StoredFile, start: int, end: int) -> None:
        self._call("read", {"path": f"{file.repository}/{file.path}", "start": start, "end": end})

    def _call(self, name: str, arguments: dict[str, object]) -> None:
        if self.left < 200:
            return
        try:
            given = self.tools.run(name, arguments, max_tokens=self.left)
        except UsageError:
            return
        self.left -= given.tokens


def one_shot(tokens: int) -> Way:
    def way(question: str, reader: AliasReader, budget: int) -> Shown:
        sources = context_for(question, readers=[reader], max_tokens=min(tokens, budget))
        return Shown(sources, sum(source.tokens for source in sources))

    return way


def scripted(question: str, reader: AliasReader, budget: int) -> Shown:
    on = ScriptedReader(question, reader, budget)
    on.run()
    return Shown(on.tools.sources, budget - on.left)


def lines_shown(question: EvaluationQuestion, sources: Sequence[Source]) -> tuple[float, float]:
    """Share of the evidence's lines that the sources have, and share of its ranges of which they have something."""
    held: dict[str, set[int]] = {}
    for source in sources:
        lines = range(source.citation.start_line, source.citation.end_line + 1)
        held.setdefault(source.citation.path, set()).update(lines)
    ranges = [set(range(each.start_line, (each.end_line or 0) + 1)) for each in question.targets if each.start_line]
    paths = [each.path for each in question.targets if each.start_line]
    found = [wanted & held.get(path, set()) for path, wanted in zip(paths, ranges, strict=True)]
    total = sum(map(len, ranges))
    return sum(map(len, found)) / total, sum(map(bool, found)) / len(ranges)


def main() -> None:
    arguments = parsed()
    settings = Settings.from_env(os.environ)
    workspace = Workspace.open(settings.workspace)
    ways: dict[str, Way] = {
        f"one shot in {FIRST_TOKENS:,}": one_shot(FIRST_TOKENS),
        f"one shot in {arguments.tokens:,}": one_shot(arguments.tokens),
        f"reading on in {arguments.tokens:,}": scripted,
    }
    results: dict[str, list[tuple[float, float, int]]] = {name: [] for name in ways}
    for questions in read_sets(QUESTIONS):
        if questions.name not in arguments.alias:
            continue
        reader = open_alias(questions.name, workspace=workspace, settings=settings)
        kept = [each for each in questions.of_half(arguments.half).questions if each.category == "code"]
        with_lines = [each for each in kept if any(target.start_line for target in each.targets)]
        for question in with_lines[: arguments.limit]:
            for name, way in ways.items():
                shown = way(question.query, reader, arguments.tokens)
                results[name].append((*lines_shown(question, shown.sources), shown.tokens))
        print(f"{questions.name}: {len(with_lines[: arguments.limit])} questions", flush=True)
    for name, rows in results.items():
        lines, ranges, tokens = (sum(column) / len(rows) for column in zip(*rows, strict=True))
        most = max(row[2] for row in rows)
        print(f"{name:24s} {len(rows)} questions: lines {lines:.3f}, ranges {ranges:.3f}, "
              f"{tokens:,.0f} tokens, {most:,} at most")  # fmt: skip


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("alias", nargs="+")
    parser.add_argument("--half", choices=HALVES, default=HALVES[0])
    parser.add_argument("--limit", type=int, default=None, help="questions of each repository")
    parser.add_argument("--tokens", type=int, default=32_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
