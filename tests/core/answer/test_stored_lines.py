from __future__ import annotations

import pytest

from askrepo.answer.context import context_for
from askrepo.answer.stored_lines import line_look_up
from tests.datasets import BuiltAlias, build_alias

FILES = {"src/pkg/retry.py": "def backoff(attempt):\n    return 2**attempt\n", "README.md": "# Parcel\n\nDelivers.\n"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    return build_alias(tmp_path_factory.mktemp("lines"), FILES, name="parcel")


@pytest.mark.parametrize(
    ("path", "start", "end", "stored"),
    [
        ("src/pkg/retry.py", 1, 2, "src/pkg/retry.py"),
        ("./src/pkg/retry.py", 2, 2, "src/pkg/retry.py"),
        ("parcel/src/pkg/retry.py", 1, 1, "src/pkg/retry.py"),
        ("pkg/retry.py", 1, 1, "src/pkg/retry.py"),
        ("retry.py", 1, 1, "src/pkg/retry.py"),
        ("README.md", 3, 3, "README.md"),
        ("retry.py", 1, 3, None),
        ("retry.py", 0, 1, None),
        ("retry.py", 2, 1, None),
        ("etry.py", 1, 1, None),
        ("gone.py", 1, 1, None),
        ("x' OR '1'='1", 1, 1, None),
    ],
)
def test_a_path_resolves_only_to_lines_that_are_stored(
    built: BuiltAlias, path: str, start: int, end: int, stored: str | None
) -> None:
    reader = built.reader
    sources = context_for("backoff", readers=[reader], max_tokens=1000, limit=1)
    found = line_look_up([reader], sources)(path, start, end)
    assert (found.citation.path if found else None) == stored
    if found:
        snapshot = reader.entry.manifest.snapshots[0]
        assert (found.number, found.citation.commit) == (None, snapshot.commit)
        assert (found.citation.start_line, found.citation.end_line) == (start, end)


@pytest.mark.parametrize("prefix", ["parcel@{0:.10}/", "parcel@{0}/"], ids=["short", "whole"])
def test_a_path_with_its_commit_resolves_at_that_commit_only(built: BuiltAlias, prefix: str) -> None:
    look_up = line_look_up([built.reader], [])
    commit = built.reader.entry.manifest.snapshots[0].commit
    assert look_up(prefix.format(commit) + "README.md", 1, 1) is not None
    assert look_up(prefix.format("0123456789abcdef") + "README.md", 1, 1) is None
    assert look_up(prefix.format(commit).replace("parcel", "evil") + "README.md", 1, 1) is None
