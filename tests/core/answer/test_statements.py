"""An answer's statements are found whatever the pieces it arrives in, and nothing of it is lost."""

from __future__ import annotations

import pytest

from askrepo.answer.statements import MAX_SENTENCE_CHARS, Block, StatementSplitter

ANSWER = """It waits 2**attempt seconds [1]. Then e.g. `a.b. C` stops, i.e. Foo does. [2] And "one. Two" more.
It wraps to
the next line [3].

## Heading here

The options are:

- `--foo`: does x [1]
- **bar** is. Second one.
1. Numbered item [2].

| a | b |
|---|---|
| x | y [1] |

> quoted line. Two
> again

```python
def f():
    return 1
```
Last "one. Here`s it
It is 5. [1][2: unresolved]. \u5b83\u7b49\u5f85\u3002\u7136\u540e [1]\u3002 Then"""
STATEMENTS = [
    "It waits 2**attempt seconds [1].",
    "Then e.g. `a.b. C` stops, i.e. Foo does. [2]",
    'And "one. Two" more.',
    "It wraps to\nthe next line [3].",
    "The options are:",
    "`--foo`: does x [1]",
    "**bar** is.",
    "Second one.",
    "Numbered item [2].",
    "| x | y [1] |\n",
    "> quoted line. Two\n",
    "> again\n",
    "```\n",
    'Last "one.',
    "Here`s it\nIt is 5. [1][2: unresolved].",
    "\u5b83\u7b49\u5f85\u3002",
    "\u7136\u540e [1]\u3002",
    "Then",
]


def blocks(text: str, size: int) -> list[Block]:
    splitter = StatementSplitter()
    found = [block for at in range(0, len(text), size) for block in splitter.add(text[at : at + size])]
    return [*found, *splitter.end()]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40, 10_000])
def test_statements_do_not_depend_on_the_pieces(size: int) -> None:
    assert [block.text for block in blocks(ANSWER, size) if block.kind != "other"] == STATEMENTS


@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_nothing_is_lost_or_added(size: int) -> None:
    hostile = ANSWER + "\n~~~\nunclosed [1]\n\n\n \u201copen `x [1] (" + "word " * 700
    assert "".join(block.text for block in blocks(hostile, size)) == hostile


def test_a_sentence_is_given_before_the_next_one_is_whole() -> None:
    splitter = StatementSplitter()
    assert [block.text for block in splitter.add("It waits [1]. Then it g")] == ["It waits [1].", " "]


def test_code_comes_whole_at_its_end_and_line_by_line_before() -> None:
    splitter = StatementSplitter()
    assert [block.text for block in splitter.add("```\na = 1\nb")] == ["```\n", "a = 1\n"]
    assert list(splitter.add(" = 2\n```\n")) == [Block("other", "b = 2\n"), Block("code", "```\n", "a = 1\nb = 2\n")]


def test_what_waits_has_a_bound() -> None:
    splitter = StatementSplitter()
    given = "".join(block.text for block in splitter.add("word " * MAX_SENTENCE_CHARS))
    assert len(given) > 4 * MAX_SENTENCE_CHARS - MAX_SENTENCE_CHARS
