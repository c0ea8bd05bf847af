"""Damages a dataset again and again, asks it questions, and prints what came of it: one JSON line a case.

python -m tests.damage_process WORKSPACE CACHE FIRST_SEED CASES

Deep Lake may crash on what is damaged, so that this is a process of its own. Before each case it says which one.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
from pathlib import Path

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.readers import open_alias
from askrepo.errors import AskrepoError, UnavailableError
from askrepo.search.search import search
from askrepo.settings import Settings
from askrepo.store import proof
from askrepo.workspace.objects import Workspace
from tests.damage import KINDS

QUESTIONS = ("how many versions are there", "function_3", "what is this project")


def main(url: str, cache: str, first: int, cases: int) -> None:
    workspace = Workspace.open(url)
    settings = Settings.from_env({"ASKREPO_CACHE": cache})
    dataset = Path(workspace.url_of(AliasCatalogue(workspace).current("main").manifest.dataset))
    pristine = dataset.with_name("pristine")
    if not pristine.exists():
        shutil.copytree(dataset, pristine)
    # What was found before must never count for what is there now, so that it is remembered at once.
    proof._TICK_NS = 0
    restore(dataset, pristine)
    expected = answers(workspace, settings)
    for seed in range(first, first + cases):
        restore(dataset, pristine)
        assert answers(workspace, settings) == expected
        kind = KINDS[seed % len(KINDS)]
        sys.stdout.write(json.dumps({"seed": seed, "kind": kind.__name__}) + "\n")
        sys.stdout.flush()
        kind(dataset, random.Random(seed))
        started = time.monotonic()
        outcome = outcome_of(workspace, settings, expected)
        sys.stdout.write(json.dumps({"seed": seed, "outcome": outcome, "seconds": time.monotonic() - started}) + "\n")
        sys.stdout.flush()


def restore(dataset: Path, pristine: Path) -> None:
    shutil.rmtree(dataset)
    shutil.copytree(pristine, dataset)


def outcome_of(workspace: Workspace, settings: Settings, expected: object) -> str:
    try:
        return "same" if answers(workspace, settings) == expected else "WRONG"
    except UnavailableError as error:
        return "refused" if "is damaged: " in str(error) else f"misnamed: {error}"
    except AskrepoError as error:
        return f"failed: {error!r}"


def answers(workspace: Workspace, settings: Settings) -> object:
    """Everything that a reader can see: ranked lists of three strategies, and all rows."""
    reader = open_alias("main", workspace=workspace, settings=settings)
    hits = [
        [(hit.chunk, hit.score) for hit in search(question, readers=[reader], k=20, strategy=strategy)]
        for question in QUESTIONS
        for strategy in ("hybrid", "cosine", "bm25")
    ]
    rows = reader.dataset.rows(0, reader.entry.manifest.chunks)
    return hits, dict(rows.columns), rows.vectors.tobytes()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
