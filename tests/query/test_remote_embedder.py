"""A question to a dataset whose vectors are a remote embedder's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from askrepo.settings import Settings
from askrepo.types import Definition
from askrepo.workspace.objects import Workspace
from tests.datasets import GitRepository, run_stages
from tests.fakes import OpenAIServer, Raw
from tests.query.conftest import Run


@pytest.fixture
def asked(clean_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """The endpoint of an alias that was built with it, which the environment names."""
    with OpenAIServer() as server:
        repository = GitRepository(clean_home / "repository")
        repository.commit({"retry.py": "def backoff(attempt):\n    return 2**attempt\n"})
        env = {"ASKREPO_WORKSPACE": str(clean_home / "workspace"), "OPENAI_BASE_URL": server.base_url}
        definition = Definition("main", (repository.url,), embedder="openai:m")
        settings = Settings.from_env({**env, "ASKREPO_CACHE": str(clean_home / "cache")})
        run_stages(definition, workspace=Workspace.open(env["ASKREPO_WORKSPACE"]), settings=settings)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        yield server


def test_a_question_is_embedded_where_the_dataset_was(asked: OpenAIServer, run: Run) -> None:
    result = run("search", "exponential backoff")
    assert result.exit_code == 0
    assert asked.inputs[-1] == "exponential backoff"


def test_a_question_is_not_sent_on_to_another_host(asked: OpenAIServer, run: Run) -> None:
    with OpenAIServer() as elsewhere:
        asked.answer = lambda request: Raw([], 307, {"location": elsewhere.base_url + "/embeddings?key=hidden"})
        result = run("search", "exponential backoff")
        assert elsewhere.requests == []
    assert result.exit_code == 2
    assert "redirects to http://127.0.0.1:" in result.stderr
    assert "hidden" not in result.output
