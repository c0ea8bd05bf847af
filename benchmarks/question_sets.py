"""Questions with known evidence, per repository: our own sets, and sets in the public benchmark's format."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from askrepo.search.evaluation import EvaluationQuestion, read_questions

Half = Literal["development", "confirmation"]
HALVES: tuple[Half, ...] = ("development", "confirmation")

Part = Literal["development", "confirmation", "untuned"]
UNTUNED: Part = "untuned"
"""All questions about a repository on which no weight and no rule was or will be chosen: none is for development."""

OWN_CATEGORIES = ("overview", "usage", "code")

OWN_INDEX = "repositories.json"
PUBLIC_INDEX = "repos.json"


@dataclass(frozen=True)
class QuestionSet:
    """The questions about one repository.

    :ivar commit: what the evidence refers to.
    :ivar source_root: the folder that the public benchmark indexes, "" for the whole repository; None in our own sets.
    :ivar parts: of each question.
    """

    name: str
    language: str
    url: str
    commit: str
    source_root: str | None
    questions: tuple[EvaluationQuestion, ...]
    parts: tuple[Part, ...]

    @property
    def is_own(self) -> bool:
        """Whether the set is one of ours."""
        return self.source_root is None

    @property
    def is_untuned(self) -> bool:
        """Whether nothing is chosen on this repository."""
        return UNTUNED in self.parts

    def of_half(self, half: Half) -> QuestionSet:
        """The set without the questions of other parts, so maybe without any; the public benchmark's has no parts."""
        if not self.is_own:
            return self
        kept = tuple(question for question, its in zip(self.questions, self.parts, strict=True) if its == half)
        return replace(self, questions=kept, parts=(half,) * len(kept))


def half_of(number: int) -> Half:
    """The half that a question belongs to, in the file of a repository that is not left untuned.

    :param number: from 0.
    """
    return HALVES[number % 2]


def read_sets(folder: Path) -> list[QuestionSet]:
    """The sets of a folder, as its index lists them; a repository without questions is left out."""
    own = (folder / OWN_INDEX).exists()
    index = json.loads((folder / (OWN_INDEX if own else PUBLIC_INDEX)).read_text(encoding="utf-8"))
    return [_read_set(folder, entry, own=own) for entry in index if (folder / f"{entry['name']}.jsonl").exists()]


def _read_set(folder: Path, entry: dict[str, Any], *, own: bool) -> QuestionSet:
    lines = (folder / f"{entry['name']}.jsonl").read_text(encoding="utf-8").split("\n")
    questions = tuple(read_questions(lines, exact_paths=own))
    return QuestionSet(
        name=str(entry["name"]),
        language=str(entry["language"]),
        url=str(entry["url"]),
        commit=str(entry["commit" if own else "revision"]),
        source_root=None if own else entry.get("benchmark_root") or "",
        questions=questions,
        parts=tuple(UNTUNED if entry.get("untuned") else half_of(number) for number in range(len(questions))),
    )
