from __future__ import annotations

import logging
from datetime import UTC, datetime

import click
import pytest

from askrepo.plain import columns
from askrepo.search import STRATEGIES as KNOWN_STRATEGIES
from askrepo.types import Chunk, Hit
from query.options import STRATEGIES
from query.output import age, best_window, dataset_id, excerpt, show_warnings_plainly, symbol_of

NOW = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)


def hit(text: str = "a\n", *, symbols: tuple[str, ...] = (), scope: tuple[str, ...] = (), start_line: int = 1) -> Hit:
    end_line = start_line + text.removesuffix("\n").count("\n")
    chunk = Chunk("0" * 32, "acme/app", "a.py", "python", "source", symbols, scope, start_line, end_line, 1, text)
    return Hit(1, 1.0, "main", "c" * 40, "https://example.org", chunk)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-05-03T11:59:40Z", "just now"),
        ("2026-05-03T12:00:10Z", "just now"),
        ("2026-05-03T11:18:00+00:00", "42 min ago"),
        ("2026-05-03T09:00:00", "3 h ago"),
        ("2026-05-02T10:00:00Z", "26 h ago"),
        ("2026-04-30T12:00:00Z", "3 days ago"),
    ],
)
def test_age_is_told_in_the_unit_that_fits(moment: str, shown: str) -> None:
    assert age(moment, now=NOW) == shown


@pytest.mark.parametrize(
    ("lines", "words", "first"),
    [
        (["a", "retry", "b", "c"], ["retry"], 1),
        (["retry", "a", "b", "retry policy", "c"], ["retry", "policy"], 3),
        (["a", "retry", "b", "policy of retry", "c"], ["retry", "policy"], 3),
        (["a", "b", "c"], ["nothing"], 0),
        (["retry"], ["retry"], 0),
        (["it", "is", "so", "a retry"], ["it", "is", "retry"], 2),
    ],
)
def test_the_excerpt_begins_where_most_words_are_near(lines: list[str], words: list[str], first: int) -> None:
    assert best_window(lines, words=words, size=2) == first


@pytest.mark.parametrize(
    ("symbols", "scope", "shown"),
    [
        ((), (), ""),
        (("run",), (), "run"),
        (("run", "stop"), ("Worker",), "Worker.run"),
        ((), ("Worker", "run"), "run"),
        (("Worker", "run"), ("Worker",), "Worker"),
    ],
)
def test_the_symbol_is_the_first_defined_name_in_its_scope(
    symbols: tuple[str, ...], scope: tuple[str, ...], shown: str
) -> None:
    assert symbol_of(hit(symbols=symbols, scope=scope)) == shown


def test_excerpt_lines_have_their_numbers_and_fit_the_width() -> None:
    lines = excerpt(hit("x" * 99 + "\n\tshort\n", start_line=9), question="q", width=30)
    assert [len(click.unstyle(line)) for line in lines] == [len("    9 │ ") + 22, len("   10 │ ") + len("    short")]


def test_excerpt_lines_with_wide_characters_fit_the_width() -> None:
    lines = excerpt(hit("検索\u200b" * 40 + "\n" + "🙂" * 60 + "\n"), question="q", width=80)
    shown = [click.unstyle(line) for line in lines]
    assert all(columns(line) <= 80 for line in shown)
    assert r"検索\u200b検索" in shown[0]


def test_warnings_of_the_core_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show_warnings_plainly()
    record = logging.makeLogRecord({"msg": "store says %s", "args": ("\x1b[2J\nok",), "levelno": logging.WARNING})
    assert logging.lastResort is not None
    logging.lastResort.handle(record)
    assert capsys.readouterr().err == "store says \\x1b[2J\\nok\n"


@pytest.mark.parametrize("dataset", ["datasets/main/20260503t120000z-abc123", "s3://bucket/d/20260503t120000z-abc123/"])
def test_a_dataset_is_named_by_its_last_part(dataset: str) -> None:
    assert dataset_id(dataset) == "20260503t120000z-abc123"


def test_the_strategies_offered_are_those_there_are() -> None:
    assert set(STRATEGIES) == set(KNOWN_STRATEGIES)
