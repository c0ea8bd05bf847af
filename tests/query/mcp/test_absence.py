"""Names that a repository has and names that it has not: what is claimed absent is, and nothing that is there."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from askrepo_query.mcp.library import Library
from askrepo_query.mcp.search_tool import search
from askrepo_query.session import Session
from tests.datasets import build_alias

PARTS = ("retry", "queue", "Parcel", "http", "token", "flush", "Cache", "window", "shard", "merge", "lease", "Route")
SHAPES = ("def {}():\n    return 1\n", "{} = 3\n", "# see `{}`\nx = 1\n", "call({}(2))\n", 'raise E("{} failed")\n')
A_FEW, ALL = 40, 400


@pytest.mark.parametrize("count", [A_FEW, pytest.param(ALL, marks=pytest.mark.mcp)], ids=["a few names", "all names"])
def test_every_other_name_is_withheld_and_only_those_are_absent(tmp_path: Path, count: int) -> None:
    chosen = random.Random(7)
    names = list(dict.fromkeys(_name(chosen) for _ in range(3 * count)))[:count]
    present, withheld = names[::2], names[1::2]
    files = {f"src/{number}.py": chosen.choice(SHAPES).format(name) for number, name in enumerate(present)}
    library = Library(Session(build_alias(tmp_path, files).settings))
    claimed = {name for name in names if search(library, name, 8, "location", 2000, 0).details["attested_absent"]}
    parts_of_others = {name for name in withheld if any(name.lower() in other.lower() for other in present)}
    assert claimed.isdisjoint(present)
    assert claimed == set(withheld) - parts_of_others
    assert len(claimed) >= 0.8 * len(withheld)


def _name(chosen: random.Random) -> str:
    parts = [chosen.choice(PARTS) for _ in range(chosen.choice((3, 3, 4)))]
    return chosen.choice(("_", "")).join(part if at == 0 else part.capitalize() for at, part in enumerate(parts))
