from __future__ import annotations

import pytest

from askrepo.search.order.orders import decayed
from tests.core.pools import chunk_at, ranked_chunks


def order(*paths: str) -> list[str]:
    """Files in the order of a listing, each ranked a little below the one before."""
    scored = [(chunk_at(path, text=path), 1 - at / 100) for at, path in enumerate(paths)]
    return [each.candidate.chunk.path for each in decayed(ranked_chunks(*scored))]


@pytest.mark.parametrize(
    "family",
    [
        ("src/BreakerSyntax.cs", "src/AsyncBreakerSyntax.cs", "src/ResultBreakerSyntax.cs"),
        ("sys/uid_win.go", "sys/uid_unix.go", "sys/uid_darwin.go"),
        ("v1/parcel_store.py", "v2/parcel_store.py", "v3/parcel_store.py"),
    ],
)
def test_the_third_of_a_family_makes_room(family):
    assert order(*family, "src/controller.rb") == [*family[:2], "src/controller.rb", family[2]]


@pytest.mark.parametrize(
    "strangers",
    [
        ("src/router.py", "src/request.py", "src/response.py"),
        ("app/index.js", "router/index.js", "view/index.js"),
        ("src/parcel_store.py", "src/parcel_store.md", "src/parcel_store.rs"),
    ],
)
def test_files_that_are_not_called_alike_keep_their_places(strangers):
    assert order(*strangers, "src/controller.rb") == [*strangers, "src/controller.rb"]
