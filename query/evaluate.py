"""`askrepo eval`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from query.options import SearchOptions, example, search_options
from query.output import freshness, print_json, print_note, print_result
from query.progress import progress

if TYPE_CHECKING:
    from askrepo.evaluation import EvaluationQuestion, Figures
    from askrepo.types import Hit


@click.command(name="eval", epilog=example("askrepo eval questions.jsonl --strategy bm25"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--hits", type=click.Path(dir_okay=False, path_type=Path), help="Write every ranked list here, as JSON.")
@search_options
def evaluate(file: Path, hits: Path | None, options: SearchOptions) -> int:
    """Measure the ranking on questions whose evidence is known.

    FILE has one JSON object per line: query, relevant and secondary (paths, or objects with path, start_line and
    end_line) and category. Prints NDCG@10, recall@10 and MRR per category and overall.
    """
    from askrepo.evaluation import CUT, read_questions
    from askrepo.evaluation import evaluate as figures_of
    from askrepo.search import search

    questions = read_questions(file.read_text(encoding="utf-8").split("\n"))
    readers = options.readers()
    with progress(f"asking {len(questions)} questions"):
        figures, ranked = figures_of(
            questions,
            lambda query: search(
                query, readers=readers, k=options.k or CUT, strategy=options.strategy, where=options.filter()
            ),
        )
    for category, means in figures.items():
        _print_figures(category, means, as_json=options.as_json)
    if hits is not None:
        hits.write_text(_hits_text(questions, ranked), encoding="utf-8")
    for reader in readers:
        print_note(freshness(reader.entry))
    return 0


def _print_figures(category: str, figures: Figures, *, as_json: bool) -> None:
    if as_json:
        print_json({"category": category, **asdict(figures)})
        return
    values = f"NDCG@10 {figures.ndcg:.3f}   recall@10 {figures.recall:.3f}   MRR {figures.mrr:.3f}"
    print_result(f"{category:<16}{figures.questions:5d}   {values}")


def _hits_text(questions: Sequence[EvaluationQuestion], ranked: Sequence[Sequence[Hit]]) -> str:
    """One line per question, so that anyone can compute the figures again."""
    lines = [
        json.dumps({"query": question.query, "hits": [_hit(hit) for hit in hits]})
        for question, hits in zip(questions, ranked, strict=True)
    ]
    return "".join(f"{line}\n" for line in lines)


def _hit(hit: Hit) -> dict[str, object]:
    chunk = hit.chunk
    return {"path": chunk.path, "start_line": chunk.start_line, "end_line": chunk.end_line, "score": hit.score}
