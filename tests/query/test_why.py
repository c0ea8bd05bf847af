from __future__ import annotations

import os
import re
from typing import Any

import pytest

from askrepo.aliases import readers
from askrepo.pipeline import file_stage
from askrepo.types import AliasEntry
from askrepo.workspace.objects import Workspace
from tests.core.pipeline.test_file_stage import hostile  # noqa: F401 - a fixture
from tests.query.conftest import HOSTILE_PATH, Run, json_lines


@pytest.mark.parametrize(
    ("place", "code", "told"),
    [
        ("src/retry.py", 0, " src/retry.py: loaded as source, python (utf-8, "),
        ("parcel/src/retry.py", 0, " src/retry.py: loaded as source"),
        ("retry.py", 0, " src/retry.py: loaded as source"),
        ("data.bin", 0, " data.bin: skipped, binary: its content is no text (3 bytes)"),
        ("src", 0, " src/: a folder of 4 files = 4 loaded; "),
        ("gone.py", 1, " gone.py: not in the tree"),
        ("lib/retry.py", 1, "not in the tree; nearest: src/retry.py"),
        (HOSTILE_PATH, 0, r" src/evil\x1b[2J\u202e.py: loaded"),
    ],
)
def test_each_path_is_told_in_one_line(run_main: Run, place: str, code: int, told: str) -> None:
    result = run_main("why", place)
    assert result.exit_code == code
    (line,) = result.stdout.splitlines()
    assert line.startswith("parcel@")
    assert told in line


@pytest.mark.parametrize(
    ("line", "told"),
    [(7, "  line 7  is in the chunk 1-9 ("), (99, "  line 99  is behind the end of the file")],
)
def test_a_line_is_told_with_its_chunk(run_main: Run, line: int, told: str) -> None:
    result = run_main("why", f"src/retry.py:{line}")
    assert result.stdout.splitlines()[1].startswith(told)


def test_a_question_gives_the_rank_and_what_made_it(run_main: Run) -> None:
    result = run_main("why", "src/retry.py", "how", "long", "does", "`backoff`", "wait")
    lines = result.stdout.splitlines()
    assert lines[1].startswith("  rank    1 of ")
    assert "  name    backoff: defines it, and exact names come first" in lines
    (told,) = json_lines(run_main("why", "src/retry.py", "how long does `backoff` wait", "--json"))
    account = told["account"]
    assert (account["rank"], account["names"]) == (1, {"backoff": "defines"})
    given = account["fused"] + sum(account["signals"].values())
    assert account["score"] == pytest.approx(given * account["prior"])


def test_the_rank_is_the_one_of_search(run_main: Run) -> None:
    question = "parcel messages between services"
    for hit in json_lines(run_main("search", question, "--json")):
        (told,) = json_lines(run_main("why", hit["path"], question, "--json"))
        assert told["account"]["rank"] <= hit["rank"]


@pytest.mark.parametrize(
    ("arguments", "strategy", "begun"),
    [
        (["src/retry.py", "how long"], "hybrid", ["the embedder is loaded", "the file is looked up"]),
        (["src/retry.py"], "hybrid", ["the file is looked up"]),
        (["src/retry.py", "how long"], "bm25", ["the file is looked up"]),
    ],
)
def test_the_embedder_is_loaded_while_the_file_is_looked_up(
    run_main: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], strategy: str, begun: list[str]
) -> None:
    found: list[str] = []
    for where, name, told in (
        (readers, "warm_up_embedder", "the embedder is loaded"),
        (file_stage, "file_stages", "the file is looked up"),
    ):
        real = getattr(where, name)

        def noted(*given: Any, real: Any = real, told: str = told, **named: Any) -> Any:
            found.append(told)
            return real(*given, **named)

        monkeypatch.setattr(where, name, noted)
    assert run_main("why", *arguments, env={"ASKREPO_STRATEGY": strategy}).exit_code == 0
    assert found == begun


def test_a_file_that_is_no_candidate_is_told(run_main: Run) -> None:
    result = run_main("why", "src/queue.ts", "`sabotage`", env={"ASKREPO_STRATEGY": "signals"})
    assert "  rank    none: no chunk of it is among the " in result.stdout


def test_json_has_every_field_for_every_stage(run_main: Run) -> None:
    told = [json_lines(run_main("why", place, "--json"))[0] for place in ("src/retry.py", "data.bin", "src", "gone")]
    assert len({tuple(each) for each in told}) == 1
    assert [each["stage"] for each in told] == ["loaded", "skipped", "folder", "not in the tree"]


@pytest.mark.parametrize(
    ("place", "told"), [("src/retry.py:0", "names line 0"), ("", "it is empty"), (" ", "it is empty")]
)
def test_no_path_and_no_line_is_wrong_usage(run_main: Run, place: str, told: str) -> None:
    result = run_main("why", place)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_an_unknown_alias_exits_3(run_main: Run) -> None:
    assert run_main("why", "a.py", "-a", "nope").exit_code == 3


def test_every_path_of_a_hostile_tree_is_told_on_a_line(
    run: Run,
    hostile: tuple[list[AliasEntry], Workspace, list[bytes]],  # noqa: F811
) -> None:
    _, workspace, paths = hostile
    for path in dict.fromkeys(paths):
        result = run("why", "--workspace", workspace.url, "--", os.fsdecode(path))
        assert (result.exit_code, result.stdout.count("\n")) == (0, paths.count(path)), path
        assert re.fullmatch(
            r"(?:project@\w{10} [^\x00-\x1f\x7f\x9b\u202e]+: (?:loaded|skipped|left out)[^\n]+\n)+", result.stdout
        )
