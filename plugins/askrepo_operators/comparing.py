"""The operator that ends a run early when there is nothing to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from askrepo.text.display import plain_line
from askrepo.types import snapshot_from, to_json
from askrepo_operators.keeping import skip_unless_wanted
from askrepo_operators.stage import StageOperator, all_of, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

COMPARISON = "comparison"
"""XCom key: what the other tasks of the run must agree on."""


class CompareSnapshotsOperator(StageOperator):
    """The snapshots again, when they differ from what the alias's current dataset was built from.

    Otherwise the task skips itself, and with it the rest of the run: green, nothing written.

    :param snapshots: what the clone tasks returned.
    """

    template_fields = (*StageOperator.template_fields, "snapshots")

    def __init__(self, *, snapshots: Sequence[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.snapshots = snapshots

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """One dict per `Snapshot`; the `Comparison` as dict as a further XCom.

        :raises AirflowSkipException: the current dataset is up to date.
        """
        snapshots = [snapshot_from(snapshot) for snapshot in all_of(self.snapshots)]
        with no_retry_on_permanent_errors():
            run = self.open_run()
            number = run.number()
            skip_unless_wanted(run)
            found = run.compare(snapshots, number=number)
        alias = run.definition.alias
        if not found.reasons and not run.force:
            message = f"up to date: alias {alias} entry {number} holds these commits with these settings"
            raise AirflowSkipException(message)
        self.log.info("compare %s: %s", alias, plain_line(", ".join(found.reasons)) or "forced")
        context["ti"].xcom_push(COMPARISON, to_json(found))
        return [to_json(snapshot) for snapshot in snapshots]
