"""Learns the weights of the order by nearness, and says how well they tell the file that answers.

    .venv/bin/python -m benchmarks.nearness CLONES --workspace DIR

Asks the development halves of our own questions of the datasets of `benchmarks/retrieval.py` in DIR, which are built
where they are missing; CLONES is the folder of clones. What is known of the first files found
for each question that is ordered so is learned from: that a file which answers comes before one that does not (logistic
regression on the differences of such pairs, every question counting alike). Nothing is learned from confirmation halves
and untuned repositories.

Prints the weights, which are copied to `askrepo/search/order/nearness.py`, and how often a file that answers is first
and among the first three, each repository judged by weights that were learned from the others. To be run after a change
of what is known, less urgently after one of the ranking before it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from askrepo.embedders.embedder import open_embedder
from askrepo.search.gather import gather
from askrepo.search.order.nearness import WEIGHTS, first_of_files, is_ordered, known_of
from askrepo.search.order.orders import decayed
from askrepo.search.ranking import ranked
from askrepo.search.request import requests_for
from askrepo.search.search import EVERYTHING
from askrepo.search.strategies import pool_for
from askrepo.settings import Settings
from askrepo.workspace.objects import Workspace
from benchmarks.question_sets import QuestionSet, read_sets
from benchmarks.retrieval import Bench, build_setting, note
from benchmarks.vector_cache import CachedEmbedder

PENALTY = 3.0
"""On the squares of the weights; 1 to 10 order alike (2026-11)."""


@dataclass(frozen=True)
class Found:
    """What was found for one question.

    :ivar amounts: (files, weights), best first. :ivar answers: of each file whether it answers.
    """

    repository: str
    category: str
    amounts: np.ndarray
    answers: np.ndarray


def main(args: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", type=Path)
    parser.add_argument("--questions", type=Path, default=Path(__file__).with_name("questions"), metavar="FOLDER")
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--embedder", default="local")
    parser.add_argument("--vectors", type=Path, help="file that keeps vectors; default: in ASKREPO_CACHE")
    arguments = parser.parse_args(args)
    bench = bench_of(arguments)
    halves = [each.of_half("development") for each in read_sets(arguments.questions)]
    found = [each for questions in halves if questions.questions for each in found_in(questions, bench)]
    weights = learned(found)
    print(*(f"{name}: {weight:.2f}" for name, weight in zip(WEIGHTS, weights, strict=True)), sep="\n")
    print_places("as ranked", found, [np.eye(len(WEIGHTS))[0]] * len(found))
    repositories = sorted({each.repository for each in found})
    others = {name: learned([each for each in found if each.repository != name]) for name in repositories}
    print_places("learned from the other repositories", found, [others[each.repository] for each in found])


def bench_of(arguments: argparse.Namespace) -> Bench:
    settings = Settings.from_env(os.environ)
    embedder = CachedEmbedder(
        open_embedder(arguments.embedder, cache=settings.cache, threads=settings.embed_threads),
        arguments.vectors or settings.cache / "benchmark-vectors.sqlite",
    )
    workspace = Workspace.open(arguments.workspace)
    return Bench(arguments.clones.resolve(), workspace, settings, embedder, None, frozenset(), frozenset())


def found_in(questions: QuestionSet, bench: Bench) -> Iterator[Found]:
    """What is found for the questions that are ordered so and have a file that answers, and one that does not."""
    clone = bench.clones / questions.name
    if not clone.is_dir():
        note(f"{questions.name}: no clone at {clone}, left out")
        return
    note(questions.name)
    reader = build_setting(questions, "own", clone, bench).reader
    for question in questions.questions:
        asked = requests_for(question.query, readers=[reader], where=EVERYTHING)
        gathered = gather(asked, use_vectors=True)
        pool = pool_for(asked, gathered)
        listing = decayed(ranked(pool))
        files = [listing[at] for at in first_of_files(listing)]
        wanted = {target.path for target in question.targets}
        answers = np.array([each.candidate.chunk.path in wanted for each in files], dtype=bool)
        if is_ordered(pool) and answers.any() and not answers.all():
            amounts = [[known.get(name, 0.0) for name in WEIGHTS] for known in known_of(files, pool)]
            yield Found(questions.name, question.category, np.array(amounts), answers)


def learned(found: Sequence[Found]) -> np.ndarray:
    """The weights, that of the first being 1."""
    differences = [
        (each.amounts[each.answers][:, None] - each.amounts[~each.answers][None]).reshape(-1, len(WEIGHTS))
        for each in found
    ]
    pairs = np.concatenate(differences)
    weight = np.concatenate([np.full(len(each), 1 / len(each)) for each in differences])
    model = LogisticRegression(fit_intercept=False, C=1 / PENALTY, max_iter=1000)
    model.fit(np.concatenate([pairs, -pairs]), np.repeat([1, 0], len(pairs)), np.concatenate([weight, weight]))
    return np.asarray(model.coef_[0] / model.coef_[0][0])


def print_places(name: str, found: Sequence[Found], weights: Sequence[np.ndarray]) -> None:
    for category in ("overview", "usage", "code"):
        both = zip(found, weights, strict=True)
        places = [first_place(each, known) for each, known in both if each.category == category]
        if places:
            first, three = (sum(place <= most for place in places) / len(places) for most in (1, 3))
            print(f"{name}, {category} ({len(places)}): first {first:.3f}, among the first three {three:.3f}")


def first_place(found: Found, weights: np.ndarray) -> int:
    """The place, from 1, of the first file that answers."""
    order = np.argsort(-(found.amounts @ weights), kind="stable")
    return int(np.flatnonzero(found.answers[order])[0]) + 1


if __name__ == "__main__":
    main()
