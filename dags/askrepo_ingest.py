"""The DAG for any repositories: fill in the form, or `make ingest`.

(Airflow reads a file of this folder only when it mentions both words, Airflow and DAG.)
"""

from __future__ import annotations

from askrepo_parameters import open_parameters
from askrepo_pipeline import build_ingest

build_ingest(
    "askrepo_ingest",
    params=open_parameters(),
    description="Build a dataset from git repositories and move an alias to it",
    # Runs of different aliases may overlap; of two runs of one alias, the later swap loses cleanly.
    max_active_runs=4,
)
