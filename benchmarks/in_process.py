"""One passage of the pipeline in this process, without Airflow: for benchmarks and tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from askrepo.pipeline.run import Run
from askrepo.workspace.places import check_dataset_place

if TYPE_CHECKING:
    from askrepo.embedders.embedder import Embedder
    from askrepo.settings import Settings
    from askrepo.types import (
        AliasEntry,
        Comparison,
        DatasetManifest,
        Definition,
        LoadManifest,
        Snapshot,
        VectorShard,
    )
    from askrepo.workspace.objects import Workspace


@dataclass(frozen=True)
class EmbeddedRun:
    """A run before its build: everything that is done shard by shard is done."""

    run: Run
    comparison: Comparison
    snapshots: list[Snapshot]
    loads: list[LoadManifest]
    vectors: list[VectorShard]

    def build(self) -> DatasetManifest:
        """Write the dataset; no alias points to it yet."""
        return self.run.build(self.snapshots, self.loads, self.vectors, self.comparison)

    def finish(self, *, force: bool = False) -> AliasEntry:
        """Build the dataset and swap the alias to it.

        :param force: accept a dataset that is much smaller than the current one.
        """
        return replace(self.run, force=force).swap(self.build(), self.comparison)


def local_run(
    definition: Definition,
    *,
    workspace: Workspace,
    settings: Settings,
    run_id: str,
    embedder: Embedder | None = None,
    force: bool = False,
) -> Run:
    """A run that reads repositories of this machine.

    :param embedder: None for the one that the definition names.
    :raises UsageError: the store of datasets would take the place for another.
    """
    check_dataset_place(settings.datasets or workspace.url)
    settings = replace(settings, allow_local=True)
    opener = None if embedder is None else lambda _: embedder
    return Run(definition, workspace, settings, run_id, force, opener)


def run_until_embedded(
    definition: Definition,
    *,
    workspace: Workspace,
    settings: Settings,
    embedder: Embedder | None = None,
    run_id: str | None = None,
    force: bool = False,
) -> EmbeddedRun:
    """Clone, load, split and embed, also where the current dataset is up to date.

    :param run_id: None for one that tells the number of the swap.
    :param force: carry nothing over from the current dataset.
    """
    run = local_run(
        definition, workspace=workspace, settings=settings, run_id=run_id or "", embedder=embedder, force=force
    )
    number = run.number()
    run = replace(run, run_id=run_id or f"run-{number + 1}")
    snapshots = [run.clone(repository) for repository in run.plan()]
    comparison = run.compare(snapshots, number=number)
    loads = [run.load(snapshot, comparison) for snapshot in snapshots]
    chunks = [run.split(shard, comparison) for shard in run.gather(loads)]
    vectors = [run.embed(shard, comparison) for shard in chunks]
    return EmbeddedRun(run, comparison, snapshots, loads, vectors)
