"""Evaluation: how well a ranking answers questions whose evidence is known.

The metric is that of the public code search benchmark whose question format this reads: a target is found at the first
hit whose path matches and, where the target names lines, overlaps them; a hit at which a target is found gains 1, once
however many are found there; discount log2(rank + 1), ideal over min(10, targets).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from askrepo.errors import UsageError

CUT = 10
"""Hits that count."""

TOP = 3
"""Hits that a person looks at before asking again."""

OVERALL = "overall"


class Span(Protocol):
    """Lines of a file: a chunk, a citation, or what another tool found. Lines are 1-based, inclusive."""

    @property
    def path(self) -> str:
        """Relative to the repository's root."""

    @property
    def start_line(self) -> int:
        """The first line."""

    @property
    def end_line(self) -> int:
        """The last line."""


@dataclass(frozen=True, slots=True)
class Target:
    """A file, or lines of one, that answers a question; without lines the whole file counts.

    :ivar exact_path: the path starts at the repository's root. Otherwise either path may be a tail of the other, as in
        the published benchmark, since roots differ: `README.md` is then found in every folder that has one.
    """

    path: str
    start_line: int | None = None
    end_line: int | None = None
    exact_path: bool = False


@dataclass(frozen=True, slots=True)
class EvaluationQuestion:
    """A question, what answers it, and the group it is reported with."""

    query: str
    targets: tuple[Target, ...]
    category: str


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a question brought.

    :ivar hits: the listing, best first. :ivar context: what a chat model would read, in any order.
    :ivar more: of each hit what else of its file is shown under it; empty when nothing is.
    """

    hits: Sequence[Span]
    context: Sequence[Span] = ()
    more: Sequence[Sequence[Span]] = ()

    @property
    def listed(self) -> Sequence[Span]:
        """All that the first ten hits show."""
        return [*self.hits[:CUT], *(span for spans in self.more[:CUT] for span in spans)]


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over questions, each in [0, 1], higher is better.

    :ivar found_at_3: share of questions with a target among the first three hits; `found_at_10` likewise.
    :ivar recall: share of targets among the first ten hits, what is shown under them included.
    :ivar file_recall: share of the targets' files among the files of the first ten hits, whatever their lines.
    :ivar mrr: mean of 1 / rank of the first target.
    :ivar context_recall: share of targets that the context shows at least a line of.
    """

    questions: int
    found_at_3: float
    found_at_10: float
    ndcg: float
    recall: float
    file_recall: float
    mrr: float
    context_recall: float


MEASURES = tuple(name for name in Figures.__dataclass_fields__ if name != "questions")


def read_questions(lines: Iterable[str], *, exact_paths: bool = False) -> list[EvaluationQuestion]:
    """Questions from JSON lines with `query`, `relevant`, and optionally `secondary` and `category`.

    :param exact_paths: see `Target.exact_path`.
    :raises UsageError: a line is not as it should be; the message names the line.
    """
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    questions = [_question(number, line, exact_paths) for number, line in numbered]
    if not questions:
        raise UsageError("there is no question: give JSON lines with 'query' and 'relevant'")
    return questions


def figures_by_category(questions: Sequence[EvaluationQuestion], retrieved: Sequence[Retrieved]) -> dict[str, Figures]:
    """Figures per category, sorted, then overall.

    :param retrieved: what each question brought, in the order of the questions.
    """
    groups: dict[str, list[Figures]] = {}
    for question, brought in zip(questions, retrieved, strict=True):
        figures = figures_of(question.targets, brought)
        for group in {question.category, OVERALL}:
            groups.setdefault(group, []).append(figures)
    order = [*sorted(set(groups) - {OVERALL}), OVERALL]
    return {group: mean_of(groups[group]) for group in order}


def figures_of(targets: Sequence[Target], retrieved: Retrieved) -> Figures:
    """The figures of one question."""
    ranks = found_at(targets, retrieved.hits)
    found = [rank for rank in ranks if rank is not None]
    first = min(found, default=math.inf)
    listed = _shown_of(targets, retrieved.listed)
    shown = _shown_of(targets, retrieved.context)
    return Figures(
        questions=1,
        found_at_3=float(first <= TOP),
        found_at_10=float(first <= CUT),
        ndcg=_ndcg(ranks),
        recall=sum(listed) / len(listed),
        file_recall=_file_recall(targets, retrieved.hits),
        mrr=1 / first,
        context_recall=sum(shown) / len(shown),
    )


def mean_of(figures: Sequence[Figures]) -> Figures:
    """The mean of figures, each counted once, however many questions it stands for.

    :param figures: at least one.
    """
    means = {name: sum(getattr(each, name) for each in figures) / len(figures) for name in MEASURES}
    return Figures(questions=sum(each.questions for each in figures), **means)


def found_at(targets: Sequence[Target], hits: Sequence[Span]) -> list[int | None]:
    """The rank, 1 to 10, at which each target is found first; None for those that are not."""
    return [next((rank for rank, hit in enumerate(hits[:CUT], 1) if _shows(hit, target)), None) for target in targets]


def _ndcg(ranks: Sequence[int | None]) -> float:
    """Several targets at one rank gain once, as one hit is: so the published benchmark counts.

    A ranking that shows two targets in its first hit can so not reach 1; the ideal has them one after the other.
    """
    gained = sum(1 / math.log2(rank + 1) for rank in set(ranks) if rank is not None)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(CUT, len(ranks)) + 1))
    return gained / ideal


def _file_recall(targets: Sequence[Target], hits: Sequence[Span]) -> float:
    files = {Target(target.path, exact_path=target.exact_path) for target in targets}
    ranks = found_at(list(files), hits)
    return sum(rank is not None for rank in ranks) / len(files)


def _shown_of(targets: Sequence[Target], spans: Sequence[Span]) -> list[bool]:
    return [any(_shows(span, target) for span in spans) for target in targets]


def _shows(span: Span, target: Target) -> bool:
    if not _is_of(span.path, target):
        return False
    if target.start_line is None or target.end_line is None:
        return True
    return span.start_line <= target.end_line and target.start_line <= span.end_line


def _is_of(path: str, target: Target) -> bool:
    if path == target.path:
        return True
    return not target.exact_path and (path.endswith(f"/{target.path}") or target.path.endswith(f"/{path}"))


def _question(number: int, line: str, exact_paths: bool) -> EvaluationQuestion:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise UsageError(f"line {number} is not JSON: {error}") from error
    if not isinstance(values, dict) or not isinstance(values.get("query"), str) or not values["query"].strip():
        raise UsageError(f"line {number} has no 'query': each line is an object with 'query' and 'relevant'")
    named = [values.get(key) or [] for key in ("relevant", "secondary")]
    if not all(isinstance(items, list) for items in named):
        raise UsageError(f"line {number}: 'relevant' and 'secondary' must be lists of paths")
    targets = tuple(_target(number, item, exact_paths) for items in named for item in items)
    if not targets:
        raise UsageError(f"line {number} names nothing relevant, so no answer could be right")
    return EvaluationQuestion(values["query"], targets, str(values.get("category") or "uncategorised"))


def _target(number: int, item: Any, exact_path: bool) -> Target:
    if isinstance(item, str) and item:
        return Target(item, exact_path=exact_path)
    if isinstance(item, Mapping) and isinstance(item.get("path"), str):
        start, end = item.get("start_line"), item.get("end_line")
        if start is None and end is None:
            return Target(item["path"], exact_path=exact_path)
        if isinstance(start, int) and isinstance(end, int) and 1 <= start <= end:
            return Target(item["path"], start, end, exact_path)
    raise UsageError(f"line {number}: a target is a path, or an object with path, start_line and end_line (from 1)")
