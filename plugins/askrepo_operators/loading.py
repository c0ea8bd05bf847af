"""The operators that read text out of snapshots and deal it into shards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from askrepo.pipeline.run import Run
from askrepo.text.counting import counted
from askrepo.text.display import plain_line
from askrepo.types import comparison_from, load_manifest_from, snapshot_from, to_json
from askrepo_operators.stage import StageOperator, all_of, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context


class LoadFilesOperator(StageOperator):
    """Every path of a snapshot: as text, as known to the current dataset, or with the reason why neither.

    :param snapshot: a `Snapshot` as dict; usually mapped over.
    :param comparison: what compare found, a `Comparison` as dict.
    """

    template_fields = (*StageOperator.template_fields, "snapshot", "comparison")

    def __init__(self, *, snapshot: dict[str, Any], comparison: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.snapshot = snapshot
        self.comparison = comparison

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """The `LoadManifest` as dict."""
        with no_retry_on_permanent_errors():
            manifest = self.open_run().load(snapshot_from(self.snapshot), comparison_from(self.comparison))
        self.log.info(
            "load %s@%s: %d files, %d loaded (%.1f MB of text, %d files carried over), skipped: %s",
            plain_line(manifest.snapshot.name),
            manifest.snapshot.commit[:10],
            manifest.files,
            manifest.loaded,
            manifest.text_bytes / 1e6,
            manifest.carried,
            ", ".join(f"{reason} {count}" for reason, count in sorted(manifest.skipped.items())) or "none",
        )
        return to_json(manifest)  # type: ignore[no-any-return]


class GatherShardsOperator(StageOperator):
    """The shards of the whole run: small enough to retry alone, few enough for Airflow.

    :param manifests: what the load tasks returned.
    """

    template_fields = (*StageOperator.template_fields, "manifests")

    def __init__(self, *, manifests: Sequence[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.manifests = manifests

    def execute(self, context: Context) -> list[dict[str, Any]]:  # noqa: ARG002
        """One dict per `FileShard`."""
        with no_retry_on_permanent_errors():
            shards = Run.gather([load_manifest_from(manifest) for manifest in all_of(self.manifests)])
        parts = sum(len(shard.parts) for shard in shards)
        self.log.info("gather: %s in %s", counted(parts, "part"), counted(len(shards), "shard"))
        return [to_json(shard) for shard in shards]
