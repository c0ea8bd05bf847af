"""`search --open`: a hit's file in the user's editor."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.datasets import BuiltAlias
from tests.query.conftest import Run

QUESTION = ("search", "seconds", "to", "wait", "before", "the", "next", "attempt")


def editor(folder: Path, name: str, *, exit_code: int = 0) -> Path:
    """A program that writes down its arguments."""
    program = folder / name
    program.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        f"json.dump(sys.argv[1:], open({str(folder / 'arguments.json')!r}, 'w'))\nsys.exit({exit_code})\n"
    )
    program.chmod(0o700)
    return program


def arguments(folder: Path) -> list[str]:
    told: list[str] = json.loads((folder / "arguments.json").read_text())
    return told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("vim", ["+8", "{}"]),
        ("nano", ["+8", "{}"]),
        ("code", ["-g", "{}:8"]),
        ("another", ["{}"]),
    ],
)
def test_an_editor_gets_the_line_in_its_own_way(
    run_main: Run, built: BuiltAlias, tmp_path: Path, name: str, told: list[str]
) -> None:
    result = run_main(*QUESTION, "--open", "1", env={"VISUAL": "", "EDITOR": str(editor(tmp_path, name))})
    assert result.exit_code == 0, result.stderr
    assert "src/retry.py" in result.stdout
    file = str(built.repositories[0].path / "src/retry.py")
    assert arguments(tmp_path) == [part.format(file) for part in told]


def test_visual_wins_and_its_arguments_meet_no_shell(run_main: Run, tmp_path: Path) -> None:
    visual = f"{editor(tmp_path, 'code')} --wait '$(touch made); a b'"
    assert run_main(*QUESTION, "--open", "1", env={"VISUAL": visual, "EDITOR": "false"}).exit_code == 0
    assert arguments(tmp_path)[:3] == ["--wait", "$(touch made); a b", "-g"]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"EDITOR": ""}, "Error: --open needs an editor: set VISUAL or EDITOR, such as EDITOR=vim\n"),
        (
            {"EDITOR": "no-such-editor"},
            "Error: EDITOR names the program 'no-such-editor', which is not there: set EDITOR to your editor\n",
        ),
        ({"EDITOR": "vim 'a"}, "Error: EDITOR must be a command, found \"vim 'a\": no closing quotation\n"),
        ({"EDITOR": "false"}, "Error: the editor 'false' ended with exit code 1\n"),
    ],
    ids=["none", "unknown", "quotation", "failed"],
)  # fmt: skip
def test_an_editor_that_is_not_there_is_one_line(run_main: Run, env: dict[str, str], told: str) -> None:
    result = run_main(*QUESTION, "--open", "1", env={"VISUAL": "", **env})
    assert result.exit_code == 2
    assert result.stderr.endswith(told)


def test_a_file_that_is_gone_is_one_line_with_its_place(run_main: Run, built: BuiltAlias, tmp_path: Path) -> None:
    file = built.repositories[0].path / "src/retry.py"
    text = file.read_text()
    file.unlink()
    try:
        result = run_main(*QUESTION, "--open", "1", env={"EDITOR": str(editor(tmp_path, "vim"))})
    finally:
        file.write_text(text)
    assert result.exit_code == 2
    assert "src/retry.py of parcel is no file of a checkout on this machine, see file://" in result.stderr
    assert not (tmp_path / "arguments.json").exists()


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--open", "2", "-k", "1"], "--open 2: there is 1 hit"),
        (["--open", "1", "--json"], "give it without --context and --json"),
        (["--open", "1", "--context"], "give it without --context and --json"),
        (["--open", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_opened_is_told(run_main: Run, args: list[str], told: str) -> None:
    result = run_main(*QUESTION, *args, env={"EDITOR": "true"})
    assert result.exit_code == 2
    assert told in result.stderr
