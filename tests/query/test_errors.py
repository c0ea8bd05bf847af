from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from askrepo.errors import (
    AskrepoError,
    CredentialsError,
    DatasetCorruptedError,
    EmbedderMismatchError,
    RemoteUnavailableError,
    StorageError,
    UnknownAliasError,
    UsageError,
)
from askrepo_query.cli import main
from askrepo_query.errors import AskrepoGroup
from tests.datasets import BuiltAlias
from tests.query.conftest import Run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (StorageError("x"), 2),
        (RemoteUnavailableError("x"), 2),
        (UnknownAliasError("x"), 3),
        (DatasetCorruptedError("x"), 3),
        (EmbedderMismatchError("x"), 3),
        (CredentialsError("x"), 4),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("a bug"), 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_has_its_exit_code(error: BaseException, code: int) -> None:
    group = AskrepoGroup("test")

    @group.command()
    def fail() -> None:
        raise error

    result = CliRunner().invoke(group, ["fail"])
    assert result.exit_code == code
    assert ("Traceback" in result.stderr) is isinstance(error, ZeroDivisionError)


def test_an_error_is_one_line_without_control_characters() -> None:
    group = AskrepoGroup("test")

    @group.command()
    def fail() -> None:
        raise AskrepoError("first\nsecond \x1b[2J")

    assert CliRunner().invoke(group, ["fail"]).stderr == "Error: first second \\x1b[2J\n"


def test_unknown_alias_is_unavailable_and_names_the_known_ones(run_main: Run) -> None:
    result = run_main("search", "x", "--alias", "nope")
    assert result.exit_code == 3
    assert "'nope'" in result.stderr
    assert "main" in result.stderr


@pytest.mark.parametrize("command", [["search", "x"], ["ask", "x"], ["aliases"], ["status"]])
def test_no_alias_yet_says_how_to_make_one(run: Run, command: list[str]) -> None:
    result = run(*command)
    assert result.exit_code == 3
    assert "make ingest" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["nonsense"],
        ["search", "x", "--nope"],
        ["search", "x", "-k", "0"],
        ["search", "x", "--strategy", "?"],
        ["history"],
    ],
)
def test_wrong_usage_exits_2(run_main: Run, args: list[str]) -> None:
    assert run_main(*args).exit_code == 2


def test_a_bad_configuration_file_is_named(run: Run, clean_home: Path) -> None:
    (clean_home / "askrepo.toml").write_text("alias = ")
    result = run("search", "x")
    assert result.exit_code == 2
    assert "Error: askrepo.toml is not valid TOML" in result.stderr


def test_a_bad_variable_is_named(run: Run) -> None:
    result = run("search", "x", env={"ASKREPO_CHAT_TIMEOUT_S": "soon"})
    assert result.exit_code == 2
    assert "ASKREPO_CHAT_TIMEOUT_S" in result.stderr


def test_a_dataset_that_is_gone_is_unavailable(run: Run, built: BuiltAlias, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(built.workspace.url, copy)
    shutil.rmtree(copy / "datasets")
    result = run("search", "x", "--workspace", str(copy))
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1


def test_a_damaged_dataset_is_unavailable(run: Run, built: BuiltAlias, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(built.workspace.url, copy)
    for file in (copy / "datasets").rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[:10])
    result = run("search", "x", "--workspace", str(copy))
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1


def test_a_workspace_that_cannot_be_there_is_unavailable(run: Run, clean_home: Path) -> None:
    (clean_home / "file").write_text("")
    result = run("status", "--workspace", str(clean_home / "file" / "below"))
    assert result.exit_code == 3
    assert "ASKREPO_WORKSPACE" in result.stderr


def test_ctrl_c_exits_130(built: BuiltAlias, clean_home: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "ASKREPO_WORKSPACE": built.workspace.url}
    command = [sys.executable, "-m", "askrepo_query", "chat"]
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore Ctrl-C
    ) as process:
        assert process.stderr.readline().startswith(b"main: ")  # the datasets are open, it waits for a question
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert b"Traceback" not in process.stderr.read()


def test_every_command_has_help_with_an_example() -> None:
    for name, command in main.commands.items():
        text = CliRunner().invoke(main, [name, "--help"]).output
        assert f"Example:\n    askrepo {name}" in text or "Example:\n    eval" in text, name
        assert isinstance(command, click.Command)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run: Run, shell: str) -> None:
    assert "_ASKREPO_COMPLETE" in run("completion", shell).stdout


def test_the_shell_completes_alias_names(built: BuiltAlias, clean_home: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "ASKREPO_WORKSPACE": built.workspace.url,
        "_ASKREPO_COMPLETE": "fish_complete",
        "COMP_WORDS": "askrepo search --alias m",
        "COMP_CWORD": "m",
    }
    done = subprocess.run(
        [sys.executable, "-m", "askrepo_query"], env=environment, capture_output=True, text=True, check=False
    )
    assert "main" in done.stdout


BROKEN = {
    "package": ("import sys; sys.modules['click'] = None", "click"),
    "command": ("import askrepo.aliases.catalogue as c; c.AliasCatalogue.aliases = lambda self: 1 / 0", "ZeroDivision"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_bug_is_told_before_the_process_ends(built: BuiltAlias, clean_home: Path, case: str) -> None:
    """It ends without Python's own shutdown, which would have written what is not yet on stderr."""
    code, named = BROKEN[case]
    script = f"import sys; sys.argv = ['askrepo', 'aliases']; {code}; from askrepo_query.start import run; run()"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "ASKREPO_WORKSPACE": built.workspace.url}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr.splitlines()[-1]
