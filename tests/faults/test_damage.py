"""Hundreds of changes to the files of a published dataset, none of which may be served."""

from __future__ import annotations

import pytest

from tests.damage import FILES, outcomes
from tests.datasets import build_alias

CASES = 500


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_no_damage_is_served(tmp_path):
    assert outcomes(build_alias(tmp_path, FILES), CASES) == {"refused": CASES}
