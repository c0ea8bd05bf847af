"""Files of repositories as they are on this machine now, beside what was read of them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from askrepo.types import Snapshot


def file_here(snapshot: Snapshot, path: str, *, checkouts: Path | None = None) -> Path | None:
    """The file of a checkout on this machine that a stored path names, links resolved.

    :param path: as the dataset has it, below the repository's folder.
    :param checkouts: a folder with checkouts of repositories that were read elsewhere: `app` of `acme/app` is its
        `acme/app`, or else its `app`.
    :returns: None when the repository has no working tree here, or the file is gone; also when a link leads out of the
        repository's folder or into git's own.
    """
    return next(filter(None, (_file_in(folder, path) for folder in _folders(snapshot, checkouts))), None)


def _folders(snapshot: Snapshot, checkouts: Path | None) -> list[Path]:
    """Where the repository's working tree may be."""
    parts = urlsplit(snapshot.url)
    if parts.scheme == "file" and not parts.netloc:
        return [Path(unquote(parts.path))]
    if checkouts is None or not set(snapshot.name.split("/")).isdisjoint({"", ".", ".."}):
        return []
    return [checkouts / snapshot.name, checkouts / snapshot.name.rpartition("/")[2]]


def _file_in(folder: Path, path: str) -> Path | None:
    try:
        folder = folder.resolve(strict=True)
        if not (folder / ".git").exists():
            return None
        file = (folder / path).resolve(strict=True)
        is_ours = file.is_relative_to(folder) and ".git" not in file.relative_to(folder).parts
        return file if is_ours and file.is_file() else None
    except (OSError, RuntimeError, ValueError):  # gone, out of reach, a ring of links, a zero byte
        return None
