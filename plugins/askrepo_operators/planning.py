"""The operator that validates a run before anything is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from askrepo.types import to_json
from askrepo_operators.stage import StageOperator, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context


class PlanRunOperator(StageOperator):
    """The run's repositories, validated; the first and only place where parameters are judged."""

    def execute(self, context: Context) -> list[dict[str, Any]]:  # noqa: ARG002
        """One dict per repository (`Repository`), in the order given."""
        from askrepo.plan import plan_run

        with no_retry_on_permanent_errors():
            run = self.open_run()
            repositories = plan_run(run.definition, allow_local=run.settings.allow_local)
        names = ", ".join(repository.name for repository in repositories)
        self.log.info("plan %s: %d repositories (%s)", run.definition.alias, len(repositories), names)
        return [to_json(repository) for repository in repositories]
