"""How long a question takes, and on what, as ratios to the scan of the vectors that it cannot do without.

    .venv/bin/python benchmarks/query_time.py CLONES --questions benchmarks/questions --workspace DIR

Builds one alias over all clones (or takes the one that a run before left in the workspace), then times in this process,
with everything warm, the parts of a search and the whole of it: in turns, question by question. Medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from askrepo.aliases.readers import AliasReader
from askrepo.embedders.embedder import open_embedder
from askrepo.search.gather import LEXICAL, NEAREST, gather
from askrepo.search.order.orders import listing
from askrepo.search.ranking import pooled, ranked
from askrepo.search.request import requests_for
from askrepo.search.search import EVERYTHING, search
from askrepo.settings import Settings
from askrepo.types import Definition
from askrepo.workspace.objects import Workspace
from benchmarks.builds import build
from benchmarks.question_sets import read_sets
from benchmarks.vector_cache import CachedEmbedder

ENOUGH_CHUNKS = 100_000
WARM_UP = 5  # questions before the clock counts

EMBED, SCAN, WORDS = "embed the question", f"vector scan, {NEAREST} chunks", f"BM25, {LEXICAL} chunks"
RANKING, WHOLE = "ranking", "whole search"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", type=Path, help="folder of local clones, all of which go into one alias")
    parser.add_argument("--questions", type=Path, action="append", required=True, metavar="FOLDER")
    parser.add_argument("--workspace", required=True, help="where the alias is kept")
    parser.add_argument("--vectors", type=Path, help="file that keeps vectors; default: in ASKREPO_CACHE")
    parser.add_argument("--rounds", type=int, default=3, help="times that each question is asked")
    arguments = parser.parse_args()
    reader = open_reader(arguments.clones.resolve(), arguments.workspace, arguments.vectors)
    questions = [
        asked.query for folder in arguments.questions for each in read_sets(folder) for asked in each.questions
    ]
    manifest = reader.entry.manifest
    if manifest.chunks < ENOUGH_CHUNKS:
        print(f"only {manifest.chunks:,} chunks: add clones to reach {ENOUGH_CHUNKS:,}", file=sys.stderr)
    times = measured(reader, questions, rounds=arguments.rounds)
    medians = {part: statistics.median(values) for part, values in times.items()}
    asked = f"{len(questions)} questions, each {arguments.rounds} times"
    print(f"{manifest.chunks:,} chunks of {len(manifest.snapshots)} repositories; {asked}\n")
    print("| | ms, median | of the scan |\n| --- | --- | --- |")
    for part, median in medians.items():
        print(f"| {part} | {median * 1000:.1f} | {median / medians[SCAN]:.2f} |")


def open_reader(clones: Path, workspace: str, vectors: Path | None) -> AliasReader:
    """All clones as one alias. Its vectors may come from the cache; a question's never does."""
    settings = Settings.from_env(os.environ)
    embedder = open_embedder("local", cache=settings.cache, threads=settings.embed_threads)
    urls = tuple(folder.as_uri() for folder in sorted(clones.iterdir()) if (folder / ".git").exists())
    built = build(
        Definition("query-time", urls),
        workspace=Workspace.open(workspace),
        settings=settings,
        embedder=CachedEmbedder(embedder, vectors or settings.cache / "benchmark-vectors.sqlite"),
    )
    return replace(built.reader, open_embedder=lambda _: embedder)


def measured(reader: AliasReader, questions: list[str], *, rounds: int) -> dict[str, list[float]]:
    """Seconds of each part for each question and round."""
    times: dict[str, list[float]] = {part: [] for part in (EMBED, SCAN, WORDS, RANKING, WHOLE)}
    for question in questions[:WARM_UP]:
        for call in parts(reader, question).values():
            call()
    for _ in range(rounds):
        for question in questions:
            for part, call in parts(reader, question).items():
                started = time.perf_counter()
                call()
                times[part].append(time.perf_counter() - started)
    return times


def parts(reader: AliasReader, question: str) -> dict[str, Callable[[], object]]:
    """What a search does, each part ready to be called: the ratios are to a scan for as few chunks as are ranked."""
    requests = requests_for(question, readers=[reader], where=EVERYTHING)
    request = requests[0]
    vector, gathered = request.vector(), gather(requests, use_vectors=True)

    def rank() -> object:
        pool = pooled(
            request.question,
            gathered.candidates,
            shares=gathered.shares,
            terms=request.terms,
            rarity=gathered.rarity,
        )
        return listing(ranked(pool), pool)

    return {
        EMBED: lambda: reader.embedder().embed_question(question),
        SCAN: lambda: reader.dataset.nearest(vector, limit=NEAREST),
        WORDS: lambda: request.terms and reader.dataset.lexical(request.terms, limit=LEXICAL),
        RANKING: rank,
        WHOLE: lambda: search(question, readers=[reader]),
    }


if __name__ == "__main__":
    main()
