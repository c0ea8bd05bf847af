"""How well each way of ranking finds the evidence: the origin's recipe, all strategies, the default without each part.

    .venv/bin/python benchmarks/retrieval.py CLONES --questions benchmarks/questions [--questions PUBLIC]

CLONES holds a clone per repository, bare or not, under the name that the questions' index gives it. Each becomes a
dataset, whole and, for a set in the public benchmark's format, once more of its source folder alone, through the
pipeline's own stages. All systems answer all questions in one run; the origin's recipe, BM25, and the default with and
without vectors are asked for exact names, for names that stand nowhere and for the messages of commits besides (these
of the repository as it was before them, so a shallow clone has none). Writes the tables between two marks in
docs/lab-notebook.md, the chief of them in docs/results.md, and the plot beside them; vectors are kept on disk, so that
only the first run takes long.

In parts: `--results FILE` keeps what was measured, and the page is written of all that the file holds. `--only` takes
some repositories, `--measure` some of the three measures, `--system` some of the systems; what is measured again takes
the place of what was. After a change of the ranking begin with a new file.
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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from askrepo.embedders.embedder import open_embedder
from askrepo.search.evaluation import MEASURES, EvaluationQuestion, Retrieved, Span, figures_of
from askrepo.settings import Settings
from askrepo.types import Definition
from askrepo.workspace.objects import Workspace
from benchmarks import commits, exact_names
from benchmarks.builds import Build, build
from benchmarks.headline import NOTEBOOK, write_headline
from benchmarks.kept_results import kept_with
from benchmarks.origin_recipe import OriginRecipe
from benchmarks.plot import write_plot
from benchmarks.question_sets import HALVES, UNTUNED, Part, QuestionSet, read_sets
from benchmarks.report import write_page
from benchmarks.results import Result, Setting
from benchmarks.systems import BASELINES, SHORT, System, check_recipe, systems
from benchmarks.vector_cache import CachedEmbedder

ROOT = Path(__file__).resolve().parent.parent
PLOT = ROOT / "docs" / "retrieval.svg"

QUESTIONS, NAMES, COMMITS = KINDS = ("questions", "names", "commits")
"""What is measured."""


@dataclass(frozen=True)
class Bench:
    """What all measurements share."""

    clones: Path
    workspace: Workspace
    settings: Settings
    embedder: CachedEmbedder
    hits: Path | None
    measures: frozenset[str]
    only: frozenset[str]

    def baselines(self) -> frozenset[str]:
        """The names of the systems that answer for names and commits."""
        return frozenset(BASELINES) & self.only if self.only else frozenset(BASELINES)


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
            measures=frozenset(arguments.measure or KINDS),
            only=frozenset(SHORT[name] for name in arguments.system),
        )
        results = kept_with(arguments.results, []) if arguments.results else []
        for questions in chosen_sets(arguments):
            measured = measure(questions, bench)
            results = kept_with(arguments.results, measured) if arguments.results else results + measured
    write_plot(results, arguments.plot)
    write_page(results, arguments.page, plot=arguments.plot)
    if arguments.page == NOTEBOOK:
        write_headline()


def parsed(args: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", type=Path, help="folder of local clones, named as in the questions' index")
    parser.add_argument("--questions", type=Path, action="append", required=True, metavar="FOLDER")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only this repository")
    parser.add_argument("--measure", action="append", choices=KINDS, help="only this; default: all")
    parser.add_argument("--system", action="append", default=[], choices=SHORT, help="only this system; default: all")
    parser.add_argument("--results", type=Path, metavar="FILE", help="keep what is measured; the page is of all kept")
    parser.add_argument(
        "--half",
        choices=HALVES,
        help="only these questions of our own sets, untuned repositories left out: tuning looks at one half",
    )
    parser.add_argument("--workspace", help="keep the datasets here, for the next run; default: a temporary folder")
    parser.add_argument("--embedder", default="local")
    parser.add_argument("--vectors", type=Path, help="file that keeps vectors; default: in ASKREPO_CACHE")
    parser.add_argument("--hits", type=Path, metavar="FOLDER", help="write every ranked list and context, per system")
    parser.add_argument("--page", type=Path, default=NOTEBOOK, help="Markdown page to write the tables into")
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
    results = [result for setting in settings for result in measure_setting(questions, setting, clone, bench)]
    if COMMITS in bench.measures and questions.is_own and bench.baselines():
        results += measure_commits(questions, clone, bench)
    return results


def measure_setting(questions: QuestionSet, setting: Setting, clone: Path, bench: Bench) -> Iterator[Result]:
    """Figures for the set's questions, and for names where the whole repository is indexed."""
    wants_names = NAMES in bench.measures and setting != "source"
    if QUESTIONS not in bench.measures and not wants_names:
        return
    note(f"{questions.name} {setting}: building")
    started = time.monotonic()
    built = build_setting(questions, setting, clone, bench)
    asked = systems(built.reader, lambda: recipe_of(questions, built, bench), only=bench.only)
    note(f"{questions.name} {setting}: {built.reader.entry.manifest.chunks:,} chunks, {seconds_since(started)}")
    if QUESTIONS in bench.measures:
        check_recipe(built.reader, questions.questions[0].query)
        yield from measure_questions(questions, setting, asked, bench)
    if wants_names:
        yield from measure_names(questions, built, asked, bench)


def recipe_of(questions: QuestionSet, built: Build, bench: Bench) -> OriginRecipe:
    return OriginRecipe.build(questions.name, built.files(), embedder=bench.embedder)


def measure_questions(
    questions: QuestionSet, setting: Setting, asked: Mapping[str, System], bench: Bench
) -> Iterator[Result]:
    started = time.monotonic()
    for name, system in asked.items():
        retrieved = [system.retrieve(question.query, with_context=setting == "own") for question in questions.questions]
        for question, part, brought in zip(questions.questions, questions.parts, retrieved, strict=True):
            figures = evaluated(question, brought)
            yield Result(name, setting, questions.name, questions.language, question.category, part, figures)
        if bench.hits:
            write_hits(bench.hits, name, questions, setting, retrieved)
    note(f"{questions.name} {setting}: {len(questions.questions)} questions, {seconds_since(started)}")


def evaluated(question: EvaluationQuestion, brought: Retrieved) -> dict[str, float]:
    figures = figures_of(question.targets, brought)
    return {name: getattr(figures, name) for name in MEASURES}


def measure_names(questions: QuestionSet, built: Build, asked: Mapping[str, System], bench: Bench) -> Iterator[Result]:
    """Figures for names that stand in the repository, and for such that do not."""
    started = time.monotonic()
    named = exact_names.questions(built.reader)
    for name in (name for name in asked if name in bench.baselines()):
        for each in named:
            figures = each.figures(asked[name].listing(each.query), asked[name].absent(each.query))
            yield Result(name, "names", questions.name, questions.language, each.kind, freest(questions), figures)
    note(f"{questions.name} names: {len(named)} questions, {seconds_since(started)}")


def measure_commits(questions: QuestionSet, clone: Path, bench: Bench) -> Iterator[Result]:
    """Figures for the messages of commits, asked of the repository as it was before them."""
    mined = commits.mined(clone, questions.commit)
    if mined is None:
        note(f"{questions.name} commits: none, is the clone shallow?")
        return
    started = time.monotonic()
    before = replace(questions, commit=mined.base)
    built = build_setting(before, "commits", clone, bench)
    asked = systems(built.reader, lambda: recipe_of(questions, built, bench), only=bench.baselines())
    for name, system in asked.items():
        for question in mined.questions:
            figures = evaluated(question, system.retrieve(question.query, with_context=False))
            yield Result(name, "commits", questions.name, questions.language, "commits", freest(questions), figures)
    note(f"{questions.name} commits: {len(mined.questions)} of {mined.base[:10]}, {seconds_since(started)}")


def freest(questions: QuestionSet) -> Part:
    """The part that what has no halves belongs to."""
    return UNTUNED if questions.is_untuned else "development"


def build_setting(questions: QuestionSet, setting: Setting, clone: Path, bench: Bench) -> Build:
    """The dataset of a repository.

    :raises SystemExit: the folder is a link to one of another name, which would be taken for the project's: search
        leaves that out of a question, and finds the home folder by it.
    """
    name = clone.resolve().name
    if name != clone.name:
        raise SystemExit(f"{clone} is a link, so that search would call the project {name!r}: clone it there instead")
    definition = Definition(
        alias=f"{questions.name}-{setting}" if setting in ("source", "commits") else questions.name,
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
