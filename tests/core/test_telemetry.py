"""What keeps libraries silent is set early enough, whatever the environment says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from askrepo.telemetry import SILENCE, silence

ROOT = Path(__file__).resolve().parents[2]
LOUD = {
    "ORT_DISABLE_TELEMETRY": "0",
    "LANGSMITH_TRACING": "true",
    "LANGCHAIN_TRACING_V2": "true",
    "LANGCHAIN_TRACING": "true",
    "LANGSMITH_GATEWAY": "true",
    "LANGSMITH_API_KEY": "lsv2_none",
}


def said(code: str) -> list[str]:
    """What a process prints whose environment is as loud as can be; this one may have been silenced already."""
    env = {name: value for name, value in os.environ.items() if name not in SILENCE} | LOUD
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return run.stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize(
    "module", ["askrepo", "askrepo.langchain.retriever", "askrepo.embedders.local", "askrepo_query", "benchmarks"]
)
def test_onnxruntime_is_told_before_anybody_can_import_it(module: str) -> None:
    code = f"import os, sys, {module}; print(os.environ['ORT_DISABLE_TELEMETRY'], 'onnxruntime' in sys.modules)"

    assert said(code) == ["1", "False"]


@pytest.mark.slow
@pytest.mark.parametrize("module", ["askrepo_query", "benchmarks"])
def test_our_processes_trace_nothing_to_langsmith(module: str) -> None:
    code = (
        f"import {module}; from langsmith.utils import tracing_is_enabled;"
        "from langchain_core.callbacks import CallbackManager; from langchain_openai import ChatOpenAI;"
        "handlers = CallbackManager.configure().handlers;"
        "print(tracing_is_enabled(), len(handlers), ChatOpenAI(api_key='k').openai_api_base)"
    )

    assert said(code) == ["False", "0", "None"]


def test_a_users_own_tracing_is_left_alone() -> None:
    assert said(
        "import askrepo.langchain.retriever; from langsmith.utils import tracing_is_enabled as t; print(t())"
    ) == ["True"]


def test_the_callers_environment_does_not_win() -> None:
    env = dict(LOUD)
    silence(env)

    assert env == {**LOUD, **SILENCE}
