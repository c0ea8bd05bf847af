"""A deletion that is killed at any point leaves nothing that could be taken for a dataset."""

import subprocess
import sys
from pathlib import Path

import pytest

from askrepo.errors import DatasetCorruptedError, StorageError
from askrepo.housekeeping.deletion import delete_dataset, delete_folder, delete_objects, in_order
from askrepo.store.opening import open_dataset
from askrepo.types import DatasetManifest
from askrepo.workspace.listing import is_temporary, list_objects
from askrepo.workspace.objects import Workspace
from tests.core.datasets import rows_of, write_dataset

DATASET = "datasets/main/20260301t000000z-000001"
# Begins to write an object, and waits when half of it is on the disk.
HALF_A_PUT = """
import sys, time
import obstore
from obstore.store import LocalStore
def parts():
    yield b"half" * 4_000_000
    print("half", flush=True)
    time.sleep(600)
obstore.put(LocalStore(sys.argv[1]), "runs/main/r/load/part.parquet", parts())
"""


@pytest.mark.parametrize("has_inventory", [True, False])
def test_no_part_of_a_deleted_dataset_opens(workspace, has_inventory):
    manifest: DatasetManifest | None = write_dataset(workspace, rows_of([{"text": "some text"}] * 4), dataset=DATASET)
    if not has_inventory:  # as an earlier version left it on an object store, where no list is required
        workspace.delete(f"{DATASET}/askrepo-files.json")
        manifest = None
    url = workspace.url_of(DATASET)
    open_dataset(url, manifest=manifest)
    keys = [one.key for one in list_objects(workspace, DATASET)]

    order = [key for group in in_order(keys, DATASET) for key in group]
    assert sorted(order) == sorted(keys)
    for key in order:
        delete_objects([key], workspace=workspace)
        with pytest.raises(DatasetCorruptedError):
            open_dataset(url, manifest=manifest)


def test_what_lists_the_files_goes_last(workspace):
    write_dataset(workspace, rows_of([{}]), dataset=DATASET)
    keys = [one.key for one in list_objects(workspace, DATASET)]

    assert in_order(keys, DATASET)[-1] == [f"{DATASET}/askrepo-files.json"]


def test_a_deleted_dataset_leaves_no_directory_and_may_be_deleted_again(workspace):
    write_dataset(workspace, rows_of([{}]), dataset=DATASET)

    delete_dataset(DATASET, workspace=workspace)
    delete_dataset(DATASET, workspace=workspace)

    assert not Path(workspace.url_of(DATASET)).exists()


def test_a_dataset_whose_store_is_gone_is_no_error(workspace, tmp_path):
    delete_dataset(str(tmp_path / "nowhere" / "main" / "20260301t000000z-000001"), workspace=workspace)

    assert not (tmp_path / "nowhere").exists()


def test_links_are_neither_followed_nor_removed(workspace, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    workspace.write("runs/main/r/load/part", b"x")
    for name, target in {"folder": outside, "file": outside / "mine"}.items():
        Path(workspace.url, "runs/main/r", name).symlink_to(target)

    objects = list_objects(workspace, "runs")
    delete_folder("runs/main/r", objects, workspace=workspace)

    assert [one.key for one in objects] == ["runs/main/r/load/part"]
    assert (outside / "mine").read_text() == "mine"
    assert sorted(path.name for path in Path(workspace.url, "runs/main/r").iterdir()) == ["file", "folder"]


def test_what_is_written_meanwhile_stays(workspace):
    workspace.write("runs/main/r/load/part", b"x")
    objects = list_objects(workspace, "runs/main/r")
    workspace.write("runs/main/r/embed/shard", b"y")

    delete_folder("runs/main/r", objects, workspace=workspace)

    assert workspace.list_keys("runs") == ["runs/main/r/embed/shard"]


def test_a_listing_tells_size_and_time(workspace):
    workspace.write("runs/main/r/load/part", b"12345")

    [found] = list_objects(workspace, "runs")

    assert (found.key, found.bytes) == ("runs/main/r/load/part", 5)
    assert found.modified.timestamp() == pytest.approx(Path(workspace.url, found.key).stat().st_mtime, abs=1e-3)
    assert list_objects(workspace, "nothing") == []


def test_a_killed_put_leaves_a_temporary_file_that_can_be_found_and_deleted(workspace):
    process = subprocess.Popen([sys.executable, "-c", HALF_A_PUT, workspace.url], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
    finally:
        process.kill()
        process.communicate()

    [left] = list_objects(workspace, "runs")
    assert left.key.startswith("runs/main/r/load/part.parquet#")
    assert is_temporary(workspace, left.key)
    assert workspace.list_keys("runs") == []

    delete_objects([left.key], workspace=workspace)
    assert list_objects(workspace, "runs") == []


@pytest.mark.parametrize("name", ["part", "part#", "part#a", "#1", "part.parquet"])
def test_other_names_are_no_temporary_files(name):
    assert not is_temporary(Workspace("/w", store=None), f"runs/main/r#1/{name}")


def test_a_remote_store_has_no_temporary_files():
    assert not is_temporary(Workspace("s3://bucket/w", store=None), "runs/main/r/part#1")


def test_what_cannot_be_deleted_is_named(workspace):
    Path(workspace.url, "runs/main/r").mkdir(parents=True)

    with pytest.raises(StorageError, match=r"cannot delete .*runs/main/r"):
        delete_objects(["runs/main/r"], workspace=workspace)
