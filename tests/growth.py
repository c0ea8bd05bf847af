"""How the time of a call grows with its input, which a slow or busy machine does not change."""

from __future__ import annotations

import time
from collections.abc import Callable

SHRUNK = 8
"""What takes eight times as long for eight times the input is linear; what is quadratic takes 64 times as long."""
MAX_GROWTH = 24
QUICK_S = 0.005
"""Nothing is compared that took less: it is quick whatever it grows by."""
TRIES = 4


def is_linear(call: Callable[[int], object], size: int) -> bool:
    """Whether `call(size)` takes no more than in proportion to `call(size // 8)`, three times over."""
    for _ in range(TRIES):
        whole_s = seconds_of(call, size)
        if whole_s < QUICK_S or whole_s < MAX_GROWTH * seconds_of(call, size // SHRUNK):
            return True
    return False


def seconds_of(call: Callable[[int], object], size: int) -> float:
    """Seconds of this thread, which waits for no other."""
    started = time.thread_time()
    call(size)
    return time.thread_time() - started
