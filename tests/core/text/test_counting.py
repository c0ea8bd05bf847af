"""Numbers of things."""

from __future__ import annotations

import pytest

from askrepo.text.counting import counted


@pytest.mark.parametrize(("count", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (2000, "2,000 files")])
def test_a_number_of_things_is_told_as_one_says_it(count: int, said: str) -> None:
    assert counted(count, "file") == said
