"""Damage to a published dataset is told, not served: whatever the file, whatever was found before."""

from __future__ import annotations

import pytest

from tests.damage import FILES, outcomes
from tests.datasets import BuiltAlias, build_alias

pytestmark = pytest.mark.slow

CASES = 50


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> BuiltAlias:
    return build_alias(tmp_path_factory.mktemp("damage"), FILES)


def test_damage_is_refused_whatever_was_found_before(built):
    assert outcomes(built, CASES) == {"refused": CASES}
