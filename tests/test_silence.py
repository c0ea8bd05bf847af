"""Nothing leaves the machine, not even after a while: every entry point lives on for as long as a late report takes.

Airflow's processes: tests/dags/test_standalone.py.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from askrepo.telemetry import SILENCE
from tests.datasets import BuiltAlias, build_alias
from tests.fakes import FALLBACK_REPLY, OpenAIServer
from tests.network_trace import NetworkTrace

# onnxruntime's report comes some 5 to 15 s after its import (measured 2026-11).
LIVES_S = 25.0
FILES = {"retry.py": "def retry(times):\n    return times\n", "README.md": "# Parcel\n\nParcel retries.\n"}
# As another project of the same user may have set it.
LOUD = {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "lsv2_none", "LANGSMITH_GATEWAY": "true"}

AND_LIVE_ON = f"import time; print('done', flush=True); time.sleep({LIVES_S})"
COMMAND = "import sys; from askrepo_query.cli import main; main(sys.argv[1:], standalone_mode=False);" + AND_LIVE_ON
INGEST = f"import sys; from tests.pipeline_process import main; main();{AND_LIVE_ON}"
RETRIEVER = f"""
import os
from askrepo.langchain.retriever import AskrepoRetriever
from askrepo.settings import Settings
from askrepo.aliases.readers import open_alias
from askrepo.workspace.objects import Workspace
settings = Settings.from_env(os.environ)
reader = open_alias("main", workspace=Workspace.open(settings.workspace), settings=settings)
assert AskrepoRetriever(readers=[reader]).invoke("how are things retried")
{AND_LIVE_ON}
"""

# What is asked on stdin, and stays open as long as the others live.
STAY_OPEN = ("chat", "mcp")
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "any", "version": "1"}}
CALLS = (
    {"id": 1, "method": "initialize", "params": HELLO},
    {"method": "notifications/initialized"},
    {"id": 2, "method": "tools/call", "params": {"name": "search", "arguments": {"query": "how are things retried"}}},
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    return build_alias(tmp_path_factory.mktemp("silence"), FILES, embedder="local")


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


@pytest.mark.slow
def test_no_entry_point_speaks_to_another_machine(built: BuiltAlias, server: OpenAIServer, tmp_path: Path) -> None:
    chat = {"ASKREPO_CHAT_MODEL": "any", "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "sk-any"}
    ingest = [f"{tmp_path}/workspace", f"{tmp_path}/cache", "main", built.repositories[0].url, "local"]
    commands = {
        "search": (python(COMMAND, "search", "how are things retried"), LOUD),
        "ask": (python(COMMAND, "ask", "how are things retried"), LOUD | chat),
        "chat": ([sys.executable, "-m", "askrepo_query", "chat"], LOUD | chat),
        "mcp": ([sys.executable, "-m", "askrepo_query", "mcp"], LOUD | chat),
        "ingest": (python(INGEST, *ingest), LOUD),
        "retriever": (python(RETRIEVER), {}),
    }
    with ExitStack() as stack:
        traces = {
            name: stack.enter_context(NetworkTrace(command, env=environment(built, tmp_path / name, more)))
            for name, (command, more) in commands.items()
        }
        write(traces["chat"], "how are things retried")
        write(traces["mcp"], *(json.dumps({"jsonrpc": "2.0", **message}) for message in CALLS))
        ended = {name: trace.wait(LIVES_S + 60) for name, trace in traces.items() if name not in STAY_OPEN}
        found = {name: trace.foreign() for name, trace in traces.items()}
        outputs = {name: trace.output() for name, trace in traces.items()}
    output = "\n".join(outputs.values())
    assert ended == dict.fromkeys(ended, 0), output
    assert FALLBACK_REPLY.rstrip(".") in output
    assert "retry.py:1-2" in outputs["mcp"]
    assert found == {name: [] for name in commands}, output
    assert [path for name in commands for path in (tmp_path / name).rglob("*Microsoft*")] == []


def write(trace: NetworkTrace, *lines: str) -> None:
    """Ask at a prompt, or of a server, and leave it open."""
    assert trace.process.stdin
    trace.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
    trace.process.stdin.flush()


def environment(built: BuiltAlias, home: Path, more: dict[str, str]) -> dict[str, str]:
    """A user's environment, with a home of its own."""
    home.mkdir()
    ours = {"HOME": str(home), "ASKREPO_WORKSPACE": built.workspace.url, "ASKREPO_CACHE": str(built.settings.cache)}
    return {name: value for name, value in os.environ.items() if name not in SILENCE} | ours | more
