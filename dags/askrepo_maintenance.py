"""The DAG that removes what nobody needs any more from the workspace."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, Param
from askrepo_parameters import ALIAS_PATTERN
from askrepo_pipeline import retries

from askrepo_operators.maintaining import PlanMaintenanceOperator, RemoveUnneededOperator
from askrepo_operators.pipeline_settings import PipelineSettings

GRAPH = """
### Remove what nobody needs any more

    plan → remove

**plan** changes nothing: its log shows the storage used per alias, what would be removed and why, and what stays and
why. **remove** then removes it, each thing only if nobody needs it by now; runs, swaps and rollbacks may go on.

A run **by hand is a dry run** unless *Dry run* is switched off: **remove** is skipped. A **scheduled run**, once a
day, **always removes**; pause this DAG to stop that.

What is removed: a dataset, once ASKREPO_RETENTION newer ones of its alias exist and nobody has used it for
ASKREPO_GRACE_S, unless the alias's *keep* names it; a dataset of a removed alias, or one that was never published,
after a day; runs other than the last three, and snapshots that no current dataset was built from, after
ASKREPO_RUN_RETENTION_DAYS; what killed processes left, after a day.
"""
DRY_RUN_HELP = """Only show in the log of **plan** what would be removed. A scheduled run removes in any case."""
ALIASES_HELP = """One alias per line: remove only what belongs to these. Empty: everything."""
RETENTION_HELP = """Datasets to keep per alias, the current one included. Empty: ASKREPO_RETENTION."""
RUN_DAYS_HELP = """Days to keep unused runs and snapshots. Empty: ASKREPO_RUN_RETENTION_DAYS, else 7."""
ALIASES: dict[str, Any] = {"type": ["null", "array"], "items": {"type": "string", "pattern": ALIAS_PATTERN}}

with DAG(
    "askrepo_maintenance",
    description="Remove what nobody needs any more from the workspace",
    doc_md=GRAPH,
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    params={
        "dry_run": Param(True, type="boolean", title="Dry run", description_md=DRY_RUN_HELP),
        "aliases": Param([], **ALIASES, title="Aliases", description_md=ALIASES_HELP),
        "retention": Param(
            None, type=["null", "integer"], minimum=1, title="Datasets to keep", description_md=RETENTION_HELP
        ),
        "run_retention_days": Param(
            None, type=["null", "number"], minimum=1, title="Days to keep runs", description_md=RUN_DAYS_HELP
        ),
    },
    default_args=retries(PipelineSettings.from_env(os.environ).retry_delay_s),
    tags=["askrepo"],
):
    plan = PlanMaintenanceOperator(task_id="plan", doc_md="Shows what would be removed and why; changes nothing.")
    RemoveUnneededOperator(
        task_id="remove", doc_md="Removes it, apart from what somebody needs by now.", planned=plan.output
    )
