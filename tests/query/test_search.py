from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from askrepo.answer.context import SHOWN_FENCE
from askrepo.text.display import plain_line
from askrepo.text.tokens import count_tokens
from tests.datasets import BuiltAlias, build_alias
from tests.fakes import OpenAIServer
from tests.query.conftest import HOSTILE_PATH, Run, json_lines, run_on_terminal

KEYS = [
    "schema", "rank", "score", "alias", "repository", "commit", "path", "start_line", "end_line", "language", "symbol",
    "text", "url", "more", "links", "rests_on",
]  # fmt: skip
SOURCE_KEYS = [
    "schema", "number", "repository", "commit", "path", "start_line", "end_line", "tokens", "text", "rests_on"
]  # fmt: skip
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


def test_hits_are_printed_with_place_symbol_and_excerpt(run_main: Run) -> None:
    result = run_main("search", "exponential", "backoff", "-k", "1")
    assert result.exit_code == 0
    assert re.match(r"1\. src/retry\.py:\d+-\d+  \S+\n", result.stdout)
    assert '8 │         """Seconds to wait before the next attempt, exponential backoff."""' in result.stdout


def test_json_has_one_object_per_hit_with_the_documented_keys(run_main: Run) -> None:
    hits = json_lines(run_main("search", "backoff", "-k", "3", "--json"))
    assert [list(hit) for hit in hits] == [KEYS] * 3
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    assert hits[0]["path"] == "src/retry.py"


def test_a_file_is_listed_once_with_its_links(run: Run, tmp_path: Path) -> None:
    body = "    pass\n" * 100
    files = {
        "stamps.py": "\n\n".join(f"def stamp_{n}(letter):\n{body}" for n in range(6)),
        "letters.py": "from stamps import stamp_0\n\n\ndef send(letter):\n    stamp_0(letter)\n",
    }
    workspace = build_alias(tmp_path / "folded", files).workspace.url
    found = json_lines(run("search", "stamp_0", "--json", "--workspace", workspace))
    assert sorted(hit["path"] for hit in found) == ["letters.py", "stamps.py"]
    assert [(place["path"], place["line"]) for place in found[0]["links"]["used_by"]] == [("letters.py", 5)]
    shown = run("search", "which function stamps a letter", "--workspace", workspace).stdout
    assert shown.count("stamps.py:") - shown.count("uses stamps.py:") == 1
    assert re.search(r"^   :\d+-\d+  stamp_\d", shown, re.MULTILINE)


@pytest.mark.parametrize(("question", "code"), [("frobnicate_all", 1), ("how does frobnicate_all use the backoff", 0)])
def test_a_name_that_stands_nowhere_is_told(run_main: Run, built: BuiltAlias, question: str, code: int) -> None:
    result = run_main("search", question)
    commit = built.reader.entry.manifest.snapshots[0].commit[:10]
    assert result.exit_code == code
    assert f'"frobnicate_all" stands nowhere in parcel@{commit}\n' in result.stderr
    noted = run_main("search", question, "--json").stderr.splitlines()[0]
    assert json.loads(noted) == {"absent": "frobnicate_all", "nearest": []}


def test_a_slip_of_the_keyboard_is_told_and_finds_what_was_meant(run_main: Run) -> None:
    result = run_main("search", "bakcoff()")
    assert result.exit_code == 0
    assert 'no "bakcoff()"; nearest: backoff' in result.stderr or 'no "bakcoff"; nearest: backoff' in result.stderr
    assert result.stdout.startswith("1. src/retry.py:")


def test_each_search_ends_with_what_it_used_on_stderr(run_main: Run, built: BuiltAlias) -> None:
    entry = built.reader.entry
    commit = entry.manifest.snapshots[0].commit
    line = run_main("search", "backoff").stderr.splitlines()[-1]
    dataset = entry.manifest.dataset.rpartition("/")[2]
    assert line.startswith(f"main: {dataset} · ")
    assert f"parcel@{commit[:10]} (commit of 2026-01-02) · built " in line


@pytest.mark.parametrize(
    ("args", "paths"),
    [
        (["--path", "docs/*"], {"docs/evil.md"}),
        (["--path", "*.ts", "--path", "README*"], {"src/queue.ts", "README.md"}),
        (["--language", "typescript"], {"src/queue.ts"}),
    ],
)
def test_filters_restrict_the_hits(run_main: Run, args: list[str], paths: set[str]) -> None:
    hits = json_lines(run_main("search", "message", "--json", *args))
    assert {hit["path"] for hit in hits} == paths


@pytest.mark.parametrize("spelling", ["typescript", "TypeScript", " TYPESCRIPT "])
def test_a_language_may_be_spelt_as_people_do(run_main: Run, spelling: str) -> None:
    assert {hit["path"] for hit in json_lines(run_main("search", "message", "--json", "--language", spelling))} == {
        "src/queue.ts"
    }


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("pyhton", "did you mean 'python'?"),
        ("py", "did you mean 'python'?"),
        (".rs", "did you mean 'rust'?"),
        ("c++", "did you mean 'cpp'?"),
        ("C#", "did you mean 'csharp'?"),
        ("golang", "did you mean 'go'?"),
        ("klingon-iv", "use one of: asciidoc, "),
        ("", "use one of: asciidoc, "),
        ("x" * 100_000, "use one of: asciidoc, "),
    ],
    ids=lambda value: value[:10],
)
def test_an_unknown_language_is_guessed_or_all_are_listed(run_main: Run, name: str, advice: str) -> None:
    result = run_main("search", "message", "--language", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"; {advice}" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_nothing_found_is_said_and_exits_1(run_main: Run) -> None:
    result = run_main("search", "message", "--path", "no/such/*")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nothing found" in result.stderr
    assert "no path is like 'no/such/*': a pattern covers the whole path, as '*no/such*' does" in result.stderr


def test_a_path_that_has_files_is_not_blamed_for_a_word_that_stands_nowhere(run_main: Run) -> None:
    result = run_main("search", "frobnicate_all", "--path", "src/*")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no path" not in result.stderr


@pytest.mark.parametrize(("words", "piped"), [(["-"], "backoff\n"), ([], "backoff\n")], ids=["dash", "pipe"])
def test_the_question_may_come_from_a_pipe(run_main: Run, words: list[str], piped: str) -> None:
    assert json_lines(run_main("search", *words, "--json", input=piped))[0]["path"] == "src/retry.py"


@pytest.mark.parametrize(
    ("piped", "code"),
    [
        ("", 2),
        (" \n\0", 2),
        ("back\0off 'quoted' \"backoff\" ; -- %", 0),
        ("backoff " * 12_500, 0),
        ("x" * 200_000, 2),
    ],
    ids=["empty", "blank", "NUL and quotes", "100,000 characters", "200,000 characters"],
)
def test_odd_questions_have_a_defined_outcome(run_main: Run, piped: str, code: int) -> None:
    result = run_main("search", "-", input=piped)
    assert result.exit_code == code
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert len(result.stderr.splitlines()) <= 2


def test_bytes_that_are_no_text_do_not_crash(built: BuiltAlias, clean_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "askrepo_query", "search", b"back\xff\xfeoff"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "ASKREPO_WORKSPACE": built.workspace.url},
        capture_output=True,
    )
    assert done.returncode in {0, 1}
    assert b"Traceback" not in done.stderr


def test_escape_sequences_of_a_repository_never_reach_the_terminal(run_main: Run) -> None:
    result = run_main("search", "sabotage", "cleared", "heading")
    assert r"src/evil\x1b[2J\u202e.py" in result.stdout
    assert r"\x1b]0;owned\x07 \x1b[31mred \u202e" in result.stdout
    assert r"\x9b31m" in result.stdout
    assert not CONTROL.search(result.stdout)


def test_json_escapes_what_a_terminal_would_obey(run_main: Run) -> None:
    result = run_main("search", "sabotage", "--json")
    assert HOSTILE_PATH in {hit["path"] for hit in json_lines(result)}
    assert result.stdout.isascii()
    assert not CONTROL.search(result.stdout)


@pytest.mark.parametrize(
    ("env", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
    ids=["pipe", "FORCE_COLOR", "NO_COLOR"],
)
def test_colour_follows_the_conventions(run_main: Run, env: dict[str, str], coloured: bool) -> None:
    result = run_main("search", "backoff", env=env)
    assert ("\x1b[" in result.stdout) is coloured


def test_a_terminal_gets_colour_and_lines_that_fit(run_main: Run) -> None:
    shown = run_on_terminal("search", "exponential", "backoff", "-k", "1", env={"COLUMNS": "50"})
    assert shown.exit_code == 0
    assert "\x1b[36m" in shown.screen
    assert "\x1b[1mbackoff\x1b[0m" in shown.screen
    assert "…" in shown.screen
    assert "\x1b" not in run_on_terminal("search", "backoff", env={"NO_COLOR": "1"}).screen.replace("\x1b[K", "")


def test_a_closed_pipe_ends_the_command_quietly(built: BuiltAlias, clean_home: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "ASKREPO_WORKSPACE": built.workspace.url}
    command = [sys.executable, "-m", "askrepo_query", "search", "message", "-k", "100"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait(timeout=60) == 0
    assert "Error" not in errors
    assert "Traceback" not in errors


def test_several_repositories_are_named(run: Run, tmp_path: Path) -> None:
    alias = build_alias(
        tmp_path / "two", {"a.py": "def one(): ...\n"}, others={"other": {"b.py": "def one_more(): ...\n"}}
    )
    result = run("search", "one", "--workspace", alias.workspace.url)
    assert re.search(r"^\d\. project a\.py:1-1", result.stdout, re.MULTILINE)
    assert re.search(r"^\d\. other b\.py:1-1", result.stdout, re.MULTILINE)


class TestContext:
    def test_it_is_exactly_what_the_chat_model_gets(self, run_main: Run, server: OpenAIServer) -> None:
        question = ["who", "enqueues", "a", "message", "after", "backoff"]
        server.replies.append("Nobody [1].")
        run_main("ask", *question)
        sent = server.requests[-1].body["messages"][1]["content"]
        first, _, rest = sent.partition("\n\n")
        fence = first.removeprefix("F is ").removesuffix(".")
        sources, _, _ = rest.rpartition("\n\nQuestion: ")
        assert sources.count(f" {fence}>") >= 4
        assert run_main("search", "--context", *question).stdout == sources.replace(fence, SHOWN_FENCE) + "\n"

    def test_the_budget_holds_and_is_reported(self, run_main: Run) -> None:
        result = run_main("search", "backoff", "message", "sabotage", "--context", "--tokens", "200")
        report, used = result.stderr.splitlines()[-2:]
        tokens = count_tokens(result.stdout)
        assert tokens <= 200
        assert int(report.split()[0]) in {tokens, tokens + 1}
        assert re.search(r" of 200 tokens in \d sources$", report)
        assert used.startswith("main: ")

    def test_json_has_one_object_per_source(self, run_main: Run) -> None:
        printed = run_main("search", "backoff message", "--context").stdout
        sources = json_lines(run_main("search", "backoff message", "--context", "--json"))
        assert [list(source) for source in sources] == [SOURCE_KEYS] * len(sources)
        assert [source["number"] for source in sources] == list(range(1, len(sources) + 1))
        for source in sources:
            place = f"{plain_line(source['path'])}:{source['start_line']}-{source['end_line']}"
            assert f"{place}\n{source['text']}\n</source {source['number']} " in printed

    @pytest.mark.parametrize("output", [[], ["--json"]], ids=["text", "json"])
    def test_nothing_found_exits_1(self, run_main: Run, output: list[str]) -> None:
        result = run_main("search", "message", "--context", "--path", "no/such/*", *output)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "nothing found" in result.stderr

    def test_nothing_about_the_question_is_nothing_found(self, run_main: Run) -> None:
        assert run_main("search", "dinosaurs", "--context", "--strategy", "bm25").exit_code == 1

    def test_escape_sequences_of_a_repository_never_reach_the_terminal(self, run_main: Run) -> None:
        result = run_main("search", "sabotage", "cleared", "heading", "--context")
        assert r"src/evil\x1b[2J\u202e.py" in result.stdout
        assert r"\x1b]0;owned\x07 \x1b[31mred \u202e" in result.stdout
        assert not CONTROL.search(result.stdout)

    @pytest.mark.parametrize("args", [["--tokens", "500"], ["--context", "--tokens", "199"]], ids=["alone", "too few"])
    def test_wrong_usage_of_the_budget_is_told(self, run_main: Run, args: list[str]) -> None:
        result = run_main("search", "backoff", *args)
        assert result.exit_code == 2
        assert "--tokens" in result.stderr


class TestWhichAlias:
    @pytest.fixture
    def two(self, tmp_path: Path) -> BuiltAlias:
        first = build_alias(tmp_path / "first", {"a.py": "def alpha(): ...\n"}, alias="one")
        build_alias(tmp_path / "second", {"b.py": "def alpha(): ...\n"}, alias="two", workspace=first.workspace)
        return first

    def test_several_aliases_and_none_named_lists_them(self, run: Run, two: BuiltAlias) -> None:
        result = run("search", "alpha", "--workspace", two.workspace.url)
        assert result.exit_code == 2
        assert "known aliases: one, two" in result.stderr

    def test_flag_wins_over_environment(self, run: Run, two: BuiltAlias) -> None:
        base = ["search", "alpha", "--json", "--workspace", two.workspace.url]
        assert {hit["alias"] for hit in json_lines(run(*base, env={"ASKREPO_ALIAS": "two"}))} == {"two"}
        assert {hit["alias"] for hit in json_lines(run(*base, "-a", "one", env={"ASKREPO_ALIAS": "two"}))} == {"one"}
        assert {hit["alias"] for hit in json_lines(run(*base, "-a", "one", "-a", "two"))} == {"one", "two"}

    def test_project_file_names_the_alias(self, run: Run, two: BuiltAlias, clean_home: Path) -> None:
        (clean_home / "askrepo.toml").write_text('alias = "two"\nk = 1\n')
        found = json_lines(run("search", "alpha", "--json", "--workspace", two.workspace.url))
        assert [hit["alias"] for hit in found] == ["two"]


def test_lines_around_the_best_line_are_those_of_the_file(run_main: Run) -> None:
    lines = run_main("search", "exponential backoff", "-k", "1", "-C", "1").stdout.splitlines()
    assert lines[0].startswith("1. src/retry.py:7-9")
    assert [line.split("│")[0].strip() for line in lines[1:4]] == ["7", "8", "9"]
    whole = run_main("search", "exponential backoff", "-k", "1", "-C", "500").stdout.splitlines()
    assert whole[0].startswith("1. src/retry.py:1-9")
    one = run_main("search", "exponential backoff", "-k", "1", "-C", "0").stdout.splitlines()
    assert len(one) == 3
    assert "exponential backoff" in one[1]


@pytest.mark.parametrize("number", ["-1", "501", "x"])
def test_lines_around_are_a_bounded_number(run_main: Run, number: str) -> None:
    assert run_main("search", "x", "-C", number).exit_code == 2
