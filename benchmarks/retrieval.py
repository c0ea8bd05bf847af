"""How well each way of ranking finds the evidence: the origin's recipe, all strategies, the default without each part.

    .venv/bin/python benchmarks/retrieval.py CLONES --questions benchmarks/questions [--questions PUBLIC]

CLONES holds a checkout per repository, under the name that the questions' index gives it. Each becomes a dataset, whole
and, for a set in the public benchmark's format, once more of its source folder alone, through the pipeline's own
stages. All systems answer all questions in one run. Writes the tables between two marks in docs/benchmarks.md and the
plot beside it; vectors are kept on disk, so that only the first run takes long.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from askrepo.embedders import open_embedder
from askrepo.evaluation import Retrieved, Span, figures_of
from askrepo.settings import Settings
from askrepo.types import Definition
from askrepo.workspace import Workspace
from benchmarks.builds import Build, build
from benchmarks.origin_recipe import OriginRecipe
from benchmarks.plot import write_plot
from benchmarks.question_sets import HALVES, QuestionSet, read_sets
from benchmarks.report import write_page
from benchmarks.results import Result, Setting
from benchmarks.systems import check_recipe, systems
from benchmarks.vector_cache import CachedEmbedder

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "retrieval.svg"


@dataclass(frozen=True)
class Bench:
    """What all measurements share."""

    clones: Path
    workspace: Workspace
    settings: Settings
    embedder: CachedEmbedder
    hits: Path | None


def main(args: Sequence[str] | None = None) -> None:
    arguments = parsed(args)
    logging.getLogger("langchain_text_splitters").setLevel(logging.ERROR)  # a warning per paragraph that is too long
    settings = Settings.from_env(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(
            clones=arguments.clones.resolve(),
            workspace=Workspace.open(arguments.workspace or folder),
            settings=settings,
            embedder=CachedEmbedder(
                open_embedder(arguments.embedder, cache=settings.cache, threads=settings.embed_threads),
                arguments.vectors or settings.cache / "benchmark-vectors.sqlite",
            ),
            hits=arguments.hits,
        )
        results = [result for questions in chosen_sets(arguments) for result in measure(questions, bench)]
    write_plot(results, arguments.plot)
    write_page(results, arguments.page, plot=arguments.plot)


def parsed(args: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", type=Path, help="folder of local clones, named as in the questions' index")
    parser.add_argument("--questions", type=Path, action="append", required=True, metavar="FOLDER")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only this repository")
    parser.add_argument(
        "--half",
        choices=HALVES,
        help="only these questions of our own sets, untuned repositories left out: tuning looks at one half",
    )
    parser.add_argument("--workspace", help="keep the datasets here, for the next run; default: a temporary folder")
    parser.add_argument("--embedder", default="local")
    parser.add_argument("--vectors", type=Path, help="file that keeps vectors; default: in ASKREPO_CACHE")
    parser.add_argument("--hits", type=Path, metavar="FOLDER", help="write every ranked list and context, per system")
    parser.add_argument("--page", type=Path, default=PAGE, help="Markdown page to write the tables into")
    parser.add_argument("--plot", type=Path, default=PLOT, help="SVG file")
    arguments = parser.parse_args(args)
    if arguments.hits and arguments.hits.exists() and any(arguments.hits.iterdir()):
        parser.error(f"{arguments.hits} is not empty")
    return arguments


def chosen_sets(arguments: argparse.Namespace) -> list[QuestionSet]:
    sets = [each for folder in arguments.questions for each in read_sets(folder)]
    named = [each for each in sets if not arguments.only or each.name in arguments.only]
    asked = [each.of_half(arguments.half) for each in named] if arguments.half else named
    return [each for each in asked if each.questions]


def measure(questions: QuestionSet, bench: Bench) -> list[Result]:
    """Figures of every system for every question, in every setting of the set."""
    clone = bench.clones / questions.name
    if not clone.is_dir():
        note(f"{questions.name}: no clone at {clone}, left out")
        return []
    settings: tuple[Setting, ...] = ("own",) if questions.is_own else ("whole", "source")
    return [result for setting in settings for result in measure_setting(questions, setting, clone, bench)]


def measure_setting(questions: QuestionSet, setting: Setting, clone: Path, bench: Bench) -> list[Result]:
    note(f"{questions.name} {setting}: building")
    started = time.monotonic()
    built = build_setting(questions, setting, clone, bench)
    origin = OriginRecipe.build(questions.name, built.files(), embedder=bench.embedder)
    chunks = built.reader.entry.manifest.chunks
    note(f"{questions.name} {setting}: {chunks:,} chunks, {len(origin.pieces):,} pieces, {seconds_since(started)}")
    started = time.monotonic()
    check_recipe(built.reader, questions.questions[0].query)
    results = []
    for name, system in systems(built.reader, origin).items():
        retrieved = [system.retrieve(question.query, with_context=setting == "own") for question in questions.questions]
        results += results_of(questions, setting, name, retrieved)
        if bench.hits:
            write_hits(bench.hits, name, questions, setting, retrieved)
    note(f"{questions.name} {setting}: {len(questions.questions)} questions, {seconds_since(started)}")
    return results


def build_setting(questions: QuestionSet, setting: Setting, clone: Path, bench: Bench) -> Build:
    definition = Definition(
        alias=f"{questions.name}-source" if setting == "source" else questions.name,
        repositories=(f"{clone.as_uri()}{wanted_ref(clone, questions.commit)}",),
        include=(f"{questions.source_root}/**",) if setting == "source" and questions.source_root else (),
        embedder=bench.embedder.spec,
    )
    return build(definition, workspace=bench.workspace, settings=bench.settings, embedder=bench.embedder)


def wanted_ref(clone: Path, commit: str) -> str:
    """`@commit` when the clone has it; else its HEAD is taken, and said so."""
    has = subprocess.run(["git", "-C", clone, "cat-file", "-e", f"{commit}^{{commit}}"], stderr=subprocess.DEVNULL)
    if has.returncode == 0:
        return f"@{commit}"
    note(f"{clone.name}: commit {commit[:10]} is not in the clone, HEAD is taken for it")
    return ""


def results_of(questions: QuestionSet, setting: Setting, system: str, retrieved: Sequence[Retrieved]) -> list[Result]:
    return [
        Result(
            system=system,
            setting=setting,
            repository=questions.name,
            language=questions.language,
            category=question.category,
            part=part,
            figures=figures_of(question.targets, brought),
        )
        for question, part, brought in zip(questions.questions, questions.parts, retrieved, strict=True)
    ]


def write_hits(
    folder: Path, system: str, questions: QuestionSet, setting: Setting, retrieved: Sequence[Retrieved]
) -> None:
    """Append one line per question, so that anyone can compute the figures again."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{re.sub(r'[^a-z0-9]+', '-', system.lower()).strip('-')}.jsonl"
    with file.open("a", encoding="utf-8") as lines:
        for question, part, brought in zip(questions.questions, questions.parts, retrieved, strict=True):
            line = {
                "system": system,
                "setting": setting,
                "repository": questions.name,
                "category": question.category,
                "part": part,
                "query": question.query,
                "hits": [span_json(hit) for hit in brought.hits],
                "context": [span_json(passage) for passage in brought.context],
            }
            lines.write(json.dumps(line) + "\n")


def span_json(span: Span) -> list[str | int]:
    return [span.path, span.start_line, span.end_line]


def seconds_since(started: float) -> str:
    return f"{time.monotonic() - started:.1f} s"


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
