"""The DAG that removes an alias, once its name was typed twice."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG
from askrepo_parameters import removal_parameters
from askrepo_pipeline import retries
from askrepo_schedule import read_aliases

from askrepo_operators.pipeline_settings import PipelineSettings
from askrepo_operators.removing import CheckRemovalOperator, RemoveAliasOperator

GRAPH = """
### Remove an alias

    check → remove

**check** changes nothing: it fails unless the alias was typed twice, exists, and is none of *aliases.yaml*. **remove**
forgets the alias's definition, so that nothing refreshes it, and ends the alias for its readers. Its datasets stay
until maintenance removes them; until then `askrepo rollback ALIAS` brings the alias back.
"""
CONFIGURED = [alias.definition.alias for alias in read_aliases(Path(__file__).with_name("aliases.yaml"))]

with DAG(
    "askrepo_remove",
    description="Remove an alias: no reader finds it, nothing refreshes it",
    doc_md=GRAPH,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=False,
    params=removal_parameters(),
    default_args=retries(PipelineSettings.from_env(os.environ).retry_delay_s),
    tags=["askrepo"],
):
    check = CheckRemovalOperator(
        task_id="check",
        doc_md="Refuses what was not meant; changes nothing.",
        configured=CONFIGURED,
    )
    RemoveAliasOperator(
        task_id="remove", doc_md="Forgets the definition, then ends the alias for its readers.", alias=check.output
    )
