"""A long session of the SDK's own client: valid calls and hostile ones, some cancelled, some at once, over a swap."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from askrepo.text.tokens import count_tokens
from tests.datasets import BuiltAlias, build_alias, run_stages
from tests.query.conftest import FILES
from tests.query.mcp.conftest import outcome_of, text_of
from tests.query.mcp.test_http import serving
from tests.query.mcp.test_stdio import environment

CALLS_OF_A_FEW, CALLS = 60, 500
AT_ONCE = 8
ANSWERED = {"found", "no match", "path not indexed"}
Call = tuple[str, dict[str, Any], set[str]]
"""Tool, arguments, and the outcomes that it may have."""

VALID: list[Call] = [
    ("search", {"query": "exponential backoff"}, {"found"}),
    ("search", {"query": "Retrier", "detail": "signature", "limit": 1}, {"found"}),
    ("search", {"query": "parcel queue heading sabotage", "limit": 50, "max_tokens": 200}, {"found"}),
    ("search", {"query": "how are messages queued", "language": "typescript", "offset": 1}, {"found", "no match"}),
    ("search", {"query": "frobnicate_widget"}, {"no match"}),
    ("read", {"path": "src/retry.py", "start": 6, "end": 7}, {"found"}),
    ("read", {"path": "data.bin"}, {"path not indexed"}),
    ("context", {"question": "how long does the retrier wait", "max_tokens": 300}, {"found"}),
    ("status", {}, {"found"}),
    ("status", {"path": "src"}, {"found"}),
]
HOSTILE: list[Call] = [
    ("search", {"query": "x" * 1_000_000}, {"wrong arguments"}),
    ("search", {"query": "a\0b' OR 1=1 --"}, ANSWERED),
    ("search", {"query": "\u202e\x1b[2J'''; DROP"}, ANSWERED),
    ("search", {"query": "*" * 4000}, {*ANSWERED, "wrong arguments"}),
    ("search", {"query": "retry", "path": "[" * 300 + "*" * 300}, {*ANSWERED, "wrong arguments"}),
    ("search", {"query": "retry", "language": "klingon"}, {"wrong arguments"}),
    ("search", {"query": "retry", "limit": -1}, {"wrong arguments"}),
    ("search", {"query": "retry", "max_tokens": 10**30}, {"wrong arguments"}),
    ("search", {"query": "retry", "nosuch": {"deep": [[[]]]}}, {"wrong arguments"}),
    ("search", {"query": "retry", "alias": "../../etc"}, {"unknown alias"}),
    ("search", {"query": "retry", "repository": "nosuch"}, {"wrong arguments"}),
    ("read", {"path": "../../../etc/passwd"}, {"path not indexed"}),
    ("read", {"path": "/etc/passwd\0.py"}, {"path not indexed"}),
    ("read", {"path": "src/retry.py", "start": 10**9}, {"wrong arguments"}),
    ("read", {"path": "src/retry.py", "start": 5, "end": 2}, {"wrong arguments"}),
    ("read", {"path": "README.md", "at": "9999"}, {"wrong arguments"}),
    ("context", {"question": " "}, {"wrong arguments"}),
    ("status", {"path": "a" * 4000}, {"path not indexed"}),
]


@pytest.mark.parametrize("way", ["stdio", "http"])
async def test_a_few_calls(tmp_path: Path, way: str) -> None:
    await _session(build_alias(tmp_path, FILES, name="parcel"), way, CALLS_OF_A_FEW)


@pytest.mark.mcp
@pytest.mark.parametrize("way", ["stdio", "http"])
async def test_all_calls(tmp_path: Path, way: str) -> None:
    await _session(build_alias(tmp_path, FILES, name="parcel"), way, CALLS)


async def _session(built: BuiltAlias, way: str, calls: int) -> None:
    """Seeded calls; after a third of them a swap, after two thirds the dataset's removal."""
    from mcp.client.client import Client

    chosen = random.Random(way)
    with _started(built, way) as target:
        async with Client(target) as client:
            await _calls(client, chosen, calls // 3)
            await _cancelled(client)
            built.repositories[0].commit({"fresh.py": "def frobnicate_other():\n    return 1\n"})
            run_stages(built.definition, workspace=built.workspace, settings=built.settings)
            swapped = await client.call_tool("search", {"query": "frobnicate_other"})
            assert swapped.meta
            assert swapped.meta["askrepo"]["rests_on"][0]["entry"] == 2
            assert text_of(swapped).startswith("fresh.py:1-2")
            await _calls(client, chosen, calls // 3)
            shutil.rmtree(Path(built.workspace.url.removeprefix("file://")) / "datasets")
            for _ in range(3):
                gone = await client.call_tool("search", {"query": "Retrier"})
                assert (outcome_of(gone), gone.is_error) == ("dataset unavailable", True)
            run_stages(built.definition, workspace=built.workspace, settings=built.settings)
            await _calls(client, chosen, calls // 3)


@contextmanager
def _started(built: BuiltAlias, way: str) -> Iterator[Any]:
    from mcp.client.stdio import StdioServerParameters, stdio_client

    if way == "http":
        with serving(built) as url:
            yield url
        return
    yield stdio_client(
        StdioServerParameters(command=sys.executable, args=["-m", "askrepo_query", "mcp"], env=environment(built))
    )


async def _calls(client: Any, chosen: random.Random, count: int) -> None:
    """So many calls, eight of them at once every time."""
    for _ in range(0, count, AT_ONCE):
        async with anyio.create_task_group() as group:
            for _ in range(AT_ONCE):
                group.start_soon(_one, client, chosen.choice([*VALID, *HOSTILE]))


async def _one(client: Any, call: Call) -> None:
    tool, arguments, outcomes = call
    result = await client.call_tool(tool, arguments)
    told = text_of(result)
    assert outcome_of(result) in outcomes, (call, told)
    assert result.is_error is (outcome_of(result) not in ANSWERED)
    assert count_tokens(told) <= (arguments.get("max_tokens", 4000) if not result.is_error else 200)
    assert "root:" not in told
    assert ("parcel@" in told.splitlines()[-1]) is not result.is_error


async def _cancelled(client: Any) -> None:
    """Calls that nobody waits for end by themselves, and the next one is answered."""
    for _ in range(AT_ONCE):
        with anyio.move_on_after(0.001):
            await client.call_tool("context", {"question": "how long does the retrier wait"})
    assert outcome_of(await client.call_tool("status", {})) == "found"
