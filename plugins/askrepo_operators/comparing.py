"""The operator that ends a run early when there is nothing to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from askrepo.text.display import plain_line
from askrepo.types import snapshot_from, to_json
from askrepo_operators.embedding import open_run_embedder
from askrepo_operators.keeping import skip_unless_wanted
from askrepo_operators.stage import StageOperator, all_of, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

EXPECTED_NUMBER = "expected_number"
"""XCom key: the number of the alias's current entry, which swap must still find."""

FINGERPRINT = "fingerprint"
"""XCom key: the fingerprint of the embedder that all tasks of the run must use."""

INCUMBENT = "incumbent"
"""XCom key: the number of the entry whose dataset is current, 0 for none."""

CARRIED_FROM = "carried_from"
"""XCom key: the same number when rows of unchanged files may be carried over from that dataset, else 0."""


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
        """One dict per `Snapshot`; what the other tasks must agree on as further XComs.

        :raises AirflowSkipException: the current dataset is up to date.
        """
        from askrepo.aliases.catalogue import AliasCatalogue
        from askrepo.pipeline.compare import changed
        from askrepo.pipeline.incumbent import can_be_carried

        snapshots = [snapshot_from(snapshot) for snapshot in all_of(self.snapshots)]
        with no_retry_on_permanent_errors():
            run = self.open_run()
            alias = run.definition.alias
            catalogue = AliasCatalogue(run.workspace)
            number = catalogue.number(alias)
            current = catalogue.current_or_none(alias)
            skip_unless_wanted(run, self.run)
            fingerprint = open_run_embedder(run).fingerprint
            reasons = changed(run.definition, snapshots, current, fingerprint, workspace=run.workspace)
            if not reasons and not run.force:
                message = f"up to date: alias {alias} entry {number} holds these commits with these settings"
                raise AirflowSkipException(message)
            manifest = current.manifest if current else None
            carry = not run.force and can_be_carried(manifest, fingerprint, workspace=run.workspace)
        self.log.info("compare %s: %s", alias, plain_line(", ".join(reasons)) or "forced")
        context["ti"].xcom_push(EXPECTED_NUMBER, number)
        context["ti"].xcom_push(FINGERPRINT, fingerprint)
        context["ti"].xcom_push(INCUMBENT, number if current else 0)
        context["ti"].xcom_push(CARRIED_FROM, number if carry else 0)
        return [to_json(snapshot) for snapshot in snapshots]
