"""The DAG that refreshes what askrepo_ingest built by hand, until askrepo_remove removes it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG
from askrepo_parameters import open_parameters
from askrepo_pipeline import retries
from askrepo_schedule import read_aliases, refresh_schedule

from askrepo_operators.pipeline_settings import PipelineSettings
from askrepo_operators.refreshing import ListDefinitionsOperator, RefreshAliasesOperator

INGEST = "askrepo_ingest"
GRAPH = """
### Keep the aliases fresh that were made by hand

    list → refresh[alias]

Every alias that *askrepo_ingest* built is kept with its definition, and refreshed from it: each by a run of
*askrepo_ingest* whose id begins with `refresh__`. Where nothing changed, that run ends early. A red **refresh** names
the alias and why; the others are refreshed all the same. Aliases of *aliases.yaml* have DAGs of their own and are left
out. To stop refreshing an alias, remove it with *askrepo_remove*, or pause this DAG for all of them.

The setting ASKREPO_REFRESH_SCHEDULE tells when: a cron expression, a preset such as @hourly, or none.
"""
CONFIGURED = [alias.definition.alias for alias in read_aliases(Path(__file__).with_name("aliases.yaml"))]
# Half of the runs that askrepo_ingest may have at a time, so that a run by hand need not wait for a refresh.
AT_A_TIME = 2

with DAG(
    "askrepo_refresh",
    description="Refresh the aliases that were made by hand",
    doc_md=GRAPH,
    schedule=refresh_schedule(os.environ),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # A refresh waits for its runs, so no alias is refreshed twice at a time.
    max_active_runs=1,
    # A run that was deleted by hand never ends for the task that waits for it.
    dagrun_timeout=timedelta(days=1),
    is_paused_upon_creation=False,
    default_args=retries(PipelineSettings.from_env(os.environ).retry_delay_s),
    tags=["askrepo"],
):
    batches = ListDefinitionsOperator(
        task_id="list",
        doc_md="Lists the kept definitions.",
        dag_id=INGEST,
        configured=CONFIGURED,
    )
    RefreshAliasesOperator.partial(
        task_id="refresh",
        doc_md="Starts a run of askrepo_ingest and waits for its end; holds no worker meanwhile.",
        trigger_dag_id=INGEST,
        parameters=open_parameters(),
        max_active_tis_per_dagrun=AT_A_TIME,
        map_index_template="{{ task.aliases | join(', ') | truncate(100) }}",
    ).expand(aliases=batches.output)
