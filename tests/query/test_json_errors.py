"""Errors under `--json`: one object on stderr, whose code scripts may rely on."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from askrepo import errors
from askrepo.errors import AskrepoError
from askrepo_query.errors import CODES, AskrepoGroup, Failure, wants_json
from askrepo_query.streams import OutputError
from tests.query.conftest import Run

DOCUMENTED = (
    (Path(__file__).parents[2] / "docs" / "command.md").read_text(encoding="utf-8").partition("## Errors under")[2]
)


def classes(base: type[AskrepoError] = AskrepoError) -> set[type[AskrepoError]]:
    return {base}.union(*map(classes, base.__subclasses__()))


@pytest.mark.parametrize(
    ("args", "code", "exit_code"),
    [
        (["search", "x", "-a", "nope", "--json"], "unknown_alias", 3),
        (["search", "--json", "x", "-a", "No Such"], "usage", 2),
        (["search", "x", "--nope", "--json"], "usage", 2),
        (["search", "x", "--json", "-k"], "usage", 2),
        (["search", "x", "--json", "-k", "0"], "usage", 2),
        (["search", "x", "--json", "--strategy", "best"], "usage", 2),
        (["search", "x", "--json", "--language", "klingon"], "usage", 2),
        (["search", "", "--json"], "usage", 2),
        (["serach", "--json"], "usage", 2),
        (["history", "--json"], "usage", 2),
        (["eval", "no/such/file", "--json"], "usage", 2),
        (["status", "--json", "--workspace", "/dev/null/below"], "unavailable", 3),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_each_error_is_one_object_with_a_code(run_main: Run, args: list[str], code: str, exit_code: int) -> None:
    result = run_main(*args)
    (line,) = result.stderr.splitlines()
    told = json.loads(line)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert list(told) == ["error", "code", "exit_code"]
    assert (told["code"], told["exit_code"]) == (code, exit_code)
    assert told["error"]


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (errors.CredentialsError("x"), "credentials", 4),
        (errors.DatasetCorruptedError("x"), "dataset_damaged", 3),
        (errors.RateLimitedError("x"), "rate_limited", 2),
        (type("LaterError", (errors.StorageError,), {})("x"), "storage", 2),
        (OutputError(OSError(28, os.strerror(28))), "output", 2),
        (PermissionError(13, os.strerror(13), "/etc/shadow"), "permission", 2),
        (OSError(28, os.strerror(28)), "storage", 2),
        (MemoryError(), "memory", 3),
        (ImportError("/lib/x.so: failed to map segment from shared object"), "memory", 3),
        (ImportError("No module named 'x'"), "bug", 2),
        (RecursionError("maximum recursion depth exceeded"), "nested_too_deeply", 2),
        (click.FileError("x", "y"), "usage", 2),
        (ZeroDivisionError("x"), "bug", 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
@pytest.mark.parametrize("as_json", [True, False], ids=["JSON", "text"])
def test_what_slips_through_is_one_line_unless_it_is_a_bug(
    error: Exception, code: str, exit_code: int, as_json: bool
) -> None:
    group = AskrepoGroup("test")

    @group.command()
    @click.option("--json", "as_json", is_flag=True)
    def fail(as_json: bool) -> None:
        raise error

    result = CliRunner().invoke(group, ["fail", "--json"] if as_json else ["fail"])
    lines = result.stderr.splitlines()
    assert result.exit_code == exit_code
    assert ("Traceback" in result.stderr) is (code == "bug")
    assert code == "bug" or len(lines) == 1
    assert not as_json or json.loads(lines[-1])["code"] == code


def test_every_class_of_error_has_a_code_of_its_own_which_is_documented() -> None:
    ours = {kind for kind in classes() if kind.__module__ == "askrepo.errors"}
    grouping = {errors.PermanentError, errors.TransientError}
    assert ours - grouping <= set(CODES)
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", DOCUMENTED, re.MULTILINE))
    assert documented == set(CODES.values())


@pytest.mark.parametrize(
    ("args", "wanted"),
    [(["--json"], True), (["search", "x"], False), (["search", "--", "--json"], False), (["search", "json"], False)],
)
def test_json_is_an_option_and_not_a_word_of_the_question(args: list[str], wanted: bool) -> None:
    assert wants_json(args) is wanted


@pytest.mark.parametrize(
    ("args", "meant"),
    [(["serach", "x"], "'search'"), (["search", "x", "--jsno"], "'--json'"), (["rolback"], "'rollback'")],
)
def test_a_misspelt_command_or_option_is_guessed_on_one_line(run_main: Run, args: list[str], meant: str) -> None:
    result = run_main(*args)
    assert result.exit_code == 2
    assert f"Did you mean {meant}?" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_message_keeps_its_beginning_and_its_end() -> None:
    told = Failure.of(errors.UsageError("no alias '" + "x" * 100_000 + "'; did you mean 'main'?")).message
    assert len(told) < 2100
    assert told.startswith("no alias 'x")
    assert told.endswith("did you mean 'main'?")
