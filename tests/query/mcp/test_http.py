from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from askrepo.errors import UsageError
from askrepo_query.mcp.address import Address
from tests.datasets import BuiltAlias
from tests.query.conftest import Run
from tests.query.mcp.conftest import text_of

TOKEN = "a-token-of-some-length"
PING = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
    "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}  # fmt: skip


@contextmanager
def serving(built: BuiltAlias, *, token: str = "") -> Iterator[str]:
    """The server in a process of its own; gives its URL, and makes sure that SIGTERM ends it quietly."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "ASKREPO_MCP_TOKEN": token,
                   "ASKREPO_WORKSPACE": built.workspace.url, "ASKREPO_CACHE": str(built.settings.cache)}  # fmt: skip
    command = [sys.executable, "-m", "askrepo_query", "mcp", "--http", "127.0.0.1:0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        (url,) = re.findall(r"serving (http://\S+/mcp)", server.stderr.readline())
        try:
            yield url
        finally:
            server.terminate()
            printed, noted = server.communicate(timeout=20)
    assert (server.returncode, printed, noted) == (143, "", "")


def status_of(url: str, **headers: str) -> int:
    always = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(url, json.dumps(PING).encode(), {**always, **named}), timeout=20) as answer:
            return answer.status
    except HTTPError as error:
        with error:
            return error.code


async def test_a_client_calls_over_http(built: BuiltAlias) -> None:
    from mcp.client.client import Client

    with serving(built) as url:
        async with Client(url) as client:
            result = await client.call_tool("search", {"query": "Retrier", "limit": 1})
        async with Client(url, mode="legacy") as client:
            again = await client.call_tool("search", {"query": "Retrier", "limit": 1})
    assert text_of(result).startswith("src/retry.py:")
    assert text_of(again).splitlines()[0] == text_of(result).splitlines()[0]


def test_only_requests_that_name_this_machine_pass(built: BuiltAlias) -> None:
    with serving(built) as url:
        assert status_of(url) == 200
        assert status_of(url, Origin="http://localhost:3000") == 200
        assert status_of(url, Host="evil.example") == 421
        assert status_of(url, Host="127.0.0.1.evil.example") == 421
        assert status_of(url, Origin="https://evil.example") == 403
        assert status_of(url, Origin="null") == 403


def test_a_token_is_asked_for_when_there_is_one(built: BuiltAlias) -> None:
    with serving(built, token=TOKEN) as url:
        assert status_of(url) == 401
        assert status_of(url, Authorization=f"Bearer {TOKEN}x") == 401
        assert status_of(url, Authorization=f"Bearer {TOKEN}") == 200
        assert status_of(url, Authorization=f"  Bearer {TOKEN} \t") == 200


@pytest.mark.parametrize(
    ("text", "host", "port", "is_loopback"),
    [
        ("127.0.0.1:8377", "127.0.0.1", 8377, True),
        ("localhost:0", "localhost", 0, True),
        ("[::1]:80", "::1", 80, True),
        ("9000", "127.0.0.1", 9000, True),
        ("0.0.0.0:9000", "0.0.0.0", 9000, False),
        ("build.example:9000", "build.example", 9000, False),
    ],
)
def test_addresses(text: str, host: str, port: int, is_loopback: bool) -> None:
    address = Address.parse(text)
    assert (address.host, address.port, address.is_loopback) == (host, port, is_loopback)


@pytest.mark.parametrize("text", ["", "host", "host:", "host:x", "host:70000", "http://host:80", "a b:80", "host:٣"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="--http takes HOST:PORT"):
        Address.parse(text)


def test_others_are_served_with_a_token_only(run_main: Run) -> None:
    result = run_main("mcp", "--http", "0.0.0.0:8377")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "other machines can reach 0.0.0.0: set ASKREPO_MCP_TOKEN" in result.stderr
    weak = run_main("mcp", "--http", "0.0.0.0:8377", env={"ASKREPO_MCP_TOKEN": "short"})
    assert "ASKREPO_MCP_TOKEN must have 16 characters or more" in weak.stderr


def test_the_configuration_has_absolute_paths(run_main: Run, built: BuiltAlias) -> None:
    entry = json.loads(run_main("mcp", "--print-config", "-a", "main", "--at", "1").stdout)["mcpServers"]["askrepo"]
    assert Path(entry["command"]).is_absolute()
    assert entry["args"][-7:] == ["mcp", "--workspace", built.workspace.url, "--alias", "main", "--at", "1"]
    over_http = json.loads(run_main("mcp", "--print-config", "--http", env={"ASKREPO_MCP_TOKEN": TOKEN}).stdout)
    assert over_http["mcpServers"]["askrepo"] == {
        "type": "http", "url": "http://127.0.0.1:8377/mcp", "headers": {"Authorization": "Bearer ${ASKREPO_MCP_TOKEN}"}
    }  # fmt: skip


def test_the_configuration_names_the_chat_model_with_its_endpoint_and_no_secret(run_main: Run) -> None:
    chat = {"ASKREPO_CHAT_MODEL": "m", "OPENAI_BASE_URL": "http://localhost:11434/v1", "OPENAI_API_KEY": "sk-secret"}
    result = run_main("mcp", "--print-config", env=chat)
    environment = json.loads(result.stdout)["mcpServers"]["askrepo"]["env"]
    assert environment["ASKREPO_CHAT_MODEL"] == "m"
    assert environment["ASKREPO_OPENAI_BASE_URL"] == "http://localhost:11434/v1"
    assert "sk-secret" not in result.output
    refused = run_main("mcp", "--print-config", env=chat | {"OPENAI_BASE_URL": "http://me:hunter2@localhost/v1"})
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "hunter2" not in refused.stderr


def test_without_the_sdk_it_is_said_what_to_install(run_main: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "askrepo_query.mcp.server", raising=False)
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    result = run_main("mcp")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "pip install 'askrepo[mcp]'" in result.stderr
