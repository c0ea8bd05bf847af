"""A reply in the asked form becomes statements as it arrives; one that is not in it is lost to nobody."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from askrepo.answer.answer_form import MAX_REPEATS, MAX_STATEMENTS, FormReader, Said, schema_for
from askrepo.answer.form_memory import KEPT_S, FormMemory
from tests.growth import is_linear

FORM = {
    "statements": [
        {"text": 'It "waits": {a}, [b].', "sources": [1, 2], "quote": "x = 1"},
        {"text": "Then it stops.", "sources": [2], "quote": ""},
    ]
}
CUT = json.dumps(FORM).partition("op")[0]
SAID = [Said('It "waits": {a}, [b].', (1, 2), "x = 1"), Said("Then it stops.", (2,), "")]


def read(text: str, size: int = 3) -> tuple[str, list[Said]]:
    reader = FormReader(text[at : at + size] for at in range(0, len(text), size))
    return "".join(reader.prose()), list(reader.statements())


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize(
    "text",
    [
        json.dumps(FORM),
        json.dumps(FORM, indent=2),
        json.dumps(FORM["statements"]),
        f"```json\n{json.dumps(FORM)}\n```\n",
        "\n" + json.dumps({"answer": FORM["statements"]}),
    ],
    ids=["plain", "indented", "list", "fenced", "other key"],
)
def test_a_form_is_read_whatever_the_pieces(text: str, size: int) -> None:
    assert read(text, size) == ("", SAID)


@pytest.mark.parametrize("size", [1, 4, 10_000])
@pytest.mark.parametrize(
    "text", ["It waits [1].", "{braces} begin it", "[1] says so.", "```python\na = {}\n```\n", "", "`x`"]
)
def test_prose_passes_as_it_is(text: str, size: int) -> None:
    assert read(text, size) == (text, [])


def test_a_statement_is_given_as_soon_as_it_is_whole() -> None:
    def pieces() -> Iterator[str]:
        yield CUT
        raise AssertionError("the rest was asked for too early")

    reader = FormReader(pieces())
    assert list(reader.prose()) == []
    assert next(reader.statements()) == SAID[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CUT, [SAID[0], Said("Then it st")]),
        (json.dumps(FORM).partition("{a")[0], [Said('It "waits":')]),
        (json.dumps(FORM)[:-2] + ', {"sources": [1], "quote": "x', SAID),
        ('{"statements": [{"text": "It waits.", "sources": [1], "quote": "a "b" c"}]}', None),
        (json.dumps({"statements": [{"text": "a.", "sources": [1], "quote": " … "}]}), [Said("a.", (1,))]),
        (json.dumps({"statements": [{"text": "a", "sources": ["2", "[3]", True, -1, 1.5], "quote": None}, "b", 7, {}]}),
         [Said("a", (2, 3), ""), Said("b")]),
        ('{"text": "It waits\nlong.", "sources": 1, "quote": "q"}', [Said("It waits\nlong.", (1,), "q")]),
        ('{"statements": []}', [Said('{"statements": []}')]),
        ('{"a": 1} is the setting', [Said('{"a": 1} is the setting')]),
    ],
    ids=["cut off", "cut off early", "cut off before its text", "broken", "no quotation", "other types",
         "one statement", "empty", "other JSON"],
)  # fmt: skip
def test_what_is_no_whole_form_is_shown_as_far_as_it_goes(text: str, said: list[Said] | None) -> None:
    prose, found = read(text)
    assert prose == ""
    assert found == said if said is not None else "It waits." in found[0].text


def test_an_error_of_the_endpoint_comes_behind_what_had_arrived() -> None:
    def pieces() -> Iterator[str]:
        yield CUT
        raise ConnectionError

    reader = FormReader(pieces())
    list(reader.prose())
    statements = reader.statements()
    assert [next(statements), next(statements)] == [SAID[0], Said("Then it st")]
    with pytest.raises(ConnectionError):
        next(statements)


def test_an_endless_answer_comes_to_an_end() -> None:
    said = json.dumps([{"text": f"It waits {number} s."} for number in range(1000)])
    assert len(read(said, 1000)[1]) == MAX_STATEMENTS


def test_what_a_model_repeats_is_said_once_and_going_round_in_circles_ends_it() -> None:
    def pieces() -> Iterator[str]:
        yield json.dumps(FORM)[:-2]
        for _ in range(MAX_REPEATS):
            yield ", " + json.dumps(FORM["statements"][0])
        raise AssertionError("the rest was asked for")

    reader = FormReader(pieces())
    assert list(reader.prose()) == []
    assert list(reader.statements()) == SAID


ROUND = "It is removed once (`LIMIT`) newer ones exist and nobody has used it for `GRACE`. "


@pytest.mark.parametrize("before", ["", "First it waits. "])
def test_a_statement_that_goes_round_in_circles_ends_with_its_first_round(before: str) -> None:
    arrived = []

    def pieces() -> Iterator[str]:
        yield f'{json.dumps(FORM)[:-2]}, {{"sources": [1], "quote": "q", "text": "{before}'
        for number in range(1000):
            arrived.append(number)
            yield ROUND

    reader = FormReader(pieces())
    assert list(reader.prose()) == []
    assert list(reader.statements()) == [*SAID, Said(f"{before}{ROUND.strip()}", (1,), "q")]
    assert len(arrived) < 10
    assert reader.has_enough


def test_statements_that_are_alike_are_no_circle() -> None:
    said = [Said(f"`setting_{n}` {ROUND * 2}".strip(), (1,), ROUND.strip()) for n in range(20)]
    form = {"statements": [{"sources": [1], "quote": each.quote, "text": each.text} for each in said]}
    assert read(json.dumps(form), 7) == ("", said)


@pytest.mark.parametrize("unit", ["}", '"', "{", "[", '{"text": "a"},', "a\\", "\n"])
def test_forms_are_read_in_linear_time(unit: str) -> None:
    for begin in ('{"statements": [{"text": "', '[{"text": ', "[", "{"):
        assert is_linear(lambda chars: read(begin + counted_up(unit)[:chars], 20), 60_000)  # noqa: B023


def counted_up(unit: str) -> str:
    """A long text of the unit that is no going round in circles."""
    return "".join(f"{unit}{number}" for number in range(60_000))


def test_the_schema_allows_the_sources_there_are() -> None:
    statement = schema_for({2, 1})["properties"]["statements"]["items"]
    assert statement["properties"]["sources"]["items"]["enum"] == [1, 2]
    assert statement["additionalProperties"] is False
    assert list(statement["properties"]) == statement["required"]


class TestMemory:
    def test_what_was_found_out_is_kept_apart_for_each_model(self, tmp_path: Path) -> None:
        memory = FormMemory(tmp_path / "cache" / "forms.json")
        assert memory.takes_form("http://a", "m") is None
        memory.remember("http://a", "m", takes_form=True)
        memory.remember("http://a", "n", takes_form=False)
        again = FormMemory(memory.file)
        assert [again.takes_form("http://a", name) for name in "mno"] == [True, False, None]
        assert "http" not in memory.file.read_text()

    def test_a_refusal_is_forgotten_after_a_while(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        memory = FormMemory(tmp_path / "forms.json")
        memory.remember("a", "m", takes_form=False)
        memory.remember("a", "n", takes_form=True)
        later = time.time() + KEPT_S + 1
        monkeypatch.setattr(time, "time", lambda: later)
        assert [memory.takes_form("a", name) for name in "mn"] == [None, True]

    @pytest.mark.parametrize("content", ["", "[]", '{"x": 1}', "\x00", "[" * 100_000])
    def test_a_damaged_memory_is_none(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "forms.json").write_text(content)
        memory = FormMemory(tmp_path / "forms.json")
        assert memory.takes_form("a", "m") is None
        memory.remember("a", "m", takes_form=True)
        assert memory.takes_form("a", "m") is True

    def test_a_memory_that_cannot_be_written_is_no_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        FormMemory(tmp_path / "file" / "forms.json").remember("a", "m", takes_form=True)
