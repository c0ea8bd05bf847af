"""A conversation that outlives its dataset."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.datasets import build_alias, run_stages

ROOT = Path(__file__).parents[2]


def test_a_conversation_follows_the_alias(clean_home):
    built = build_alias(clean_home / "workspace", {"a.py": "def first():\n    pass\n"})
    with subprocess.Popen(
        [sys.executable, "-m", "askrepo_query", "chat", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ASKREPO_WORKSPACE": built.workspace.url},
    ) as chat:
        before = said(chat, "first second")
        built.repositories[0].commit({"b.py": "def second():\n    pass\n"})
        entry = run_stages(built.definition, workspace=built.workspace, settings=built.settings)
        built.workspace.delete_folder(built.entry.manifest.dataset)
        after = said(chat, "first second")
        _, notes = chat.communicate()
    assert paths(before) == {"a.py"}
    assert paths(after) == {"a.py", "b.py"}
    assert chat.returncode == 0
    assert [entry.manifest.dataset.rpartition("/")[2] in line for line in told(notes)] == [False, True]


def said(chat: subprocess.Popen[str], question: str) -> dict[str, Any]:
    """The answer."""
    assert chat.stdin
    assert chat.stdout
    chat.stdin.write(f"{question}\n")
    chat.stdin.flush()
    answer: dict[str, Any] = json.loads(chat.stdout.readline())
    return answer


def paths(answer: dict[str, Any]) -> set[str]:
    return {citation["path"] for citation in answer["citations"]}


def told(notes: str) -> list[str]:
    """The lines that tell which dataset answers."""
    return [line for line in notes.splitlines() if line.startswith("main: ")]
