"""The operators that keep the workspace small: first what would be removed, then the removal."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from askrepo.errors import StorageError, UnavailableError, UsageError
from askrepo.settings import Settings
from askrepo_operators.connections import open_workspace
from askrepo_operators.stage import no_retry_on_permanent_errors, refuse_unknown

if TYPE_CHECKING:
    from airflow.sdk import Context

    from askrepo.housekeeping.maintenance import Plan
    from askrepo.workspace.objects import Workspace

SCHEDULED = "scheduled"

PARAMETERS = ("dry_run", "aliases", "retention", "run_retention_days")
"""What a maintenance run may be started with."""


class _MaintenanceOperator(BaseOperator):
    """What both share: the parameters of the run, as JSON (templated)."""

    template_fields: Sequence[str] = ("parameters",)

    def __init__(self, *, parameters: str = "{{ params | tojson }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parameters = parameters

    def _plan(self, workspace: Workspace, *, now: datetime | None = None) -> Plan:
        from askrepo.housekeeping.maintenance import plan_maintenance
        from askrepo.housekeeping.retention import Limits

        settings, values = Settings.from_env(os.environ), _object(self.parameters)
        limits = Limits(
            retention=int(values.get("retention") or settings.retention),
            grace=timedelta(seconds=settings.grace_s),
            run_age=timedelta(days=float(values.get("run_retention_days") or settings.run_retention_days)),
            outside=settings.datasets,
        )
        return plan_maintenance(workspace, limits, aliases=values.get("aliases") or (), now=now)


class PlanMaintenanceOperator(_MaintenanceOperator):
    """What the workspace holds and what of it would be removed, in the task's log; nothing is changed.

    :param run_type: how the run was started (templated). A scheduled one is never a dry run, for nobody would read it.
    """

    template_fields = (*_MaintenanceOperator.template_fields, "run_type")

    def __init__(self, *, run_type: str = "{{ dag_run.run_type }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_type = run_type

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Whether it is a dry run, the moment that decides what is young, and sums by kind."""
        from askrepo.housekeeping.report import plan_lines, summary

        with no_retry_on_permanent_errors():
            refuse_unknown(_object(self.parameters), PARAMETERS)
            workspace = open_workspace(Settings.from_env(os.environ))
            plan = self._plan(workspace)
            is_dry_run = self.run_type != SCHEDULED and bool(_object(self.parameters).get("dry_run", True))
        for line in plan_lines(plan, workspace.url):
            self.log.info("%s", line)
        return {
            "dry_run": is_dry_run,
            "as_of": plan.as_of.isoformat(),
            "stored": summary(plan.items),
            "removals": summary(plan.removals),
            "problems": len(plan.problems),
        }


class RemoveUnneededOperator(_MaintenanceOperator):
    """Removes what is unneeded by the same measure, unless somebody needs it by now.

    :param planned: what the plan's task returned; the plan itself is made anew, since the workspace has moved on.
    """

    template_fields = (*_MaintenanceOperator.template_fields, "planned")

    def __init__(self, *, planned: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.planned = planned

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Sums by kind of what was removed, and how many were spared because somebody needs them by now."""
        from askrepo.housekeeping.maintenance import carry_out
        from askrepo.housekeeping.report import Usage, shown_bytes, summary

        if self.planned["dry_run"]:
            raise AirflowSkipException(
                "this was a dry run: nothing was removed; the log of the task plan says what would be"
            )
        with no_retry_on_permanent_errors():
            workspace = open_workspace(Settings.from_env(os.environ))
            plan = self._plan(workspace, now=datetime.fromisoformat(self.planned["as_of"]))
            outcome = carry_out(plan, workspace=workspace)
            total = Usage.of(outcome.removed)
            self.log.info(
                "maintenance: removed %d of %d (%s); %d turned out to be needed, %d failed",
                *(total.count, len(plan.removals), shown_bytes(total.bytes), len(outcome.spared), len(outcome.failed)),
            )
            if outcome.failed:
                name, error = next(iter(outcome.failed.items()))
                raise StorageError(f"not everything was removed, {len(outcome.failed)} failed: {name}: {error}")
            if plan.problems:
                raise UnavailableError(
                    f"no dataset and no snapshot can be removed before this is repaired: {'; '.join(plan.problems)}"
                )
        return {"removed": summary(outcome.removed), "spared": len(outcome.spared)}


def _object(text: str) -> dict[str, Any]:
    values = json.loads(text)
    if not isinstance(values, dict):
        raise UsageError(f"the parameters must be a JSON object, found {type(values).__name__}")
    return values
