"""Web addresses of lines in a repository, at the commit that was read."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import SplitResult, quote, urlsplit

from askrepo.types import Chunk, Snapshot

_WEB_SCHEMES = frozenset({"http", "https"})
_SSH_SCHEMES = frozenset({"ssh", "git", "git+ssh"})


def permalink(snapshot: Snapshot, chunk: Chunk) -> str:
    """The page that shows the chunk's lines at the snapshot's commit; the repository's URL when its host is unknown.

    A host is recognised by a label of its name (`github.com`, `gitlab.example.org`, `bitbucket.org`).
    """
    parts = urlsplit(snapshot.url)
    write = _style(parts)
    if write is None:
        return snapshot.url
    path = parts.path.rstrip("/").removesuffix(".git")
    return f"{_web_origin(parts)}{path}{write(snapshot.commit, quote(chunk.path), chunk.start_line, chunk.end_line)}"


def _style(parts: SplitResult) -> Callable[[str, str, int, int], str] | None:
    if parts.scheme not in _WEB_SCHEMES | _SSH_SCHEMES:
        return None
    labels = (parts.hostname or "").split(".")
    return next((style for label, style in _STYLES.items() if label in labels), None)


def _web_origin(parts: SplitResult) -> str:
    """Scheme and host of the web pages; an ssh port says nothing about the web's."""
    if parts.scheme in _SSH_SCHEMES:
        return f"https://{parts.hostname}"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def _github(commit: str, path: str, start: int, end: int) -> str:
    return f"/blob/{commit}/{path}#L{start}" + (f"-L{end}" if end != start else "")


def _gitlab(commit: str, path: str, start: int, end: int) -> str:
    return f"/-/blob/{commit}/{path}#L{start}" + (f"-{end}" if end != start else "")


def _bitbucket(commit: str, path: str, start: int, end: int) -> str:
    return f"/src/{commit}/{path}#lines-{start}" + (f":{end}" if end != start else "")


_STYLES = {"github": _github, "gitlab": _gitlab, "bitbucket": _bitbucket}
