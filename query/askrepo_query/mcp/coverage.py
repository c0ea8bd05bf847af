"""How much of the repositories a search could see, and what that lets it say of a name that it did not find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askrepo.errors import UnavailableError
from askrepo.text.display import plain_line
from askrepo_query.mcp.library import Library

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.search.search import Absent
    from askrepo.store.reader import Filter
    from askrepo.types import AliasEntry

WITHOUT_TEXT = frozenset({"loaded", "binary", "empty", "symlink", "submodule"})
"""What may become of a file without a word of it being lost."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was searched.

    :ivar searched: for instance `flask@258d68b6ff: 230 files searched`.
    :ivar missing: what was not; "" when every text was.
    """

    searched: str
    missing: str


def coverage(entries: Sequence[AliasEntry], repository: str | None, library: Library) -> Coverage:
    """What the datasets hold of the repositories, or of one."""
    from askrepo.pipeline.file_stage import file_stages

    searched, missing = [], []
    for entry in entries:
        manifest = entry.manifest
        if manifest.files - manifest.loaded - sum(manifest.skipped.values()):
            missing.append(f"files of {entry.alias} that are unaccounted for")
        try:
            stages = file_stages(".", entries=[entry], workspace=library.session.workspace)
        except UnavailableError:
            missing.append(f"unknown files of {entry.alias}, whose dataset has no list of them")
            continue
        for stage in stages:
            if repository in (None, stage.repository):
                searched.append(f"{stage.repository}@{stage.commit[:10]}: {stage.within.get('loaded', 0):,} files")
                missing += [
                    f"{count:,} {reason}" for reason, count in stage.within.items() if reason not in WITHOUT_TEXT
                ]
    return Coverage(", ".join(searched) + " searched", ", ".join(missing))


def absence(
    absent: Sequence[Absent], readers: Sequence[AliasReader], where: Filter, library: Library
) -> tuple[list[str], list[str]]:
    """A sentence for each name that was not found, and the names whose absence is attested.

    It is when every text was searched, word for word, and whole files were: not in one language only.
    """
    from askrepo.search.nowhere import stands_nowhere

    if not absent:
        return [], []
    seen = coverage([reader.entry for reader in readers], where.repository, library)
    sentences, attested = [], []
    for each in absent:
        near = f"; nearest names: {', '.join(each.nearest)}" if each.nearest else ""
        is_nowhere = not where.language and stands_nowhere(each.name, readers=readers, where=where)
        if is_nowhere and not seen.missing:
            attested.append(each.name)
            below = f" below {', '.join(where.path)}" if where.path else ""
            sentences.append(plain_line(f'"{each.name}" is not in {seen.searched}{below}{near}'))
        else:
            why = f"; not searched: {seen.missing}" if seen.missing else ""
            sentences.append(plain_line(f'"{each.name}" was not found as a whole name{why}{near}'))
    return sentences, attested
