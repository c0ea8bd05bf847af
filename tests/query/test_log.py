from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest

from askrepo.errors import StorageError
from askrepo.text.tokens import count_tokens
from tests.datasets import BuiltAlias
from tests.fakes import OpenAIServer
from tests.query.conftest import KEY, Run, json_lines

ANSWERS = Path("xdg_state_home/askrepo/answers.db")


def test_an_answer_is_kept_with_what_it_rests_on(
    run_main: Run, server: OpenAIServer, built: BuiltAlias, clean_home: Path
) -> None:
    server.replies.append("It waits 2**attempt seconds [1].")
    run_main("ask", "how long does backoff wait")
    (kept,) = json_lines(run_main("log", "--json"))
    reader = built.reader
    assert kept["answer"] == "It waits 2**attempt seconds [1]."
    assert kept["datasets"] == [{
        "alias": "main", "number": 2, "dataset": reader.entry.manifest.dataset.split("/")[-1],
        "digest": reader.entry.manifest.digest, "commits": {"parcel": reader.entry.manifest.snapshots[0].commit},
    }]  # fmt: skip
    assert kept["messages"] == server.requests[-1].body["messages"]
    first = kept["sources"][0]
    lines = "".join(chunk.text for chunk in reader.dataset.file_chunks("parcel", first["citation"]["path"])).split("\n")
    assert first["is_cited"]
    assert first["span"]["lines"] == lines[first["citation"]["start_line"] - 1 : first["citation"]["end_line"]]
    assert kept["host"] == server.base_url.split("/")[2]
    assert kept["tokens_in"] > 100
    assert kept["tokens_out"] > 0
    assert kept["statements"][0]["state"]
    assert KEY.encode() not in (clean_home / ANSWERS).read_bytes()


def test_what_was_asked_in_a_form_is_kept_as_it_was_sent(run_main: Run, server: OpenAIServer) -> None:
    server.schema = "taken"
    run_main("ask", "backoff")
    (kept,) = json_lines(run_main("log", "--json"))
    sent = server.requests[-1].body
    assert kept["messages"] == sent["messages"]
    assert kept["schema"] == sent["response_format"]["json_schema"]["schema"]


def test_log_lists_answers_and_shows_one(run_main: Run, server: OpenAIServer) -> None:
    for reply, question in (("Yes [1].", "backoff"), ("No [1].", "sabotage")):
        server.replies.append(reply)
        run_main("ask", question)
    newest, oldest = run_main("log").stdout.splitlines()
    assert newest.endswith("main  sabotage")
    assert run_main("log", "-n", "1").stdout.splitlines() == [newest]
    assert run_main("log", "-q", "YES").stdout.splitlines() == [oldest]
    shown = run_main("log", "show", oldest.split()[0])
    assert shown.stdout.startswith("backoff\n\nYes [1].\n\nSources\n[1] parcel@")
    assert "fake-model at 127.0.0.1:" in shown.stdout
    assert run_main("log", "-q", "nothing like it").exit_code == 1


def test_text_of_a_model_and_a_repository_cannot_steer_the_terminal(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append("\x1b[2J [1]\x07")
    run_main("ask", "sabotage \x1b[2J")
    for shown in (
        run_main("log").stdout,
        run_main("log", "show", json_lines(run_main("log", "--json"))[0]["id"]).stdout,
    ):
        assert "\x1b" not in shown
        assert "\x07" not in shown


def test_passages_without_a_chat_model_are_kept_and_can_be_compared(run_main: Run) -> None:
    printed = run_main("ask", "backoff").stdout
    (kept,) = json_lines(run_main("log", "--json"))
    assert (kept["model"], kept["answer"], kept["tokens_in"], kept["messages"]) == (None, "", None, [])
    cited = [source for source in kept["sources"] if source["is_cited"]]
    assert [f"[{source['number']}]" for source in cited] == re.findall(r"^\[\d+\]", printed, re.MULTILINE)
    assert all(source["span"]["lines"] for source in kept["sources"])
    shown = run_main("log", "show", kept["id"]).stdout
    assert shown.startswith("backoff\n\nSources\n[1] parcel@")
    assert "model         none: the best passages" in shown
    rechecked = run_main("recheck", kept["id"])
    assert (rechecked.exit_code, f"{len(cited)} unchanged" in rechecked.stderr) == (0, True)
    replayed = run_main("replay", kept["id"])
    assert (replayed.exit_code, "nothing was sent" in replayed.stderr) == (2, True)
    assert run_main("usage").exit_code == 1


def test_a_conversation_goes_on(run_main: Run, server: OpenAIServer) -> None:
    server.replies += ["Yes [1].", "how does backoff wait longer?", "So [1]."]
    run_main("ask", "backoff")
    result = run_main("ask", "-c", "and longer?")
    assert "searched: how does backoff wait longer?" in result.stderr
    assert "User: backoff\nAssistant: Yes [1]." in server.requests[1].body["messages"][1]["content"]
    second, first = json_lines(run_main("log", "--json"))
    assert second["conversation"] == first["conversation"]
    asked, sent = server.requests[1].body["messages"], second["messages"]
    counted = sum(count_tokens(message["content"]) for message in [*asked, *sent])
    assert abs(second["tokens_in"] - counted) <= 4  # the question was made to stand alone, too
    server.replies += ["what is backoff?", "That [1]."]
    assert run_main("ask", "--conversation", first["id"][:8], "what?").exit_code == 0
    assert len({kept["conversation"] for kept in json_lines(run_main("log", "--json"))}) == 1


def test_chat_is_one_conversation(run_main: Run, server: OpenAIServer) -> None:
    server.replies += ["Yes [1].", "backoff again", "Yes [1]."]
    run_main("chat", input="backoff\nagain\n")
    kept = json_lines(run_main("log", "--json"))
    assert len(kept) == 2
    assert kept[0]["conversation"] == kept[1]["conversation"]


def test_usage_sums_tokens(run_main: Run, server: OpenAIServer) -> None:
    server.replies += ["Yes [1]."] * 2
    run_main("ask", "backoff")
    run_main("ask", "backoff")
    (use,) = json_lines(run_main("usage", "--json"))
    assert (use["model"], use["answers"], use["uncounted"]) == ("fake-model", 2, 0)
    assert use["tokens_in"] == sum(kept["tokens_in"] for kept in json_lines(run_main("log", "--json")))
    assert "fake-model  2 answers  " in run_main("usage").stdout


@pytest.mark.parametrize("args", [["log"], ["usage"]], ids=" ".join)
def test_nothing_kept_exits_1(run_main: Run, args: list[str]) -> None:
    result = run_main(*args)
    assert result.exit_code == 1
    assert "is kept in" in result.stderr


def test_answers_are_not_kept_where_that_is_off(run_main: Run, server: OpenAIServer, clean_home: Path) -> None:
    server.replies.append("Yes [1].")
    assert run_main("ask", "backoff", env={"ASKREPO_ANSWERS": "off"}).stderr.count("kept") == 0
    assert not (clean_home / ANSWERS).parent.exists()
    result = run_main("log", env={"ASKREPO_ANSWERS": "off"})
    assert (result.exit_code, "ASKREPO_ANSWERS is off" in result.stderr) == (2, True)


def _damage(file: Path) -> None:
    file.write_bytes(b"no database at all " * 100)


def _newer(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 7")
    connection.close()


def _folder(file: Path) -> None:
    file.mkdir()


@pytest.mark.parametrize("spoil", [_damage, _newer, _folder])
def test_an_answer_that_cannot_be_kept_is_printed_with_one_warning(
    run_main: Run, server: OpenAIServer, clean_home: Path, spoil
) -> None:
    file = clean_home / "answers.db"
    spoil(file)
    server.replies.append("Yes [1].")
    result = run_main("ask", "backoff", env={"ASKREPO_ANSWERS": str(file)})
    assert result.exit_code == 0
    assert result.stdout.startswith("Yes [1].")
    (warning,) = [line for line in result.stderr.splitlines() if "was not kept" in line]
    assert "ASKREPO_ANSWERS" in warning
    told = run_main("log", "--json", env={"ASKREPO_ANSWERS": str(file)})
    assert told.exit_code == 2
    assert json.loads(told.stderr.splitlines()[-1])["code"] == "storage"


def test_what_was_shown_of_an_answer_that_broke_off_is_kept(
    run_main: Run, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise StorageError("broke off")

    server.replies.append("It waits [1].")
    monkeypatch.setattr("askrepo_query.answering._print_sources", broken)
    assert run_main("ask", "backoff").exit_code == 2
    (kept,) = json_lines(run_main("log", "--json"))
    assert kept["answer"] == "It waits [1]."


def test_an_unknown_id_is_one_line(run_main: Run) -> None:
    for args in (["log", "show", "abcd1234"], ["ask", "--conversation", "abcd1234", "x"], ["ask", "-c", "x"]):
        result = run_main(*args)
        assert result.exit_code == 2
        assert len([line for line in result.stderr.splitlines() if line.startswith("Error: ")]) == 1
