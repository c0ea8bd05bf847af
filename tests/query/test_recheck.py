from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.datasets import BuiltAlias, build_alias, run_stages
from tests.fakes import OpenAIServer
from tests.query.conftest import Run, json_lines

RETRY = (
    "import time\n\n\nclass Retrier:\n    def backoff(self, attempt):\n"
    "        return 2.0**attempt\n\n    def sleep(self, attempt):\n        time.sleep(self.backoff(attempt))\n"
)


@pytest.fixture
def alias(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> BuiltAlias:
    built = build_alias(tmp_path_factory.mktemp("recheck"), {"src/retry.py": RETRY, "README.md": "# Parcel\n"})
    monkeypatch.setenv("ASKREPO_WORKSPACE", built.workspace.url)
    return built


def refreshed(alias: BuiltAlias, files: dict[str, str | bytes], *, removed: tuple[str, ...] = ()) -> None:
    for path in removed:
        (alias.repositories[0].path / path).unlink()
    alias.repositories[0].commit(files)
    run_stages(alias.definition, workspace=alias.workspace, settings=alias.settings)


def asked(run: Run, server: OpenAIServer) -> None:
    server.replies.append("It doubles [1].")
    assert run("ask", "backoff of the retrier").exit_code == 0


def test_what_has_not_changed_exits_0(run: Run, server: OpenAIServer, alias: BuiltAlias) -> None:
    asked(run, server)
    result = run("recheck")
    assert result.exit_code == 0
    assert "src/retry.py:1-9  unchanged" in result.stdout
    assert "1 answer, cited lines: 1 unchanged" in result.stderr


def test_what_moved_is_told_with_its_new_place_and_exits_0(run: Run, server: OpenAIServer, alias: BuiltAlias) -> None:
    asked(run, server)
    refreshed(alias, {"lib/retrier.py": "# moved\n" + RETRY}, removed=("src/retry.py",))
    result = run("recheck")
    assert result.exit_code == 0
    assert "src/retry.py:1-9  moved to lib/retrier.py:2-10" in result.stdout


def test_what_changed_is_told_with_a_diff_and_exits_1(run: Run, server: OpenAIServer, alias: BuiltAlias) -> None:
    asked(run, server)
    refreshed(alias, {"src/retry.py": RETRY.replace("2.0**attempt", "3.0**attempt")})
    result = run("recheck", "--all")
    assert result.exit_code == 1
    assert "src/retry.py:1-9  changed, now src/retry.py:1-9" in result.stdout
    assert "      -        return 2.0**attempt\n      +        return 3.0**attempt" in result.stdout
    (told,) = json_lines(run("recheck", "--alias", "main", "--json"))
    assert told["sources"][0]["state"] == "changed"
    assert told["sources"][0]["now"] == {"path": "src/retry.py", "start_line": 1, "end_line": 9}


def test_what_is_gone_exits_1(run: Run, server: OpenAIServer, alias: BuiltAlias) -> None:
    asked(run, server)
    refreshed(alias, {"other.py": "def nothing_like_it():\n    pass\n"}, removed=("src/retry.py",))
    result = run("recheck")
    assert result.exit_code == 1
    assert "src/retry.py:1-9  gone" in result.stdout


def test_an_alias_that_is_gone_is_one_line(run: Run, server: OpenAIServer, alias: BuiltAlias) -> None:
    asked(run, server)
    alias.workspace.delete_folder("aliases/main")
    result = run("recheck", "--all")
    assert result.exit_code == 3
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert line.startswith("Error: answers from main cannot be compared: ")
    assert run("recheck", "--alias", "main").exit_code == 3


@pytest.mark.parametrize(
    ("args", "code"), [(["abcd", "--all"], 2), (["--all", "--alias", "main"], 2), (["abcd"], 2), ([], 1)]
)
def test_wrong_usage_and_nothing_kept(run: Run, alias: BuiltAlias, args: list[str], code: int) -> None:
    assert run("recheck", *args).exit_code == code


def test_an_answer_without_lines_has_nothing_to_compare(
    run: Run, server: OpenAIServer, alias: BuiltAlias, clean_home: Path
) -> None:
    asked(run, server)
    with sqlite3.connect(clean_home / "xdg_state_home" / "askrepo" / "answers.db") as connection:
        connection.execute("UPDATE receipts SET body = json_set(body, '$.sources', json('[]'))")
    connection.close()
    result = run("recheck")
    assert (result.exit_code, result.stderr) == (1, "no lines were kept to compare\n")
