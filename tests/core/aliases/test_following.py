from __future__ import annotations

from pathlib import Path

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.following import AliasFollower
from askrepo.aliases.rollback import rollback_alias
from askrepo.errors import DatasetCorruptedError, UnknownAliasError
from askrepo.search.search import search
from tests.damage import files_of
from tests.datasets import build_alias, run_stages


@pytest.fixture
def built(tmp_path):
    return build_alias(tmp_path, {"a.py": "def first():\n    pass\n"})


@pytest.fixture
def follower(built):
    return AliasFollower.open(["main"], workspace=built.workspace, settings=built.settings)


def refreshed(built):
    built.repositories[0].commit({"b.py": "def second():\n    pass\n"})
    return run_stages(built.definition, workspace=built.workspace, settings=built.settings)


def paths(readers):
    return {hit.chunk.path for hit in search("first second", readers=readers)}


def test_a_refresh_is_seen_by_the_next_question(built, follower):
    assert follower.read(paths) == {"a.py"}
    entry = refreshed(built)
    assert follower.read(paths) == {"a.py", "b.py"}
    assert [reader.entry for reader in follower.readers] == [entry]
    rollback_alias("main", workspace=built.workspace)
    assert follower.read(paths) == {"a.py"}


def test_readers_stay_the_same_while_the_alias_does(follower):
    [before] = follower.readers
    assert [follower.read(lambda readers: readers[0] is before) for _ in range(2)] == [True, True]


def test_damage_after_the_opening_is_found_by_the_next_question(built, follower):
    assert follower.read(paths) == {"a.py"}
    folder = Path(built.workspace.url_of(built.entry.manifest.dataset))
    file = max(files_of(folder), key=lambda path: path.stat().st_size)
    content = file.read_bytes()
    file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    with pytest.raises(DatasetCorruptedError, match=file.name):
        follower.read(paths)
    file.write_bytes(content)
    assert follower.read(paths) == {"a.py"}


def test_a_question_whose_dataset_is_removed_meanwhile_is_asked_again(built, follower):
    old = built.entry.manifest.dataset
    asked = []

    def ask(readers):
        asked.append(readers[0].entry.number)
        if len(asked) == 1:
            refreshed(built)
            built.workspace.delete_folder(old)
        return paths(readers)

    assert follower.read(ask) == {"a.py", "b.py"}
    assert asked == [1, 2]


def test_a_current_dataset_that_is_missing_is_an_error(built, follower):
    built.workspace.delete_folder(built.entry.manifest.dataset)
    with pytest.raises(DatasetCorruptedError):
        follower.read(paths)


def test_an_alias_that_is_gone_is_an_error(built, follower):
    follower.read(paths)
    for key in built.workspace.list_keys("aliases"):
        built.workspace.delete(key)
    with pytest.raises(UnknownAliasError):
        follower.read(paths)


def test_embedders_are_opened_once(built, follower):
    [before] = follower.readers
    refreshed(built)
    follower.read(paths)
    follower.read(paths)
    [after] = follower.readers
    assert after is not before
    assert after.embedder() is before.embedder()


def test_an_alias_named_twice_is_read_once(built):
    follower = AliasFollower.open(["main", "main"], workspace=built.workspace, settings=built.settings)
    assert len(follower.readers) == 1
    assert AliasCatalogue(built.workspace).aliases() == ["main"]
