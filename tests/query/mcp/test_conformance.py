"""The protocol's own suite and its inspector, from npm: what they ask of any server, without fixtures of theirs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.datasets import BuiltAlias
from tests.query.mcp.test_http import serving
from tests.query.mcp.test_stdio import environment

CONFORMANCE, INSPECTOR = "@modelcontextprotocol/conformance@0.2.0-alpha.12", "@modelcontextprotocol/inspector@2.12.0"
NODE = "node@22"  # the suite needs it, and many systems have an older one
SCENARIOS = {
    "2025-11-25": (
        "server-initialize", "server-session-lifecycle", "ping", "tools-list", "resources-list",
        "server-sse-multiple-streams", "dns-rebinding-protection",
    ),
    "2026-07-28": (
        "tools-list", "resources-list", "server-sse-multiple-streams", "dns-rebinding-protection",
        "sep-2164-resource-not-found", "http-header-validation", "input-required-result-unsupported-methods",
        "input-required-result-validate-input",
    ),
}  # fmt: skip
CALLS = {
    "search": ["query=Retrier"],
    "read": ["path=src/retry.py", "start=6"],
    "context": ["question=how long does the retrier wait"],
    "status": ["path=src"],
}

pytestmark = [pytest.mark.mcp, pytest.mark.skipif(shutil.which("npx") is None, reason="npx is not installed")]


def npx(package: str, *args: str) -> str:
    command = ["npx", "--yes", "--package", NODE, "--package", package, "--", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("revision", SCENARIOS)
def test_the_suite_of_the_protocol_passes(built: BuiltAlias, revision: str) -> None:
    with serving(built) as url:
        for scenario in SCENARIOS[revision]:
            chosen = ("--spec-version", revision, "--scenario", scenario)
            said = npx(CONFORMANCE, "conformance", "server", "--url", url, *chosen)
            assert "0 failed, 0 warnings" in said


def inspected(built: BuiltAlias, method: str, *args: str) -> dict[str, Any]:
    wanted = environment(built)
    names = ("PYTHONPATH", "ASKREPO_WORKSPACE", "ASKREPO_CACHE")
    variables = [part for name in names for part in ("-e", f"{name}={wanted[name]}")]
    started = [sys.executable, "-m", "askrepo_query", "mcp"]
    return json.loads(npx(INSPECTOR, "mcp-inspector", "--cli", *variables, *started, "--method", method, *args))


def test_the_inspector_lists_and_calls_each_tool(built: BuiltAlias) -> None:
    assert [tool["name"] for tool in inspected(built, "tools/list")["tools"]] == list(CALLS)
    for tool, arguments in CALLS.items():
        result = inspected(built, "tools/call", "--tool-name", tool, "--tool-arg", *arguments)
        assert result["_meta"]["askrepo"]["outcome"] == "found"
        assert result["content"][0]["text"].splitlines()[-1].startswith("main · ")


def test_the_pages_say_which_versions(built: BuiltAlias) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "agents.md").read_text()
    scenarios = {each for several in SCENARIOS.values() for each in several}
    assert all(each in page for each in (CONFORMANCE, INSPECTOR, *SCENARIOS, *scenarios))
