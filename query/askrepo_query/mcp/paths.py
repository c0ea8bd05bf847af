"""What became of a path, for an agent that asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from askrepo.errors import UnavailableError
from askrepo.text.display import plain_line
from askrepo_query.mcp.library import Library

if TYPE_CHECKING:
    from askrepo.pipeline.file_stage import FileStage
    from askrepo.types import AliasEntry


def stages_of(library: Library, path: str, entries: Sequence[AliasEntry]) -> list[FileStage]:
    """What became of a path, where that is known."""
    from askrepo.pipeline.file_stage import file_stages

    try:
        return file_stages(path, entries=entries, workspace=library.session.workspace)
    except UnavailableError:
        return []


def stage_line(stage: FileStage) -> str:
    """A line on what became of a file."""
    from askrepo_query.why import told_of

    return plain_line(f"{stage.repository}@{stage.commit[:10]} {stage.path}: {told_of(stage)}")
