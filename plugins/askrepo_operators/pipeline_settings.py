"""Settings that only the pipeline has, read from the environment beside the core's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from askrepo.settings import InvalidSettingError

DEFAULT_POOL = "default_pool"
"""The pool that every Airflow has."""

MAX_RETRY_DELAY_S = 86_400

FREE_EMBEDDERS = ("local", "hash")
"""Embedders that call no service."""


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """How this installation's Airflow runs the pipeline.

    :ivar git_conn_ids: Airflow connections of type git, for private repositories; each serves its own host only.
    :ivar workspace_conn_id: Airflow connection of type aws, for a workspace and datasets on `s3://`; None when their
        credentials are in the environment.
    :ivar retry_delay_s: seconds before the first retry; each further one waits twice as long.
    :ivar embed_pool: Airflow pool of all tasks that may call a paid embedder; it must exist, or they wait for ever.
    """

    git_conn_ids: tuple[str, ...]
    retry_delay_s: float
    embed_pool: str = DEFAULT_POOL
    workspace_conn_id: str | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Settings from environment variables; an empty variable counts as unset.

        :raises UsageError: a variable's value has the wrong shape; the message names it.
        """
        return cls(
            git_conn_ids=connection_ids(env.get("ASKREPO_GIT_CONN_ID", "")),
            retry_delay_s=_seconds(env.get("ASKREPO_RETRY_DELAY_S") or "30"),
            embed_pool=env.get("ASKREPO_EMBED_POOL") or DEFAULT_POOL,
            workspace_conn_id=env.get("ASKREPO_WORKSPACE_CONN_ID", "").strip() or None,
        )

    def pool_for(self, embedder: str | None) -> str:
        """The pool for tasks with that embedder; None stands for any, since the run decides."""
        return DEFAULT_POOL if embedder in FREE_EMBEDDERS else self.embed_pool


def connection_ids(text: str) -> tuple[str, ...]:
    """The connections of a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _seconds(text: str) -> float:
    # More than a day between two tries nobody means, and Airflow's clock overflows at some size.
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{0,6})?", text.strip()) or float(text) > MAX_RETRY_DELAY_S:
        requirement = f"a number of seconds between 0 and {MAX_RETRY_DELAY_S}"
        raise InvalidSettingError("ASKREPO_RETRY_DELAY_S", requirement, text)
    return float(text)
