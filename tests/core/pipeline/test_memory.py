from __future__ import annotations

import platform
from pathlib import Path

import pytest

from askrepo.pipeline.memory import give_back

KEPT = 500
OBJECTS = 100_000


def resident_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library can be asked to")
def test_what_many_small_objects_leave_is_given_back():
    texts = [str(number) * 150 for number in range(OBJECTS)]  # beyond what Python's own pools take
    size = sum(map(len, texts))
    kept = texts[:: OBJECTS // KEPT]  # here and there, so that nothing is given back by itself
    del texts
    before = resident_bytes()
    give_back()
    assert before - resident_bytes() > size / 2
    assert len(kept) == KEPT
