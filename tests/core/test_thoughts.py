from __future__ import annotations

import time

import pytest

from askrepo.thoughts import without_thoughts
from tests.query.test_quirks import ANSWER, THINKING

CODE = {
    "quoted": "The tag `</think>` ends a thought [1].",
    "fenced": "Write:\n\n```html\n<think>\n</think>\n```\n\nThat is all [1].",
    "named": "Use `<think>` and `</think>` around it, or <thinking> in text.",
    "less than": "a < b and b > c, x[1] [2] <y>, 1 <",
    "brackets": "See [THE DOCS] and ◁ and [T",
    "long line": "<" * 3000 + " [1]",
    "innocent": "I think </p> of <thinker> and [THINKER].",
}


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def shown(text: str, size: int, *, is_plain: bool = False) -> str:
    return "".join(without_thoughts(cut(text, size), is_plain=lambda: is_plain))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("text", THINKING.values(), ids=THINKING)
def test_only_the_answer_is_left_however_it_is_cut(text: str, size: int) -> None:
    assert shown(text, size).removesuffix("<|return|>") == ANSWER


@pytest.mark.parametrize("is_plain", [False, True], ids=["unknown", "plain"])
@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("text", CODE.values(), ids=CODE)
def test_what_only_speaks_of_tags_stays(text: str, size: int, is_plain: bool) -> None:
    assert shown(text, size, is_plain=is_plain) == text


def test_a_second_thought_is_taken_out_too() -> None:
    assert shown("<think>a</think>First [1].\n<think>b</think>\nSecond [2].", 3) == "First [1].\n\nSecond [2]."


def test_an_unclosed_thought_is_no_answer() -> None:
    assert shown("<think>never said", 3) == ""


def test_an_answer_behind_a_closed_thought_is_passed_on_at_once() -> None:
    pieces = without_thoughts(iter(["<think>a", "</think>", "It ", "starts "]), is_plain=lambda: False)
    assert [next(pieces), next(pieces)] == ["It ", "starts "]


@pytest.mark.parametrize(
    "part", ["<think>", "</think>", "`</think>`", "<", "\n<think></think>", "<|end|>", "[1", "```\n"]
)
def test_long_texts_that_look_like_tags_take_little_time(part: str) -> None:
    started = time.process_time()
    shown(part * (50_000 // len(part)), 5)
    assert time.process_time() - started < 2
