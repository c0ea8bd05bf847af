"""Files as resources: `askrepo://alias/repository@commit/path`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote

from askrepo.errors import UnknownPathError, UsageError
from askrepo_query.mcp.library import Library

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader

SCHEME = "askrepo://"
TEMPLATE = "askrepo://{alias}/{repository}@{commit}/{+path}"
MAX_URI_CHARS = 8000


def resource_text(library: Library, uri: str) -> str:
    """The text of a file as it is stored, at the commit that the URI names if that is current or still kept.

    :raises UsageError: the URI is none of ours.
    :raises UnknownPathError: the commit has no such file in the dataset.
    :raises UnavailableError: there is no such alias, or the commit is not kept.
    """
    alias, repository, commit, path = _parts(uri)

    def text(readers: Sequence[AliasReader]) -> str | None:
        (reader,) = readers
        read = [
            each
            for each in reader.entry.manifest.snapshots
            if each.name == repository and each.commit.startswith(commit)
        ]
        if not read:
            return None
        chunks = reader.dataset.file_chunks(repository, path)
        if not chunks:
            raise UnknownPathError(f"no file {path!r} in {repository}@{commit[:10]}; status says why")
        return "".join(chunk.text for chunk in chunks)

    found = library.read(alias, text)
    if found is None:
        found = library.read(alias, text, at=f"{repository}@{commit}")
    if found is None:
        raise UsageError(f"alias {alias!r} was never at {repository}@{commit[:10]}")
    return found


def _parts(uri: str) -> tuple[str, str, str, str]:
    """Alias, repository, commit and path; a repository's name may have a slash, escaped or not."""
    if len(uri) > MAX_URI_CHARS or not uri.startswith(SCHEME):
        raise UsageError(f"{uri[:60]!r} is no resource of this server: write {TEMPLATE}")
    alias, _, rest = uri.removeprefix(SCHEME).partition("/")
    repository, at, rest = rest.partition("@")
    commit, slash, path = rest.partition("/")
    if not (alias and repository and at and slash and path) or len(commit) < 7:
        raise UsageError(f"{uri[:60]!r} is no resource of this server: write {TEMPLATE}")
    return unquote(alias), unquote(repository), commit, unquote(path)
