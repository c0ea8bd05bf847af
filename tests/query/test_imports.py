from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.datasets import BuiltAlias

HEAVY = (
    "airflow", "anyio", "deeplake", "langchain", "langchain_core", "langchain_openai", "markdown_it", "mcp", "numpy",
    "obstore", "onnx", "onnxruntime", "openai", "pyarrow", "pydantic", "rich", "starlette", "tiktoken", "tokenizers",
    "tree_sitter",
)  # fmt: skip
SCRIPT = """
import contextlib, io, json, os, sys
from askrepo_query.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    main(sys.argv[1:], standalone_mode=False)
print(json.dumps(sorted(sys.modules)), flush=True)
os._exit(0)  # as the command ends, see askrepo_query.start
"""


def modules_after(*args: str, home: Path, workspace: str = "") -> set[str]:
    environment = {
        **os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(home), "ASKREPO_WORKSPACE": workspace
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *args], env=environment, cwd=home, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["search", "--help"],
        ["ask", "-h"],
        ["show", "-h"],
        ["mcp", "-h"],
        ["mcp", "--print-config"],
        ["completion", "zsh"],
    ],
)
def test_help_loads_nothing_heavy(args: list[str], tmp_path: Path) -> None:
    assert not modules_after(*args, home=tmp_path).intersection(HEAVY)


def test_listing_aliases_loads_neither_the_store_of_vectors_nor_models(built: BuiltAlias, tmp_path: Path) -> None:
    loaded = modules_after("status", home=tmp_path, workspace=built.workspace.url)
    assert "obstore" in loaded
    assert not loaded.intersection(set(HEAVY) - {"obstore"})


def test_the_command_never_loads_airflow(built: BuiltAlias, tmp_path: Path) -> None:
    loaded = modules_after("ask", "retry", home=tmp_path, workspace=built.workspace.url)
    assert "deeplake" in loaded
    assert "airflow" not in loaded


@pytest.mark.parametrize("args", [["show", "src/retry.py:1-2"], ["why", "src/retry.py"], ["why", "src/retry.py:3"]])
def test_looking_at_a_file_loads_nothing_that_splits_ranks_or_embeds(
    built: BuiltAlias, tmp_path: Path, args: list[str]
) -> None:
    loaded = modules_after(*args, home=tmp_path, workspace=built.workspace.url)
    assert "obstore" in loaded
    assert not loaded.intersection(
        {"askrepo.pipeline.split", "askrepo.search.ranking", "pyarrow.compute", "pyarrow.dataset", "rich",
         "tree_sitter", "onnxruntime", "langchain_core", "tiktoken"}
    )  # fmt: skip
