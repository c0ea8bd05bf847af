from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.readers import embedder_opener, open_alias, open_aliases
from askrepo.errors import CredentialsError, DatasetCorruptedError, UnknownAliasError
from askrepo.store import inventory
from askrepo.store.location import DatasetLocation
from askrepo.store.opening import open_dataset
from askrepo.workspace.objects import Workspace
from tests.damage import files_of
from tests.datasets import build_alias, run_stages
from tests.fakes import CountingEmbedder
from tests.s3_server import s3_server, uploaded  # noqa: F401

pytestmark = pytest.mark.slow


@pytest.fixture
def built(tmp_path):
    return build_alias(tmp_path, {"a.py": "def first():\n    pass\n"})


def refreshed(built):
    built.repositories[0].commit({"b.py": "def second():\n    pass\n"})
    return run_stages(built.definition, workspace=built.workspace, settings=built.settings)


def test_reader_keeps_its_dataset_when_the_alias_moves(built):
    reader = built.reader
    refreshed(built)
    assert reader.dataset.file_chunks("project", "b.py") == []
    assert built.reader.dataset.file_chunks("project", "b.py") != []


def test_dataset_removed_by_a_refresh_is_replaced_by_the_newer_one(built, monkeypatch):
    old = built.entry
    newer = refreshed(built)
    built.workspace.delete_folder(old.manifest.dataset)
    current = AliasCatalogue.current
    answers = [old]
    monkeypatch.setattr(
        AliasCatalogue, "current", lambda self, alias: answers.pop() if answers else current(self, alias)
    )
    reader = open_alias("main", workspace=built.workspace, settings=built.settings)
    assert reader.entry == newer


def test_missing_dataset_of_the_current_entry_is_an_error(built):
    built.workspace.delete_folder(built.entry.manifest.dataset)
    with pytest.raises(DatasetCorruptedError):
        open_alias("main", workspace=built.workspace, settings=built.settings)


def test_unknown_alias_names_the_known_ones(built):
    with pytest.raises(UnknownAliasError, match="main"):
        open_alias("other", workspace=built.workspace, settings=built.settings)


def test_alias_named_twice_is_opened_once_and_embedders_are_shared(built):
    build_alias(built.repositories[0].path.parent, {"a.py": "x = 1\n"}, alias="other", workspace=built.workspace)
    readers = open_aliases(["main", "other", "main"], workspace=built.workspace, settings=built.settings)
    assert [reader.alias for reader in readers] == ["main", "other"]
    assert readers[0].embedder() is readers[1].embedder()


def test_opener_opens_each_spec_once(built):
    opener = embedder_opener(built.settings)
    assert opener("hash") is opener("hash")


def test_chunk_of_an_unknown_repository_is_damage(built):
    with pytest.raises(DatasetCorruptedError, match="'stranger'"):
        built.reader.snapshot_of("stranger")


def test_embedder_loads_while_the_dataset_opens(built):
    warmed = threading.Event()

    class Warming(CountingEmbedder):
        def warm_up(self):
            warmed.set()

    open_alias("main", workspace=built.workspace, settings=built.settings, opener=lambda _: Warming(), warm_up=True)
    assert warmed.wait(10)


def test_embedder_that_cannot_be_opened_fails_only_where_it_is_needed(built):
    def refuse(spec):
        raise CredentialsError("no key")

    reader = open_alias("main", workspace=built.workspace, settings=built.settings, opener=refuse, warm_up=True)
    assert reader.dataset.file_chunks("project", "a.py")
    with pytest.raises(CredentialsError, match="no key; or search with `--strategy bm25`"):
        reader.embedder()


WARM_UP_IMPORTS = """
import sys
from askrepo.settings import Settings
from askrepo.aliases.readers import open_alias
from askrepo.workspace.objects import Workspace
from tests.fakes import CountingEmbedder

class Warming(CountingEmbedder):
    def warm_up(self):
        seen.append("deeplake" in sys.modules)

seen = []
sys.modules.pop("deeplake", None)
open_alias("main", workspace=Workspace.open(sys.argv[1]), settings=Settings.from_env({}), opener=lambda _: Warming(),
           warm_up=True)
assert seen == [True], seen
"""


END_MEANWHILE = """
import sys, time
from askrepo.settings import Settings
from askrepo.aliases.readers import open_alias
from askrepo.workspace.objects import Workspace
from tests.fakes import CountingEmbedder

class Slow(CountingEmbedder):
    def warm_up(self):
        time.sleep(0.5)
        print("loaded", flush=True)

open_alias("main", workspace=Workspace.open(sys.argv[1]), settings=Settings.from_env({}), opener=lambda _: Slow(),
           warm_up=True)
sys.exit(7)
"""


def test_process_does_not_end_while_the_embedder_loads(built):
    """A thread that is stopped in the middle of a native import aborts the process."""
    command = [sys.executable, "-c", END_MEANWHILE, built.workspace.url]
    run = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (7, "loaded\n")


def test_embedder_never_loads_while_deep_lake_is_imported(built):
    """Two threads that import NumPy at once fail, on a first start without .pyc files."""
    command = [sys.executable, "-c", WARM_UP_IMPORTS, built.workspace.url]
    run = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_dataset_of_an_earlier_version_is_named_as_such_and_keeps_its_vectors(built, monkeypatch):
    monkeypatch.setattr("askrepo.store.reader.HEAD_COLUMN", "a column that later versions write")
    with pytest.raises(DatasetCorruptedError, match=r"an earlier version of askrepo built it.*run the pipeline again"):
        built.reader  # noqa: B018
    manifest = built.entry.manifest
    dataset = open_dataset(built.workspace.url_of(manifest.dataset), manifest=manifest)
    vector_id = dataset.rows(0, 1).columns["vector_id"][0]
    assert dataset.vectors([vector_id]).keys() == {vector_id}


@pytest.fixture
def remote(built, s3_server, monkeypatch) -> Workspace:  # noqa: F811
    """The alias on an object store, which the environment gives access to."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return uploaded(built.workspace, s3_server)


def test_remote_dataset_is_read_from_its_copy(built, remote):
    told: list[int] = []
    for _ in range(2):
        reader = open_alias(
            "main", workspace=remote, settings=built.settings, on_copy=lambda done, total: told.append(total - done)
        )
        assert reader.dataset.url == str(built.settings.cache / "datasets" / reader.dataset.url.rpartition("/")[2])
        assert reader.dataset.file_chunks("project", "a.py")
    assert told.count(0) == 1, "copied twice"


def test_remote_dataset_is_read_where_it_is_when_there_is_no_cache(built, remote):
    reader = open_alias("main", workspace=remote, settings=replace(built.settings, cache_bytes=0))
    assert reader.dataset.url.startswith("s3://")
    assert reader.dataset.file_chunks("project", "a.py")
    assert not (built.settings.cache / "datasets").exists()


def test_damage_on_the_store_that_keeps_the_size_is_found_where_no_copy_is_made(built, remote):
    manifest = built.entry.manifest
    location = DatasetLocation.within(remote, manifest.dataset)
    manifest = replace(manifest, inventory=inventory.write(location))
    assert open_dataset(location, manifest=manifest).file_chunks("project", "a.py")
    name = max(inventory.listed(location) or (), key=lambda name: location.sizes()[name])
    content = remote.read(f"{manifest.dataset}/{name}")
    remote.write(f"{manifest.dataset}/{name}", content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DatasetCorruptedError, match=name):
        open_dataset(location, manifest=manifest)


def test_a_damaged_copy_is_made_again_before_it_is_read(built, remote):
    copy = open_alias("main", workspace=remote, settings=built.settings).copy
    file = max(files_of(copy.location.folder), key=lambda path: path.stat().st_size)
    before, content = file.stat(), file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    copy.release()
    reader = open_alias("main", workspace=remote, settings=built.settings)
    assert reader.dataset.file_chunks("project", "a.py")
    assert file.read_bytes() == content


@pytest.mark.parametrize("cause", ["no folder", "too small"])
def test_cache_that_cannot_be_used_is_told_and_not_needed(built, remote, caplog, cause):
    settings = replace(built.settings, cache_bytes=10) if cause == "too small" else built.settings
    if cause == "no folder":
        (settings.cache).mkdir(exist_ok=True)
        (settings.cache / "datasets").touch()
    reader = open_alias("main", workspace=remote, settings=settings)
    assert reader.dataset.url.startswith("s3://")
    assert reader.dataset.file_chunks("project", "a.py")
    message = caplog.records[-1]
    assert message.levelno == logging.WARNING
    assert "which takes longer" in message.getMessage()


def test_copy_of_another_dataset_is_made_again(built, remote, s3_server):  # noqa: F811
    first = open_alias("main", workspace=remote, settings=built.settings)
    first.copy.release()
    newer = refreshed(built).manifest
    wanted = built.settings.cache / newer.dataset.replace("/main", "")
    Path(first.dataset.url).rename(wanted)  # a whole copy, but not of this one

    reader = open_alias("main", workspace=uploaded(built.workspace, s3_server), settings=built.settings)

    assert reader.dataset.url == str(wanted)
    assert reader.dataset.file_chunks("project", "b.py")
