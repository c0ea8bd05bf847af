"""`askrepo eval`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from askrepo.errors import UsageError
from askrepo.text.display import columns, padded, plain_line
from askrepo_query.options import SearchOptions, WholeNumber, example, search_options
from askrepo_query.output import freshness, print_json, print_note, print_result
from askrepo_query.progress import progress

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.answer.context import Source
    from askrepo.search.evaluation import EvaluationQuestion, Figures, Span
    from askrepo.types import Hit

    Answers = Sequence[tuple[Sequence[Hit], Sequence[Source]]]

MAX_FILE_BYTES = 100_000_000  # some 300,000 questions
DEFAULT_TOKENS = 8000
MIN_TOKENS, MAX_TOKENS = 100, 10_000_000

# Heading, field of `Figures`.
COLUMNS = (
    ("found@3", "found_at_3"),
    ("@10", "found_at_10"),
    ("NDCG@10", "ndcg"),
    ("recall@10", "recall"),
    ("files", "file_recall"),
    ("MRR", "mrr"),
    ("context", "context_recall"),
)
MIN_COLUMN_CHARS = 5  # of a figure


@click.command(name="eval", epilog=example("askrepo eval questions.jsonl --strategy bm25"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tokens", type=WholeNumber(MIN_TOKENS, MAX_TOKENS), default=DEFAULT_TOKENS, show_default=True,
              help="Tokens of context in which the evidence is looked for.")  # fmt: skip
@click.option("--exact-paths", is_flag=True,
              help="Compare whole paths; otherwise the end of a path is enough.")  # fmt: skip
@click.option("--hits", type=click.Path(dir_okay=False, path_type=Path),
              help="Write every ranked list and context here, as JSON.")  # fmt: skip
@search_options
def evaluate(file: Path, tokens: int, exact_paths: bool, hits: Path | None, options: SearchOptions) -> int:
    """Measure the ranking on questions whose evidence is known.

    FILE has one JSON object per line: query, relevant and secondary (paths, or objects with path, start_line and
    end_line) and category. Prints, per category and overall: the share of questions with a hit among the first 3
    and 10 (found), NDCG@10, the share of the evidence and of its files in the first 10 (recall, files), MRR, and
    the share of the evidence that a chat model would read (context).
    """
    from askrepo.search.evaluation import Retrieved, figures_by_category, read_questions

    questions = read_questions(_text(file).split("\n"), exact_paths=exact_paths)
    if hits is not None and not hits.absolute().parent.is_dir():
        raise UsageError(f"cannot write {hits}: its folder does not exist")
    with progress(f"asking {len(questions)} questions"):
        readers = options.readers()
        answers = [_answer(question.query, options, readers, tokens) for question in questions]
    retrieved = [
        Retrieved(
            [hit.chunk for hit in listing], [source.citation for source in context], [hit.more for hit in listing]
        )
        for listing, context in answers
    ]
    _print_figures(figures_by_category(questions, retrieved), tokens=tokens, as_json=options.as_json)
    if hits is not None:
        hits.write_text(_hits_text(questions, answers), encoding="utf-8")
    for reader in readers:
        print_note(freshness(reader.entry))
    return 0


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise UsageError(f"{file} is larger than {MAX_FILE_BYTES:,} bytes; split it")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8: byte {error.start + 1} is not") from error


def _answer(
    question: str, options: SearchOptions, readers: Sequence[AliasReader], tokens: int
) -> tuple[Sequence[Hit], Sequence[Source]]:
    """The listing and the context of one question; the figures count ten hits even where `-k` asks for fewer."""
    from askrepo.answer.context import context_for
    from askrepo.search.evaluation import CUT
    from askrepo.search.search import search_files

    where = options.filter()
    k = max(options.k or CUT, CUT)
    listing = search_files(question, readers=readers, k=k, strategy=options.strategy, where=where)
    context = context_for(question, readers=readers, max_tokens=tokens, strategy=options.strategy, where=where)
    return listing, context


def _print_figures(figures: Mapping[str, Figures], *, tokens: int, as_json: bool) -> None:
    if as_json:
        for category, means in figures.items():
            print_json({"category": category, **asdict(means), "context_tokens": tokens})
        return
    for line in _table(figures):
        print_result(line)
    print_note(click.style(f"files: in the first ten hits · context: within {tokens:,} tokens", dim=True))


def _table(figures: Mapping[str, Figures]) -> Iterator[str]:
    """A heading, a line per category, and the last one, overall, in bold."""
    names = {category: plain_line(category) for category in figures}
    width = max(map(columns, names.values()))
    headings = "".join(f"  {heading:>{MIN_COLUMN_CHARS}}" for heading, _ in COLUMNS)
    yield click.style(f"{'':<{width}}  asked{headings}", dim=True)
    *_, last = figures
    for category, means in figures.items():
        cells = [f"  {getattr(means, field):>{max(MIN_COLUMN_CHARS, len(heading))}.3f}" for heading, field in COLUMNS]
        yield click.style(
            f"{padded(names[category], width)}  {means.questions:>5}{''.join(cells)}", bold=category == last
        )


def _hits_text(questions: Sequence[EvaluationQuestion], answers: Answers) -> str:
    """One line per question, so that anyone can compute the figures again."""
    lines = [
        json.dumps(
            {
                "query": question.query,
                "category": question.category,
                "hits": [
                    {**_lines(hit.chunk), "score": hit.score, "more": [_lines(chunk) for chunk in hit.more]}
                    for hit in listing
                ],
                "context": [_lines(source.citation) for source in context],
            }
        )
        for question, (listing, context) in zip(questions, answers, strict=True)
    ]
    return "".join(f"{line}\n" for line in lines)


def _lines(span: Span) -> dict[str, object]:
    return {"path": span.path, "start_line": span.start_line, "end_line": span.end_line}
