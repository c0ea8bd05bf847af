"""The measured figures as Markdown tables, put between two marks of a page that is otherwise left alone."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import commits, exact_names
from benchmarks.question_sets import UNTUNED, Part
from benchmarks.results import Result, mean, mean_over_repositories, names, selected
from benchmarks.systems import CONTEXT_TOKENS, DEFAULT, NO_VECTORS, ORDER, ORIGIN, RRF, WITHOUT

BEGIN = "<!-- written by benchmarks/retrieval.py: begin -->"
END = "<!-- written by benchmarks/retrieval.py: end -->"
TITLE = "## Retrieval"
NONE = "-"
PAGE_CHARS = 120

Column = tuple[str, Callable[[Sequence[Result]], float | None]]
"""Heading, and the figure from one system's results."""


def _own(category: str, measure: str) -> Callable[[Sequence[Result]], float | None]:
    return lambda results: mean(selected(results, category=category), measure)


def _public(setting: str, **wanted: str) -> Callable[[Sequence[Result]], float | None]:
    return lambda results: mean_over_repositories(selected(results, setting=setting, **wanted), "ndcg")


OWN_COLUMNS: tuple[Column, ...] = (
    ("overview @3", _own("overview", "found_at_3")),
    ("overview @10", _own("overview", "found_at_10")),
    ("usage @3", _own("usage", "found_at_3")),
    ("usage @10", _own("usage", "found_at_10")),
    ("code: files @10", _own("code", "file_recall")),
    ("code: lines @10", _own("code", "recall")),
    (f"code: lines in {CONTEXT_TOKENS // 1000}k", _own("code", "context_recall")),
)


def _of(setting: str, measure: str) -> Callable[[Sequence[Result]], float | None]:
    return lambda results: mean(selected(results, setting=setting), measure)


NAME_COLUMNS: tuple[Column, ...] = (
    ("name bare @1", _of("names", "bare_first")),
    ("in a sentence @1", _of("names", "sentence_first")),
    ("in a sentence @3", _of("names", "sentence_three")),
    ("definition @1", _of("names", "definition_first")),
    ("with a slip @1", _of("names", "typo_first")),
    ("absent: nothing found", _of("names", "absent_bare_nothing")),
    ("absent: said", _of("names", "absent_said")),
    ("there, called absent", _of("names", "called_absent")),
    ("commits: NDCG@10", _of("commits", "ndcg")),
    ("commits: files @10", _of("commits", "file_recall")),
)
NAME_LEGEND = f"""\
Per repository {exact_names.NAMES} names that stand on {exact_names.MAX_LINES} lines at most, of six forms, each asked
for bare, in two sentences and with two letters exchanged: share with the name in the first hit (or three), and with its
definition first where there is one. Then as many made of parts of two of its names, which stand nowhere: share for
which a bare question finds nothing, and which are said to be absent; and how often a name that is there is called
absent. *commits*: messages of {commits.WANTED} commits that changed one to three source files, without numbers, hashes
and names of files, asked of the repository as it was before the first of them: NDCG@10 of the changed source files, and
the share of them in ten hits."""
OWN_LEGEND = f"""\
*overview* and *usage*: share of questions with a page that answers them among the first 3 or 10 hits; *code*: share of
the evidence's files and of its ranges of lines among the first 10, and of these ranges in {CONTEXT_TOKENS:,} tokens of
context. Each question counts once."""
SYSTEMS = f"""\
*{ORIGIN}*: pieces of 1000 characters, no paths in what is embedded, the 100 nearest vectors, MMR with lambda 0.5, in
memory; its pieces fill the context in that order. All systems embed with the same local model. *{RRF}*: vectors and
BM25 fused, no signals, no prior, no decay. *{NO_VECTORS}*: what a search is before any vector exists. *{WITHOUT}…*:
the default less one part, everything else being equal."""
PARTS: Mapping[Part, str] = {
    UNTUNED: "repositories on which nothing was or will be chosen",
    "confirmation": "confirmation half",
    "development": "development half",
}
PUBLIC_LEGEND = """\
NDCG@10 as published: the mean over each repository's questions, then over repositories."""


def write_page(results: Sequence[Result], page: Path, *, plot: Path) -> None:
    """Replace what is between the marks; without marks, append it."""
    link = Path(os.path.relpath(plot, page.parent)).as_posix()
    section = f"{BEGIN}\n{TITLE}\n\n{report(results, plot=link)}\n{END}"
    before = page.read_text(encoding="utf-8") if page.exists() else "# Benchmarks\n"
    page.write_text(with_section(before, section), encoding="utf-8")


def with_section(text: str, section: str) -> str:
    """The page with its section between the marks, marks included, replaced; appended when there is none."""
    if BEGIN in text:
        return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: section, text, flags=re.DOTALL)
    return f"{text.rstrip()}\n\n{section}\n"


def report(results: Sequence[Result], *, plot: str) -> str:
    """All tables for which there are results; a column without a figure is left out."""
    public = [each for each in results if each.setting in ("whole", "source")]
    parts = [f"![Each way of ranking, by kind of question]({plot})", _paragraph(SYSTEMS)]
    for part, title in PARTS.items():
        asked = selected(results, part=part)
        parts += _own_parts(selected(asked, setting="own"), title)
        parts += _name_parts([each for each in asked if each.setting in ("names", "commits")], part)
    parts += _public_parts(public)
    return "\n\n".join(parts)


def _own_parts(results: Sequence[Result], title: str) -> Iterator[str]:
    if not results:
        return
    count = len(results) // len(names(results, "system"))
    repositories = names(results, "repository")
    yield f"### Our questions, {title}"
    yield _paragraph(f"{count} questions about {', '.join(repositories)}. {OWN_LEGEND}")
    yield by_system(results, OWN_COLUMNS)
    yield from _by_repository(results, OWN_COLUMNS)
    yield from _by_language(results, OWN_COLUMNS)


def _name_parts(results: Sequence[Result], part: Part) -> Iterator[str]:
    if not results:
        return
    yield "### Names and commits" + (f", {PARTS[UNTUNED]}" if part == UNTUNED else ", the other repositories")
    yield _paragraph(f"{', '.join(names(results, 'repository'))}. {NAME_LEGEND}")
    yield by_system(results, NAME_COLUMNS)
    yield from _by_repository(results, NAME_COLUMNS)


def _public_parts(results: Sequence[Result]) -> Iterator[str]:
    if not results:
        return
    count = len(selected(results, system=DEFAULT, setting="whole"))
    categories = sorted(names(results, "category"))
    yield "### The public benchmark's questions"
    yield _paragraph(
        f"{count} questions about {', '.join(names(results, 'repository'))}. *whole*: the whole repository is indexed, "
        f"as users do; *source*: only the folder that the published figures are of. {PUBLIC_LEGEND}"
    )
    columns = [
        (
            f"{setting}{', ' if category else ''}{category}",
            _public(setting, **({"category": category} if category else {})),
        )
        for setting in ("whole", "source")
        for category in ("", *categories)
    ]
    yield by_system(results, columns)
    settings = [(setting, _public(setting)) for setting in ("whole", "source")]
    yield from _by_repository(results, settings)
    yield from _by_language(results, settings)


def _by_repository(results: Sequence[Result], columns: Sequence[Column]) -> Iterator[str]:
    if selected(results, system=DEFAULT):
        yield f"{DEFAULT}, and in brackets the origin's recipe, per repository:"
        yield beside_origin(results, "repository", columns)


def _by_language(results: Sequence[Result], columns: Sequence[Column]) -> Iterator[str]:
    """A table, where it says something else than the one per repository."""
    if selected(results, system=DEFAULT) and len(names(results, "language")) < len(names(results, "repository")):
        yield "Per language:"
        yield beside_origin(results, "language", columns)


def by_system(results: Sequence[Result], columns: Sequence[Column]) -> str:
    """One row per system, the default's in bold."""
    columns = [(heading, figure) for heading, figure in columns if figure(results) is not None]
    rows = []
    for name in sorted(names(results, "system"), key=ORDER.index):
        part = selected(results, system=name)
        cells = [name, *(_shown(figure(part)) for _, figure in columns)]
        rows.append([f"**{cell}**" for cell in cells] if name == DEFAULT else cells)
    return table(["", *(heading for heading, _ in columns)], rows)


def beside_origin(results: Sequence[Result], field: str, columns: Sequence[Column]) -> str:
    """One row per value of a field; each cell the default's figure and, in brackets, the origin's."""
    columns = [(heading, figure) for heading, figure in columns if figure(results) is not None]
    rows = []
    for value in sorted(names(results, field)):
        part = selected(results, **{field: value})
        ours, theirs = selected(part, system=DEFAULT), selected(part, system=ORIGIN)
        label = ", ".join(names(part, "language" if field == "repository" else "repository"))
        rows.append([value, label, *(f"{_shown(figure(ours))} ({_shown(figure(theirs))})" for _, figure in columns)])
    other = "language" if field == "repository" else "repositories"
    return table([field, other, *(heading for heading, _ in columns)], rows)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _shown(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"


def _paragraph(text: str) -> str:
    return textwrap.fill(text, PAGE_CHARS)
