"""The scripted reader uses the tools as a chat model would, and stays within the budget."""

from __future__ import annotations

from pathlib import Path

import pytest

from askrepo.search.evaluation import EvaluationQuestion, Target
from benchmarks.reading import ScriptedReader, lines_shown, one_shot, scripted
from tests.datasets import build_alias

BODY = "".join(f"    step_{n} = prepare(step_{n - 1})  # filler line of the body\n" for n in range(1, 60))
FILES = {
    "src/retry.py": f"import limits\n\n\ndef send_again(message):\n{BODY}    return limits.most_attempts\n",
    "src/limits.py": "# how often\nmost_attempts = 3\n" + "".join(f"other_{n} = {n}\n" for n in range(300)),
}


@pytest.mark.parametrize("budget", [400, 3000, 32_000])
def test_reading_on_shows_no_less_than_one_shot_and_keeps_to_the_budget(tmp_path: Path, budget: int) -> None:
    reader = build_alias(tmp_path, FILES).reader
    targets = (Target("src/retry.py", 4, 64, exact_path=True),)
    question = EvaluationQuestion("how is a message sent again", targets, "code")
    first = one_shot(8000)(question.query, reader, budget)
    further = scripted(question.query, reader, budget)
    assert lines_shown(question, further.sources)[0] >= lines_shown(question, first.sources)[0]
    assert first.tokens <= further.tokens <= budget + 100
    assert sum(source.tokens for source in further.sources) <= budget + 100


def test_shares_count_lines_and_ranges(tmp_path: Path) -> None:
    reader = build_alias(tmp_path, FILES).reader
    shown = scripted("how is a message sent again", reader, 32_000)
    targets = (Target("src/retry.py", 1, 4, exact_path=True), Target("gone.py", 1, 4, exact_path=True))
    assert lines_shown(EvaluationQuestion("q", targets, "code"), shown.sources) == (0.5, 0.5)


def test_halves_of_a_question_are_searched_for_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = build_alias(tmp_path, FILES).reader
    on = ScriptedReader("how is a message sent again", reader, 32_000)
    calls: list[tuple[str, object]] = []
    monkeypatch.setattr(on, "_call", lambda name, arguments: calls.append((name, arguments)))
    dict(on.steps())["halves everywhere"]()
    assert calls == [("search", {"query": part}) for part in ("how is a", "message sent again")]
