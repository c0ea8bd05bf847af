from __future__ import annotations

import json
import math
from collections.abc import Sequence

import pytest

from askrepo.errors import UsageError
from askrepo.search.evaluation import (
    OVERALL,
    EvaluationQuestion,
    Retrieved,
    Target,
    figures_by_category,
    figures_of,
    found_at,
    mean_of,
    read_questions,
)
from askrepo.types import Citation


def hit(path: str, start: int = 1, end: int = 10) -> Citation:
    return Citation("o/n", "c" * 40, path, start, end)


def figures(targets: list[Target], hits: list[Citation], context: Sequence[Citation] = ()):
    return figures_of(targets, Retrieved(hits, context))


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


@pytest.mark.parametrize(
    ("path", "at"), [("README.md", [2, 1]), ("docs/README.md", [1, 1]), ("a/docs/README.md", [None, 1])]
)
def test_exact_path_is_the_whole_one(path, at):
    hits = [hit("docs/README.md"), hit("README.md")]
    targets = [Target(path, exact_path=True), Target(path)]
    assert found_at(targets, hits) == at


def test_what_is_shown_under_a_hit_counts_as_listed_but_takes_no_rank():
    hits, more = [hit("a.py"), hit("b.py")], [[hit("a.py", 30, 40)], []]
    found = figures_of([Target("a.py", 33, 33), Target("b.py")], Retrieved(hits, more=more))
    alone = figures_of([Target("a.py", 33, 33), Target("b.py")], Retrieved(hits))
    assert (found.recall, alone.recall) == (1.0, 0.5)
    assert (found.ndcg, found.mrr, found.found_at_3) == (alone.ndcg, alone.mrr, alone.found_at_3)


def test_what_is_shown_under_the_eleventh_hit_does_not_count():
    hits = [hit(f"{n}.py") for n in range(11)]
    more = [[] for _ in range(10)] + [[hit("10.py", 30, 40)]]
    assert figures_of([Target("10.py", 33, 33)], Retrieved(hits, more=more)).recall == 0.0


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


def test_two_targets_at_one_rank_gain_once():
    """Like the published benchmark: a hit is relevant or not, however many targets it shows."""
    both = figures([Target("a.py", 1, 2), Target("a.py", 8, 9)], [hit("a.py", 1, 10)])
    assert both.ndcg == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert both.recall == 1.0


def test_ideal_of_more_than_ten_targets_is_ten_hits():
    assert figures([Target(f"{n}.py") for n in range(12)], [hit(f"{n}.py") for n in range(10)]).ndcg == 1.0


@pytest.mark.parametrize(("rank", "at_3", "at_10"), [(1, 1, 1), (3, 1, 1), (4, 0, 1), (10, 0, 1), (11, 0, 0)])
def test_found_asks_for_any_target_among_the_first_hits(rank, at_3, at_10):
    hits = [hit("x.py")] * (rank - 1) + [hit("b.py")]
    found = figures([Target("a.py"), Target("b.py")], hits)
    assert (found.found_at_3, found.found_at_10) == (at_3, at_10)


def test_file_recall_counts_each_file_once_and_ignores_lines():
    targets = [Target("a.py", 1, 5), Target("a.py", 50, 60), Target("b.py", 1, 5)]
    found = figures(targets, [hit("a.py", 20, 30)])
    assert (found.file_recall, found.recall) == (0.5, 0.0)


def test_context_recall_is_the_share_of_targets_that_the_context_shows():
    targets = [Target("a.py", 1, 5), Target("a.py", 50, 60), Target("b.py")]
    found = figures(targets, hits=[], context=[hit("x.py"), hit("a.py", 60, 70), hit("a.py", 6, 49)])
    assert found.context_recall == pytest.approx(1 / 3)


def test_mean_counts_each_of_its_figures_once():
    good, bad = figures([Target("a.py")], [hit("a.py")]), figures([Target("a.py")], [])
    mean = mean_of([mean_of([good]), mean_of([bad, bad, bad])])
    assert (mean.questions, mean.ndcg, mean.found_at_3) == (4, 0.5, 0.5)


def test_figures_are_per_category_and_overall():
    questions = [EvaluationQuestion(path, (Target(path),), kind) for path, kind in [("b.py", "y"), ("a.py", "x")]]
    found = figures_by_category(questions, [Retrieved([]), Retrieved([hit("a.py")])])
    assert [(kind, means.questions, means.ndcg) for kind, means in found.items()] == [
        ("x", 1, 1.0),
        ("y", 1, 0.0),
        (OVERALL, 2, 0.5),
    ]


def test_a_category_of_the_name_overall_counts_once():
    [figures] = figures_by_category([EvaluationQuestion("q", (Target("a"),), OVERALL)], [Retrieved([])]).values()
    assert figures.questions == 1


def test_questions_are_read_with_both_forms_of_targets():
    line = {"query": "q", "relevant": ["a.py"], "secondary": [{"path": "b.py", "start_line": 3, "end_line": 9}]}
    [question] = read_questions([json.dumps(line), ""])
    assert question == EvaluationQuestion("q", (Target("a.py"), Target("b.py", 3, 9)), "uncategorised")


def test_exact_paths_hold_for_every_target():
    line = {"query": "q", "relevant": ["README.md", {"path": "b.py", "start_line": 3, "end_line": 9}]}
    [question] = read_questions([json.dumps(line)], exact_paths=True)
    assert [target.exact_path for target in question.targets] == [True, True]
    assert figures_of(question.targets, Retrieved([hit("docs/README.md")])).file_recall == 0.0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1 is not JSON"),
        ("[]", "line 1 has no 'query'"),
        ('{"query": " ", "relevant": ["a"]}', "line 1 has no 'query'"),
        ('{"query": "q"}', "line 1 names nothing relevant"),
        ('{"query": "q", "relevant": "a.py"}', "must be lists"),
        ('{"query": "q", "relevant": [{"path": "a", "start_line": 1}]}', "a target is a path"),
        ('{"query": "q", "relevant": [{"path": "a", "start_line": 5, "end_line": 4}]}', "a target is a path"),
        ('{"query": "q", "relevant": [{"path": "a", "start_line": 0, "end_line": 4}]}', "a target is a path"),
        ("", "there is no question"),
    ],
)
def test_a_bad_line_is_named(line, message):
    with pytest.raises(UsageError, match=message):
        read_questions([line])
