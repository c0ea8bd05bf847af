"""Numbers of things, as one says them."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 file`, `2,000 files`.

    :param noun: in the singular; its plural ends in s.
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
