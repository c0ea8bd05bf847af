from __future__ import annotations

import pytest

from tests.fakes import OpenAIServer
from tests.query.conftest import Run, json_lines

NEW = "src/new.py"


@pytest.mark.parametrize("command", [["search", "fresh"], ["ask", "fresh"]])
def test_a_question_is_answered_from_the_dataset_of_the_moment(run_main: Run, command: list[str]) -> None:
    assert NEW in run_main(*command).stdout
    before = run_main(*command, "--at", "1")
    assert NEW not in before.stdout
    assert before.exit_code in (0, 1)


def test_chat_stays_with_the_moment(run_main: Run, server: OpenAIServer) -> None:
    server.replies += ["It waits [1].", "backoff?", "It does [1]."]
    told = json_lines(run_main("chat", "--at", "1", "--json", input="backoff\nbackoff\n"))
    now = json_lines(run_main("status", "--json"))[0]["dataset"]
    assert len({each["dataset"] for each in told}) == 1
    assert told[0]["dataset"] != now


def test_files_are_shown_and_explained_at_the_moment(run_main: Run) -> None:
    assert run_main("show", NEW).exit_code == 0
    assert run_main("show", NEW, "--at", "1").exit_code == 2
    assert "not in the tree" in run_main("why", NEW, "--at", "1").stdout
    assert "loaded as source" in run_main("why", NEW, "--at", "2").stdout


def test_status_tells_whether_it_is_the_current_one(run_main: Run) -> None:
    first, second = (json_lines(run_main("status", "--at", at, "--json"))[0] for at in ("1", "2"))
    assert [(each["number"], each["current"]) for each in (first, second)] == [(1, False), (2, True)]


@pytest.mark.parametrize(
    ("at", "told"),
    [("7", "no entry 7"), ("2999-01-01", "in the future"), ("parcel@0000000", "was never at"), ("", "it is empty")],
)
@pytest.mark.parametrize("command", [["search", "x"], ["show", NEW], ["why", NEW]])
def test_a_moment_that_is_none_is_one_line(run_main: Run, command: list[str], at: str, told: str) -> None:
    result = run_main(*command, "--at", at)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert told in line


def test_a_diff_says_what_changed(run_main: Run) -> None:
    lines = run_main("diff", "main").stdout.splitlines()
    assert lines[0].startswith("main  entry 1 (")
    assert lines[1].startswith("  parcel  ")
    assert lines[2] == "  files   1 added, 0 changed, 0 moved, 0 removed, 6 unchanged"
    assert lines[-1] == f"+ {NEW}"
    assert run_main("diff", "main", "1", "2").stdout.splitlines() == lines


def test_a_diff_as_json_is_one_object(run_main: Run) -> None:
    (found,) = json_lines(run_main("diff", "main", "2", "1", "--json"))
    assert found["removed"] == [{"repository": "parcel", "path": NEW}]
    assert (found["before"]["number"], found["after"]["number"]) == (2, 1)


def test_nothing_to_compare_is_told(run_main: Run) -> None:
    result = run_main("diff", "main", "--json", "9")
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["main", ""], 2, "it is empty"),
        (["main", "1", " "], 2, "it is empty"),
        (["main", "1", "9"], 2, "alias 'main' has no entry 9"),
        (["main", "1"], 0, ""),
        (["none"], 3, "no alias 'none'"),
    ],
)
def test_a_diff_of_what_is_not_there_is_one_line(run_main: Run, args: list[str], code: int, told: str) -> None:
    result = run_main("diff", *args)
    assert result.exit_code == code
    assert told in result.stderr
    assert result.stderr.count("\n") == (1 if code else 0)


def test_a_dataset_differs_in_nothing_from_itself(run_main: Run) -> None:
    told = run_main("diff", "main", "2", "2")
    assert told.exit_code == 0
    assert "0 added, 0 changed, 0 moved, 0 removed" in told.stdout
