"""The operator that writes the dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from askrepo.types import load_manifest_from, snapshot_from, to_json, vector_shard_from
from askrepo_operators.stage import StageOperator, all_of, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context


class BuildDatasetOperator(StageOperator):
    """A new dataset from the run's vectors, verified by reading it back. No alias points to it yet.

    :param snapshots: what compare returned.
    :param loads: what the load tasks returned.
    :param vectors: what the embed tasks returned.
    :param fingerprint: of the embedder that made the vectors (templated).
    """

    template_fields = (*StageOperator.template_fields, "snapshots", "loads", "vectors", "fingerprint")

    def __init__(
        self,
        *,
        snapshots: Sequence[dict[str, Any]],
        loads: Sequence[dict[str, Any]],
        vectors: Sequence[dict[str, Any]],
        fingerprint: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.snapshots = snapshots
        self.loads = loads
        self.vectors = vectors
        self.fingerprint = fingerprint

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """The `DatasetManifest` as dict."""
        from askrepo.build import build_dataset

        with no_retry_on_permanent_errors():
            run = self.open_run()
            manifest = build_dataset(
                run.definition,
                [snapshot_from(snapshot) for snapshot in all_of(self.snapshots)],
                [load_manifest_from(load) for load in all_of(self.loads)],
                [vector_shard_from(shard) for shard in all_of(self.vectors)],
                workspace=run.workspace,
                run=run.prefix,
                fingerprint=self.fingerprint,
                datasets=run.settings.datasets,
            )
        self.log.info(
            "build %s: %d chunks verified, digest %s", manifest.dataset, manifest.chunks, manifest.digest[:12]
        )
        return to_json(manifest)  # type: ignore[no-any-return]
