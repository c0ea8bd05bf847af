"""Using one object from several threads, one call at a time."""

from __future__ import annotations

import functools
import threading
from typing import Any, TypeVar, cast

Thing = TypeVar("Thing")


def in_turn(thing: Thing, lock: threading.Lock) -> Thing:
    """The same object, each call of its methods made while the lock is held; a method must not take it itself."""
    return cast("Thing", _InTurn(thing, lock))


class _InTurn:
    def __init__(self, thing: object, lock: threading.Lock) -> None:
        self._thing, self._lock = thing, lock

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        if not callable(found):
            return found

        @functools.wraps(found)
        def called(*args: Any, **named: Any) -> Any:
            with self._lock:
                return found(*args, **named)

        return called
