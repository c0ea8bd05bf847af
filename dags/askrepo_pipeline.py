"""The pipeline as a picture: its stages and their order, the same for every DAG."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetOrTimeSchedule, Param

from askrepo_operators import (
    BuildDatasetOperator,
    CloneRepositoryOperator,
    CompareSnapshotsOperator,
    EmbedChunksOperator,
    GatherShardsOperator,
    LoadFilesOperator,
    PlanRunOperator,
    SplitFilesOperator,
    SwapAliasOperator,
)
from askrepo_operators.comparing import COMPARISON
from askrepo_operators.pipeline_settings import PipelineSettings
from askrepo_operators.reason import tell_reason

GRAPH = """
### From git repositories to a dataset that an alias points to

    plan → clone[repository] → compare → load[snapshot] → gather → split[shard] → embed[shard] → build → swap

Brackets are mapped tasks: each instance retries alone. Readers notice nothing until **swap**, the last task; a run
that fails or is killed before changes nothing they see. A pink **compare** (skipped) means *up to date*: no commit,
setting or embedder changed since the current dataset, so the rest of the run is skipped and the run is green.

Errors that a retry cannot cure (unknown branch, refused credentials) fail at once, with one clear line at the end
of the task's log; all others are retried. Ask the result: `askrepo ask --alias NAME "…"`.
"""
STAGES = {
    "plan": "Validates the parameters; returns the repositories.",
    "clone": "Fetches one commit (shallow, bare, nothing executed) and publishes it in the workspace.",
    "compare": "Compares commits, settings and embedder with the alias's current dataset; skips the rest when equal.",
    "load": "Accounts for every path of the commit: its text, or the reason why it has none.",
    "gather": "Deals the loaded text into shards, the units of parallel work.",
    "split": "Cuts files into chunks at syntactic boundaries.",
    "embed": "Makes one vector per chunk, reusing those of the current dataset and of earlier tries.",
    "build": "Writes the new dataset, then reads it back to verify it. No reader sees it yet.",
    "swap": "Moves the alias to the new dataset, announces the asset event, removes datasets beyond the retention.",
}


def build_ingest(
    dag_id: str,
    *,
    params: dict[str, Param],
    description: str,
    schedule: str | AssetOrTimeSchedule | Sequence[Asset] | None = None,
    max_active_runs: int = 1,
    git_conn_ids: str | None = None,
    embedder: str | None = None,
    outlets: Sequence[Asset] = (),
) -> DAG:
    """The ingest DAG under the given name.

    :param git_conn_ids: Airflow connections for private repositories, comma-separated; None: ASKREPO_GIT_CONN_ID.
    :param embedder: what the DAG embeds with, which decides the pool of those tasks; None: each run says.
    :param outlets: assets that the DAG is known to update.
    """
    settings = PipelineSettings.from_env(os.environ)
    with DAG(
        dag_id,
        description=description,
        doc_md=GRAPH,
        schedule=schedule,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=max_active_runs,
        is_paused_upon_creation=False,
        params=params,
        default_args=retries(settings.retry_delay_s),
        tags=["askrepo"],
    ) as dag:
        plan = PlanRunOperator(**named("plan"))
        clone = CloneRepositoryOperator.partial(
            **named("clone"),
            git_conn_ids=git_conn_ids,
            map_index_template="{{ task.repository['name'] }}",
        ).expand(repository=plan.output)
        compare = CompareSnapshotsOperator(**named("compare"), snapshots=clone.output)
        comparison = compare.output[COMPARISON]
        load = LoadFilesOperator.partial(
            **named("load"),
            comparison=comparison,
            map_index_template="{{ task.snapshot['name'] }}@{{ task.snapshot['commit'][:10] }}",
        ).expand(snapshot=compare.output)
        gather = GatherShardsOperator(**named("gather"), manifests=load.output)
        split = SplitFilesOperator.partial(
            **named("split"),
            comparison=comparison,
            map_index_template="shard {{ task.shard['number'] }}",
        ).expand(shard=gather.output)
        embed = EmbedChunksOperator.partial(
            **named("embed"),
            pool=settings.pool_for(embedder),
            comparison=comparison,
            map_index_template="shard {{ task.shard['number'] }}",
        ).expand(shard=split.output)
        build = BuildDatasetOperator(
            **named("build"),
            snapshots=compare.output,
            loads=load.output,
            vectors=embed.output,
            comparison=comparison,
        )
        SwapAliasOperator(
            **named("swap"),
            manifest=build.output,
            comparison=comparison,
            outlets=list(outlets),
        )
    return dag


def named(task_id: str) -> dict[str, Any]:
    """A task's name and what it says to the person looking at the graph."""
    return {"task_id": task_id, "doc_md": STAGES[task_id]}


def retries(first_delay_s: float) -> dict[str, Any]:
    """Three retries, the delay doubling up to ten minutes; a failed try's log ends with the reason."""
    return {
        "owner": "askrepo",
        "retries": 3,
        "retry_delay": timedelta(seconds=first_delay_s),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
        "on_failure_callback": tell_reason,
        "on_retry_callback": tell_reason,
    }
