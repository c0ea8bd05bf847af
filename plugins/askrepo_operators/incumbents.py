"""The dataset that an alias pointed at when its run began, as the run's tasks find it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from askrepo.pipeline.known_files import KnownFiles
    from askrepo.types import DatasetManifest
    from askrepo_operators.stage import Run


def incumbent_of(run: Run, number: int | str) -> DatasetManifest | None:
    """What entry `number` of the run's alias points at; None for 0."""
    from askrepo.aliases.catalogue import AliasCatalogue

    return AliasCatalogue(run.workspace).entry(run.definition.alias, int(number)).manifest if int(number) else None


def known_files_of(run: Run, number: int | str, repository: str) -> KnownFiles | None:
    """What that dataset knows of a repository's files; None for 0."""
    from askrepo.pipeline.known_files import KnownFiles

    manifest = incumbent_of(run, number)
    return KnownFiles.of(manifest, run.workspace, repository=repository) if manifest else None
