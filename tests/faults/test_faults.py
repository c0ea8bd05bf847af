"""Refreshes that are disturbed in every way we know, twenty here and a hundred in `make test-faults`.

A case that fails prints what happened to it and the command that runs it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Rig, run_case


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig.prepare(tmp_path_factory.mktemp("faults"))
    yield rig
    rig.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_disturbed_refresh(seed: int, rig: Rig, tmp_path: Path) -> None:
    report = run_case(seed, rig, tmp_path / "case")
    assert not report.wrong, str(report)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(20, 120))
def test_many_disturbed_refreshes(seed: int, rig: Rig, tmp_path: Path) -> None:
    report = run_case(seed, rig, tmp_path / "case")
    assert not report.wrong, str(report)
