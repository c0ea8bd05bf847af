"""Evaluation: how well a ranking answers questions whose evidence is known.

The metric is that of the public code search benchmark whose question format this reads: a target is found at the first
hit whose path matches and, where the target names lines, overlaps them; gain 1, discount log2(rank + 1), ideal over
min(10, targets).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from askrepo.errors import UsageError
from askrepo.types import Hit

CUT = 10
"""Hits that count."""

OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class Target:
    """A file, or lines of one, that answers a question; without lines the whole file counts."""

    path: str
    start_line: int | None = None
    end_line: int | None = None


@dataclass(frozen=True, slots=True)
class EvaluationQuestion:
    """A question, what answers it, and the group it is reported with."""

    query: str
    targets: tuple[Target, ...]
    category: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over questions, each in [0, 1], higher is better.

    :ivar recall: share of targets among the first ten hits. :ivar mrr: mean of 1 / rank of the first target.
    """

    questions: int
    ndcg: float
    recall: float
    mrr: float


def read_questions(lines: Iterable[str]) -> list[EvaluationQuestion]:
    """Questions from JSON lines with `query`, `relevant`, and optionally `secondary` and `category`.

    :raises UsageError: a line is not as it should be; the message names the line.
    """
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    questions = [_question(number, line) for number, line in numbered]
    if not questions:
        raise UsageError("there is no question: give JSON lines with 'query' and 'relevant'")
    return questions


def evaluate(
    questions: Sequence[EvaluationQuestion], rank: Callable[[str], Sequence[Hit]]
) -> tuple[dict[str, Figures], list[Sequence[Hit]]]:
    """Figures per category, sorted, then overall; and the hits of each question, in order.

    :param rank: hits for a question, best first.
    """
    ranked = [rank(question.query) for question in questions]
    groups: dict[str, list[tuple[float, float, float]]] = {}
    for question, hits in zip(questions, ranked, strict=True):
        scores = _scores(found_at(question.targets, hits))
        for group in (question.category, OVERALL):
            groups.setdefault(group, []).append(scores)
    order = [*sorted(set(groups) - {OVERALL}), OVERALL]
    return {group: _means(groups[group]) for group in order}, ranked


def found_at(targets: Sequence[Target], hits: Sequence[Hit]) -> list[int | None]:
    """The rank, 1 to 10, at which each target is found first; None for those that are not."""
    return [next((rank for rank, hit in enumerate(hits[:CUT], 1) if _covers(hit, target)), None) for target in targets]


def _scores(ranks: Sequence[int | None]) -> tuple[float, float, float]:
    """NDCG, recall and reciprocal rank of one question; several targets at one rank gain once, as one hit is."""
    found = [rank for rank in ranks if rank is not None]
    gained = sum(1 / math.log2(rank + 1) for rank in set(found))
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(CUT, len(ranks)) + 1))
    return gained / ideal, len(found) / len(ranks), 1 / min(found) if found else 0.0


def _means(scores: Sequence[tuple[float, float, float]]) -> Figures:
    ndcg, recall, mrr = (sum(column) / len(scores) for column in zip(*scores, strict=True))
    return Figures(len(scores), ndcg, recall, mrr)


def _covers(hit: Hit, target: Target) -> bool:
    """Whether the hit shows the target; either path may be a tail of the other, since roots differ."""
    path = hit.chunk.path
    if not (path == target.path or path.endswith(f"/{target.path}") or target.path.endswith(f"/{path}")):
        return False
    if target.start_line is None or target.end_line is None:
        return True
    return hit.chunk.start_line <= target.end_line and target.start_line <= hit.chunk.end_line


def _question(number: int, line: str) -> EvaluationQuestion:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise UsageError(f"line {number} is not JSON: {error}") from error
    if not isinstance(values, dict) or not isinstance(values.get("query"), str) or not values["query"].strip():
        raise UsageError(f"line {number} has no 'query': each line is an object with 'query' and 'relevant'")
    named = [values.get(key) or [] for key in ("relevant", "secondary")]
    if not all(isinstance(items, list) for items in named):
        raise UsageError(f"line {number}: 'relevant' and 'secondary' must be lists of paths")
    targets = tuple(_target(number, item) for items in named for item in items)
    if not targets:
        raise UsageError(f"line {number} names nothing relevant, so no answer could be right")
    return EvaluationQuestion(values["query"], targets, str(values.get("category") or "uncategorised"))


def _target(number: int, item: Any) -> Target:
    if isinstance(item, str) and item:
        return Target(item)
    if isinstance(item, Mapping) and isinstance(item.get("path"), str):
        lines = (item.get("start_line"), item.get("end_line"))
        if lines == (None, None) or all(isinstance(at, int) for at in lines):
            return Target(item["path"], *lines)
    raise UsageError(f"line {number}: a target is a path, or an object with path, start_line and end_line")
