"""`askrepo eval`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.query.conftest import Run, json_lines

QUESTIONS = [
    {"query": "exponential backoff", "relevant": ["src/retry.py"], "category": "semantic"},
    {"query": "enqueue", "relevant": [{"path": "src/queue.ts", "start_line": 1, "end_line": 2}], "category": "symbol"},
    {"query": "enqueue", "relevant": ["no/such/file.py"], "category": "symbol"},
]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(question) + "\n" for question in QUESTIONS))
    return file


def test_figures_per_category_and_overall(run_main: Run, questions: Path) -> None:
    result = run_main("eval", str(questions))
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["semantic", "1"],
        ["symbol", "2"],
        ["overall", "3"],
    ]
    assert "NDCG@10 0.500   recall@10 0.500   MRR 0.500" in result.stdout


def test_figures_as_json(run_main: Run, questions: Path) -> None:
    figures = json_lines(run_main("eval", str(questions), "--json", "--strategy", "bm25"))
    assert figures[0] == {"category": "semantic", "questions": 1, "ndcg": 1.0, "recall": 1.0, "mrr": 1.0}


def test_ranked_lists_can_be_computed_again(run_main: Run, questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "hits.jsonl"
    run_main("eval", str(questions), "--hits", str(out))
    lists = [json.loads(line) for line in out.read_text().splitlines()]
    assert [ranked["query"] for ranked in lists] == [question["query"] for question in QUESTIONS]
    assert set(lists[0]["hits"][0]) == {"path", "start_line", "end_line", "score"}
    assert lists[0]["hits"][0]["path"] == "src/retry.py"


def test_a_bad_file_is_one_error(run_main: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"query": "q"}\n')
    result = run_main("eval", str(tmp_path / "bad.jsonl"))
    assert result.exit_code == 2
    assert "line 1 names nothing relevant" in result.stderr
