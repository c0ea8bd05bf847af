"""What `status` gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from askrepo.errors import UnavailableError
from askrepo.text.display import plain_line
from askrepo_query.mcp.coverage import coverage
from askrepo_query.mcp.library import Library
from askrepo_query.mcp.paths import stage_line
from askrepo_query.mcp.results import STATUS_TOKENS, Outcome, Result, with_footer
from askrepo_query.output import age

if TYPE_CHECKING:
    from askrepo.pipeline.file_stage import FileStage
    from askrepo.types import AliasEntry


def status(library: Library, path: str | None = None, alias: str | None = None) -> Result:
    """What is indexed; with a path, what became of it."""
    aliases = library.aliases(alias) if alias is not None else tuple(library.known())
    entries, problems = _readable(library, aliases)
    if path is None:
        told = [_told(entry, coverage([entry], None, library).missing) for entry in entries]
        text = with_footer("\n".join([*told, *problems]), entries, STATUS_TOKENS)
        return Result("found", text, tuple(entries))
    from askrepo.pipeline.file_stage import file_stages, place_of

    named = place_of(path)[0]
    stages = file_stages(named, entries=entries, workspace=library.session.workspace)
    is_there = any(stage.stage in {"loaded", "folder"} for stage in stages)
    text = "\n".join(map(stage_line, stages))
    if not is_there:
        text = f"path not indexed: {plain_line(named)}\n{text}"
    facts = {"path": named, "stages": [_stage_json(stage) for stage in stages[:20]]}
    outcome: Outcome = "found" if is_there else "path not indexed"
    return Result(outcome, with_footer(text, entries, STATUS_TOKENS), tuple(entries), facts)


def _stage_json(stage: FileStage) -> dict[str, str]:
    return {
        "alias": stage.alias,
        "repository": stage.repository,
        "path": stage.path,
        "stage": stage.stage,
        "reason": stage.reason,
    }


def _readable(library: Library, aliases: Sequence[str]) -> tuple[list[AliasEntry], list[str]]:
    """The aliases' entries, and a line for each that cannot be read; a single one's error is the call's."""
    entries, problems = [], []
    for name in aliases:
        try:
            entries += library.entries([name])
        except UnavailableError as error:
            if len(aliases) == 1:
                raise
            problems.append(plain_line(f"{name}: {error}"))
    return entries, problems


def _told(entry: AliasEntry, missing: str) -> str:
    """A line on an alias: what it has, how old, and whether all of it could be read."""
    manifest = entry.manifest
    covered = "all text" if not missing else f"not: {missing}"
    commits = ", ".join(
        f"{read.name}@{read.commit[:10]} ({read.committed_at[:10]})" for read in manifest.snapshots[:20]
    )
    return plain_line(
        f"{entry.alias}: {commits} · {manifest.loaded:,} of {manifest.files:,} files, {covered} · "
        f"entry {entry.number}, built {age(manifest.created_at)}"
    )
