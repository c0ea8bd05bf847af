from __future__ import annotations

import pytest

from askrepo.receipts.watched import recheck_after_swap
from tests.datasets import BuiltAlias, run_stages
from tests.fakes import OpenAIServer
from tests.query.conftest import Run, json_lines
from tests.query.test_recheck import RETRY, asked


@pytest.fixture
def alias(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> BuiltAlias:
    from tests.datasets import build_alias

    built = build_alias(tmp_path_factory.mktemp("watch"), {"src/retry.py": RETRY, "README.md": "# Parcel\n"})
    monkeypatch.setenv("ASKREPO_WORKSPACE", built.workspace.url)
    return built


def swapped(alias: BuiltAlias, text: str) -> None:
    alias.repositories[0].commit({"src/retry.py": text})
    entry = run_stages(alias.definition, workspace=alias.workspace, settings=alias.settings)
    recheck_after_swap(entry, workspace=alias.workspace, settings=alias.settings)


def test_an_answer_is_watched_and_status_names_it_when_its_lines_change(
    run: Run, server: OpenAIServer, alias: BuiltAlias
) -> None:
    asked(run, server)
    (kept,) = json_lines(run("log", "--json"))
    added = run("watch", "add", kept["id"][:6])
    assert added.stdout == f"{kept['id'][:8]}  main  backoff of the retrier  (src/retry.py:1-9)\n"
    assert "watched     1 question, not compared with this entry" in run("status").stdout
    swapped(alias, "# moved\n" + RETRY)
    assert "watched     1 question, lines as they were" in run("status").stdout
    swapped(alias, RETRY.replace("2.0", "3.0"))
    status = run("status").stdout
    assert "watched     1 question, lines of 1 changed:\n" in status
    assert f"{kept['id'][:8]} 'backoff of the retrier': src/retry.py:1-9 changed" in status
    assert "(src/retry.py:1-9 changed; entry 3)" in run("watch", "list").stdout
    (told,) = json_lines(run("status", "--json"))
    assert told["watched"]["changed"][0]["id"] == kept["id"]
    assert server.requests[-1].path.endswith("/chat/completions")
    assert len(server.requests) == 1


def test_a_rollback_compares_as_a_swap_does(run: Run, server: OpenAIServer, alias: BuiltAlias) -> None:
    swapped(alias, RETRY.replace("2.0", "3.0"))
    asked(run, server)
    (kept,) = json_lines(run("log", "--json"))
    run("watch", "add", kept["id"])
    result = run("rollback", "main", "--yes")
    assert result.exit_code == 0
    assert "watched     1 question, lines of 1 changed:\n" in result.stderr
    assert f"{kept['id'][:8]} 'backoff of the retrier': src/retry.py:1-9 changed\n" in result.stderr
    assert "src/retry.py:1-9 changed" in run("status").stdout
    assert run("rollback", "main", "--to", "2", "--yes").exit_code == 0
    assert "watched     1 question, lines as they were" in run("status").stdout


def test_a_rollback_is_done_even_if_nothing_can_be_compared(
    run: Run, server: OpenAIServer, alias: BuiltAlias, caplog: pytest.LogCaptureFixture
) -> None:
    swapped(alias, RETRY.replace("2.0", "3.0"))
    asked(run, server)
    (kept,) = json_lines(run("log", "--json"))
    run("watch", "add", kept["id"])
    alias.workspace.write(f"watched/main/{kept['id']}.json", b"{")
    assert run("rollback", "main", "--yes").exit_code == 0
    assert "cannot read the watched question" in caplog.text


def test_a_question_is_watched_with_its_best_passages(run: Run, alias: BuiltAlias) -> None:
    (added,) = json_lines(run("watch", "add", "how", "does", "backoff", "sleep", "--json"))
    assert added["lines"][0]["path"] == "src/retry.py"
    (listed,) = json_lines(run("watch", "list", "--json"))
    assert (listed["id"], listed["compared_with_entry"]) == (added["id"], None)
    assert run("watch", "remove", added["id"][:8]).exit_code == 0
    assert run("watch", "list").exit_code == 1
    assert "watched" not in run("status").stdout


@pytest.mark.parametrize(
    "args",
    [
        ["add", "abcd1234"],
        ["remove", "abcd1234"],
        ["remove", ""],
        ["add", "zzqq xxyy"],
        ["add", "x", "-a", "no"],
        ["list", "-a", "no"],
    ],
)
def test_what_names_nothing_is_one_line(run: Run, alias: BuiltAlias, args: list[str]) -> None:
    result = run("watch", *args)
    assert result.exit_code in (2, 3)
    assert len([line for line in result.stderr.splitlines() if line.startswith("Error: ")]) == 1


def test_an_answer_is_watched_under_its_own_alias(run: Run, server: OpenAIServer, alias: BuiltAlias) -> None:
    asked(run, server)
    (kept,) = json_lines(run("log", "--json"))
    refused = run("watch", "add", kept["id"], "-a", "other")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "rests on no lines of 'other': leave out -a" in refused.stderr
    assert run("watch", "add", kept["id"], "-a", "main").exit_code == 0
