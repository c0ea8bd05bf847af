"""Which known name somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable

_MAX_CHARS = 100  # comparing takes the square of it; no name of ours is longer
_MOST = 3  # paths named in a message


def nearest(given: str, known: Iterable[str]) -> str | None:
    """The known name most like the given one; None when none is like it."""
    from difflib import get_close_matches

    by_folded = {name.casefold(): name for name in known}
    found = get_close_matches(given[:_MAX_CHARS].casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: a suggestion, or nothing."""
    name = nearest(given, known)
    return "" if name is None else f"; did you mean {name!r}?"


def nearest_paths(asked: str, known: Iterable[str]) -> list[str]:
    """The known paths that somebody may have meant, at most three.

    Those that are the same, or end so, in another case of letters; then files of that name elsewhere, or nearly of it.
    """
    from difflib import get_close_matches

    folded, name = asked.casefold(), asked.rstrip("/").rpartition("/")[2].casefold()
    by_name: dict[str, list[str]] = {}
    found: list[str] = []
    for path in sorted(set(known), key=lambda path: (path.count("/"), path)):
        by_name.setdefault(path.rpartition("/")[2].casefold(), []).append(path)
        if path.casefold() == folded or (folded and path.casefold().endswith(f"/{folded}")):
            found.append(path)
    found += by_name.get(name, [])
    if len(found) < _MOST and 0 < len(name) <= _MAX_CHARS:
        alike = get_close_matches(name, [each for each in by_name if len(each) <= _MAX_CHARS], n=_MOST, cutoff=0.7)
        found += [path for each in alike for path in by_name[each]]
    return list(dict.fromkeys(found))[:_MOST]
