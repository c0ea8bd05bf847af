"""What was measured, and means of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from askrepo.evaluation import Figures, mean_of
from benchmarks.question_sets import Part

Setting = Literal["own", "whole", "source"]
"""own: our questions, the whole repository indexed; whole and source: the public benchmark's questions, with the whole
repository indexed or only the folder that the published figures are of."""


@dataclass(frozen=True)
class Result:
    """One system's figures for one question."""

    system: str
    setting: Setting
    repository: str
    language: str
    category: str
    part: Part
    figures: Figures


def selected(results: Iterable[Result], **wanted: str) -> list[Result]:
    """The results whose fields have these values."""
    return [each for each in results if all(getattr(each, field) == value for field, value in wanted.items())]


def names(results: Iterable[Result], field: str) -> list[str]:
    """The values of a field, in the order of first sight."""
    return list(dict.fromkeys(getattr(each, field) for each in results))


def mean(results: Sequence[Result], measure: str) -> float | None:
    """A measure's mean over questions; None when there is no question."""
    return float(getattr(mean_of([each.figures for each in results]), measure)) if results else None


def mean_over_repositories(results: Sequence[Result], measure: str) -> float | None:
    """A measure's mean per repository, then over these: how the public benchmark is reported."""
    means = [mean(selected(results, repository=name), measure) for name in names(results, "repository")]
    known = [each for each in means if each is not None]
    return sum(known) / len(known) if known else None
