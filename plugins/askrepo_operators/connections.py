"""Credentials from Airflow connections, handed over without touching a command line, a log or an XCom."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from askrepo.errors import UsageError
from askrepo.settings import Settings

OPENAI_CONNECTION = "openai_default"
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
