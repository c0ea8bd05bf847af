"""Markdown of answers, drawn for a terminal as it arrives."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from askrepo.text.display import plain
from askrepo_query.markdown import MAX_BLOCK_CHARS, drawn

PAGE = "https://example.org/{}"
HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]")
LINK = re.compile(r"\x1b\]8;[^;]*;([^\x1b]*)\x1b\\")
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def address(number: int) -> str:
    return PAGE.format(number) if number < 9 else ""


def blocks(*pieces: str, width: int = 80) -> list[str]:
    return list(drawn(pieces, width=width, address_of=address))


def bare(text: str) -> str:
    return COLOUR.sub("", LINK.sub("", text))


def shown(*pieces: str, width: int = 80) -> str:
    return bare("".join(blocks(*pieces, width=width)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Retries\n\nThey wait.", "Retries\n\nThey wait.\n"),
        ("a **bold** `name` *here*", "a bold name here\n"),
        ("lines\nof one\nparagraph", "lines of one paragraph\n"),
        ("- one\n- two\n  - three\n\nafter", " • one\n • two\n    • three\n\nafter\n"),
        ("3. three\n4. four", " 3 three\n 4 four\n"),
        ("> quoted", "▌ quoted\n"),
        ("```python\nx  =  1\n```", "x  =  1\n"),
        ("- a\n\n  ```\n  x  =  1\n  ```", " • a\n   x  =  1\n"),
        ("| a | b |\n|---|---|\n| one | two |", " a    b\n ────────\n one  two\n"),
    ],
    ids=["heading", "emphasis", "paragraph", "list", "numbers", "quotation", "code", "code in a list", "table"],
)
def test_markdown_is_drawn(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_bold_code_and_colours_are_drawn() -> None:
    assert "".join(blocks("**b** `c`\n\n```python\ndef f(): pass\n```")) == (
        "\x1b[1mb\x1b[0m \x1b[36mc\x1b[0m\n\n\x1b[35mdef\x1b[0m \x1b[34m\x1b[1mf\x1b[0m(): \x1b[35mpass\x1b[0m\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "[a page](https://evil.example)", "![x](https://evil.example/x.png)", "<https://evil.example>", "<b>html</b>",
        "&#x202e; &lt;", "[1]: https://evil.example", "__init__ and __main__", "2**n and 3**n", "a_b_c", "[99]",
        "1 < 2", "```two words",
    ],
)  # fmt: skip
def test_what_is_no_markdown_for_a_terminal_stays_as_written(text: str) -> None:
    assert shown(text) == f"{text}\n"


def test_only_citations_are_links() -> None:
    text = "One [1], ≈[2], `[3]`, [99], [x](https://evil.example) <https://evil.example>\n\n[4]: https://evil.example\n"
    told = "".join(blocks(text))
    assert [url for url in LINK.findall(told) if url] == [PAGE.format(number) for number in (1, 2, 4)]
    assert bare(told) == text.replace("`", "")


def test_a_block_is_drawn_once_its_end_is_known() -> None:
    said: list[str] = []

    def pieces() -> Iterator[str]:
        for piece in ("One ", "two.\n", "\n", "- a\n", "- b\n", "\n", "Last."):
            said.append(piece)
            yield piece

    arrived = [(bare(block), len(said)) for block in drawn(pieces(), width=80, address_of=address)]
    assert arrived == [("One two.\n", 3), ("\n • a\n", 5), (" • b\n\nLast.\n", 7)]


def test_of_a_paragraph_full_lines_are_drawn_while_the_rest_has_not_come() -> None:
    words = [f"`word{number}` is **one** of [1], " for number in range(12)]
    told = blocks("# All\n", "\n", *words, "\n\nEnd.", width=40)
    assert [bare(block).count("\n") for block in told][:3] == [1, 2, 1]  # a gap before its first line
    assert bare("".join(told)) == shown("# All\n\n" + "".join(words) + "\n\nEnd.", width=40)


@pytest.mark.parametrize(
    "text",
    [
        "What is **bold for more than a line of this terminal** and `a name that goes on` and *leans, as this* does",
        "A power 2**n of a name_of_this, a \\*star\\* and **what is never closed, however long the line may become",
        "Some words | a bar, as in a table, and more words that go on until the line is full\n---|---\na | b",
        "Some words that go on until the line of this terminal is full, and are no heading\n===\n",
        "Some words that go on until the line of this terminal is full\n- and\n- a list",
        "x" * 200 + " and " + "y" * 90 + " words that go on until the line of this terminal is full",
        "word " * 900,
        "漢字" * 90 + " and words, " + "漢字 " * 30,
    ],
)
def test_lines_that_were_drawn_early_are_those_that_the_whole_has(text: str) -> None:
    for size in (1, 7, 60):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert shown(*pieces, width=40) == shown(text, width=40)


def test_a_paragraph_that_grows_too_long_to_be_drawn_loses_and_repeats_no_word() -> None:
    words = [f"word{number} " for number in range(MAX_BLOCK_CHARS // 8)]
    assert shown(*words).split() == "".join(words).split()


def test_it_is_the_same_however_it_arrives() -> None:
    text = (
        "# A\n\nOne [1].\n\n1. a\n1. b\n\n   more\n1. c\n\n```\nx\n\ny\n```\n\n| a |\n|---|\n| b |\n\n> q\n> r\n\nEnd"
    )
    whole = shown(text)
    assert " 1 a\n 2 b\n   more\n 3 c\n\nx\n\ny\n\n" in whole
    for seed in range(20):
        cut = random.Random(seed)
        cuts = sorted(cut.sample(range(len(text)), 12))
        assert shown(*(text[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True))) == whole


def test_what_waits_is_shown_when_the_answer_breaks_off() -> None:
    def pieces() -> Iterator[str]:
        yield "It waits **and"
        raise ConnectionResetError

    told = drawn(pieces(), width=80, address_of=address)
    assert next(told) == "It waits **and\n"
    with pytest.raises(ConnectionResetError):
        next(told)


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|---|\n| one | two | three [1] |",
        "> " * 30 + "deep",
        "\n".join("  " * level + "- item" for level in range(30)),
        "word " * MAX_BLOCK_CHARS,
    ],
    ids=["cells beyond the columns", "quotations", "lists", "long"],
)
def test_what_markdown_has_no_room_for_is_shown_as_written(text: str) -> None:
    assert shown(text) == f"{text}\n"


def test_a_narrow_terminal_breaks_lines_between_words() -> None:
    assert shown("several words that need more room than there is", width=40) == (
        "several words that need more room than\nthere is\n"
    )


ATOMS = [
    "# ", "- ", "1. ", "999999999. ", "> ", "```", "```py\n", "    ", "\t", "| a | b |\n|--|--|\n", "|", "\n", "\n\n",
    "[1]", "[x](http://e)", "<b>", "&#27;", "&#x202e;", "\x1b[2J", "\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\",
    "\x9b31m", "**", "*", "_", "`", "~~", "\\", "word", "漢字", "e\u0301", "\u202e", "\u200b", "---\n", "[1]: http://e\n",
    "\r", "[red]", ":smile:", "x" * 90,
]  # fmt: skip


@pytest.mark.parametrize("seed", range(150))
def test_nothing_of_an_answer_steers_the_terminal_leads_elsewhere_or_is_lost(seed: int) -> None:
    chosen = random.Random(seed)
    pieces = [chosen.choice(ATOMS) for _ in range(60)]
    told = "".join(blocks(*pieces, width=chosen.choice([40, 80, 200])))
    assert set(LINK.findall(told)) <= {"", PAGE.format(1)}
    assert not HIDDEN.search(bare(told))
    languages = "".join(re.findall(r"(?:```|~~~) *([\w+#.-]{1,20})", "".join(pieces)))
    assert set(filter(str.isalpha, plain("".join(pieces)))) <= set(bare(told) + languages)
