"""What a chunk costs in a large dataset and in a small one, and how large datasets answer.

    .venv/bin/python -m benchmarks.scale [--chunks 1000000] [--than 100000] [--workers 2]

Makes git repositories of made-up Python files that give about so many chunks, runs every task of the pipeline on each
with the `hash` embedder, each task in a process of its own as in Airflow, and prints processor time per chunk, peak
resident memory and their ratios. Then asks both datasets questions made of words of their chunks: medians of the parts
of a search, and how many of the ten nearest vectors, found by comparing with all of them, the search finds. Needs about
8 GB of disk per million chunks. Exit code 1 when memory, ratio or recall are beyond what the project promises.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.stages import STAGES, Passage, Pipeline, call_in_process, measured
from benchmarks.synthetic import write_repository

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from askrepo.store.reader import DatasetReader

MAX_PEAK_BYTES = 1.5e9
MAX_RATIO = 1.3
MIN_RECALL = 0.99

ALIAS = "scale"
NEIGHBOURS = 10
# Two chunks whose cosines differ by less are equally near: float32 has seven digits.
TIE = 1e-5
WORDS_PER_QUESTION = 6
BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Answers:
    """How a dataset answers.

    :ivar medians_s: seconds by what was done.
    :ivar recall: share of the NEIGHBOURS nearest chunks that the vector search has first.
    """

    medians_s: Mapping[str, float]
    recall: float
    peak_bytes: int


@dataclass(frozen=True)
class Outcome:
    """One size."""

    passage: Passage
    elapsed_s: float
    answers: Answers


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=1_000_000)
    parser.add_argument("--than", type=int, default=100_000, help="chunks of the dataset to compare with")
    parser.add_argument("--workers", type=int, default=2, help="tasks that run side by side")
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--folder", type=Path, help="where to work; default: the temporary directory")
    asked = parser.parse_args(arguments)
    outcomes = [run(chunks, asked) for chunks in (asked.than, asked.chunks)]
    return report(*outcomes)


def run(chunks: int, asked: argparse.Namespace) -> Outcome:
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        repository, workspace = Path(folder, "synthetic"), Path(folder, "workspace")
        write_repository(repository, chunks=chunks)
        definition = {"alias": ALIAS, "repositories": [str(repository)], "embedder": "hash"}
        pipeline = Pipeline(definition, workspace=workspace, workers=asked.workers)
        started = time.monotonic()
        passage = pipeline.run(f"{chunks}-chunks")
        elapsed_s = time.monotonic() - started
        answers = call_in_process(ask, str(workspace), asked.questions)
    return Outcome(passage, elapsed_s, answers)


def ask(workspace: str, count: int) -> Answers:
    """Put questions to the alias, in this process."""
    (medians_s, recall), cost = measured(_ask, workspace, count)
    return Answers(medians_s, recall, cost.peak_bytes)


def _ask(url: str, count: int) -> tuple[dict[str, float], float]:
    from askrepo.aliases.readers import open_alias
    from askrepo.search.gather import LEXICAL, NEAREST
    from askrepo.search.question.question import Question
    from askrepo.search.search import search
    from askrepo.settings import Settings
    from askrepo.workspace.objects import Workspace

    started = time.monotonic()
    reader = open_alias(ALIAS, workspace=Workspace.open(url), settings=Settings.from_env(os.environ))
    questions = questions_about(reader.dataset, count)
    vectors = [reader.embedder().embed_question(question) for question in questions]
    first_s = seconds(lambda: search(questions[0], readers=[reader])) + time.monotonic() - started
    found: list[list[str]] = []

    def nearest(vector: Any) -> None:
        found.append([scored.chunk.id for scored in reader.dataset.nearest(vector, limit=NEAREST)][:NEIGHBOURS])

    medians = {
        "open, first search": first_s,
        "search": _median(lambda question: search(question, readers=[reader]), questions),
        "nearest vectors": _median(nearest, vectors),
        "BM25": _median(lambda text: reader.dataset.lexical(Question.parse(text).terms, limit=LEXICAL), questions),
    }
    return medians, recall_of(found, vectors, reader.dataset)


def questions_about(dataset: DatasetReader, count: int) -> list[str]:
    """Some words of chunks, here and there in the dataset."""
    made = random.Random(0)
    places = made.choices(range(dataset.manifest.chunks), k=count)
    texts = [dataset.rows(place, place + 1).columns["text"][0] for place in places]
    words = [re.findall(r"\w+", text) for text in texts]
    return [" ".join(made.sample(each, min(WORDS_PER_QUESTION, len(each)))) for each in words]


def seconds(call: Callable[..., object], *arguments: Any) -> float:
    started = time.monotonic()
    call(*arguments)
    return time.monotonic() - started


def _median(call: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    return statistics.median(seconds(call, each) for each in inputs)


def recall_of(found: Sequence[Sequence[str]], vectors: Sequence[NDArray[np.float32]], dataset: DatasetReader) -> float:
    """Share of the nearest NEIGHBOURS chunks that were found, over all questions.

    :param found: ids per question, at most NEIGHBOURS each.
    """
    import numpy as np

    questions = np.stack(vectors)
    best: list[dict[str, float]] = [{} for _ in found]
    for start in range(0, dataset.manifest.chunks, BATCH_ROWS):
        rows = dataset.rows(start, min(start + BATCH_ROWS, dataset.manifest.chunks))
        cosines = questions @ rows.vectors.T
        for at, of_question in enumerate(cosines):
            cut = _kth(best[at].values()) - TIE
            near = np.flatnonzero(of_question >= cut)
            best[at] |= {rows.columns["id"][place]: float(of_question[place]) for place in near.tolist()}
            cut = _kth(best[at].values()) - TIE
            best[at] = {name: cosine for name, cosine in best[at].items() if cosine >= cut}
    hits = sum(len(set(names) & set(nearest)) for names, nearest in zip(found, best, strict=True))
    return hits / sum(min(NEIGHBOURS, dataset.manifest.chunks) for _ in found)


def _kth(cosines: Any) -> float:
    """The smallest of the NEIGHBOURS largest, -1 when there are fewer."""
    largest = sorted(cosines, reverse=True)[:NEIGHBOURS]
    return largest[-1] if len(largest) == NEIGHBOURS else -1.0


def report(small: Outcome, large: Outcome) -> int:
    sizes = [f"{one.passage.chunks:,} chunks" for one in (small, large)]
    print(f"{'':20s}{sizes[0]:>28s}{sizes[1]:>28s}")
    print(f"{'':20s}" + 2 * f"{'tasks':>8s}{'µs/chunk':>10s}{'peak MB':>10s}" + f"{'ratio':>8s}")
    for stage in STAGES:
        columns = "".join(_stage(one.passage, stage) for one in (small, large))
        print(f"{stage:20s}{columns}{_ratio(small, large, stage):8.2f}")
    peak = max(one.passage.peak_bytes(stage) for one in (small, large) for stage in STAGES)
    totals = [f"{_per_chunk(one.passage):18.1f}{'':10s}" for one in (small, large)]
    print(f"{'together':20s}{''.join(totals)}{_ratio(small, large):8.2f}")
    print(f"{'elapsed':20s}" + "".join(f"{one.elapsed_s:16.0f} s{'':10s}" for one in (small, large)))
    print()
    for name in small.answers.medians_s:
        columns = "".join(f"{one.answers.medians_s[name] * 1e3:15.1f} ms{'':10s}" for one in (small, large))
        print(f"{name:20s}{columns}")
    print(f"{'recall@10':20s}" + "".join(f"{one.answers.recall:18.4f}{'':10s}" for one in (small, large)))
    peaks = "".join(f"{one.answers.peak_bytes / 1e6:15.0f} MB{'':10s}" for one in (small, large))
    print(f"{'memory of asking':20s}{peaks}")
    recall = min(one.answers.recall for one in (small, large))
    kept = peak <= MAX_PEAK_BYTES and _ratio(small, large) <= MAX_RATIO and recall >= MIN_RECALL
    return 0 if kept else 1


def _stage(passage: Passage, stage: str) -> str:
    tasks = len(passage.tasks[stage])
    return f"{tasks:8d}{_per_chunk(passage, stage):10.1f}{passage.peak_bytes(stage) / 1e6:10.0f}"


def _per_chunk(passage: Passage, *stages: str) -> float:
    """Processor microseconds per chunk."""
    return passage.cpu_s(*stages) / passage.chunks * 1e6


def _ratio(small: Outcome, large: Outcome, *stages: str) -> float:
    before = _per_chunk(small.passage, *stages)
    return _per_chunk(large.passage, *stages) / before if before else float("nan")


if __name__ == "__main__":
    sys.exit(main())
