"""The operator that validates a run before anything is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.configuration import conf

from askrepo.text.display import plain_line
from askrepo.types import to_json
from askrepo_operators.stage import StageOperator, no_retry_on_permanent_errors, refuse_unknown

if TYPE_CHECKING:
    from airflow.sdk import Context

PARAMETERS = ("alias", "repositories", "include", "exclude", "embedder", "force", "keep")
"""What a run of the pipeline may be started with."""


class PlanRunOperator(StageOperator):
    """The run's repositories, validated. The form refuses what it can before; whatever starts a run is judged here."""

    def execute(self, context: Context) -> list[dict[str, Any]]:  # noqa: ARG002
        """One dict per repository (`Repository`), in the order given."""
        with no_retry_on_permanent_errors():
            refuse_unknown(self.parameters(), PARAMETERS)
            run = self.open_run()
            most = conf.getint("core", "max_map_length", fallback=1024)
            repositories = run.plan(max_repositories=most)
        names = ", ".join(plain_line(repository.name) for repository in repositories)
        self.log.info("plan %s: %s", run.definition.alias, names)
        return [to_json(repository) for repository in repositories]
