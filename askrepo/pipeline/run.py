"""A run: the stages of the pipeline, one call for each, put together in one place for all who run them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from askrepo.errors import VerificationError
from askrepo.workspace.keys import run_key

if TYPE_CHECKING:
    from askrepo.aliases.readers import EmbedderOpener
    from askrepo.embedders.embedder import Embedder
    from askrepo.settings import Settings
    from askrepo.store.reader import DatasetReader
    from askrepo.types import (
        AliasEntry,
        ChunkShard,
        Comparison,
        DatasetManifest,
        Definition,
        FileShard,
        LoadManifest,
        Repository,
        Snapshot,
        VectorShard,
    )
    from askrepo.workspace.objects import Workspace

logger = logging.getLogger(__name__)

NO_CREDENTIALS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Run:
    """One passage of the pipeline for one alias; each stage takes what those before it returned.

    What the stages return is written to the workspace or small, so that each may run in a process of its own with an
    equal `Run`. Each stage raises what its module tells, and imports it when it is called.

    :ivar run_id: names the run's files among those of the alias.
    :ivar force: carry nothing over, and swap even when the dataset shrank.
    :ivar opener: opens the embedder that the definition names; None for as the settings say.
    :ivar keep: names of entries whose datasets retention spares; None leaves what is kept as it is.
    """

    definition: Definition
    workspace: Workspace
    settings: Settings
    run_id: str
    force: bool = False
    opener: EmbedderOpener | None = None
    keep: tuple[str, ...] | None = None

    @property
    def key(self) -> str:
        """Workspace key of the folder in which the run keeps its files."""
        return run_key(self.definition.alias, self.run_id)

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder that the definition names, opened once.

        :raises CredentialsError: it needs a key and there is none.
        """
        from askrepo.aliases.readers import embedder_opener

        return (self.opener or embedder_opener(self.settings))(self.definition.embedder)

    def number(self) -> int:
        """Number of the alias's newest entry, 0 for none."""
        from askrepo.aliases.catalogue import AliasCatalogue

        return AliasCatalogue(self.workspace).number(self.definition.alias)

    def plan(self, *, max_repositories: int | None = None) -> tuple[Repository, ...]:
        """The repositories to clone, in the order given; see `plan_run`. From here on `keep` is in force."""
        from askrepo.aliases.kept import write_keep
        from askrepo.pipeline.plan import plan_run

        allow_local = self.settings.allow_local
        repositories = plan_run(self.definition, allow_local=allow_local, max_repositories=max_repositories)
        if self.keep is not None:
            for problem in write_keep(self.definition.alias, self.keep, workspace=self.workspace):
                logger.warning("plan %s: %s", self.definition.alias, problem)
        return repositories

    def clone(self, repository: Repository, *, git_environment: Mapping[str, str] = NO_CREDENTIALS) -> Snapshot:
        """The repository at one commit; see `clone_repository`."""
        from askrepo.pipeline.clone import clone_repository

        return clone_repository(
            repository,
            workspace=self.workspace,
            timeout_s=self.settings.clone_timeout_s,
            max_bytes=self.settings.max_repository_bytes,
            allow_local=self.settings.allow_local,
            git_environment=git_environment,
        )

    def compare(self, snapshots: Sequence[Snapshot], *, number: int) -> Comparison:
        """What differs from the alias's current dataset; see `compare_snapshots`."""
        from askrepo.pipeline.compare import compare_snapshots

        return compare_snapshots(
            self.definition,
            snapshots,
            workspace=self.workspace,
            number=number,
            fingerprint=self.embedder.fingerprint,
            force=self.force,
        )

    def load(self, snapshot: Snapshot, comparison: Comparison) -> LoadManifest:
        """Every path of the snapshot, those that the current dataset has left out; see `load_files`."""
        from askrepo.pipeline.known_files import KnownFiles
        from askrepo.pipeline.load import load_files

        carried = self._carried(comparison)
        return load_files(
            snapshot,
            workspace=self.workspace,
            run=self.key,
            include=self.definition.include,
            exclude=self.definition.exclude,
            max_file_bytes=self.definition.max_file_bytes,
            known=KnownFiles.of(carried, self.workspace, repository=snapshot.name) if carried else None,
        )

    @staticmethod
    def gather(loads: Sequence[LoadManifest]) -> tuple[FileShard, ...]:
        """The shards of the whole run; see `gather_shards`."""
        from askrepo.pipeline.load import gather_shards

        return gather_shards(loads)

    def split(self, shard: FileShard, comparison: Comparison) -> ChunkShard:
        """The chunks of a shard; see `split_files`."""
        from askrepo.pipeline.split import split_files

        return split_files(
            shard, workspace=self.workspace, run=self.key, open_current=lambda: self._open_carried(comparison)
        )

    def embed(
        self, shard: ChunkShard, comparison: Comparison, *, on_progress: Callable[[int, int], None] | None = None
    ) -> VectorShard:
        """The vectors of a shard; see `embed_chunks`.

        :raises VerificationError: this process has another embedder than the one that compare saw.
        """
        from askrepo.pipeline.current_dataset import open_for_vectors
        from askrepo.pipeline.embed import embed_chunks

        embedder = self.embedder
        if embedder.fingerprint != comparison.fingerprint:
            raise VerificationError(
                f"this worker's embedder is {embedder.fingerprint}, the run started with {comparison.fingerprint}: "
                "install the same askrepo on all workers and start a new run"
            )
        earlier = open_for_vectors(
            self._current(comparison),
            comparison.fingerprint,
            workspace=self.workspace,
            cache=self.settings.cache,
        )
        return embed_chunks(
            shard,
            workspace=self.workspace,
            run=self.key,
            embedder=embedder,
            current_vectors=earlier,
            on_progress=on_progress,
        )

    def build(
        self,
        snapshots: Sequence[Snapshot],
        loads: Sequence[LoadManifest],
        vectors: Sequence[VectorShard],
        comparison: Comparison,
        *,
        clone_s: float = 0.0,
    ) -> DatasetManifest:
        """The dataset, which no alias points to yet; see `build_dataset`."""
        from askrepo.pipeline.build import build_dataset

        return build_dataset(
            self.definition,
            snapshots,
            loads,
            vectors,
            workspace=self.workspace,
            run=self.key,
            fingerprint=comparison.fingerprint,
            current_manifest=self._current(comparison),
            carry=comparison.carry,
            clone_s=clone_s,
            datasets=self.settings.datasets,
        )

    def swap(self, manifest: DatasetManifest, comparison: Comparison) -> AliasEntry:
        """The alias's new entry, which points at the dataset; see `swap_alias`."""
        from askrepo.pipeline.swap import swap_alias

        return swap_alias(
            manifest,
            workspace=self.workspace,
            expected_number=comparison.number,
            force=self.force,
            min_size_ratio=self.settings.min_size_ratio,
            retention=self.settings.retention,
            grace_s=self.settings.grace_s,
        )

    def _current(self, comparison: Comparison) -> DatasetManifest | None:
        """The dataset that was current when the run compared."""
        from askrepo.aliases.catalogue import AliasCatalogue

        if not comparison.current:
            return None
        return AliasCatalogue(self.workspace).entry(self.definition.alias, comparison.current).manifest

    def _carried(self, comparison: Comparison) -> DatasetManifest | None:
        """The same when rows of it are taken over, else None."""
        return self._current(comparison) if comparison.carry else None

    def _open_carried(self, comparison: Comparison) -> DatasetReader:
        """The dataset that has the chunks of a file that moved; build checks it whole before it is done."""
        from askrepo.store.location import DatasetLocation
        from askrepo.store.opening import open_dataset

        manifest = self._carried(comparison)
        if manifest is None:
            raise VerificationError(
                "load skipped unchanged files, but this run has no dataset to copy them from; start a new run"
            )
        location = DatasetLocation.within(self.workspace, manifest.dataset)
        return open_dataset(location, manifest=manifest, cache=self.settings.cache)
