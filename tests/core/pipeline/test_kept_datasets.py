"""A dataset that is kept on purpose outlives every swap, and questions about its moment are answered from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.entry_at import entry_at
from askrepo.aliases.kept import write_keep
from askrepo.aliases.rollback import rollback_alias
from askrepo.errors import UnavailableError
from askrepo.pipeline.dataset_diff import diff_datasets
from askrepo.store.verification import open_verified
from askrepo.types import canonical_json, to_json
from askrepo.workspace.keys import dataset_id
from benchmarks.in_process import local_run
from tests.datasets import BuiltAlias, build_alias, run_stages

pytestmark = pytest.mark.slow


def refreshed(root: Path, *keep: str) -> BuiltAlias:
    """An alias of four entries that keeps as little as it can."""
    alias = build_alias(root, {"a.py": "a = 1\n"}, name="parcel")
    write_keep("main", keep, workspace=alias.workspace)
    settings = replace(alias.settings, retention=1, grace_s=0.0)
    for number in (2, 3, 4):
        alias.repositories[0].commit({"a.py": f"a = {number}\n"})
        run_stages(alias.definition, workspace=alias.workspace, settings=settings)
    return replace(alias, settings=settings)


@pytest.mark.parametrize("kept", [True, False])
def test_swaps_spare_it_and_its_moment_can_be_asked_for(tmp_path: Path, kept: bool) -> None:
    alias = refreshed(tmp_path, *["1"] * kept)
    workspace, (first, *_, last) = alias.workspace, AliasCatalogue(alias.workspace).history("main")
    stored = workspace.list_folders("datasets/main")
    assert stored == [dataset_id(one.manifest.dataset) for one in ([first] * kept + [last])]
    if not kept:
        with pytest.raises(UnavailableError, match="no longer kept"):
            entry_at("main", "1", workspace=workspace)
        return

    commit = first.manifest.snapshots[0].commit
    for at in ("1", f"parcel@{commit[:8]}", dataset_id(first.manifest.dataset)):
        assert entry_at("main", at, workspace=workspace) == first
    reader = open_verified(workspace.url_of(first.manifest.dataset), manifest=first.manifest)
    assert [chunk.text for chunk in reader.file_chunks("parcel", "a.py")] == ["a = 1\n"]
    assert [path for _, path in diff_datasets(first, last, workspace=workspace).changed] == ["a.py"]
    assert rollback_alias("main", workspace=workspace, to="1").manifest == first.manifest


def test_entries_are_the_same_to_the_byte_with_and_without_it(tmp_path: Path) -> None:
    alias = refreshed(tmp_path, "1")
    for entry in AliasCatalogue(alias.workspace).history("main"):
        assert "keep" not in to_json(entry)
        assert canonical_json(to_json(entry)).encode() == alias.workspace.read(f"aliases/main/{entry.number:08}.json")


def test_a_run_that_finds_nothing_new_stores_it_all_the_same(tmp_path: Path) -> None:
    alias = build_alias(tmp_path, {"a.py": "a = 1\n"})
    run = local_run(alias.definition, workspace=alias.workspace, settings=alias.settings, run_id="next")

    replace(run, keep=("1",)).plan()
    assert alias.workspace.read_json("kept/main.json") == {"alias": "main", "keep": ["1"]}
    run.plan()
    assert alias.workspace.read_json("kept/main.json")["keep"] == ["1"]
