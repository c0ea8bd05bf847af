"""How much a question is of each kind: precise patterns, then a small model of its words and, if given, its vector."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from askrepo.search.question.cues import CUE_NAMES, PROJECT, cues_of, mask_projects
from askrepo.search.question.phrases import phrases_of
from askrepo.search.question.question import Question, QuestionKind, names_code, to_the_point

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEIGHTS_FILE = "kinds.json"
"""Beside this module; written by `benchmarks/question_kinds/train.py`."""

# In real use such forms are nearly always look-ups in code; of the prototypes about usage and about the project, from
# which the model learns how often they occur, a quarter are bare. Divisors set on the development questions (2026-11).
LOOK_UP_DIVISOR = 5.0
"""On usage and overview, for the forms that ask for a place or a mechanism ("how X is resolved", "parsing headers")."""
BARE_USAGE_DIVISOR = 20.0
BARE_OVERVIEW_DIVISOR = 8.0
"""For bare phrases, without any sign of someone who uses the project or asks about it ("connection pool eviction")."""
MAX_BARE_WORDS = 8
"""Longer phrases tell a situation ("backend only reachable through ..."), of which the model may judge."""

NAMED_CODE_SHARE = 0.5
"""The least share of code when the question names code; the model decides about the other half."""

_LOOK_UP_CUES = frozenset({"how is", "how noun", "where", "gerund"})
_USER_CUES = frozenset(
    {
        *("how to", "how do I", "first person", "you", "need", "imperative"),
        *("which", "is", "why", "who", "what is"),
    }
)
_USER_SIGN = re.compile(
    r"\b(?:can|could|should|possible|way|without|instead|example|default|option|setting|flag)\b"
    rf"|\b{PROJECT}\b|\?|^(?:when|minimum|maximum|oldest|newest|lowest|latest)\b",
    re.IGNORECASE,
)
"""What the cues know only in a wider form ("supports", "command", "template"), too wide to decide alone."""

_WORK_ON_PROJECT = re.compile(
    r"(?:installing|contributing|getting started)\b|(?:upgrading|migrating) (?:from|to)\b"
    r"|(?:running|executing|building|compiling)\b.{0,60}"
    rf"\b(?:tests?|test suite|benchmarks?|examples?|linters?|docs|documentation|from source|locally|{PROJECT})\b",
    re.IGNORECASE,
)
"""What people do with a whole project: no look-ups, though they begin as such."""


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Multinomial logistic regression: an intercept and a row of weights per kind."""

    kinds: tuple[QuestionKind, ...]
    intercepts: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]

    def shares(self, features: Sequence[float]) -> dict[QuestionKind, float]:
        """The probability of each kind.

        :raises ValueError: the features are not as many as the weights.
        """
        if any(len(row) != len(features) for row in self.weights):
            raise ValueError(f"{len(features)} features for rows of {len(self.weights[0])} weights")
        present = [(at, value) for at, value in enumerate(features) if value]  # few of the phrases are in a question
        scores = [
            intercept + sum(row[at] * value for at, value in present)
            for intercept, row in zip(self.intercepts, self.weights, strict=True)
        ]
        most = max(scores)
        return _normalised({kind: math.exp(score - most) for kind, score in zip(self.kinds, scores, strict=True)})


@dataclass(frozen=True, slots=True)
class TrainedModels:
    """What the weights' file holds.

    :ivar cues: names of the cues, in the order of the weights.
    :ivar phrases: whose weights follow those of the cues; those of the vector come last.
    :ivar fingerprint: of the embedder whose vectors `with_vector` was trained with.
    """

    cues: tuple[str, ...]
    phrases: tuple[str, ...]
    fingerprint: str
    without_vector: LinearModel
    with_vector: LinearModel


def kind_shares(
    question: Question, *, projects: Collection[str], vector: NDArray[np.float32] | None
) -> Mapping[QuestionKind, float]:
    """How much the question is of each kind, summing to 1; a kind that is ruled out may be missing.

    :param projects: the project's own names, which tell nothing.
    :param vector: the question's, only of an embedder that `kind_model_fits`; None for the words alone.
    """
    if question.is_one_word:
        return {"code": 1.0}
    if question.kind != "code":
        return {question.kind: 1.0}
    masked = mask_projects(to_the_point(question.text), projects)
    cues = cues_of(masked, projects=())
    models = trained_models()
    said = phrases_of(masked)
    words = [*cues, *(float(phrase in said) for phrase in models.phrases)]
    if vector is None:
        shares = models.without_vector.shares(words)
    else:
        shares = models.with_vector.shares([*words, *vector.tolist()])
    if names_code(masked):
        code = NAMED_CODE_SHARE + (1 - NAMED_CODE_SHARE) * shares["code"]
        shares = {"code": code, "usage": 1 - code, "overview": 0.0}
    found = {name for name, cue in zip(CUE_NAMES, cues, strict=True) if cue}
    return _corrected(shares, masked, found)


def kind_model_fits(fingerprint: str) -> bool:
    """Whether the embedder's vectors are those that the model was trained with."""
    return fingerprint == trained_models().fingerprint


@functools.cache
def trained_models() -> TrainedModels:
    """The models in the weights' file."""
    stored = json.loads(resources.files("askrepo.search.question").joinpath(WEIGHTS_FILE).read_text(encoding="utf-8"))
    kinds = tuple(stored["kinds"])

    def model(name: str) -> LinearModel:
        rows = stored[name]["weights"]
        return LinearModel(kinds, tuple(stored[name]["intercepts"]), tuple(tuple(rows[kind]) for kind in kinds))

    return TrainedModels(
        cues=tuple(stored["cues"]),
        phrases=tuple(stored["phrases"]),
        fingerprint=stored["fingerprint"],
        without_vector=model("without_vector"),
        with_vector=model("with_vector"),
    )


def _corrected(shares: Mapping[QuestionKind, float], masked: str, found: Collection[str]) -> dict[QuestionKind, float]:
    """The shares with look-ups and bare phrases as frequent as in real use."""
    usage, overview = shares["usage"], shares["overview"]
    if _WORK_ON_PROJECT.match(masked):
        return dict(shares)
    if not _LOOK_UP_CUES.isdisjoint(found):
        usage, overview = usage / LOOK_UP_DIVISOR, overview / LOOK_UP_DIVISOR
    if len(masked.split()) <= MAX_BARE_WORDS and _USER_CUES.isdisjoint(found) and not _USER_SIGN.search(masked):
        usage, overview = usage / BARE_USAGE_DIVISOR, overview / BARE_OVERVIEW_DIVISOR
    return _normalised({"code": shares["code"], "usage": usage, "overview": overview})


def _normalised(shares: Mapping[QuestionKind, float]) -> dict[QuestionKind, float]:
    total = sum(shares.values())
    return {kind: share / total for kind, share in shares.items()}
