"""`askrepo eval`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.query.conftest import Run, json_lines

QUESTIONS: list[dict[str, Any]] = [
    {"query": "exponential backoff", "relevant": ["src/retry.py"], "category": "semantic"},
    {"query": "enqueue", "relevant": [{"path": "src/queue.ts", "start_line": 1, "end_line": 2}], "category": "symbol"},
    {"query": "enqueue", "relevant": ["no/such/file.py"], "category": "symbol"},
]

HEADINGS = ["found@3", "@10", "NDCG@10", "recall@10", "files", "MRR", "context"]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(question) + "\n" for question in QUESTIONS))
    return file


def test_figures_per_category_and_overall_in_columns(run_main: Run, questions: Path) -> None:
    result = run_main("eval", str(questions))
    assert result.exit_code == 0
    heading, *rows = result.stdout.splitlines()
    assert heading.split() == ["asked", *HEADINGS]
    assert [row.split() for row in rows] == [
        ["semantic", "1", *["1.000"] * 7],
        ["symbol", "2", *["0.500"] * 7],
        ["overall", "3", *["0.667"] * 7],
    ]
    assert {len(row) for row in rows} == {len(heading)}
    assert "context: within 8,000 tokens" in result.stderr


def test_table_fits_a_terminal(run_main: Run, questions: Path) -> None:
    questions.write_text(json.dumps({**QUESTIONS[0], "category": "architecture"}))
    assert max(map(len, run_main("eval", str(questions)).stdout.splitlines())) <= 80


def test_figures_as_json(run_main: Run, questions: Path) -> None:
    figures = json_lines(run_main("eval", str(questions), "--json", "--strategy", "bm25", "--tokens", "500"))
    assert figures[0] == {
        "category": "semantic",
        "questions": 1,
        "found_at_3": 1.0,
        "found_at_10": 1.0,
        "ndcg": 1.0,
        "recall": 1.0,
        "file_recall": 1.0,
        "mrr": 1.0,
        "context_recall": 1.0,
        "context_tokens": 500,
    }


def test_context_is_bounded_by_its_tokens(run_main: Run, questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "hits.jsonl"
    shown = []
    for tokens in ("100", "8000"):
        run_main("eval", str(questions), "--tokens", tokens, "--hits", str(out))
        shown.append(len(json.loads(out.read_text().splitlines()[0])["context"]))
    assert 0 < shown[0] < shown[1]


@pytest.mark.parametrize("k", [[], ["-k", "1"], ["-k", "100"]], ids=["default", "fewer", "more"])
def test_figures_count_ten_hits_whatever_k_is(run_main: Run, questions: Path, k: list[str]) -> None:
    assert run_main("eval", str(questions), *k).stdout == run_main("eval", str(questions)).stdout


def test_exact_paths_are_whole(run_main: Run, questions: Path) -> None:
    questions.write_text(json.dumps({**QUESTIONS[0], "relevant": ["retry.py"]}))
    found = [json_lines(run_main("eval", str(questions), "--json", *args))[0] for args in ([], ["--exact-paths"])]
    assert [figures["found_at_10"] for figures in found] == [1.0, 0.0]


def test_ranked_lists_and_contexts_can_be_computed_again(run_main: Run, questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "hits.jsonl"
    run_main("eval", str(questions), "--hits", str(out))
    lists = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(ranked["query"], ranked["category"]) for ranked in lists] == [
        (question["query"], question["category"]) for question in QUESTIONS
    ]
    assert set(lists[0]["hits"][0]) == {"path", "start_line", "end_line", "score", "more"}
    assert set(lists[0]["context"][0]) == {"path", "start_line", "end_line"}
    assert lists[0]["hits"][0]["path"] == "src/retry.py"


def test_a_bad_file_is_one_error(run_main: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"query": "q"}\n')
    result = run_main("eval", str(tmp_path / "bad.jsonl"))
    assert result.exit_code == 2
    assert "line 1 names nothing relevant" in result.stderr
