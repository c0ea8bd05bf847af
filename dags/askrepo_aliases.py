"""One pipeline per alias of aliases.yaml, on its own schedule, started by pushes when the alias is watched."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG  # noqa: TC002 - Airflow leaves out a file that does not name both
from askrepo_parameters import alias_parameters
from askrepo_pipeline import build_ingest
from askrepo_schedule import read_aliases

from askrepo_operators.swapping import asset_of
from askrepo_operators.watching import schedule_of

for _alias in read_aliases(Path(__file__).with_name("aliases.yaml")):
    _dag: DAG = build_ingest(
        f"askrepo_alias_{_alias.definition.alias}",
        params=alias_parameters(_alias.definition, _alias.keep),
        description=_alias.description,
        schedule=schedule_of(
            _alias.definition, cron=_alias.schedule, watch_s=_alias.watch_s, git_conn_ids=_alias.git_conn_ids
        ),
        max_active_runs=1,
        git_conn_ids=_alias.git_conn_ids,
        embedder=_alias.definition.embedder,
        outlets=[asset_of(_alias.definition.alias)],
    )
