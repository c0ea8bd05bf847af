"""The operator that moves the alias and announces it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias

from askrepo.pipeline.swap_report import report_lines, swap_report
from askrepo.text.display import plain_line
from askrepo.types import comparison_from, dataset_manifest_from
from askrepo_operators.stage import StageOperator, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

DATASETS = AssetAlias("askrepo-datasets")
"""Every swap of every alias is an asset event under this name."""


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
        from askrepo.receipts.watched import recheck_after_swap

        with no_retry_on_permanent_errors():
            run = self.open_run()
            started = time.monotonic()
            entry = run.swap(dataset_manifest_from(self.manifest), comparison_from(self.comparison))
        swap_s = time.monotonic() - started
        watched = recheck_after_swap(entry, workspace=run.workspace, settings=run.settings)
        event = swap_report(entry, swap_s=swap_s, watched=watched.as_json() if watched else None)
        context["outlet_events"][DATASETS].add(asset_of(entry.alias), extra=event)
        self.log.info("swap %s: entry %d -> %s", entry.alias, entry.number, entry.manifest.dataset)
        for line in [*report_lines(event["report"]), *watched_lines(event["report"].get("watched"))]:
            self.log.info("swap %s: %s", entry.alias, plain_line(line))
        return {"alias": entry.alias, "number": entry.number, "dataset": entry.manifest.dataset}


def watched_lines(watched: Mapping[str, Any] | None) -> list[str]:
    """What happened to the lines of watched questions, when some are watched."""
    if watched is None:
        return []
    from askrepo.receipts.watched import changed_line

    count = f"watched: {watched['questions']:,} questions, lines of {len(watched['changed']):,} changed"
    return [count, *(f"changed: {changed_line(each)}" for each in watched["changed"])]
