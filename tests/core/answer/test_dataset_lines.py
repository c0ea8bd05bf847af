"""What no source has is looked for in the datasets, as it stands there."""

from __future__ import annotations

import pytest

from askrepo.answer.dataset_lines import DatasetLines
from askrepo.answer.statement_parts import Part
from askrepo.types import Citation
from tests.datasets import BuiltAlias, build_alias

FILES = {
    "README.md": "# Parcel\n\nParcel delivers messages between services, however long it takes.\n",
    "src/retry.py": "RETRY_LIMIT = 5\n\n\ndef backoff(attempt):\n    return 2.0**attempt\n",
    "src/use.py": "from retry import backoff\n\nprint(backoff(3))\n",
    "tests/test_retry.py": "def backoff(attempt):\n    return 0\n",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    return build_alias(tmp_path_factory.mktemp("lines"), FILES, name="parcel")


def paths(built: BuiltAlias, kind: str, text: str) -> list[str]:
    return [place.citation.path for place in DatasetLines([built.reader]).places(Part(kind, text, 0, 0))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "text", "where"),
    [
        ("name", "RETRY_LIMIT", ["src/retry.py"]),
        ("name", "backoff()", ["src/retry.py"]),
        ("name", "print(backoff(3))", ["src/use.py"]),
        ("quote", "delivers messages between services", ["README.md"]),
        ("code", "return 2.0**attempt", ["src/retry.py"]),
        ("path", "src/use.py", ["src/use.py"]),
        ("path", "use.py", ["src/use.py"]),
        ("name", "retry_limit", []),
        ("quote", "delivers messages between planets", []),
        ("path", "src/gone.py", []),
        ("name", "a\x00b\ud800 ' OR 1=1", []),
    ],
)
def test_places_hold_the_part_where_it_is_defined_alone_when_it_is(
    built: BuiltAlias, kind: str, text: str, where: list[str]
) -> None:
    assert paths(built, kind, text) == where


def test_cited_lines_are_those_stored(built: BuiltAlias) -> None:
    lines = DatasetLines([built.reader])
    commit = built.reader.snapshot_of("parcel").commit
    assert lines.lines_of(Citation("parcel", commit, "src/retry.py", 4, 5)) == (
        "def backoff(attempt):",
        "    return 2.0**attempt",
    )
    assert lines.lines_of(Citation("parcel", commit, "src/gone.py", 1, 2)) == ()
    assert lines.lines_of(Citation("another", commit, "src/retry.py", 1, 2)) == ()
