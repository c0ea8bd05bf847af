"""Which known name somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable

_MAX_CHARS = 100  # comparing takes the square of it; no name of ours is longer


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
