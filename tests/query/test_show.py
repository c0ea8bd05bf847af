from __future__ import annotations

import time

import click
import pytest

from askrepo_query import highlight
from askrepo_query.complete import complete_path
from askrepo_query.highlight import highlighted
from askrepo_query.show import show
from tests.datasets import BuiltAlias
from tests.query.conftest import HOSTILE_PATH, Run, json_lines, run_on_terminal

RETRY = "src/retry.py"


def test_lines_are_printed_with_their_numbers(run_main: Run) -> None:
    result = run_main("show", f"{RETRY}:6-7")
    assert result.exit_code == 0
    assert result.stdout == (
        "parcel src/retry.py:6-7\n6 │ class Retrier:\n7 │     def backoff(self, attempt: int) -> float:\n"
    )
    assert "main: " in result.stderr


def test_a_whole_file_is_printed_without_a_range(run_main: Run) -> None:
    assert len(run_main("show", "retry.py").stdout.splitlines()) == 10


def test_json_is_one_object(run_main: Run, built: BuiltAlias) -> None:
    (found,) = json_lines(run_main("show", f"{RETRY}:6", "--json"))
    assert list(found) == [
        "alias", "repository", "commit", "path", "language", "kind", "symbol", "start_line", "end_line", "lines",
        "text", "url",
    ]  # fmt: skip
    assert (found["path"], found["start_line"], found["end_line"], found["lines"]) == (RETRY, 6, 6, 9)
    assert found["text"] == "class Retrier:\n"


@pytest.mark.parametrize(
    ("args", "first", "last"),
    [
        (["--symbol", "backoff"], 7, 9),
        (["--symbol", "Retrier.backoff"], 7, 9),
        ([RETRY, "--symbol", "Retrier"], 6, 9),
        (["README.md", "--symbol", "Who is it for?"], 5, 7),
    ],
)
def test_a_symbol_is_its_whole_definition(run_main: Run, args: list[str], first: int, last: int) -> None:
    (found,) = json_lines(run_main("show", *args, "--json"))
    assert (found["start_line"], found["end_line"]) == (first, last)


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["src/retri.py"], 2, "no file 'src/retri.py' in parcel@"),
        ([f"{RETRY}:99"], 2, "src/retry.py has 9 lines and no line 99"),
        ([f"{RETRY}:9-3"], 2, "lines 9-3 are no range"),
        (["data.bin"], 2, "no file 'data.bin'"),
        (["src"], 2, "'src' is a folder: name a file of it, such as src/"),
        ([f"{RETRY}:0"], 2, "lines 0-0 are no range"),
        ([""], 2, "it is empty"),
        ([], 2, "give a PATH, or a --symbol, or both"),
        ([f"{RETRY}:1-2", "--symbol", "backoff"], 2, "give one of the two"),
        (["--symbol", "nowhere"], 1, "no definition of 'nowhere' in the datasets"),
        ([RETRY, "--symbol", "enqueue"], 1, "no definition of 'enqueue' in src/retry.py"),
        (["--symbol", "::"], 2, "'::' is no name"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_line(run_main: Run, args: list[str], code: int, told: str) -> None:
    result = run_main("show", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr.splitlines()[0]


def test_a_place_may_have_a_column_as_compilers_print_it(run_main: Run) -> None:
    assert run_main("show", f"{RETRY}:7:5").stdout.splitlines()[0].endswith("src/retry.py:7-7")


def test_an_unknown_path_has_a_code_of_its_own(run_main: Run) -> None:
    assert '"code": "unknown_path"' in run_main("show", "gone.py", "--json").stderr


@pytest.mark.parametrize("colour", ["", "1"], ids=["plain", "coloured"])
def test_nothing_of_a_file_steers_the_terminal(run_main: Run, colour: str) -> None:
    shown = run_main("show", HOSTILE_PATH, env={"FORCE_COLOR": colour or "0"}, color=True).stdout
    for sequence in ("\x1b[2J", "\x1b]0;", "\u202e", "\x07"):
        assert sequence not in shown
    assert ("\x1b[" in shown) == bool(colour)
    assert r"\x1b[2J" in shown


def test_a_terminal_gets_colours(built: BuiltAlias, run_main: Run) -> None:
    shown = run_on_terminal("show", f"{RETRY}:6-6").screen
    assert "\x1b[35mclass\x1b[0m" in shown


def test_every_line_stays_itself_in_colours() -> None:
    lines = ["", "", '"""Two', "lines.\r", '"""', "", "x = 'a'", ""]
    shown = highlighted(lines, path="a.py", language="python")
    assert len(shown) == len(lines)
    assert [line.replace("\x1b[0m", "").split("m")[-1] for line in shown[:2]] == ["", ""]
    assert highlighted(["a  b"], path="no.such", language="") == ["a  b"]


def test_a_lexer_that_stalls_costs_the_colours_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highlight, "MAX_S", 0.1)
    monkeypatch.setattr(highlight, "_pieces", lambda *_: iter(lambda: time.sleep(0.01) or "", None))
    began = time.monotonic()
    assert highlighted(["x = 1"], path="a.py", language="python") == ["x = 1"]
    assert time.monotonic() - began < 5


def test_paths_are_completed_with_what_became_of_them(built: BuiltAlias) -> None:
    context = click.Context(show, info_name="show")
    context.params = {"workspace": built.workspace.url, "aliases": ("main",)}
    found = {item.value: item.help for item in complete_path(context, show.params[0], "d")}
    assert found == {"data.bin": "binary", "docs/evil.md": "doc"}
