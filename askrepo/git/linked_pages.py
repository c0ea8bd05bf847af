"""Pages at a tree's root that are symbolic links: a README that really lies in a folder of the same tree."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from askrepo.files.globs import selected
from askrepo.git.tree import MAX_PATH_BYTES, REGULAR, SYMLINK, TreeEntry, TreeReader

MAX_LINKS = 32
"""Links followed: a root has a few pages."""

_PAGE = re.compile(
    rb"(?:readme|contributing|security|code_of_conduct|changelog|changes|license|licence|support|governance)(?:\.\w+)?",
    re.IGNORECASE,
)


def linked_pages(tree: TreeReader, *, include: Sequence[str], exclude: Sequence[str]) -> Mapping[bytes, TreeEntry]:
    """For each page at the root that links to a file of the same tree, by path: an entry that holds the file's blob.

    The link is resolved by name among the tree's paths; nothing outside of the object database is ever read. Links out
    of the tree, to folders, to nothing, to other links and to what the patterns leave out stay links.

    :param include: patterns of paths to load, as in `load_files`; `exclude` likewise.
    :raises StorageError: the object database is damaged.
    """
    links = [entry for entry in tree.entries() if _is_page(entry)][:MAX_LINKS]
    if not links:
        return {}
    targets = {
        link.raw_path: _target(content)
        for link, content in zip(links, tree.blobs([link.blob for link in links]), strict=True)
    }
    wanted = set(targets.values())
    files = {
        entry.raw_path: entry
        for entry in tree.entries()
        if entry.raw_path in wanted and entry.mode.startswith(REGULAR) and _is_selected(entry, include, exclude)
    }
    return {link: replace(files[path], raw_path=link) for link, path in targets.items() if path in files}


def _is_selected(entry: TreeEntry, include: Sequence[str], exclude: Sequence[str]) -> bool:
    return selected(entry.raw_path.decode("utf-8", "backslashreplace"), include=include, exclude=exclude)


def _is_page(entry: TreeEntry) -> bool:
    is_link = entry.mode == SYMLINK and 0 < entry.size <= MAX_PATH_BYTES and not entry.is_duplicate
    return is_link and _PAGE.fullmatch(entry.raw_path) is not None


def _target(content: bytes) -> bytes:
    """The path that a link at the root means; one that no tree has when it leads out of it."""
    return b"" if content.startswith(b"/") else posixpath.normpath(content)
