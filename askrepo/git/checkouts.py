"""Files of repositories as they are on this machine now, beside what was read of them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from askrepo.types import Snapshot


def file_here(snapshot: Snapshot, path: str) -> Path | None:
    """The file of a checkout on this machine that a stored path names, links resolved.

    :param path: as the dataset has it, below the repository's folder.
    :returns: None when the repository is elsewhere or has no working tree, or the file is gone; also when a link leads
        out of the repository's folder or into git's own.
    """
    parts = urlsplit(snapshot.url)
    if parts.scheme != "file" or parts.netloc:
        return None
    try:
        folder = Path(unquote(parts.path)).resolve(strict=True)
        if not (folder / ".git").exists():
            return None
        file = (folder / path).resolve(strict=True)
        is_ours = file.is_relative_to(folder) and ".git" not in file.relative_to(folder).parts
        return file if is_ours and file.is_file() else None
    except (OSError, RuntimeError, ValueError):  # gone, out of reach, a ring of links, a zero byte
        return None
