"""In which stage a path of a repository stands: not in the tree, left out, skipped, or loaded and split."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from askrepo.files.globs import matches, selected
from askrepo.pipeline.file_table import listed_files
from askrepo.text.suggestions import nearest_paths
from askrepo.types import AliasEntry, Definition

if TYPE_CHECKING:
    import pyarrow as pa

    from askrepo.workspace.objects import Workspace

Stage = Literal["not in the tree", "folder", "excluded", "skipped", "loaded"]

_LINES = re.compile(r"(?::|#L)([0-9]{1,15})(?:-L?([0-9]{1,15})|:[0-9]{1,15})?$")
_MEANINGS: Mapping[str, str] = {
    "binary": "its content is no text",
    "too large": "it is larger than the limit (ASKREPO_MAX_FILE_BYTES)",
    "undecodable": "no encoding makes text of it",
    "minified": "it is minified or generated in one line",
    "LFS pointer": "its content is stored elsewhere (Git LFS)",
    "symlink": "a symbolic link, which is not followed",
    "submodule": "a submodule: another repository",
    "empty": "it has no content",
    "path not UTF-8": "its path is not valid UTF-8",
    "path too long": "its path is too long",
    "duplicate path": "the tree has this path twice",
}


@dataclass(frozen=True, slots=True)
class FileStage:
    """Where a path stands in one alias and repository.

    :ivar stage: what became of it; `reason` why it is not loaded, in a few words; "" when it is.
    :ivar pattern: the pattern that left it out; "" when no pattern of `include` has it.
    :ivar size: of the blob, in bytes; chunks: how many the dataset has of it; bytes and chunks of a folder are sums.
    :ivar nearest: paths of the tree that may be meant, when it is not in it.
    :ivar within: of a folder, its files by what became of them.
    """

    alias: str
    repository: str
    commit: str
    path: str
    stage: Stage
    reason: str = ""
    pattern: str | None = None
    kind: str = ""
    language: str = ""
    encoding: str = ""
    size: int = 0
    chunks: int = 0
    nearest: tuple[str, ...] = ()
    within: Mapping[str, int] = field(default_factory=dict)

    @property
    def explained(self) -> str:
        """What the reason means."""
        return _MEANINGS.get(self.reason, self.reason)


def place_of(text: str) -> tuple[str, int | None, int | None]:
    """A path, and the lines that are written behind it: `PATH:A`, `PATH:A-B`, `PATH:A:COLUMN` or `PATH#LA-LB`."""
    found = _LINES.search(text[-40:])
    if found is None:
        return text, None, None
    path = text[: len(text) - len(found[0])]
    first = int(found[1])
    return path, first, int(found[2]) if found[2] else first


def shown_path(text: str) -> str:
    """The path as a dataset's table of files has it: bytes that are not UTF-8 are written as escapes."""
    written = re.sub("[\ud800-\udc7f\udd00-\udfff]", "\N{REPLACEMENT CHARACTER}", text)  # what no byte stands for
    return written.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def file_stages(path: str, *, entries: Sequence[AliasEntry], workspace: Workspace) -> list[FileStage]:
    """What became of a path in each alias and repository that has it; when none has it, that it is not in their trees.

    :param path: within the repository, or with the repository's name before it; of what is not UTF-8 see `shown_path`.
    :raises UnavailableError: a dataset's table of files is missing, damaged or of an earlier version.
    """
    found: list[FileStage] = []
    missing: list[FileStage] = []
    for entry in entries:
        table = listed_files(entry.manifest, workspace)
        for snapshot in entry.manifest.snapshots:
            where = entry.alias, snapshot.name, snapshot.commit
            stages = _stages(path, where, table, entry.manifest.definition)
            found += stages
            if not stages:
                missing.append(_missing(path, where, table))
    return found or missing


_Where = tuple[str, str, str]
"""Alias, repository and commit."""


def _stages(path: str, where: _Where, table: pa.Table, definition: Definition) -> list[FileStage]:
    """What the table says of the path as a file, as a folder, or as the end of one path; nothing when it is none."""
    repository = where[1]
    as_written = shown_path(path)
    trimmed = as_written.removeprefix("./").lstrip("/")
    names = dict.fromkeys([as_written, trimmed, trimmed.removeprefix(repository + "/")])
    paths = _paths(table, repository)
    for name in names:
        rows = _rows(table, paths, name)
        if rows:
            return [_of_row(row, where, definition) for row in rows]
    folders = [folder for name in names if (folder := _folder(name, where, table, paths)) is not None]
    return folders[:1] or [_of_row(row, where, definition) for row in _rows_at_end(table, paths, trimmed)]


def _paths(table: pa.Table, repository: str) -> dict[int, str]:
    """The paths of a repository by their rows. (In Python, as below: loading pyarrow.compute takes longer.)"""
    repositories, paths = table["repository"].to_pylist(), table["path"].to_pylist()
    return {row: path for row, path in enumerate(paths) if repositories[row] == repository}


def _rows(table: pa.Table, paths: Mapping[int, str], name: str) -> list[dict[str, Any]]:
    return [_row(table, row) for row, path in paths.items() if path == name]


def _rows_at_end(table: pa.Table, paths: Mapping[int, str], end: str) -> list[dict[str, Any]]:
    """The row of the only path that ends so."""
    rows = [row for row, path in paths.items() if path.endswith(f"/{end}")] if end else []
    return [_row(table, row) for row in rows] if len(rows) == 1 else []


def _row(table: pa.Table, row: int) -> dict[str, Any]:
    (found,) = table.slice(row, 1).to_pylist()
    return dict(found)


def _of_row(row: Mapping[str, Any], where: _Where, definition: Definition) -> FileStage:
    reason, path = row["reason"], row["path"]
    stage: Stage = "excluded" if reason == "excluded" else "skipped" if reason else "loaded"
    return FileStage(
        *where,
        path,
        stage,
        reason=reason,
        pattern=_pattern(path, definition) if stage == "excluded" else None,
        kind=row["kind"],
        language=row["language"],
        encoding=row["encoding"],
        size=row["size"],
        chunks=row["rows"],
    )


def _pattern(path: str, definition: Definition) -> str:
    """The pattern that leaves the path out; "" when it is wanted by none of `include`."""
    excluding = (pattern for pattern in definition.exclude if matches(path, pattern))
    if selected(path, include=definition.include, exclude=()):
        return next(excluding, "")
    return ""


def _folder(name: str, where: _Where, table: pa.Table, paths: Mapping[int, str]) -> FileStage | None:
    """The folder of that path, None when there is none."""
    prefix = name.rstrip("/") + "/" if name.strip("/.") else ""
    inside = [row for row, path in paths.items() if path.startswith(prefix)]
    if not inside or (not prefix and name not in (".", "./", "/")):
        return None
    columns = {column: table[column].to_pylist() for column in ("reason", "size", "rows")}
    reasons = Counter(columns["reason"][row] or "loaded" for row in inside)
    size, chunks = (sum(columns[column][row] for row in inside) for column in ("size", "rows"))
    within = dict(sorted(reasons.items(), key=lambda pair: (pair[0] != "loaded", pair[0])))
    return FileStage(*where, prefix or "/", "folder", size=size, chunks=chunks, within=within)


def _missing(path: str, where: _Where, table: pa.Table) -> FileStage:
    known = list(_paths(table, where[1]).values())
    name = shown_path(path)
    return FileStage(*where, name, "not in the tree", nearest=tuple(nearest_paths(name, known)))
