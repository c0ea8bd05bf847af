"""What a dataset knows of the files it was built from: what a refresh need not read and split again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from askrepo.chunking.headings import document_format
from askrepo.errors import VerificationError
from askrepo.files.decode import MINIFIED_NAMES, is_notebook
from askrepo.files.languages import language_of
from askrepo.pipeline.split import SPLITTER_VERSION
from askrepo.store.schema import SCHEMA_VERSION
from askrepo.types import DatasetManifest
from askrepo.workspace.keys import files_key
from askrepo.workspace.objects import ObjectMissingError
from askrepo.workspace.tables import FILE_FACTS, file_facts_schema, read_table, write_table

if TYPE_CHECKING:
    import pyarrow as pa

    from askrepo.workspace.objects import Workspace

READ_REASONS = ("", "binary", "undecodable", "minified", "LFS pointer", "empty")
"""What reading a blob can come to: loaded, or skipped for what its content is."""

_SETTINGS = b"askrepo"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One path of a tree; see `tables.FILE_FACTS`."""

    repository: str
    path: str
    blob: str
    size: int
    language: str
    kind: str
    reason: str
    encoding: str
    attributes: str
    generated: bool
    documents: bool
    text_bytes: int
    first_row: int = -1
    rows: int = 0


class KnownFiles:
    """Files by path and by content."""

    def __init__(self, files: Iterable[FileFacts]) -> None:
        self.files = tuple(files)
        self._by_path = {(file.repository, file.path): file for file in self.files}
        self._by_content: dict[tuple[str, str, str], FileFacts] = {}
        for file in self.files:
            if file.reason == "":
                self._by_content.setdefault((file.repository, file.blob, file.attributes), file)

    @classmethod
    def of(cls, manifest: DatasetManifest, workspace: Workspace, *, repository: str | None = None) -> Self | None:
        """The files of a dataset; None when its table is missing, damaged, or of an earlier version.

        :param repository: only this one's.
        """
        table = _table_of(manifest, workspace)
        if table is None:
            return None
        if repository is not None:
            import pyarrow.compute as pc

            table = table.filter(pc.equal(table["repository"], repository))
        columns = [table[name].to_pylist() for name in FILE_FACTS]
        return cls(FileFacts(*values) for values in zip(*columns, strict=True))

    def find(self, repository: str, path: str, *, blob: str, attributes: str) -> FileFacts | None:
        """The file that reading and splitting this one would give again, at this path or at an earlier one.

        At another path the text and its chunks are the same as long as both names mean the same language and format.
        """
        file = self._by_path.get((repository, path))
        if file and (file.blob, file.attributes) == (blob, attributes) and file.reason in READ_REASONS:
            return file
        file = self._by_content.get((repository, blob, attributes))
        return file if file and _read_alike(file.path, path) else None


def write_known_files(manifest: DatasetManifest, files: Sequence[FileFacts], workspace: Workspace) -> str:
    """Write the table of a dataset's files beside the dataset.

    :returns: its SHA-256, in hex, for the manifest.
    """
    import pyarrow as pa

    columns = {name: [getattr(file, name) for file in files] for name in FILE_FACTS}
    table = pa.table(columns, schema=file_facts_schema())
    key = files_key(manifest.alias, manifest.dataset)
    return write_table(workspace, key, table.replace_schema_metadata({_SETTINGS: _settings(manifest)}))


@dataclass(frozen=True, slots=True)
class FileChanges:
    """Paths of the trees, by what happened to them since another dataset.

    :ivar moved: at a new path, with content that was at a path which is gone.
    :ivar removed: gone, and not moved.
    """

    added: int
    changed: int
    moved: int
    removed: int
    unchanged: int

    @classmethod
    def between(cls, before: Iterable[FileFacts], after: Iterable[FileFacts]) -> Self:
        """What happened to the files."""
        old = {(file.repository, file.path): file.blob for file in before}
        new = {(file.repository, file.path): file.blob for file in after}
        gone: dict[str, int] = {}
        for where in old.keys() - new.keys():
            gone[old[where]] = gone.get(old[where], 0) + 1
        moved = 0
        for where in new.keys() - old.keys():
            if gone.get(new[where]):
                gone[new[where]] -= 1
                moved += 1
        both = old.keys() & new.keys()
        unchanged = sum(old[where] == new[where] for where in both)
        return cls(
            added=len(new) - len(both) - moved,
            changed=len(both) - unchanged,
            moved=moved,
            removed=len(old) - len(both) - moved,
            unchanged=unchanged,
        )

    def as_dict(self) -> dict[str, int]:
        """The numbers by name."""
        return asdict(self)


def _table_of(manifest: DatasetManifest, workspace: Workspace) -> pa.Table | None:
    if not manifest.files_digest:  # an earlier version wrote it, and nothing tells whether it is undamaged
        return None
    try:
        table = read_table(workspace, files_key(manifest.alias, manifest.dataset), digest=manifest.files_digest)
    except (ObjectMissingError, VerificationError):
        return None
    metadata = table.schema.metadata or {}
    return table if metadata.get(_SETTINGS) == _settings(manifest) else None


def _settings(manifest: DatasetManifest) -> bytes:
    """What must be the same for a file to give the same chunks, and which rows the table speaks of."""
    values = {"splitter": SPLITTER_VERSION, "schema": SCHEMA_VERSION, "rows": manifest.digest}
    return json.dumps(values, sort_keys=True).encode("ascii")


def _read_alike(one: str, other: str) -> bool:
    """Whether the same bytes at both paths are decoded, recognised and cut in the same way."""
    language = language_of(one)
    return (
        language == language_of(other)
        and document_format(one, language) == document_format(other, language)
        and is_notebook(one) == is_notebook(other)
        and one.lower().endswith(MINIFIED_NAMES) == other.lower().endswith(MINIFIED_NAMES)
    )
