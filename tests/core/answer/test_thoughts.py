from __future__ import annotations

import pytest

from askrepo.answer.thoughts import without_thoughts
from tests.growth import is_linear
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
    assert is_linear(lambda chars: shown(part * (chars // len(part)), 5), 50_000)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<think>a</think>First [1].<think>b [9]</think> Then [2].", "First [1]. Then [2]."),
        ("<think>a</think>First [1]. <think>b</think>\nThen [2].", "First [1]. \nThen [2]."),
        ("<think>a</think>The <think> tag opens a thought [1].", "The <think> tag opens a thought [1]."),
        ("<think>a</think>Write `<think>` first and `</think>` last [1].",
         "Write `<think>` first and `</think>` last [1]."),
        ("<antThinking>a</antThinking>It waits [1].", "It waits [1]."),
    ],
    ids=["again", "before a break", "spoken of", "quoted", "in Claude's spelling"],
)  # fmt: skip
def test_who_has_thought_may_think_again_in_mid_line(text: str, left: str, size: int) -> None:
    assert shown(text, size) == left


@pytest.mark.parametrize("is_plain", [False, True], ids=["unknown", "plain"])
@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    "mark", ["<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<\uff5cend\u2581of\u2581sentence\uff5c>"]
)
def test_the_mark_at_an_answers_end_goes_and_the_quoted_one_stays(mark: str, size: int, is_plain: bool) -> None:
    answer = f"The model stops at `{mark}` [1]:\n\n```python\nstop = ['{mark}']\n```\n\nThat is all."
    assert shown(answer + mark, size, is_plain=is_plain) == answer
