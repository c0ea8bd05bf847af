"""Iterating while the next item is already being made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

_END = object()


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The items, each made on another thread while its predecessor is in use: one more than that is in memory.

    Reading a store and hashing let other threads run, so that on two processors reading rows costs no time beside
    writing or comparing them.
    """
    source = iter(items)
    with ThreadPoolExecutor(max_workers=1) as beside:
        coming = beside.submit(next, source, _END)
        while (item := coming.result()) is not _END:
            coming = beside.submit(next, source, _END)
            yield item  # type: ignore[misc]
