"""The server as a client starts it: a process whose standard output holds the protocol and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.datasets import BuiltAlias
from tests.query.mcp.conftest import outcome_of, text_of

HELLO = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
    "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}  # fmt: skip


def environment(built: BuiltAlias, **others: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "ASKREPO_WORKSPACE": built.workspace.url,
            "ASKREPO_CACHE": str(built.settings.cache), **others}  # fmt: skip


def started(built: BuiltAlias) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "askrepo_query", "mcp"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment(built), **pipes)


def greeted(server: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(HELLO).encode() + b"\n")
    server.stdin.flush()
    return json.loads(server.stdout.readline())


async def test_a_client_calls_over_stdio(built: BuiltAlias) -> None:
    from mcp.client.client import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    start = StdioServerParameters(command=sys.executable, args=["-m", "askrepo_query", "mcp"], env=environment(built))
    async with Client(stdio_client(start)) as client:
        result = await client.call_tool("search", {"query": "Retrier", "limit": 1})
        wrong = await client.call_tool("search", {"query": "x", "nosuch": 1})
    assert text_of(result).startswith("src/retry.py:")
    assert outcome_of(wrong) == "wrong arguments"


def test_the_server_ends_with_its_input_and_says_nothing_else(built: BuiltAlias) -> None:
    with started(built) as server:
        assert greeted(server)["result"]["serverInfo"]["name"] == "askrepo"
        printed, noted = server.communicate(b"this is no JSON\n", timeout=30)
    assert server.returncode == 0
    assert noted == b""
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in printed.splitlines())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_signals_end_the_server(built: BuiltAlias, number: signal.Signals) -> None:
    with started(built) as server:
        greeted(server)
        server.send_signal(number)
        assert server.wait(timeout=30) == 128 + number
        assert server.stdout is not None
        assert server.stderr is not None
        assert (server.stdout.read(), server.stderr.read()) == (b"", b"")


def test_input_that_ends_in_the_middle_of_a_call_ends_the_server(built: BuiltAlias) -> None:
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {
        "name": "context", "arguments": {"question": "how long does the retrier wait"}}}  # fmt: skip
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    with started(built) as server:
        greeted(server)
        lines = (json.dumps(line).encode() + b"\n" for line in (ready, call))
        printed, noted = server.communicate(b"".join(lines), timeout=30)
    assert (server.returncode, noted) == (0, b"")
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in printed.splitlines())
