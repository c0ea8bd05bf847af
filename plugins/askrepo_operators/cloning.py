"""The operator that publishes a repository at one commit."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from askrepo.text.display import plain_line
from askrepo.types import Repository, to_json
from askrepo_operators.connections import git_environment
from askrepo_operators.pipeline_settings import PipelineSettings, connection_ids
from askrepo_operators.stage import StageOperator, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context


SECONDS = "seconds"
"""XCom key: how long a clone took."""


class CloneRepositoryOperator(StageOperator):
    """A snapshot of the repository in the workspace; nothing is fetched when the commit is there already.

    :param repository: a `Repository` as dict; usually mapped over.
    :param git_conn_ids: Airflow connections of type git, for private repositories; each is used only for
        repositories on its own host. Comma-separated; None means those of ASKREPO_GIT_CONN_ID.
    """

    template_fields = (*StageOperator.template_fields, "repository", "git_conn_ids")

    def __init__(self, *, repository: dict[str, Any], git_conn_ids: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.repository = repository
        self.git_conn_ids = git_conn_ids

    def execute(self, context: Context) -> dict[str, Any]:
        """The `Snapshot` as dict; the seconds it took as a further XCom."""
        started = time.monotonic()
        repository = Repository(**self.repository)
        with no_retry_on_permanent_errors():
            run = self.open_run()
            with git_environment(repository.url, self._connection_ids()) as credentials:
                snapshot = run.clone(repository, git_environment=credentials)
        self.log.info(
            "clone %s@%s: %.1f MB, committed %s",
            plain_line(snapshot.name),
            snapshot.commit[:10],
            snapshot.bytes / 1e6,
            snapshot.committed_at,
        )
        context["ti"].xcom_push(SECONDS, time.monotonic() - started)
        return to_json(snapshot)  # type: ignore[no-any-return]

    def on_kill(self) -> None:
        """Stop git."""
        from askrepo.git.process import kill_running

        kill_running()

    def _connection_ids(self) -> tuple[str, ...]:
        if self.git_conn_ids is not None:
            return connection_ids(self.git_conn_ids)
        return PipelineSettings.from_env(os.environ).git_conn_ids
