"""The operator that writes the dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from askrepo.types import comparison_from, load_manifest_from, snapshot_from, to_json, vector_shard_from
from askrepo_operators.cloning import SECONDS
from askrepo_operators.stage import StageOperator, all_of, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context


class BuildDatasetOperator(StageOperator):
    """A new dataset from the run's vectors, verified by reading it back. No alias points to it yet.

    :param snapshots: what compare returned.
    :param loads: what the load tasks returned.
    :param vectors: what the embed tasks returned.
    :param comparison: what compare found, a `Comparison` as dict.
    """

    template_fields = (*StageOperator.template_fields, "snapshots", "loads", "vectors", "comparison")

    def __init__(
        self,
        *,
        snapshots: Sequence[dict[str, Any]],
        loads: Sequence[dict[str, Any]],
        vectors: Sequence[dict[str, Any]],
        comparison: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.snapshots = snapshots
        self.loads = loads
        self.vectors = vectors
        self.comparison = comparison

    def execute(self, context: Context) -> dict[str, Any]:
        """The `DatasetManifest` as dict."""
        with no_retry_on_permanent_errors():
            manifest = self.open_run().build(
                [snapshot_from(snapshot) for snapshot in all_of(self.snapshots)],
                [load_manifest_from(load) for load in all_of(self.loads)],
                [vector_shard_from(shard) for shard in all_of(self.vectors)],
                comparison_from(self.comparison),
                clone_s=_clone_seconds(context),
            )
        self.log.info(
            "build %s: %d chunks verified, digest %s", manifest.dataset, manifest.chunks, manifest.digest[:12]
        )
        return to_json(manifest)  # type: ignore[no-any-return]


def _clone_seconds(context: Context) -> float:
    """Over all clones: Airflow gives one number for one of them, a sequence for several."""
    seconds = context["ti"].xcom_pull(task_ids="clone", key=SECONDS)
    return float(sum(seconds if isinstance(seconds, Sequence) else [seconds or 0.0]))
