"""Fits the models of a question's kind to the prototype questions and writes their weights.

    .venv/bin/python -m benchmarks.question_kinds.train [--cache DIR] [--dry-run]

To be run after a change of the prototypes, of the cues or phrases or of the local embedder. Prints the accuracy of both
models, cross-validated ten-fold, with the phrases chosen anew in each fold; the same inputs write the same file.
--dry-run leaves the file as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import chi2
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from askrepo.embedders.embedder import open_embedder
from askrepo.search.question import kinds as question_kinds
from askrepo.search.question.cues import CUE_NAMES, PROJECT, cues_of
from askrepo.search.question.phrases import phrases_of
from askrepo.settings import Settings

PROTOTYPES = Path(__file__).with_name("prototypes.jsonl")
WEIGHTS = Path(question_kinds.__file__).with_name(question_kinds.WEIGHTS_FILE)
NAMED = "the project"
"""What the embedder reads for the project's name."""
DECIMALS = 3
FOLDS = 10

PHRASES = 800
"""Phrases kept, those that tell most by the chi-squared statistic. 400 and 1,500 judge alike (measured 2026-11)."""
MIN_PROTOTYPES = 6
"""That a phrase must be in, or it tells of one imagined project."""
STRENGTH_WITH_VECTOR, STRENGTH_OF_WORDS = 0.3, 0.1
"""Inverses of the penalty on weights (scikit-learn's C); of .1, .3 and 1 best on development questions (2026-11)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, help="directory for the local model; default: askrepo's own")
    parser.add_argument("--dry-run", action="store_true")
    arguments = parser.parse_args()
    embedder = open_embedder("local", cache=arguments.cache or Settings.from_env(os.environ).cache)
    prototypes = [json.loads(line) for line in PROTOTYPES.read_text(encoding="utf-8").splitlines()]
    queries = [prototype["query"] for prototype in prototypes]
    kinds = np.array([prototype["kind"] for prototype in prototypes])
    cues = np.array([cues_of(query, projects=()) for query in queries])
    vectors = embedder.embed_texts([query.replace(PROJECT, NAMED) for query in queries])
    phrases = chosen_phrases(queries, kinds)
    words = np.hstack([cues, said_of(queries, phrases)])
    print_accuracy("words", queries, kinds, cues, vectors[:, :0], STRENGTH_OF_WORDS)
    print_accuracy("words and vector", queries, kinds, cues, vectors, STRENGTH_WITH_VECTOR)
    weights = {
        "prototypes": hashlib.sha256(PROTOTYPES.read_bytes()).hexdigest(),
        "fingerprint": embedder.fingerprint,
        "kinds": sorted(set(kinds.tolist())),
        "cues": list(CUE_NAMES),
        "phrases": phrases,
        "without_vector": fitted(words, kinds, STRENGTH_OF_WORDS),
        "with_vector": fitted(np.hstack([words, vectors]), kinds, STRENGTH_WITH_VECTOR),
    }
    if not arguments.dry_run:
        WEIGHTS.write_text(as_text(weights), encoding="utf-8")


def chosen_phrases(queries: Sequence[str], kinds: np.ndarray) -> list[str]:
    """The phrases that tell most, sorted."""
    counter = CountVectorizer(analyzer=phrases_of, binary=True, min_df=MIN_PROTOTYPES)
    said = counter.fit_transform(queries)
    telling = sorted(zip(-chi2(said, kinds)[0], counter.get_feature_names_out(), strict=True))[:PHRASES]
    return sorted(str(name) for _, name in telling)


def said_of(queries: Sequence[str], phrases: Sequence[str]) -> np.ndarray:
    """(queries, phrases), 1 where the query has the phrase and 0 elsewhere."""
    counter = CountVectorizer(analyzer=phrases_of, binary=True, vocabulary=phrases)
    return np.asarray(counter.transform(queries).toarray())


def print_accuracy(
    name: str, queries: Sequence[str], kinds: np.ndarray, cues: np.ndarray, vectors: np.ndarray, strength: float
) -> None:
    """Cross-validated: of the part that is judged nothing is known, neither its phrases nor its kinds."""
    right = []
    for learnt, judged in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(cues, kinds):
        phrases = chosen_phrases([queries[at] for at in learnt], kinds[learnt])
        features = np.hstack([cues, said_of(queries, phrases), vectors])
        right.append(model_of(features[learnt], kinds[learnt], strength).score(features[judged], kinds[judged]))
    print(f"{name}: {np.mean(right):.3f} of {len(kinds)} right, {FOLDS}-fold cross-validated", flush=True)


def fitted(features: np.ndarray, kinds: np.ndarray, strength: float) -> dict[str, Any]:
    """The model's rounded numbers."""
    model = model_of(features, kinds, strength)
    rows = {str(kind): rounded(row) for kind, row in zip(model.classes_, model.coef_, strict=True)}
    return {"intercepts": rounded(model.intercept_), "weights": rows}


def model_of(features: np.ndarray, kinds: np.ndarray, strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=3000).fit(features, kinds)


def rounded(numbers: np.ndarray) -> list[float]:
    return [round(float(number), DECIMALS) + 0.0 for number in numbers]  # + 0.0: no -0.0


def as_text(weights: Mapping[str, Any]) -> str:
    """JSON with one list a line, so that a change can be read."""
    return re.sub(r"\[[^][{}]*\]", lambda found: " ".join(found[0].split()), json.dumps(weights, indent=1)) + "\n"


if __name__ == "__main__":
    main()
