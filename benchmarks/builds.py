"""Datasets for the benchmarks, built from local clones by the pipeline's own stages in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.sources import AliasReader, open_alias
from askrepo.embedders.embedder import Embedder
from askrepo.pipeline.clone import clone_repository
from askrepo.pipeline.in_process import run_until_embedded
from askrepo.pipeline.load import load_files
from askrepo.pipeline.plan import changed, plan_run
from askrepo.settings import Settings
from askrepo.types import Definition, LoadManifest
from askrepo.workspace.keys import run_key
from askrepo.workspace.objects import Workspace
from askrepo.workspace.tables import read_table


@dataclass(frozen=True)
class Build:
    """An alias that is up to date, and what was loaded for it."""

    reader: AliasReader
    loads: tuple[LoadManifest, ...]
    workspace: Workspace

    def files(self) -> Iterator[tuple[str, str]]:
        """Paths and texts of the loaded files, in tree order."""
        for load in self.loads:
            for part in load.parts:
                table = read_table(self.workspace, part)
                for path, text in zip(table["path"].to_pylist(), table["text"].to_pylist(), strict=True):
                    if text:
                        yield path, text


def build(definition: Definition, *, workspace: Workspace, settings: Settings, embedder: Embedder) -> Build:
    """The alias's dataset as the clones are now; one that would come out the same is kept, as in the pipeline."""
    catalogue = AliasCatalogue(workspace)
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
            run=run_key(definition.alias, "texts"),
            include=definition.include,
            exclude=definition.exclude,
            max_file_bytes=definition.max_file_bytes,
        )
        for snapshot in snapshots
    ]
    current = catalogue.current_or_none(definition.alias)
    if changed(definition, snapshots, current, embedder.fingerprint, workspace=workspace):
        run = run_until_embedded(definition, workspace=workspace, settings=settings, embedder=embedder)
        run.finish(force=True)
    reader = open_alias(definition.alias, workspace=workspace, settings=settings, opener=lambda _: embedder)
    return Build(reader, tuple(loads), workspace)
