"""Credentials from Airflow connections reach the right host, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from askrepo.errors import UsageError
from askrepo.settings import Settings
from askrepo.store.location import DatasetLocation
from askrepo_operators.connections import aws_environment, git_environment, open_workspace, openai_endpoint
from tests.airflow_session import AIRFLOW_WARNINGS
from tests.s3_server import S3Server, s3_server  # noqa: F401

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


AWS = {"conn_type": "aws", "login": "AKIACONN", "password": "secret-of-the-connection"}


def test_aws_connection_replaces_the_environments_access(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "store", **AWS, extra={"region_name": "eu-west-1", "endpoint_url": "http://store:9000"})
    inherited = {"AWS_ACCESS_KEY_ID": "AKIAOTHER", "AWS_SESSION_TOKEN": "other", "AWS_PROFILE": "other", "HOME": "/h"}

    environment = aws_environment("store", inherited)

    assert environment == {
        "HOME": "/h",
        "AWS_ACCESS_KEY_ID": "AKIACONN",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-connection",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_S3": "http://store:9000",
    }
    assert "AKIACONN" not in inherited.values()


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"aws_session_token": "t"}, {"AWS_SESSION_TOKEN": "t"}),
        ({"service_config": {"s3": {"endpoint_url": "https://s3"}}, "endpoint_url": "https://all"},
         {"AWS_ENDPOINT_URL_S3": "https://s3"}),
    ],
    ids=["session token", "endpoint for S3 alone"],
)  # fmt: skip
def test_extras_of_an_aws_connection(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], expected: dict[str, str]
) -> None:
    connect(monkeypatch, "store", **AWS, extra=extra)

    assert expected.items() <= aws_environment("store", {}).items()


def test_empty_aws_connection_leaves_the_keys_to_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "store", conn_type="aws", extra={"region_name": "eu-west-1"})

    environment = aws_environment("store", {"AWS_PROFILE": "team"})

    assert environment == {"AWS_PROFILE": "team", "AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"conn_type": "http"}, "is of type http"),
        ({**AWS, "extra": {"role_arn": "arn:aws:iam::1:role/x"}}, "asks for role_arn"),
    ],
    ids=["other type", "role"],
)
def test_connection_that_cannot_be_used_is_refused(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], message: str
) -> None:
    connect(monkeypatch, "store", **values)

    with pytest.raises(UsageError, match=f"connection 'store' of ASKREPO_WORKSPACE_CONN_ID {message}") as caught:
        aws_environment("store", {})
    assert "secret-of-the-connection" not in str(caught.value)


def test_unknown_aws_connection_is_named() -> None:
    with pytest.raises(UsageError, match=r"no Airflow connection 'nobody'.*ASKREPO_WORKSPACE_CONN_ID"):
        aws_environment("nobody", {})


def test_workspace_is_opened_with_the_connection_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
    s3_server: S3Server,  # noqa: F811
) -> None:
    keys = {"login": "testing", "password": "testing"}
    connect(monkeypatch, "store", conn_type="aws", **keys, extra={"endpoint_url": s3_server.url})
    monkeypatch.setenv("ASKREPO_WORKSPACE_CONN_ID", "store")

    workspace = open_workspace(Settings.from_env({"ASKREPO_WORKSPACE": f"s3://{s3_server.new_bucket()}/workspace"}))

    workspace.write("key", b"content")
    assert workspace.read("key") == b"content"
    assert DatasetLocation.within(workspace, "datasets/main/one").arguments["creds"] == {
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
        "endpoint_url": s3_server.url,
    }
