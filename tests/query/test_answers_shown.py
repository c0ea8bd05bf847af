"""What a chat model writes is told apart from what was checked."""

from __future__ import annotations

from tests.fakes import OpenAIServer
from tests.query.conftest import Run

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
