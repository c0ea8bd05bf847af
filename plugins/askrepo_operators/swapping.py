"""The operator that moves the alias and announces it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias

from askrepo.types import AliasEntry, dataset_manifest_from
from askrepo_operators.stage import StageOperator, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

DATASETS = AssetAlias("askrepo-datasets")
"""Every swap of every alias is an asset event under this name."""


def asset_of(alias: str) -> Asset:
    """The asset that stands for the alias in Airflow: updated by each swap."""
    return Asset(name=f"askrepo/{alias}", uri=f"x-askrepo://aliases/{alias}")


class SwapAliasOperator(StageOperator):
    """The alias, moved to the dataset that build wrote, if it still is where compare saw it.

    :param manifest: what build returned.
    :param expected_number: number of the alias's entry that compare saw (templated).
    """

    template_fields = (*StageOperator.template_fields, "manifest", "expected_number")

    def __init__(self, *, manifest: dict[str, Any], expected_number: int | str, **kwargs: Any) -> None:
        kwargs["outlets"] = [*kwargs.get("outlets", ()), DATASETS]
        super().__init__(**kwargs)
        self.manifest = manifest
        self.expected_number = expected_number

    def execute(self, context: Context) -> dict[str, Any]:
        """Alias, number and dataset of the new entry."""
        from askrepo.swap import swap_alias

        with no_retry_on_permanent_errors():
            run = self.open_run()
            entry = swap_alias(
                dataset_manifest_from(self.manifest),
                workspace=run.workspace,
                expected_number=int(self.expected_number),
                force=run.force,
                min_size_ratio=run.settings.min_size_ratio,
                retention=run.settings.retention,
                grace_s=run.settings.grace_s,
            )
        context["outlet_events"][DATASETS].add(asset_of(entry.alias), extra=event_of(entry))
        self.log.info("swap %s: entry %d -> %s", entry.alias, entry.number, entry.manifest.dataset)
        return {"alias": entry.alias, "number": entry.number, "dataset": entry.manifest.dataset}


def event_of(entry: AliasEntry) -> dict[str, Any]:
    """What the asset event says about a swap."""
    manifest = entry.manifest
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
        "report": dict(manifest.report),
    }
