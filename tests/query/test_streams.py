"""Standard input, output and error that are closed, full, or hold something odd."""

from __future__ import annotations

import codecs
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from askrepo_query.question import MAX_QUESTION_CHARS, encoding_of
from tests.datasets import BuiltAlias
from tests.fakes import OpenAIServer
from tests.query.conftest import Run, json_lines, run_on_terminal

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "search": "search message",
    "ask": "ask message",
    "aliases": "aliases",
    "status": "status",
    "history": "history main",
    "doctor": "doctor",
    "help": "search --help",
}


@pytest.fixture
def environment(built: BuiltAlias, clean_home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "ASKREPO_WORKSPACE": built.workspace.url,
        "PYTHON": sys.executable,
    }


def shell(line: str, environment: dict[str, str], *, piped: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A line of bash in which `askrepo` is the command; its last exit code is that of the command."""
    script = f'set -o pipefail; askrepo() {{ "$PYTHON" -m askrepo_query "$@"; }}; {line}'
    return subprocess.run(["bash", "-c", script], env=environment, input=piped, capture_output=True, timeout=60)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(
    ("output", "told"),
    [(">&-", b"standard output is closed"), (">/dev/full", b"No space left on device")],
    ids=["closed", "full"],
)
def test_output_that_cannot_be_written_is_one_line_and_exit_2(
    environment: dict[str, str], command: str, output: str, told: bytes
) -> None:
    done = shell(f"askrepo {command} {output}", environment)

    assert (done.returncode, done.stdout) == (2, b"")
    errors = [line for line in done.stderr.splitlines() if not line.startswith(b"no chat model configured")]
    assert len(errors) == 1
    assert errors[0].startswith(b"Error: ")
    assert told in errors[0]


def test_output_that_is_not_for_writing_is_one_line_and_exit_2(environment: dict[str, str]) -> None:
    done = shell("askrepo aliases 1</dev/null", environment)
    assert (done.returncode, done.stderr) == (2, b"Error: cannot write to standard output: Bad file descriptor\n")


@pytest.mark.parametrize("reader", ["head -c 0", "head -n 1", "true"])
def test_a_reader_that_leaves_ends_it_quietly(environment: dict[str, str], reader: str) -> None:
    done = shell(f"askrepo search message -k 100 | {reader}", environment)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if not line.startswith(b"main: ")] == []


@pytest.mark.parametrize("errors", ["2>&-", "2>/dev/full", "2> >(true)"], ids=["closed", "full", "nobody reads"])
def test_notes_that_cannot_be_written_cost_no_result(environment: dict[str, str], errors: str) -> None:
    done = shell(f"askrepo search backoff --json {errors}", environment)
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[0])["path"] == "src/retry.py"


def test_with_nothing_to_write_to_the_exit_code_tells(environment: dict[str, str]) -> None:
    assert shell("askrepo search backoff >&- 2>&- <&-", environment).returncode == 2
    assert shell("askrepo search backoff -a nope 2>&-", environment).returncode == 3


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("askrepo search <&-", b"standard input is closed"),
        ("askrepo ask - <&-", b"standard input is closed"),
        ("askrepo chat <&-", b"standard input is closed"),
        ("askrepo search 0>/dev/null", b"standard input cannot be read: "),
        ("askrepo rollback main <&-", b"add --yes"),
    ],
)
def test_input_that_cannot_be_read_is_one_line_and_exit_2(environment: dict[str, str], line: str, told: bytes) -> None:
    done = shell(line, environment)
    errors = [error for error in done.stderr.splitlines() if not error.startswith(b"main: ")]
    assert (done.returncode, done.stdout, len(errors)) == (2, b"", 1)
    assert told in errors[0]


def test_closed_input_is_not_missed_by_who_does_not_need_it(environment: dict[str, str]) -> None:
    assert shell("askrepo search backoff --json <&-", environment).returncode == 0


ENCODED = {
    "UTF-8": "größe of backoff".encode(),
    "UTF-8 with a mark": "größe of backoff".encode("utf-8-sig"),
    "UTF-16": "größe of backoff".encode("utf-16"),
    "UTF-16, little": "größe of backoff".encode("utf-16-le"),
    "UTF-16, big": "größe of backoff".encode("utf-16-be"),
    "UTF-16, big, with a mark": codecs.BOM_UTF16_BE + "größe of backoff".encode("utf-16-be"),
    "UTF-32": "größe of backoff".encode("utf-32"),
    "Latin-1": "größe of backoff".encode("latin-1"),
}


@pytest.mark.parametrize("piped", ENCODED.values(), ids=ENCODED)
def test_piped_questions_are_read_in_their_encoding(run_main: Run, server: OpenAIServer, piped: bytes) -> None:
    for command in ("ask", "chat"):
        server.replies.append("It waits [1].")
        (answer,) = json_lines(run_main(command, "--json", input=piped))
        assert answer["question"] == "größe of backoff"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"", "utf-8"),
        (b"a", "utf-8"),
        (b"a\0b", "utf-8"),
        (b"\0" * 100, "utf-8"),
        ("日本".encode()[:-1], "utf-8"),
        (b"\xff\xfe", "utf-16"),
    ],
    ids=["nothing", "one letter", "a NUL", "NULs", "cut", "mark alone"],
)
def test_encoding_of_little(content: bytes, encoding: str) -> None:
    assert encoding_of(content) == encoding


@pytest.mark.parametrize("command", ["search", "chat"])
@pytest.mark.parametrize("content", ["x", "\\0"], ids=["letters", "NULs"])
def test_a_hundred_megabytes_of_input_are_refused(environment: dict[str, str], command: str, content: str) -> None:
    endless = f"head -c 100000000 /dev/zero | tr '\\0' '{content}'"
    done = shell(f"{{ {endless} || true; }} 2>/dev/null | askrepo {command} --strategy bm25", environment)
    assert done.returncode == 2
    assert f"longer than {MAX_QUESTION_CHARS:,} characters".encode() in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["search backoff", "status", "doctor", "ask backoff", "search -k 0"])
def test_a_dumb_terminal_gets_no_control_sequences(
    run_main: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    shown = run_on_terminal(*command.split(), env={"TERM": "dumb"})
    assert shown.exit_code in {0, 2}
    assert "\x1b" not in shown.screen
    assert "\r" not in shown.screen.replace("\r\n", "")


@pytest.mark.parametrize("columns", ["0", "-1", "abc", "1", "99999999999999999999"])
def test_odd_widths_of_a_terminal_break_nothing(run_main: Run, columns: str) -> None:
    shown = run_on_terminal("search", "backoff", env={"COLUMNS": columns})
    assert shown.exit_code == 0
    assert "Traceback" not in shown.screen
