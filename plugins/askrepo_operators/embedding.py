"""The operator that makes the vectors of a shard of chunks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from askrepo.errors import TransientError
from askrepo.types import chunk_shard_from, comparison_from, to_json
from askrepo_operators.stage import StageOperator, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context


REPORT_EVERY_S = 10.0


class EmbedChunksOperator(StageOperator):
    """One vector per distinct chunk of the shard, computed only where neither dataset nor run has it.

    :param shard: a `ChunkShard` as dict; usually mapped over.
    :param comparison: what compare found, a `Comparison` as dict.
    """

    template_fields = (*StageOperator.template_fields, "shard", "comparison")

    def __init__(self, *, shard: dict[str, Any], comparison: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard
        self.comparison = comparison
        self._killed = False
        self._reported_at = time.monotonic()

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """The `VectorShard` as dict."""
        with no_retry_on_permanent_errors():
            vectors = self.open_run().embed(
                chunk_shard_from(self.shard), comparison_from(self.comparison), on_progress=self._on_progress
            )
        self.log.info(
            "embed shard %d: %d vectors computed, %d of them checked, %d reused, %.1f s",
            vectors.number,
            vectors.computed,
            vectors.checked,
            vectors.reused,
            vectors.seconds,
        )
        return to_json(vectors)  # type: ignore[no-any-return]

    def on_kill(self) -> None:
        """Stop after the batch at hand; what is written by then is found again by the next try."""
        self._killed = True

    def _on_progress(self, done: int, total: int) -> None:
        if self._killed:
            raise TransientError(f"stopped after {done} of {total} vectors")
        if time.monotonic() - self._reported_at >= REPORT_EVERY_S:
            self._reported_at = time.monotonic()
            self.log.info("embed shard %d: %d of %d vectors", self.shard["number"], done, total)
