from __future__ import annotations

import pytest

from askrepo.search.question.phrases import phrases_of
from tests.growth import is_linear


def test_words_and_neighbours_from_the_beginning():
    assert phrases_of("Can I?") == {"^", "can", "i", "?", "^ can", "can i", "i ?"}


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("what\N{RIGHT SINGLE QUOTATION MARK}s PROJECT", "what's project"),
        ("HTTP 404: why", "404 :"),
        ("a_b", "a b"),
        ("retry...later", "retry later"),
    ],
)
def test_marks_that_tell_nothing_are_left_out(text, phrase):
    assert phrase in phrases_of(text)


def test_no_word_is_only_a_beginning():
    assert phrases_of(" \N{SNOWMAN} ") == {"^"}


def test_long_text_is_read_in_linear_time():
    assert is_linear(lambda times: phrases_of("how '?:" * times), 100_000)
