"""The operator that moves the alias and announces it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias

from askrepo.text.display import plain_line
from askrepo.types import AliasEntry, comparison_from, dataset_manifest_from
from askrepo_operators.stage import StageOperator, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

DATASETS = AssetAlias("askrepo-datasets")
"""Every swap of every alias is an asset event under this name."""


FILE_COUNTS = ("added", "changed", "moved", "removed", "unchanged")
TIMED_STAGES = ("clone", "load", "split", "embed", "append", "index", "verify", "swap")
"""Of the report, in the order of the log; build appends, indexes and verifies."""


def asset_of(alias: str) -> Asset:
    """The asset that stands for the alias in Airflow: updated by each swap."""
    return Asset(name=f"askrepo/{alias}", uri=f"x-askrepo://aliases/{alias}")


class SwapAliasOperator(StageOperator):
    """The alias, moved to the dataset that build wrote, if it still is where compare saw it.

    :param manifest: what build returned.
    :param comparison: what compare found, a `Comparison` as dict.
    """

    template_fields = (*StageOperator.template_fields, "manifest", "comparison")

    def __init__(self, *, manifest: dict[str, Any], comparison: dict[str, Any], **kwargs: Any) -> None:
        kwargs["outlets"] = [*kwargs.get("outlets", ()), DATASETS]
        super().__init__(**kwargs)
        self.manifest = manifest
        self.comparison = comparison

    def execute(self, context: Context) -> dict[str, Any]:
        """Alias, number and dataset of the new entry."""
        with no_retry_on_permanent_errors():
            run = self.open_run()
            started = time.monotonic()
            entry = run.swap(dataset_manifest_from(self.manifest), comparison_from(self.comparison))
        event = event_of(entry, swap_s=time.monotonic() - started)
        context["outlet_events"][DATASETS].add(asset_of(entry.alias), extra=event)
        self.log.info("swap %s: entry %d -> %s", entry.alias, entry.number, entry.manifest.dataset)
        for line in told(event["report"]):
            self.log.info("swap %s: %s", entry.alias, plain_line(line))
        return {"alias": entry.alias, "number": entry.number, "dataset": entry.manifest.dataset}


def event_of(entry: AliasEntry, *, swap_s: float) -> dict[str, Any]:
    """What the asset event says about a swap."""
    manifest = entry.manifest
    report = {**manifest.report, "seconds": {**manifest.report["seconds"], "swap": swap_s}}
    return {
        "alias": entry.alias,
        "number": entry.number,
        "dataset": manifest.dataset,
        "commits": {snapshot.name: snapshot.commit for snapshot in manifest.snapshots},
        "counts": {
            "files": manifest.files,
            "loaded": manifest.loaded,
            "skipped": dict(manifest.skipped),
            "chunks": manifest.chunks,
            "tokens": manifest.tokens,
        },
        "report": report,
    }


def told(report: Mapping[str, Any]) -> list[str]:
    """The report as lines for the task's log."""
    chunks, files, seconds = report["chunks"], report["files"], report["seconds"]
    counts = [f"{files[name]:,} {name}" for name in FILE_COUNTS] if files else ["not compared"]
    embedded = f"{chunks['embedded']:,} embedded ({report['embedded_tokens']:,} tokens)"
    return [
        f"files: {', '.join(counts)}",
        f"chunks: {embedded}, {chunks['reused']:,} reused",
        f"seconds: {', '.join(f'{stage} {seconds[stage]:.1f}' for stage in TIMED_STAGES)}",
    ]
