"""Patterns over the paths of a repository."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

ANY_FOLDER = "**/"


def matches(path: str, pattern: str) -> bool:
    """Whether a pattern covers the whole path.

    `*`, `?` and `[…]` as in fnmatch, but they match `/` too; case counts; a leading `**/` also means the root.
    """
    if fnmatchcase(path, pattern):
        return True
    return pattern.startswith(ANY_FOLDER) and fnmatchcase(path, pattern.removeprefix(ANY_FOLDER))


def selected(path: str, *, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Whether a path is wanted: no include pattern means every path, and an exclude pattern always wins."""
    wanted = not include or any(matches(path, pattern) for pattern in include)
    return wanted and not any(matches(path, pattern) for pattern in exclude)
