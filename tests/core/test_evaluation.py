from __future__ import annotations

import json
import math

import pytest

from askrepo.errors import UsageError
from askrepo.evaluation import OVERALL, EvaluationQuestion, Target, evaluate, found_at, read_questions
from askrepo.types import Chunk, Hit


def hit(path: str, start: int = 1, end: int = 10) -> Hit:
    chunk = Chunk(f"{path}{start}", "o/n", path, "python", "source", (), (), start, end, 1, "text")
    return Hit(1, 1.0, "main", "c" * 40, "u", chunk)


def figures(targets: list[Target], hits: list[Hit]):
    question = EvaluationQuestion("q", tuple(targets), "semantic")
    return evaluate([question], lambda _: hits)[0][OVERALL]


@pytest.mark.parametrize(
    ("target", "at"),
    [
        (Target("b.py"), 2),
        (Target("src/a.py"), 1),
        (Target("c.py"), None),
        (Target("b.py", 30, 35), 3),
        (Target("b.py", 10, 12), 2),
        (Target("b.py", 11, 29), None),
    ],
    ids=["file", "other root", "absent", "later lines", "touching lines", "lines between hits"],
)
def test_target_is_found_at_the_first_hit_that_shows_it(target, at):
    assert found_at([target], [hit("a.py"), hit("b.py", 1, 10), hit("b.py", 30, 40)]) == [at]


def test_path_matches_at_a_slash_only():
    assert found_at([Target("a.py")], [hit("data.py")]) == [None]


def test_only_the_first_ten_hits_count():
    assert found_at([Target("z.py")], [hit(f"{n}.py") for n in range(10)] + [hit("z.py")]) == [None]


def test_figures_of_a_perfect_and_of_an_empty_ranking():
    targets = [Target("a.py"), Target("b.py")]
    perfect, empty = figures(targets, [hit("a.py"), hit("b.py")]), figures(targets, [])
    assert (perfect.ndcg, perfect.recall, perfect.mrr) == (1.0, 1.0, 1.0)
    assert (empty.ndcg, empty.recall, empty.mrr) == (0.0, 0.0, 0.0)


def test_one_of_two_targets_at_rank_three():
    found = figures([Target("a.py"), Target("b.py")], [hit("x.py"), hit("y.py"), hit("b.py")])
    assert found.ndcg == pytest.approx((1 / math.log2(4)) / (1 + 1 / math.log2(3)))
    assert (found.recall, found.mrr) == (0.5, pytest.approx(1 / 3))


def test_figures_are_per_category_and_overall():
    questions = [EvaluationQuestion(path, (Target(path),), kind) for path, kind in [("a.py", "x"), ("b.py", "y")]]
    found, ranked = evaluate(questions, lambda query: [hit("a.py")] if query == "a.py" else [])
    assert {kind: means.ndcg for kind, means in found.items()} == {"x": 1.0, "y": 0.0, OVERALL: 0.5}
    assert [len(hits) for hits in ranked] == [1, 0]


def test_questions_are_read_with_both_forms_of_targets():
    line = {"query": "q", "relevant": ["a.py"], "secondary": [{"path": "b.py", "start_line": 3, "end_line": 9}]}
    [question] = read_questions([json.dumps(line), ""])
    assert question == EvaluationQuestion("q", (Target("a.py"), Target("b.py", 3, 9)), "uncategorised")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1 is not JSON"),
        ("[]", "line 1 has no 'query'"),
        ('{"query": " ", "relevant": ["a"]}', "line 1 has no 'query'"),
        ('{"query": "q"}', "line 1 names nothing relevant"),
        ('{"query": "q", "relevant": "a.py"}', "must be lists"),
        ('{"query": "q", "relevant": [{"path": "a", "start_line": 1}]}', "a target is a path"),
        ("", "there is no question"),
    ],
)
def test_a_bad_line_is_named(line, message):
    with pytest.raises(UsageError, match=message):
        read_questions([line])
