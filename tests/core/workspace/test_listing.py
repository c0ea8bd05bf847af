"""A listing tells every object with its size and time, and what a killed process left."""

import subprocess
import sys
from pathlib import Path

import pytest

from askrepo.workspace.listing import is_temporary, list_objects
from askrepo.workspace.objects import Workspace

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

    workspace.delete(left.key)
    assert list_objects(workspace, "runs") == []


@pytest.mark.parametrize("name", ["part", "part#", "part#a", "#1", "part.parquet"])
def test_other_names_are_no_temporary_files(name):
    assert not is_temporary(Workspace("/w", store=None), f"runs/main/r#1/{name}")


def test_a_remote_store_has_no_temporary_files():
    assert not is_temporary(Workspace("s3://bucket/w", store=None), "runs/main/r/part#1")
