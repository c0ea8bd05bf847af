"""Small aliases built through the real stages: a git repository, clone, load, split, embed, build and swap.

built = build_alias(tmp_path, {"a.py": "def retry(): …"})
search("retry", readers=[built.reader])

Building takes about a second, so share one among the tests of a module:

@pytest.fixture(scope="module")
def alias(tmp_path_factory):
    return build_alias(tmp_path_factory.mktemp("alias"), FILES)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from askrepo.build import build_dataset
from askrepo.clone import clone_repository
from askrepo.embed import embed_chunks
from askrepo.embedders import Embedder, open_embedder
from askrepo.load import gather_shards, load_files
from askrepo.plan import plan_run, run_prefix
from askrepo.settings import Settings
from askrepo.sources import AliasReader, open_alias
from askrepo.split import split_files
from askrepo.store.catalogue import AliasCatalogue
from askrepo.store.reader import DatasetReader
from askrepo.swap import swap_alias
from askrepo.types import AliasEntry, Definition, LoadManifest, Snapshot, VectorShard
from askrepo.workspace import Workspace
from tests.conftest import GitRepository

Files = Mapping[str, str | bytes]


@dataclass(frozen=True)
class BuiltAlias:
    """An alias with everything it came from."""

    alias: str
    workspace: Workspace
    settings: Settings
    definition: Definition
    repositories: tuple[GitRepository, ...]
    entry: AliasEntry

    @property
    def reader(self) -> AliasReader:
        """A fresh reader of the alias's current dataset."""
        return open_alias(self.alias, workspace=self.workspace, settings=self.settings)


def build_alias(
    root: Path,
    files: Files,
    *,
    alias: str = "main",
    name: str = "project",
    others: Mapping[str, Files] | None = None,
    workspace: Workspace | None = None,
    embedder: str = "hash",
) -> BuiltAlias:
    """An alias over one repository, or over several.

    :param root: an empty directory; the repositories and, unless one is given, the workspace are made in it.
    :param others: further repositories by name, with their files.
    """
    contents = {name: files, **(others or {})}
    repositories = tuple(GitRepository(root / "repositories" / alias / each) for each in contents)
    for repository, content in zip(repositories, contents.values(), strict=True):
        repository.commit(content)
    workspace = workspace or Workspace.open(str(root / "workspace"))
    settings = Settings.from_env({"ASKREPO_WORKSPACE": workspace.url, "ASKREPO_CACHE": str(root / "cache")})
    definition = Definition(alias, tuple(repository.url for repository in repositories), embedder=embedder)
    entry = run_stages(definition, workspace=workspace, settings=settings)
    return BuiltAlias(alias, workspace, settings, definition, repositories, entry)


def run_stages(
    definition: Definition, *, workspace: Workspace, settings: Settings, embedder: Embedder | None = None
) -> AliasEntry:
    """One passage of the pipeline in this process: the repositories as they are now become the alias's dataset."""
    return run_until_embedded(definition, workspace=workspace, settings=settings, embedder=embedder).finish()


@dataclass(frozen=True)
class EmbeddedRun:
    """A run before its build: everything that is done shard by shard is done."""

    definition: Definition
    workspace: Workspace
    settings: Settings
    number: int
    run: str
    fingerprint: str
    snapshots: list[Snapshot]
    loads: list[LoadManifest]
    vectors: list[VectorShard]

    def finish(self) -> AliasEntry:
        """Build the dataset and swap the alias to it."""
        manifest = build_dataset(
            self.definition,
            self.snapshots,
            self.loads,
            self.vectors,
            workspace=self.workspace,
            run=self.run,
            fingerprint=self.fingerprint,
            datasets=self.settings.datasets,
        )
        return swap_alias(
            manifest,
            workspace=self.workspace,
            expected_number=self.number,
            force=False,
            min_size_ratio=self.settings.min_size_ratio,
            retention=self.settings.retention,
            grace_s=self.settings.grace_s,
        )


def run_until_embedded(
    definition: Definition, *, workspace: Workspace, settings: Settings, embedder: Embedder | None = None
) -> EmbeddedRun:
    """Clone, load, split and embed."""
    number = AliasCatalogue(workspace).number(definition.alias)
    run = run_prefix(definition.alias, f"run-{number + 1}")
    embedder = embedder or open_embedder(definition.embedder, cache=settings.cache, api_key=settings.openai_api_key)
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
    loads = [
        load_files(
            snapshot,
            workspace=workspace,
            run=run,
            include=definition.include,
            exclude=definition.exclude,
            max_file_bytes=definition.max_file_bytes,
        )
        for snapshot in snapshots
    ]
    chunks = [split_files(shard, workspace=workspace, run=run) for shard in gather_shards(loads)]
    incumbent = _incumbent(definition.alias, workspace, embedder.fingerprint) if number else None
    vectors = [
        embed_chunks(shard, workspace=workspace, run=run, embedder=embedder, incumbent=incumbent) for shard in chunks
    ]
    return EmbeddedRun(definition, workspace, settings, number, run, embedder.fingerprint, snapshots, loads, vectors)


def _incumbent(alias: str, workspace: Workspace, fingerprint: str) -> DatasetReader | None:
    manifest = AliasCatalogue(workspace).current(alias).manifest
    if manifest.embedder.fingerprint != fingerprint:
        return None
    return DatasetReader.open(workspace.url_of(manifest.dataset), manifest=manifest)
