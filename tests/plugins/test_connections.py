"""Credentials from Airflow connections reach the right host, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from askrepo.errors import UsageError
from askrepo.settings import Settings
from askrepo_operators.connections import git_environment, openai_endpoint
from tests.airflow_session import AIRFLOW_WARNINGS

pytestmark = AIRFLOW_WARNINGS

TOKEN = "token-of-the-connection"


def connect(monkeypatch: pytest.MonkeyPatch, name: str, **values: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(values))


@pytest.mark.parametrize("host", ["https://github.com", "https://github.com/owner/name", "github.com"])
def test_token_is_given_to_the_connections_host(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    connect(monkeypatch, "hub", conn_type="git", host=host, login="bot", password=TOKEN)

    with git_environment("https://github.com/owner/name", ["hub"]) as environment:
        assert TOKEN in environment.values()
        assert not [value for name, value in environment.items() if name.startswith("GIT_") and TOKEN in value]


@pytest.mark.parametrize(
    "url", ["https://evil.example/github.com/x", "https://github.com.evil.example/x", "https://github.com:444/x"]
)
def test_token_is_not_given_to_another_host(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    connect(monkeypatch, "hub", conn_type="git", host="https://github.com", password=TOKEN)

    with git_environment(url, ["hub"]) as environment:
        assert environment == {}


def test_each_host_has_its_own_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "hub", conn_type="git", host="https://github.com", password="one")
    connect(monkeypatch, "lab", conn_type="git", host="https://gitlab.com", password="two")

    with git_environment("https://gitlab.com/owner/name", ["hub", "lab"]) as environment:
        assert "two" in environment.values()
        assert "one" not in environment.values()


def test_public_repositories_need_no_connection() -> None:
    with git_environment("https://github.com/owner/name", []) as environment:
        assert environment == {}


def test_unknown_connection_is_named() -> None:
    with pytest.raises(UsageError, match="no Airflow connection 'nobody'"), git_environment("https://h/x", ["nobody"]):
        pass


def test_connection_without_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "hub", conn_type="git", password=TOKEN)

    with pytest.raises(UsageError, match="'hub' names no host"), git_environment("https://h/x", ["hub"]):
        pass


def test_openai_connection_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "openai_default", conn_type="openai", password="key", host="http://127.0.0.1:1/v1")
    settings = Settings.from_env({"OPENAI_API_KEY": "other", "OPENAI_BASE_URL": "http://other"})

    endpoint = openai_endpoint(settings)

    assert (endpoint.api_key, endpoint.base_url) == ("key", "http://127.0.0.1:1/v1")
    assert "key" not in repr(endpoint)


def test_environment_serves_where_there_is_no_openai_connection() -> None:
    settings = Settings.from_env({"OPENAI_API_KEY": "key"})

    assert openai_endpoint(settings).api_key == "key"
