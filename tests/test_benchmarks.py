"""The parts of the retrieval benchmark that its figures rest on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from askrepo.embedders.hashed import HashedEmbedder
from askrepo.evaluation import Figures
from askrepo.search.ranking import SIGNALS
from benchmarks import retrieval
from benchmarks.origin_recipe import OriginRecipe, split
from benchmarks.plot import write_plot
from benchmarks.question_sets import half_of
from benchmarks.report import BEGIN, END, report, with_section
from benchmarks.results import Result, mean, mean_over_repositories
from benchmarks.systems import DEFAULT, ORIGIN, WITHOUT
from benchmarks.vector_cache import CachedEmbedder
from tests.conftest import GitRepository
from tests.fakes import CountingEmbedder

PARAGRAPH = " ".join(["word"] * 100)


def test_pieces_know_their_lines_however_many_blank_lines_are_between_them() -> None:
    text = f"\n\nfirst\n\n\n\nsecond\n\n{PARAGRAPH}\n\n{PARAGRAPH}\n\n\nlast\nline\n"
    lines = text.split("\n")
    pieces = list(split("r", "a.md", text))
    assert len(pieces) == 2
    for piece in pieces:
        assert lines[piece.start_line - 1].strip() == piece.text.split("\n")[0]
        assert lines[piece.end_line - 1].strip() == piece.text.split("\n")[-1]


def test_pieces_are_cut_at_blank_lines_only() -> None:
    long = "x" * 3000
    assert [len(piece.text) for piece in split("r", "a", f"{long}\n\n{long}")] == [3000, 3000]


def test_mmr_begins_like_cosine_and_then_avoids_what_it_has() -> None:
    files = [("a.py", "retry with backoff"), ("b.py", "retry with backoff"), ("c.py", "the queue")]
    question = "retry queue with backoff"
    recipe = OriginRecipe.build("r", files, embedder=HashedEmbedder())
    assert [piece.path for piece in recipe.cosine(question)] == ["a.py", "b.py", "c.py"]
    assert [piece.path for piece in recipe.mmr(question)] == ["a.py", "c.py", "b.py"]


def test_a_vector_is_computed_once_per_file_of_vectors(tmp_path: Path) -> None:
    file = tmp_path / "vectors.sqlite"
    inner = CountingEmbedder()
    first = CachedEmbedder(inner, file).embed_texts(["a", "b", "a"])
    again = CachedEmbedder(inner, file).embed_texts(["b", "c", "a"])
    assert inner.texts == ["a", "b", "c"]
    assert np.array_equal(again[[2, 0]], first[:2])
    assert np.array_equal(first[0], first[2])


def test_vectors_of_another_embedder_are_not_taken(tmp_path: Path) -> None:
    other = CountingEmbedder(fingerprint="d1" * 16)
    for embedder in (CountingEmbedder(), other):
        CachedEmbedder(embedder, tmp_path / "vectors.sqlite").embed_texts(["a"])
    assert other.texts == ["a"]


def test_halves_alternate() -> None:
    assert [half_of(number) for number in range(4)] == ["development", "confirmation"] * 2


def result(repository: str, *, ndcg: float, system: str = DEFAULT) -> Result:
    figures = Figures(1, ndcg, ndcg, ndcg, ndcg, ndcg, ndcg, ndcg)
    return Result(system, "whole", repository, "go", "semantic", "development", figures)


def test_means_are_over_questions_or_over_repositories() -> None:
    results = [result("a", ndcg=1.0), result("a", ndcg=1.0), result("a", ndcg=1.0), result("b", ndcg=0.0)]
    assert mean(results, "ndcg") == 0.75
    assert mean_over_repositories(results, "ndcg") == 0.5


def test_only_the_section_between_the_marks_is_replaced() -> None:
    section = f"{BEGIN}\nnew \\1\n{END}"
    page = f"# Title\n\nbefore\n\n{BEGIN}\nold\n{END}\n\n## After\n"
    assert with_section(page, section) == f"# Title\n\nbefore\n\n{section}\n\n## After\n"
    assert with_section("# Title\n", section) == f"# Title\n\n{section}\n"


def test_the_default_stands_beside_the_origin() -> None:
    results = [result("a", ndcg=0.9), result("a", ndcg=0.4, system=ORIGIN)]
    assert "| a | go | 0.900 (0.400) | - (-) |" in report(results, plot="p.svg")


def test_the_same_figures_give_the_same_plot(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        write_plot([result("a", ndcg=0.9), result("a", ndcg=0.4, system=ORIGIN)], tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


FILES = {
    "README.md": "# Parcel\n\nParcel delivers messages between services, for teams with queues.\n",
    "src/retry.py": "class Retrier:\n    def backoff(self, attempt):\n        return 2.0**attempt\n",
    "tests/test_retry.py": "def test_backoff():\n    assert Retrier().backoff(1) == 2.0\n",
}
OWN = [
    {"query": "Who is parcel for?", "category": "overview", "relevant": ["README.md"], "note": "n"},
    {"query": "backoff", "category": "code", "relevant": [{"path": "src/retry.py", "start_line": 2, "end_line": 3}]},
]
PUBLIC = [{"query": "backoff", "category": "symbol", "relevant": ["src/retry.py"]}]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """A clone, and folders `own` and `public` of questions about it."""
    commit = GitRepository(tmp_path / "clones" / "parcel").commit(FILES)
    entry = {"name": "parcel", "language": "python", "url": "https://example.org/parcel"}
    folders = {
        "own": ("repositories.json", {**entry, "commit": commit}, OWN),
        "public": ("repos.json", {**entry, "revision": commit, "benchmark_root": "src"}, PUBLIC),
    }
    for folder, (index, values, lines) in folders.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / index).write_text(json.dumps([values]))
        (tmp_path / folder / "parcel.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def test_every_system_answers_every_question_in_every_setting(questions: Path) -> None:
    retrieval.main(
        [str(questions / "clones"), "--questions", str(questions / "own"), "--questions", str(questions / "public"),
         "--embedder", "hash", "--vectors", str(questions / "v.sqlite"), "--hits", str(questions / "hits"),
         "--page", str(questions / "page.md"), "--plot", str(questions / "plot.svg")]
    )  # fmt: skip
    lists = [json.loads(line) for file in (questions / "hits").iterdir() for line in file.read_text().splitlines()]
    settings = {(each["setting"], each["query"]) for each in lists}
    assert settings == {("own", "Who is parcel for?"), ("own", "backoff"), ("whole", "backoff"), ("source", "backoff")}
    systems = {each["system"] for each in lists}
    assert len(lists) == len(systems) * len(settings)
    assert systems > {ORIGIN, DEFAULT, *(f"{WITHOUT}{name}" for name in SIGNALS), f"{WITHOUT}prior", f"{WITHOUT}decay"}
    assert {hit[0] for each in lists if each["setting"] == "source" for hit in each["hits"]} == {"src/retry.py"}
    assert all(each["context"] for each in lists if each["setting"] == "own" and each["system"] == DEFAULT)
    assert "| **hybrid (default)** |" in (questions / "page.md").read_text()
    assert (questions / "plot.svg").stat().st_size


def test_one_half_can_be_left_unseen(questions: Path) -> None:
    retrieval.main(
        [str(questions / "clones"), "--questions", str(questions / "own"), "--half", "development",
         "--embedder", "hash", "--vectors", str(questions / "v.sqlite"), "--hits", str(questions / "hits"),
         "--page", str(questions / "page.md"), "--plot", str(questions / "plot.svg")]
    )  # fmt: skip
    page = (questions / "page.md").read_text()
    assert "development half" in page
    assert "confirmation half" not in page
    assert "Who is parcel for?" in (questions / "hits" / "cosine.jsonl").read_text()
    assert "backoff" not in (questions / "hits" / "cosine.jsonl").read_text()
