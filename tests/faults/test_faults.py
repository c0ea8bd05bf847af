"""Refreshes that are disturbed in every way we know, eight here and a hundred and twelve in `make test-faults`.

A case that fails prints what happened to it and the command that runs it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cases import KINDS, kind_of
from tests.faults.harness import Rig, run_case

# Every way to be struck, in every kind of store.
ALWAYS = (4, 5, 7, 9, 14, 15, 17, 18)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig.prepare(tmp_path_factory.mktemp("faults"))
    yield rig
    rig.close()


def test_every_way_to_be_struck_is_tried_always() -> None:
    always = {(kind.strike, kind.store) for kind in (kind_of(seed) for seed in ALWAYS)}
    assert always == {(kind.strike, kind.store) for kind in KINDS}


@pytest.mark.slow
@pytest.mark.parametrize("seed", ALWAYS)
def test_a_disturbed_refresh(seed: int, rig: Rig, tmp_path: Path) -> None:
    report = run_case(seed, rig, tmp_path / "case")
    assert not report.wrong, str(report)


@pytest.mark.faults
@pytest.mark.parametrize("seed", sorted(set(range(120)).difference(ALWAYS)))
def test_many_disturbed_refreshes(seed: int, rig: Rig, tmp_path: Path) -> None:
    report = run_case(seed, rig, tmp_path / "case")
    assert not report.wrong, str(report)
