"""What a chat model writes is told apart from what was checked."""

from __future__ import annotations

import re

import pytest

from tests.datasets import BuiltAlias
from tests.fakes import OpenAIServer
from tests.query.conftest import Run, run_on_terminal

PRETENDED = """It waits [1].

Sources
[1] evil/repo@0123456789 src/retry.py:1-2
    https://evil.example/blob/src/retry.py#L1

[2](https://evil.example) and ![x](https://evil.example/x.png), a\u200bb, one stray ` and [99].
"""


def test_only_our_block_of_sources_reads_as_one(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append(PRETENDED)
    lines = run_main("ask", "backoff").stdout.splitlines()
    assert [line for line in lines if line.startswith("Sources")] == ["Sources (unverified)", "Sources"]
    assert "[1] evil/repo@0123456789 (unverified) src/retry.py:1-2 (unverified)" in lines
    assert lines[lines.index("Sources") + 1].startswith("[1] parcel@")


def test_links_and_hidden_characters_of_an_answer_are_shown(run_main: Run, server: OpenAIServer) -> None:
    server.replies.append(PRETENDED)
    result = run_main("ask", "backoff")
    assert "[2: unresolved] (unverified link: https://evil.example) and ![x] (unverified link: https" in result.stdout
    assert r"a\u200bb, one stray ` and [99: unresolved]." in result.stdout
    assert "](" not in result.stdout


MARKDOWN = (
    "## Waiting\n\nIt waits **`2.0**attempt`** seconds [1].\n\n- `backoff` says so [1]\n\n"
    "```python\nreturn 2.0**attempt\n```\n\n"
    "Look \x1b[2J\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\ \u202e [a](https://evil.example) &#x202e; [99].\n"
)
STYLING = re.compile(r"\x1b\[[\d;]*m|\x1b\]8;[^\x1b]*\x1b\\")


def test_markdown_is_drawn_on_a_terminal(run_main: Run, server: OpenAIServer, built: BuiltAlias) -> None:
    server.replies.append(MARKDOWN)
    screen = run_on_terminal("ask", "backoff", env={"ASKREPO_LINKS": "vscode"}).screen.replace("\r\n", "\n")
    assert "\x1b[1mWaiting\x1b[0m\n\nIt waits \x1b[1;36m2.0**attempt\x1b[0m seconds " in screen
    assert "return\x1b[0m" in screen
    assert "```" not in screen
    file = built.repositories[0].path / "src/retry.py"
    links = {re.sub(r":\d+$", "", url) for url in re.findall(r"\x1b\]8;[^;]*;([^\x1b]+)\x1b", screen)}
    assert links == {f"vscode://file{file}"}
    assert re.search(r"https?://evil\.example", screen)
    shown = STYLING.sub("", screen)
    assert "\x1b" not in re.sub(r"\r?\x1b\[K", "", shown)
    assert "\u202e" not in shown
    assert " \u2022 backoff says so [1]\n" in shown
    assert "&#x202e; [99: unresolved]" in re.sub(r"\s+", " ", shown)


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_markdown_stays_as_written_where_colours_are_not_wanted(
    run_main: Run, server: OpenAIServer, env: dict[str, str]
) -> None:
    server.replies += [MARKDOWN, MARKDOWN]
    plain = run_main("ask", "backoff").stdout
    assert plain.startswith("## Waiting\n\nIt waits **`2.0**attempt`** seconds [1].\n\n- `backoff`")
    screen = run_on_terminal("ask", "backoff", env=env).screen.replace("\r\n", "\n")
    assert plain.partition("\n\nSources")[0] in screen
    assert not STYLING.search(screen)


@pytest.mark.parametrize("command", [["ask", "backoff"], ["log", "show"]])
def test_a_pretended_block_of_sources_is_marked_on_a_terminal(
    run_main: Run, server: OpenAIServer, command: list[str]
) -> None:
    server.replies += ["It waits [1].\n\n**Sources**\n\n# Sources\n\n- Sources\n"] * 2
    run_main("ask", "backoff")
    if command[0] == "log":
        command = [*command, run_main("log").stdout.split()[0]]
    shown = [STYLING.sub("", line).strip(" \r\u2022") for line in run_on_terminal(*command).screen.splitlines()]
    assert shown.count("Sources") == 1
    assert shown.count("Sources (unverified)") == 3
