"""Fits the models of a question's kind to the prototype questions and writes their weights.

    .venv/bin/python benchmarks/train_question_kinds.py [--cache DIR] [--dry-run]

To be run after a change of the prototypes, of the cues or of the local embedder. Prints the accuracy of both models,
cross-validated ten-fold; the same inputs write the same file. --dry-run leaves the file as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from askrepo.embedders import open_embedder  # noqa: E402
from askrepo.search import question_kinds  # noqa: E402
from askrepo.search.cues import CUE_NAMES, PROJECT, cues_of  # noqa: E402
from askrepo.settings import Settings  # noqa: E402

PROTOTYPES = ROOT / "benchmarks" / "questions" / "prototypes.jsonl"
WEIGHTS = Path(question_kinds.__file__).with_name(question_kinds.WEIGHTS_FILE)
NAMED = "the project"
"""What the embedder reads for the project's name."""
DECIMALS = 3
FOLDS = 10


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
    weights = {
        "prototypes": len(queries),
        "fingerprint": embedder.fingerprint,
        "kinds": sorted(set(kinds.tolist())),
        "cues": list(CUE_NAMES),
        "without_vector": fitted("cues", cues, kinds),
        "with_vector": fitted("cues and vector", np.hstack([cues, vectors]), kinds),
    }
    if not arguments.dry_run:
        WEIGHTS.write_text(as_text(weights), encoding="utf-8")


def fitted(name: str, features: np.ndarray, kinds: np.ndarray) -> dict[str, Any]:
    """The model's rounded numbers; prints its cross-validated accuracy."""
    model = LogisticRegression(C=1, max_iter=3000)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    accuracy = cross_val_score(model, features, kinds, cv=folds).mean()
    print(f"{name}: {accuracy:.3f} of {len(kinds)} right, {FOLDS}-fold cross-validated")
    model.fit(features, kinds)
    rows = {str(kind): rounded(row) for kind, row in zip(model.classes_, model.coef_, strict=True)}
    return {"intercepts": rounded(model.intercept_), "weights": rows}


def rounded(numbers: np.ndarray) -> list[float]:
    return [round(float(number), DECIMALS) + 0.0 for number in numbers]  # + 0.0: no -0.0


def as_text(weights: Mapping[str, Any]) -> str:
    """JSON with one list a line, so that a change can be read."""
    return re.sub(r"\[[^][{}]*\]", lambda found: " ".join(found[0].split()), json.dumps(weights, indent=1)) + "\n"


if __name__ == "__main__":
    main()
