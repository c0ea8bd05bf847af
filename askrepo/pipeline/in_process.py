"""One passage of the pipeline in this process, without Airflow: for scripts, benchmarks and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.sources import embedder_opener
from askrepo.pipeline.build import build_dataset
from askrepo.pipeline.clone import clone_repository
from askrepo.pipeline.embed import embed_chunks
from askrepo.pipeline.incumbent import can_be_carried, open_carried, open_incumbent
from askrepo.pipeline.known_files import KnownFiles
from askrepo.pipeline.load import gather_shards, load_files
from askrepo.pipeline.plan import plan_run
from askrepo.pipeline.split import split_files
from askrepo.pipeline.swap import swap_alias
from askrepo.workspace.keys import run_key
from askrepo.workspace.places import check_dataset_place

if TYPE_CHECKING:
    from askrepo.embedders.embedder import Embedder
    from askrepo.settings import Settings
    from askrepo.types import AliasEntry, DatasetManifest, Definition, LoadManifest, Snapshot, VectorShard
    from askrepo.workspace.objects import Workspace


@dataclass(frozen=True)
class EmbeddedRun:
    """A run before its build: everything that is done shard by shard is done."""

    definition: Definition
    workspace: Workspace
    settings: Settings
    number: int
    run: str
    fingerprint: str
    incumbent: DatasetManifest | None
    carry: bool
    snapshots: list[Snapshot]
    loads: list[LoadManifest]
    vectors: list[VectorShard]

    def build(self) -> DatasetManifest:
        """Write the dataset; no alias points to it yet."""
        return build_dataset(
            self.definition,
            self.snapshots,
            self.loads,
            self.vectors,
            workspace=self.workspace,
            run=self.run,
            fingerprint=self.fingerprint,
            incumbent=self.incumbent,
            carry=self.carry,
            datasets=self.settings.datasets,
        )

    def finish(self, *, force: bool = False) -> AliasEntry:
        """Build the dataset and swap the alias to it."""
        return swap_alias(
            self.build(),
            workspace=self.workspace,
            expected_number=self.number,
            force=force,
            min_size_ratio=self.settings.min_size_ratio,
            retention=self.settings.retention,
            grace_s=self.settings.grace_s,
        )


def run_until_embedded(
    definition: Definition,
    *,
    workspace: Workspace,
    settings: Settings,
    embedder: Embedder | None = None,
    run_id: str | None = None,
    force: bool = False,
) -> EmbeddedRun:
    """Clone, load, split and embed; repositories of this machine are admitted.

    :param run_id: None for one that tells the number of the swap.
    :param force: carry nothing over from the current dataset.
    """
    check_dataset_place(settings.datasets or workspace.url)
    embedder = embedder or embedder_opener(settings)(definition.embedder)
    catalogue = AliasCatalogue(workspace)
    number = catalogue.number(definition.alias)
    current = catalogue.current_or_none(definition.alias)
    incumbent = None if current is None else current.manifest
    run = run_key(definition.alias, run_id or f"run-{number + 1}")
    snapshots = [
        clone_repository(
            repository,
            workspace=workspace,
            timeout_s=settings.clone_timeout_s,
            max_bytes=settings.max_repository_bytes,
            allow_local=True,
        )
        for repository in plan_run(definition, allow_local=True)
    ]
    carry = not force and can_be_carried(incumbent, embedder.fingerprint, workspace=workspace)
    loads = [
        load_files(
            snapshot,
            workspace=workspace,
            run=run,
            include=definition.include,
            exclude=definition.exclude,
            max_file_bytes=definition.max_file_bytes,
            known=KnownFiles.of(incumbent, workspace, repository=snapshot.name) if incumbent and carry else None,
        )
        for snapshot in snapshots
    ]
    opener = (lambda: open_carried(incumbent, workspace=workspace)) if incumbent and carry else None
    chunks = [split_files(shard, workspace=workspace, run=run, incumbent=opener) for shard in gather_shards(loads)]
    earlier = open_incumbent(incumbent, embedder.fingerprint, workspace=workspace, cache=settings.cache)
    vectors = [
        embed_chunks(shard, workspace=workspace, run=run, embedder=embedder, incumbent=earlier) for shard in chunks
    ]
    return EmbeddedRun(
        definition,
        workspace,
        settings,
        number,
        run,
        embedder.fingerprint,
        incumbent,
        carry,
        snapshots,
        loads,
        vectors,
    )
