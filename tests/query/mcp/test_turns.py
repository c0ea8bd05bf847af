from __future__ import annotations

import threading

import pytest

from askrepo_query.mcp.turns import in_turn


class Counter:
    name = "counter"

    def __init__(self, lock: threading.Lock) -> None:
        self.lock = lock

    def is_held(self, *, fails: bool = False) -> bool:
        if fails:
            raise KeyError("fails")
        return self.lock.locked()


def test_a_method_has_the_lock_while_it_runs_and_no_longer() -> None:
    lock = threading.Lock()
    counter = in_turn(Counter(lock), lock)
    assert counter.is_held()
    assert not lock.locked()
    with pytest.raises(KeyError, match="fails"):
        counter.is_held(fails=True)
    assert not lock.locked()
    assert counter.name == "counter"
