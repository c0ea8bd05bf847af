"""The operator that makes the vectors of a shard of chunks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from askrepo.errors import TransientError, VerificationError
from askrepo.types import chunk_shard_from, to_json
from askrepo_operators.connections import openai_endpoint
from askrepo_operators.incumbents import incumbent_of
from askrepo_operators.stage import Run, StageOperator, no_retry_on_permanent_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

    from askrepo.embedders.embedder import Embedder


REPORT_EVERY_S = 10.0


def open_run_embedder(run: Run) -> Embedder:
    """The embedder that the run's definition names, with the credentials it needs.

    :raises CredentialsError: it needs a key and there is none.
    """
    from askrepo.embedders.embedder import open_embedder

    settings, spec = run.settings, run.definition.embedder
    if not spec.startswith("openai:"):
        return open_embedder(spec, cache=settings.cache, threads=settings.embed_threads)
    endpoint = openai_endpoint(settings)
    return open_embedder(
        spec,
        cache=settings.cache,
        api_key=endpoint.api_key,
        base_url=endpoint.base_url,
        max_texts=settings.embed_max_texts,
        max_tokens=settings.embed_max_tokens,
    )


class EmbedChunksOperator(StageOperator):
    """One vector per distinct chunk of the shard, computed only where neither dataset nor run has it.

    :param shard: a `ChunkShard` as dict; usually mapped over.
    :param fingerprint: of the embedder that the run started with (templated).
    :param incumbent: number of the alias's entry whose dataset is current, 0 for none (templated).
    """

    template_fields = (*StageOperator.template_fields, "shard", "fingerprint", "incumbent")

    def __init__(self, *, shard: dict[str, Any], fingerprint: str, incumbent: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard
        self.fingerprint = fingerprint
        self.incumbent = incumbent
        self._killed = False
        self._reported_at = time.monotonic()

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """The `VectorShard` as dict."""
        from askrepo.pipeline.embed import embed_chunks
        from askrepo.pipeline.incumbent import open_incumbent

        with no_retry_on_permanent_errors():
            run = self.open_run()
            embedder = open_run_embedder(run)
            self._check_fingerprint(embedder.fingerprint)
            incumbent = incumbent_of(run, self.incumbent)
            vectors = embed_chunks(
                chunk_shard_from(self.shard),
                workspace=run.workspace,
                run=run.prefix,
                embedder=embedder,
                incumbent=open_incumbent(
                    incumbent, self.fingerprint, workspace=run.workspace, cache=run.settings.cache
                ),
                on_progress=self._on_progress,
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

    def _check_fingerprint(self, found: str) -> None:
        if found != self.fingerprint:
            raise VerificationError(
                f"this worker's embedder is {found}, the run started with {self.fingerprint}: "
                "install the same askrepo on all workers and start a new run"
            )
