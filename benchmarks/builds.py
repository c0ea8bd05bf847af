"""Datasets for the benchmarks, built from local clones by the pipeline's own stages in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from askrepo.aliases.readers import AliasReader, open_alias
from askrepo.embedders.embedder import Embedder
from askrepo.settings import Settings
from askrepo.types import Definition, LoadManifest
from askrepo.workspace.objects import Workspace
from askrepo.workspace.tables import read_table
from benchmarks.in_process import local_run, run_until_embedded


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
    options: dict[str, Any] = {"workspace": workspace, "settings": settings, "embedder": embedder}
    run = local_run(definition, run_id="texts", force=True, **options)
    snapshots = [run.clone(repository) for repository in run.plan()]
    comparison = run.compare(snapshots, number=run.number())
    loads = [run.load(snapshot, comparison) for snapshot in snapshots]
    if comparison.reasons:
        run_until_embedded(definition, **options).finish(force=True)
    reader = open_alias(definition.alias, workspace=workspace, settings=settings, opener=lambda _: embedder)
    return Build(reader, tuple(loads), workspace)
