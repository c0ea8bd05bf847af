"""For any repositories: fill in the form, or `make ingest`."""

from __future__ import annotations

from airflow.sdk import DAG  # noqa: TC002 - Airflow leaves out a file that does not name both
from askrepo_parameters import open_parameters
from askrepo_pipeline import build_ingest

from askrepo_operators.keeping import KeepDefinitionOperator

dag: DAG = build_ingest(
    "askrepo_ingest",
    params=open_parameters(),
    description="Build a dataset from git repositories, move an alias to it and keep it fresh",
    # Runs of different aliases may overlap; of two runs of one alias, the later swap loses cleanly.
    max_active_runs=4,
)
with dag:
    # After a run that swapped, or found the alias up to date; a definition that fails is not refreshed for ever.
    dag.get_task("swap") >> KeepDefinitionOperator(
        task_id="keep",
        doc_md="Keeps the alias's definition, from which *askrepo_refresh* refreshes it until it is removed.",
        trigger_rule="none_failed",
    )
