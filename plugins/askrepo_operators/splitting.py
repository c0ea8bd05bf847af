"""The operator that cuts a shard of files into chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from askrepo.types import comparison_from, file_shard_from, to_json
from askrepo_operators.stage import StageOperator, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context


class SplitFilesOperator(StageOperator):
    """The chunks of one shard of files.

    :param shard: a `FileShard` as dict; usually mapped over.
    :param comparison: what compare found, a `Comparison` as dict.
    """

    template_fields = (*StageOperator.template_fields, "shard", "comparison")

    def __init__(self, *, shard: dict[str, Any], comparison: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard
        self.comparison = comparison

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """The `ChunkShard` as dict."""
        with no_retry_on_permanent_errors():
            chunks = self.open_run().split(file_shard_from(self.shard), comparison_from(self.comparison))
        self.log.info("split shard %d: %d chunks, %d tokens", chunks.number, chunks.chunks, chunks.tokens)
        return to_json(chunks)  # type: ignore[no-any-return]
