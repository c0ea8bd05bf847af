"""The operator that cuts a shard of files into chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from askrepo.errors import VerificationError
from askrepo.types import file_shard_from, to_json
from askrepo_operators.incumbents import incumbent_of
from askrepo_operators.stage import Run, StageOperator, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

    from askrepo.store.reader import DatasetReader


class SplitFilesOperator(StageOperator):
    """The chunks of one shard of files.

    :param shard: a `FileShard` as dict; usually mapped over.
    :param carried_from: number of the entry whose dataset load was given, 0 for none (templated).
    """

    template_fields = (*StageOperator.template_fields, "shard", "carried_from")

    def __init__(self, *, shard: dict[str, Any], carried_from: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard
        self.carried_from = carried_from

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """The `ChunkShard` as dict."""
        from askrepo.pipeline.split import split_files

        with no_retry_on_permanent_errors():
            run = self.open_run()
            chunks = split_files(
                file_shard_from(self.shard),
                workspace=run.workspace,
                run=run.prefix,
                incumbent=lambda: self._incumbent(run),
            )
        self.log.info("split shard %d: %d chunks, %d tokens", chunks.number, chunks.chunks, chunks.tokens)
        return to_json(chunks)  # type: ignore[no-any-return]

    def _incumbent(self, run: Run) -> DatasetReader:
        """Opened only when a file moved, since that takes longer than splitting a few files."""
        from askrepo.store.location import DatasetLocation
        from askrepo.store.opening import open_dataset

        manifest = incumbent_of(run, self.carried_from)
        if manifest is None:
            raise VerificationError("load left files to the current dataset, and this run carries nothing over")
        location = DatasetLocation.within(run.workspace, manifest.dataset)
        return open_dataset(location, manifest=manifest, cache=run.settings.cache)
