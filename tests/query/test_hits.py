from __future__ import annotations

from dataclasses import replace

import click
import pytest

from askrepo.search.links import Links, Place
from askrepo.text.display import columns
from askrepo.types import Chunk, Hit
from askrepo_query.hits import excerpt, hit_block, hit_json, symbol_of


def chunk(
    text: str = "a\n", *, symbols: tuple[str, ...] = (), scope: tuple[str, ...] = (), start_line: int = 1
) -> Chunk:
    end_line = start_line + text.removesuffix("\n").count("\n")
    return Chunk("0" * 32, "acme/app", "a.py", "python", "source", symbols, scope, start_line, end_line, 1, text)


def hit(first: Chunk, *more: Chunk) -> Hit:
    return Hit(1, 1.0, "main", "c" * 40, "https://example.org", first, more)


def block(
    hit: Hit, *, terms: frozenset[str] = frozenset(), width: int | None = 80, links: Links | None = None
) -> list[str]:
    shown = hit_block(hit, terms=terms, with_repository=False, width=width, links=links)
    return click.unstyle(shown).split("\n")


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
    assert symbol_of(chunk(symbols=symbols, scope=scope)) == shown


def test_a_section_is_not_inside_of_the_one_before() -> None:
    text = 'version = "2"\n\n[tool.mypy]\nstrict = true\n'
    found = replace(chunk(text, symbols=("tool.mypy",), scope=("project",)), language="toml")
    assert symbol_of(found) == "tool.mypy"
    assert symbol_of(replace(found, symbols=())) == "project"


def test_the_symbol_is_the_name_that_was_asked_for() -> None:
    assert symbol_of(chunk(symbols=("run", "stop"), scope=("Worker",)), terms={"stop"}) == "Worker.stop"


def test_excerpt_lines_have_their_numbers_and_fit_the_width() -> None:
    lines = excerpt(chunk("x" * 99 + "\n\tshort\n", start_line=9), terms=(), width=30)
    assert [len(click.unstyle(line)) for line in lines] == [len("    9 │ ") + 22, len("   10 │ ") + len("    short")]


def test_excerpt_lines_with_wide_characters_fit_the_width() -> None:
    lines = excerpt(chunk("検索\u200b" * 40 + "\n" + "🙂" * 60 + "\n"), terms=(), width=80)
    shown = [click.unstyle(line) for line in lines]
    assert all(columns(line) <= 80 for line in shown)
    assert r"検索\u200b検索" in shown[0]


@pytest.mark.parametrize("place", [0, 50, 100, 300])
def test_a_long_line_is_cut_so_that_the_word_asked_for_is_seen(place: int) -> None:
    (line,) = excerpt(chunk("y " * place + "retry" + " z" * 100 + "\n"), terms={"retri"}, width=60)
    assert "retry" in line
    assert columns(click.unstyle(line)) <= 60


def test_lines_left_out_are_marked() -> None:
    text = "def run():\n" + "    pass\n" * 9 + "    retry()\n"
    lines = [click.unstyle(line) for line in excerpt(chunk(text, symbols=("run",)), terms={"retri"}, width=80)]
    assert lines[0] == "    1 │ def run():"
    assert lines[1].startswith("    7 ┆ ")
    assert lines[-1] == "   11 │     retry()"


def test_further_passages_stand_under_their_file_each_on_a_line() -> None:
    shown = block(
        hit(chunk(), chunk("b\n    retry()\n", start_line=20), chunk("c\n", symbols=("stop",), start_line=40)),
        terms=frozenset({"retri"}),
    )
    assert shown == ["1. a.py:1-1", "   1 │ a", "   :20-21  retry()", "   :40-40  stop  c"]


USED = Place("acme/app", "b.py", 12, "main")
HERE = Place("acme/app", "a.py", 40, "other")
ELSEWHERE = Place("acme/lib", "lib.py", 7, "")


def test_links_are_one_line_under_the_hit() -> None:
    links = Links((HERE,), (USED, HERE), (ELSEWHERE,))
    assert block(hit(chunk()), links=links)[-1] == "   used by b.py:12 main, :40 other · uses acme/lib lib.py:7"


def test_links_that_do_not_fit_are_two_lines_of_whole_places() -> None:
    far = replace(USED, path="a/rather/long/path/to/some/file.py")
    assert block(hit(chunk()), links=Links((), (far, far), (USED, HERE)))[-2:] == [
        "   used by a/rather/long/path/to/some/file.py:12 main …",
        "   uses b.py:12 main, :40 other",
    ]


def test_of_a_place_that_is_wider_than_the_terminal_the_line_is_kept() -> None:
    far = replace(USED, path="packages/" * 9 + "file.py", symbol="a_long_name_of_a_function")
    shown = block(hit(chunk()), width=60, links=Links((), (far, far)))[-1]
    assert (columns(shown) <= 60, shown.startswith("   used by …"), shown.endswith("/file.py:12")) == (True, True, True)


def test_without_links_there_is_no_line_for_them() -> None:
    assert len(block(hit(chunk()), links=Links())) == len(block(hit(chunk()))) == 2


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    long = "n" * 70
    links = Links((), (replace(USED, symbol=long),), (replace(ELSEWHERE, path=long),))
    shown = block(
        hit(chunk(symbols=(long,)), chunk(f"{long}\n", symbols=(long,), start_line=9)), width=width, links=links
    )
    assert all(columns(line) <= width for line in shown)


def test_names_of_a_repository_cannot_steer_the_terminal() -> None:
    evil = "e\x1b[2J\n"
    links = Links((), (Place("acme/app", evil, 1, evil),), ())
    shown = block(hit(chunk(symbols=(evil,)), chunk(evil, symbols=(evil,))), links=links)
    assert len(shown) == 4
    assert "\x1b" not in "".join(shown)


def test_json_has_further_passages_and_links() -> None:
    found = hit_json(hit(chunk(), chunk("b\n", start_line=3)), terms=(), links=Links((), (USED,), ()))
    assert found["more"] == [{"start_line": 3, "end_line": 3, "symbol": "", "text": "b\n"}]
    used = {"repository": "acme/app", "path": "b.py", "line": 12, "symbol": "main"}
    assert found["links"] == {"definition": (), "used_by": (used,), "uses": ()}
    assert hit_json(hit(chunk()), terms=(), links=None)["links"] is None


def test_words_that_were_asked_for_are_bold_in_excerpts() -> None:
    (line,) = excerpt(chunk("if retries: retry_later() # retrying, entry\n"), terms={"retri"}, width=80)
    shown = line.partition("\u2502 \x1b[0m")[2]
    bold = [click.style(word, bold=True) for word in ("retries", "retry_later", "retrying")]
    assert shown == f"if {bold[0]}: {bold[1]}() # {bold[2]}, entry"


def test_bold_words_take_no_columns_and_a_word_that_is_cut_stays_within_them() -> None:
    (line,) = excerpt(chunk("retry " * 40 + "\n"), terms={"retri"}, width=80)
    (without,) = excerpt(chunk("retry " * 40 + "\n"), terms=(), width=80)
    assert click.unstyle(line) == click.unstyle(without)
    assert columns(click.unstyle(line)) == 80


def test_in_a_further_passage_all_but_the_words_asked_for_is_dim() -> None:
    found = hit(chunk(), chunk("b\n    now retry()\n", start_line=20))
    shown = hit_block(found, terms={"retri"}, with_repository=False, width=80).split("\n")[-1]
    dim = [click.style(text, dim=True) for text in ("now ", "()")]
    assert shown.endswith(f"  {dim[0]}{click.style('retry', bold=True)}{dim[1]}")
