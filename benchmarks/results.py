"""What was measured, and means of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.question_sets import Part

Setting = Literal["own", "whole", "source", "names", "commits"]
"""own: our questions, the whole repository indexed; whole and source: the public benchmark's questions, with the whole
repository indexed or only the folder that the published figures are of; names: names that stand in the repository, and
such that do not; commits: messages of commits, the repository indexed as it was before them."""


@dataclass(frozen=True)
class Result:
    """One system's figures for one question.

    :ivar figures: by the name of the measure, each in [0, 1]; a question has those that it can tell something about.
    """

    system: str
    setting: Setting
    repository: str
    language: str
    category: str
    part: Part
    figures: Mapping[str, float]


def selected(results: Iterable[Result], **wanted: str) -> list[Result]:
    """The results whose fields have these values."""
    return [each for each in results if all(getattr(each, field) == value for field, value in wanted.items())]


def names(results: Iterable[Result], field: str) -> list[str]:
    """The values of a field, in the order of first sight."""
    return list(dict.fromkeys(getattr(each, field) for each in results))


def mean(results: Sequence[Result], measure: str) -> float | None:
    """A measure's mean over the questions that have it; None when there is no such question."""
    known = [each.figures[measure] for each in results if measure in each.figures]
    return sum(known) / len(known) if known else None


def mean_over_repositories(results: Sequence[Result], measure: str) -> float | None:
    """A measure's mean per repository, then over these: how the public benchmark is reported."""
    means = [mean(selected(results, repository=name), measure) for name in names(results, "repository")]
    known = [each for each in means if each is not None]
    return sum(known) / len(known) if known else None
