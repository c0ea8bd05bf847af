"""Credentials from Airflow connections, handed over without touching a command line, a log or an XCom."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from askrepo.errors import UsageError
from askrepo.settings import Settings
from askrepo.workspace.objects import Workspace
from askrepo_operators.pipeline_settings import PipelineSettings

if TYPE_CHECKING:
    from askrepo.embedders.embedder import Embedder

OPENAI_CONNECTION = "openai_default"
AWS_CONNECTION_TYPE = "aws"
# Of a connection of type aws; a role would have to be assumed with the amazon provider, which is not needed here.
ROLE_FIELDS = ("role_arn", "assume_role_method", "assume_role_with_web_identity_token_file")
CONFIG_PREFIXES = ("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """Where an OpenAI-compatible service is and the key it wants; never shown, never stored."""

    api_key: str | None
    base_url: str | None


@contextmanager
def git_environment(url: str, connection_ids: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Environment variables that let git read the repository: those of the first connection to its host.

    A connection's token goes to the connection's own host only, so that nobody who may name a repository
    can have the token sent elsewhere.

    :raises UsageError: a connection is missing, or names no host.
    """
    for connection_id in connection_ids:
        if _host_of(_git_connection_url(connection_id)) == _host_of(url):
            from airflow.providers.git.hooks.git import GitHook

            hook = GitHook(connection_id, repo_url=url)
            with hook.configure_hook_env():
                # The hook numbers its settings after those of the environment, so git needs both.
                numbered = {name: value for name, value in os.environ.items() if name.startswith(CONFIG_PREFIXES)}
                yield {**numbered, **hook.env}
            return
    yield {}


def openai_endpoint(settings: Settings) -> Endpoint:
    """The connection `openai_default` where Airflow has one, else the environment's key and URL."""
    try:
        connection = _connection(OPENAI_CONNECTION)
    except AirflowNotFoundException:
        return Endpoint(settings.openai_api_key, settings.openai_base_url)
    return Endpoint(connection.password or settings.openai_api_key, connection.host or settings.openai_base_url)


def open_embedder(spec: str, *, settings: Settings) -> Embedder:
    """The embedder of that name as the settings say, reached with the connection `openai_default` where that applies.

    :raises CredentialsError: it needs a key and there is none.
    """
    from askrepo.aliases.readers import embedder_opener

    if spec.startswith("openai:"):
        endpoint = openai_endpoint(settings)
        settings = replace(settings, openai_api_key=endpoint.api_key, openai_base_url=endpoint.base_url)
    return embedder_opener(settings)(spec)


def open_workspace(settings: Settings) -> Workspace:
    """The workspace, reached with the connection that ASKREPO_WORKSPACE_CONN_ID names, else as the environment says.

    :raises UsageError: the connection is missing or cannot be used; the message names it.
    """
    connection_id = PipelineSettings.from_env(os.environ).workspace_conn_id
    environment = os.environ if connection_id is None else aws_environment(connection_id, os.environ)
    return Workspace.open(settings.workspace, env=environment)


def aws_environment(connection_id: str, env: Mapping[str, str]) -> Mapping[str, str]:
    """The environment with what the connection says in place of its own: keys, session token, region, endpoint.

    A copy; the process's own environment, which other programs inherit, never holds a connection's keys.

    :raises UsageError: there is no such connection of type aws, or it wants a role to be assumed.
    """
    connection = _aws_connection(connection_id)
    extra = connection.extra_dejson
    keys = {
        "AWS_ACCESS_KEY_ID": connection.login or extra.get("aws_access_key_id"),
        "AWS_SECRET_ACCESS_KEY": connection.password or extra.get("aws_secret_access_key"),
        "AWS_SESSION_TOKEN": extra.get("aws_session_token"),
        "AWS_PROFILE": extra.get("profile_name"),
    }
    service = extra.get("service_config", {}).get("s3", {})
    places = {
        "AWS_REGION": extra.get("region_name"),
        "AWS_ENDPOINT_URL_S3": service.get("endpoint_url") or extra.get("endpoint_url"),
    }
    inherited = {name: value for name, value in env.items() if name not in keys} if any(keys.values()) else env
    return {**inherited, **{name: value for name, value in {**keys, **places}.items() if value}}


def _aws_connection(connection_id: str) -> Connection:
    try:
        connection = _connection(connection_id)
    except AirflowNotFoundException as error:
        raise UsageError(
            f"no Airflow connection {connection_id!r}: create it (type aws), or correct ASKREPO_WORKSPACE_CONN_ID"
        ) from error
    role = next((name for name in ROLE_FIELDS if connection.extra_dejson.get(name)), None)
    if connection.conn_type != AWS_CONNECTION_TYPE or role:
        found = f"asks for {role}" if role else f"is of type {connection.conn_type}"
        raise UsageError(
            f"connection {connection_id!r} of ASKREPO_WORKSPACE_CONN_ID {found}: it must be of type aws with an access "
            "key as login and its secret as password, or empty to use the role of the machine"
        )
    return connection


def _git_connection_url(connection_id: str) -> str:
    try:
        connection = _connection(connection_id)
    except AirflowNotFoundException as error:
        raise UsageError(
            f"no Airflow connection {connection_id!r}: create it (type git), or correct ASKREPO_GIT_CONN_ID"
        ) from error
    if not connection.host:
        raise UsageError(
            f"connection {connection_id!r} names no host: set it to the URL its token is for, e.g. https://github.com"
        )
    return connection.host


def _connection(connection_id: str) -> Connection:
    return BaseHook.get_connection(connection_id)


def _host_of(url: str) -> str:
    """Scheme-independent host and port: `https://github.com/a/b`, `git@github.com:a/b` and `github.com` are one."""
    if "://" not in url:
        url = "ssh://" + url.replace(":", "/", 1)
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or ''}"
