from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from askrepo.receipts.current import MAX_FILES, DatasetFiles, Rechecker
from askrepo.receipts.receipt import stored_span
from askrepo.types import Citation
from tests.core.receipts.made import made
from tests.datasets import BuiltAlias, build_alias

HEADER = "# Licensed under a licence that every file repeats.\n# You may obtain a copy of it somewhere.\n\n"
FILES = {
    f"lib/part{number}.py": f"{HEADER}def part{number}():\n    return {number}\n" for number in range(MAX_FILES + 8)
}


@pytest.fixture(scope="module")
def alias(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    others = {"other": {"a.py": "def other():\n    return 'of another repository'\n"}}
    return build_alias(tmp_path_factory.mktemp("current"), FILES, name="parcel", others=others)


def test_files_of_the_same_name_are_looked_into_first(alias: BuiltAlias) -> None:
    reader = alias.reader
    files = DatasetFiles(reader, "parcel")
    for number in range(MAX_FILES + 8):
        commit = reader.snapshot_of("parcel").commit
        span = stored_span(Citation("parcel", commit, f"lib/part{number}.py", 1, 4), [reader])
        assert span is not None
        moved = replace(span, citation=replace(span.citation, path=f"src/part{number}.py"))
        assert files.likely(moved)[0] == f"lib/part{number}.py"
        found = Rechecker([reader]).span(moved, ["main"])
        assert (found.state, found.path, found.start_line) == ("moved", f"lib/part{number}.py", 1)


def test_a_repository_that_no_alias_has_any_more_is_gone(alias: BuiltAlias) -> None:
    receipt = made()
    (found,) = Rechecker([alias.reader]).receipt(receipt)
    assert (found.source, found.state) == (receipt.sources[0], "gone")


def test_another_repository_is_not_looked_into(alias: BuiltAlias, tmp_path: Path) -> None:
    reader = alias.reader
    span = stored_span(Citation("other", reader.snapshot_of("other").commit, "a.py", 1, 2), [reader])
    assert span is not None
    elsewhere = replace(span, citation=replace(span.citation, repository="parcel"))
    assert Rechecker([reader]).span(elsewhere, ["main"]).state == "gone"
