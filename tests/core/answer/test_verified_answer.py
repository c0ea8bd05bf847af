"""Marks reach the reader with the sentence that they are about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from askrepo.answer.citations import Cited
from askrepo.answer.verification import Elsewhere, Verifier
from askrepo.answer.verified_answer import VerifiedAnswer
from tests.core.answer.test_verification import SOURCES, Stored, lines_of
from tests.growth import is_linear

PATH_LINES = {("src/retry.py", 11, 12): SOURCES[0].lines[:2]}


def look_up(path: str, start: int, end: int) -> Cited | None:
    if (path, start, end) not in PATH_LINES:
        return None
    return Cited(None, lines_of(None, "a\nb\n", path).citation, "https://example.org")


def answer(elsewhere: Elsewhere | None = None) -> VerifiedAnswer:
    lines = lambda citation: PATH_LINES[citation.path, citation.start_line, citation.end_line]  # noqa: E731
    return VerifiedAnswer(Verifier(list(SOURCES), elsewhere or Stored()), look_up, lines)


def shown(text: str, elsewhere: Elsewhere | None = None, size: int = 3) -> str:
    return "".join(answer(elsewhere).marked(text[at : at + size] for at in range(0, len(text), size)))


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("`backoff` waits [1]. Fine [2].", "`backoff` waits [1]. Fine [2]."),
        ("`Retrier` has a `retry_limit` [1].", "`Retrier` has a `retry_limit` (not found) [1]."),
        ('It says "wait for ever" [1]!', 'It says "wait for ever" (not found) [1]!'),
        ("`base_delay` is 600 ms [1].", "`base_delay` is 600 ms (not found) [1]."),
        ("`max_attempts` bounds it [2].", "`max_attempts` bounds it [1] (corrected from [2])."),
        ("`max_attempts` bounds it [2][3].", "`max_attempts` bounds it [1] (corrected from [2][3])."),
        ("Both `--batch-size` and `max_attempts` [2].", "Both `--batch-size` and `max_attempts` [2] [1] (added)."),
        ("`max_attempts` bounds it (source 2).", "`max_attempts` bounds it (source 2) [1] (corrected from [2])."),
        ("Messages wait in `pending` for a worker.", "Messages wait in `pending` for a worker \u2248[2]."),
        ("PostgreSQL stores every job with a lock.", "PostgreSQL stores every job with a lock (no source)."),
        ("The `row_lock` protects every job there is.", "The `row_lock` (not found) protects every job there is."),
        ("Yes. It just works.", "Yes. It just works."),
        ("How does it wait for `workers`?", "How does it wait for `workers`?"),
        ("The sources do not say who locks the jobs.", "The sources do not say who locks the jobs."),
        ("Parts [1]:\n\n- `backoff`\n- `retry_limit`\n", "Parts [1]:\n\n- `backoff`\n- `retry_limit` (not found)\n"),
        ("It is at src/retry.py:11-12: `Retrier`.", "It is at src/retry.py:11-12: `Retrier`."),
        ("> Tries again with exponential backoff.\n", "> Tries again with exponential backoff \u2248[1].\n"),
        ("| a |\n|---|\n| `drain`, `gone` [3] |\n", "| a |\n|---|\n| `drain`, `gone` (not found) [3] |\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 1000])
def test_a_mark_stands_behind_what_it_is_about(written: str, printed: str, size: int) -> None:
    assert shown(written, size=size) == printed


def test_what_only_the_dataset_holds_is_cited_by_its_lines() -> None:
    stored = Stored([lines_of(None, "def requeue(message):\n    pending.append(message)\n", "src/requeue.py")])
    assert shown("`requeue` fills `pending` [1].", stored) == (
        "`requeue` fills `pending` src/requeue.py:11-12 (corrected from [1])."
    )


def test_code_is_judged_where_it_ends() -> None:
    code = "It is short [1]:\n\n```python\n{}\n```\nRight [1]."
    good = code.format("def backoff(self, attempt: int) -> float:\n    ...")
    assert shown(good) == good
    assert "```\n(in no source: `return forever(1)`)\nRight" in shown(
        code.format("class Retrier:\n    return forever(1)")
    )
    assert "```\n(this code stands in no source)\nRight" in shown(code.format("return forever(1)"))


def test_the_summary_counts_every_statement() -> None:
    checked = answer()
    list(checked.marked(["`backoff` waits [1]. `retry_limit` [1]. `max_attempts` [2]. It waits longer [1]. Yes.\n"]))
    assert (
        checked.summary() == "4 statements: 1 verified, 1 repaired, 1 cited, 1 not found \u00b7 not found: retry_limit"
    )


def test_an_answer_without_statements_has_no_summary() -> None:
    checked = answer()
    assert "".join(checked.marked(["Yes. ", "It works!"])) == "Yes. It works!"
    assert checked.summary() == ""


@pytest.mark.parametrize(
    ("text", "holds"),
    [("`backoff` [1].", True), ("`retry_limit` [1].", False), ("`retry_limit` [1]. It waits [1].", True), ("", True)],
)
def test_an_answer_holds_when_anything_cited_does(text: str, holds: bool) -> None:
    checked = answer()
    list(checked.marked([text]))
    assert checked.holds == holds


def test_what_was_held_back_is_shown_when_the_answer_breaks_off() -> None:
    def pieces() -> Iterator[str]:
        yield "It waits [1] for a"
        raise ConnectionError

    marked = answer().marked(pieces())
    assert next(marked) == "It waits [1] for a"
    with pytest.raises(ConnectionError):
        next(marked)


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    ["`", '"', "`a` ", "[1]", "[1] ", ". ", "a. B", "> ", "| a ", "- ", "1. ", "\n", "\n\n", "# ", "```\n", "9 s ",
     "a/b.py ", "\u201c", "'a' ", "...", "` `", "**", "(", "a_b ", "\u3002", "x = 1\n", " ", "<a> "],
)  # fmt: skip
def test_answers_are_checked_in_linear_time(unit: str) -> None:
    assert is_linear(lambda chars: shown((unit * chars)[:chars] + " [1].", size=40), 48_000)
