"""Token counts work offline, whatever the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askrepo.text import tokens
from askrepo.text.tokens import count_tokens, total_tokens, truncate
from tests.growth import is_linear


@pytest.mark.parametrize(("text", "count"), [("", 0), ("hello world", 2), ("tiktoken is great!", 6)])
def test_counts_are_those_of_cl100k_base(text: str, count: int) -> None:
    assert count_tokens(text) == count


@given(st.lists(st.text(max_size=60) | st.sampled_from(["<|endoftext|>", "", "word " * 10_000]), max_size=8))
def test_total_is_the_sum(texts: list[str]) -> None:
    assert total_tokens(texts) == sum(map(count_tokens, texts))


def test_total_of_more_texts_than_are_in_memory_at_once() -> None:
    assert total_tokens("one two three" for _ in range(2 * tokens.BATCH_PIECES + 1)) == 3 * (
        2 * tokens.BATCH_PIECES + 1
    )


def test_special_tokens_are_plain_text() -> None:
    assert count_tokens("<|endoftext|>") > 1


@pytest.mark.parametrize("unit", ["a", " ", "\n", "=-", "é"])
def test_long_runs_are_counted_in_linear_time(unit: str) -> None:
    assert 0 < count_tokens(unit * 100_000) <= len((unit * 100_000).encode())
    assert is_linear(lambda times: count_tokens(unit * times), 100_000)


@given(st.text(max_size=300), st.integers(min_value=-1, max_value=40))
def test_truncated_text_is_a_beginning_within_the_limit(text: str, limit: int) -> None:
    kept = truncate(text, limit)
    assert text.startswith(kept)
    assert count_tokens(kept) <= max(limit, 0)


def test_text_within_the_limit_stays_whole() -> None:
    text = "word " * 10_000
    assert truncate(text, count_tokens(text)) == text
    assert count_tokens(truncate(text, 7_000)) == 7_000
