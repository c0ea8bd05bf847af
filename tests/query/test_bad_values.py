"""Every setting and option with values that nobody can mean: one line, the right exit code, and nothing opened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.datasets import BuiltAlias, build_alias
from tests.query.conftest import FILES, Run

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "search": ["search", "x"],
    "ask": ["ask", "x"],
    "chat": ["chat"],
    "aliases": ["aliases"],
    "status": ["status"],
    "history": ["history", "main"],
    "rollback": ["rollback", "main", "--yes"],
    "doctor": ["doctor"],
}
NO_NUMBERS = {
    "word": "ten", "empty": "", "blank": " ", "negative": "-1", "zero": "0", "fraction": "1.5", "NaN": "nan",
    "infinity": "inf", "huge": "99999999999999999999", "endless": "9" * 5000, "underscore": "1_0",
    "other digits": "\u0663", "superscript": "²", "exponent": "1e1", "escape": "\x1b[2J", "two lines": "1\n2",
}  # fmt: skip


def assert_one_line(result, code: int, told: str) -> None:
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("Error: ")
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert len(result.stderr) < 2200
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ASKREPO_K", "2000"),
        ("ASKREPO_CACHE_MB", "inf"),
        ("ASKREPO_CHAT_TIMEOUT_S", "1e300"),
        ("ASKREPO_EMBED_THREADS", "-1"),
        ("ASKREPO_ALLOW_LOCAL", "\x1b[2J"),
    ],
)
def test_a_bad_setting_is_told_by_every_command(run_main: Run, command: list[str], name: str, value: str) -> None:
    assert_one_line(run_main(*command, env={name: value}), 2, name)


@pytest.mark.parametrize("command", ["search", "ask", "chat"])
@pytest.mark.parametrize(
    ("name", "value", "code", "told"),
    [
        ("ASKREPO_STRATEGY", "hybird", 2, "did you mean 'hybrid'?"),
        ("ASKREPO_STRATEGY", "x" * 10_000, 2, "ASKREPO_STRATEGY must be one of"),
        (
            "ASKREPO_LANGUAGE",
            "python\npyhton",
            2,
            "ASKREPO_LANGUAGE, or `language` in a configuration file: no language",
        ),
        ("ASKREPO_ALIAS", "mian", 3, "did you mean 'main'?"),
        ("ASKREPO_ALIAS", " ", 2, "ASKREPO_ALIAS must be the name of an alias"),
        ("ASKREPO_ALIAS", "../main", 2, "ASKREPO_ALIAS must be the name of an alias"),
        ("ASKREPO_WORKSPACE", "nonsense://x", 2, "nonsense"),
    ],
    ids=["strategy", "endless strategy", "language", "alias", "blank alias", "path for an alias", "workspace"],
)
def test_a_bad_name_is_told(run_main: Run, command: str, name: str, value: str, code: int, told: str) -> None:
    args = [command] if command == "chat" else [command, "x"]
    assert_one_line(run_main(*args, env={name: value}), code, told)


@pytest.mark.parametrize(
    "args",
    [["search", "x", "-k"], ["ask", "x", "-k"], ["chat", "-k"], ["search", "x", "--context", "--tokens"],
     ["eval", "/dev/null", "--tokens"]],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("value", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_is_no_number_is_refused(run_main: Run, args: list[str], value: str) -> None:
    assert_one_line(run_main(*args, value), 2, f"Invalid value for '{args[-1]}'")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["search", "x", "--workspace", ""], "'--workspace': it is empty"),
        (["status", "--workspace", " "], "'--workspace': it is empty"),
        (["search", "x", "--path", ""], "'--path': it is empty"),
        (["search", "x", *["--path", "*.py"] * 101], "'--path': given 101 times, and 100 are enough"),
        (["search", "x", *["--language", "go"] * 101], "'--language': given 101 times, and 100 are enough"),
        (["search", "x", "--strategy", ""], "'' is not one of"),
        (["search", "x", "-a", ""], "'' is not an alias name"),
        (["search", "x", "-a"], "requires an argument"),
        (["eval", "/"], "is a directory"),
        (["eval", ""], "does not exist"),
        (["eval", "/dev/null"], "no question"),
        (["eval", "/dev/null", "--hits", "/"], "is a directory"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
        (["completion"], "Missing argument"),
        (["history"], "Missing argument"),
        (["history", "main", "other"], "unexpected extra argument"),
        (["\x1b[2J"], "No such command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_other_bad_values_are_one_line(run_main: Run, args: list[str], told: str) -> None:
    assert_one_line(run_main(*args), 2, told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("größe".encode("latin-1"), "is not UTF-8: byte 3 is not"),
        (b"\0\0", "line 1"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"query": 1, "relevant": ["a"]}', "line 1"),
        (b"null", "line 1"),
    ],
    ids=["Latin-1", "NULs", "nested", "number", "null"],
)
def test_a_file_of_questions_that_is_none_is_one_line(run_main: Run, tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "questions").write_bytes(content)
    assert_one_line(run_main("eval", str(tmp_path / "questions")), 2, told)


def test_an_endless_file_of_questions_is_refused(run_main: Run) -> None:
    assert_one_line(run_main("eval", "/dev/zero"), 2, "/dev/zero is larger than")


def test_where_the_lists_go_is_checked_first(run_main: Run, tmp_path: Path) -> None:
    (tmp_path / "questions").write_text('{"query": "x", "relevant": ["a"], "category": "b"}')
    result = run_main("eval", str(tmp_path / "questions"), "--hits", "no/such/folder/hits")
    assert_one_line(result, 2, "its folder does not exist")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    """An alias whose embedder imports native code on a thread."""
    return build_alias(tmp_path_factory.mktemp("local"), FILES, name="parcel", embedder="local")


@pytest.mark.parametrize("times", [4, pytest.param(40, marks=pytest.mark.faults)])
@pytest.mark.parametrize(("name", "value"), [("ASKREPO_K", "2000"), ("ASKREPO_STRATEGY", "best")])
def test_a_bad_setting_never_aborts_the_process(
    local: BuiltAlias, clean_home: Path, name: str, value: str, times: int
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ASKREPO_WORKSPACE": local.workspace.url, name: value}
    command = [sys.executable, "-m", "askrepo_query", "search", "x"]
    runs = [subprocess.run(command, env=environment, capture_output=True, text=True) for _ in range(times)]
    assert {run.returncode for run in runs} == {2}
    assert {run.stderr.count("\n") for run in runs} == {1}
