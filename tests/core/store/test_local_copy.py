"""Copies of remote datasets: whole or not at all, shared between processes, made again when damaged."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from askrepo.errors import DatasetCorruptedError, StorageError
from askrepo.store import inventory
from askrepo.store.local_copy import LocalCopy, NotCopiedError, take_copy
from askrepo.store.location import DatasetLocation
from askrepo.store.opening import open_dataset
from askrepo.workspace.objects import Workspace
from tests.core.datasets import rows_of, write_dataset
from tests.s3_server import s3_server, uploaded  # noqa: F401

pytestmark = pytest.mark.slow

ROOM = 100 * 1024**2
IDS = ["20260102t030405z-00000a", "20260102t030405z-00000b", "20260102t030405z-00000c"]
OUT_OF_REACH = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Workspace:
    """Three datasets on this machine."""
    workspace = Workspace.open(str(tmp_path_factory.mktemp("copies") / "workspace"))
    for dataset_id in IDS:
        write_dataset(workspace, rows_of([{"text": dataset_id}, {}]), dataset=f"datasets/main/{dataset_id}")
    return workspace


@pytest.fixture(scope="module")
def remote(local, s3_server) -> Workspace:  # noqa: F811
    """The same on an object store. Tests must not change it."""
    return uploaded(local, s3_server)


@pytest.fixture
def own(local, s3_server) -> Workspace:  # noqa: F811
    """The first one only, on an object store, for a test that changes it."""
    return uploaded(local, s3_server, below=f"datasets/main/{IDS[0]}")


@pytest.fixture
def take(remote, tmp_path) -> Callable[..., LocalCopy]:
    """Take a copy: `take()`, `take(IDS[1])`."""

    def take(dataset_id: str = IDS[0], *, workspace: Workspace = remote, **options) -> LocalCopy:
        location = DatasetLocation.within(workspace, f"datasets/main/{dataset_id}")
        return take_copy(location, **{"folder": tmp_path / "cache", "max_bytes": ROOM, **options})

    return take


def kept(tmp_path: Path) -> set[str]:
    """What is in the cache, but for the locks."""
    return {path.name for path in (tmp_path / "cache").iterdir() if path.suffix != ".lock"}


def size_of(local: Workspace, dataset_id: str = IDS[0]) -> int:
    return sum(DatasetLocation.within(local, f"datasets/main/{dataset_id}").sizes().values())


def test_a_copy_has_the_same_files_and_opens(take, local):
    copy = take()
    inventory.check_digests(copy.location)
    assert copy.location.sizes() == DatasetLocation.within(local, f"datasets/main/{IDS[0]}").sizes()
    assert open_dataset(copy.location.url).chunk("c0").text == IDS[0]


def test_a_copy_is_found_again_without_asking_the_store(take, tmp_path):
    original = take().original
    again = take_copy(DatasetLocation.of(original.url, env=OUT_OF_REACH), folder=tmp_path / "cache", max_bytes=ROOM)
    assert again.location.folder.is_dir()


def test_progress_grows_to_the_whole(take, local):
    told: list[tuple[int, int]] = []
    take(on_copy=lambda done, total: told.append((done, total)))
    done = [done for done, _ in told]
    assert done == sorted(done)
    assert told[-1][0] == told[-1][1] > 0


def truncated(folder: Path) -> None:
    file = largest(folder)
    file.write_bytes(file.read_bytes()[:-1])


def flipped(folder: Path) -> None:
    file = largest(folder)
    file.write_bytes(bytes(byte ^ 255 for byte in file.read_bytes()))


def missing(folder: Path) -> None:
    largest(folder).unlink()


def added(folder: Path) -> None:
    (folder / "stranger").touch()


def without_list(folder: Path) -> None:
    (folder / inventory.FILE).unlink()


def largest(folder: Path) -> Path:
    """The largest file of Deep Lake's own."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != inventory.FILE]
    return max(files, key=lambda path: path.stat().st_size)


def with_broken_list(folder: Path) -> None:
    (folder / inventory.FILE).write_text("{")


@pytest.mark.parametrize("damage", [truncated, flipped, missing, added, without_list, with_broken_list])
def test_a_damaged_copy_is_made_again(take, damage):
    copy = take()
    damage(copy.location.folder)
    copy.release()
    inventory.check_digests(take().location)


def test_damage_that_hides_is_found_by_reading_everything(take):
    copy = take()
    file = largest(copy.location.folder)
    before = file.stat()
    flipped(copy.location.folder)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DatasetCorruptedError, match=r"local copy .* was damaged and has been removed"):
        copy.check()
    inventory.check_digests(take().location)


def test_a_damaged_original_is_not_copied(take, own, tmp_path):
    names = [key for key in own.list_keys(f"datasets/main/{IDS[0]}") if not key.endswith(inventory.FILE)]
    content = own.read(names[-1])
    own.write(names[-1], content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DatasetCorruptedError, match="changed since it was published"):
        take(workspace=own)
    assert kept(tmp_path) == set()


def test_an_original_that_is_being_removed_leaves_nothing(take, own, tmp_path):
    names = [key for key in own.list_keys(f"datasets/main/{IDS[0]}") if not key.endswith(inventory.FILE)]
    own.delete(names[-1])
    with pytest.raises(DatasetCorruptedError, match="incomplete, or is being removed"):
        take(workspace=own)
    assert kept(tmp_path) == set()


def test_a_missing_original_is_missing(take):
    with pytest.raises(DatasetCorruptedError, match="is missing"):
        take("20260102t030405z-00000d")


def test_no_copy_is_made_where_deep_lake_would_look_elsewhere(take, tmp_path):
    with pytest.raises(NotCopiedError, match=r"'@' for a version.*set ASKREPO_CACHE"):
        take(folder=tmp_path / "jane@corp" / "cache")
    assert not any("jane" in path.name for path in tmp_path.iterdir())


def test_a_list_of_another_dataset_makes_no_copy(take, tmp_path):
    with pytest.raises(DatasetCorruptedError, match="the list of its files, changed"):
        take(digest="0" * 64)
    assert kept(tmp_path) == set()


def test_a_list_cannot_lead_outside_the_copy(take, own, tmp_path):
    own.write(f"datasets/main/{IDS[0]}/{inventory.FILE}", b'{"../../escaped": [1, "00"]}')
    with pytest.raises(DatasetCorruptedError, match="escaped"):
        take(workspace=own)
    assert not (tmp_path / "escaped").exists()


def test_a_dataset_without_list_stays_where_it_is(take, own):
    own.delete(f"datasets/main/{IDS[0]}/{inventory.FILE}")
    with pytest.raises(NotCopiedError, match="no list of its files"):
        take(workspace=own)


def test_a_dataset_larger_than_the_cache_displaces_nothing(take, local, tmp_path):
    take(IDS[1]).release()
    with pytest.raises(NotCopiedError, match="ASKREPO_CACHE_MB"):
        take(max_bytes=size_of(local) // 2)
    assert kept(tmp_path) == {IDS[1]}


def test_the_copy_used_least_lately_makes_room(take, local, tmp_path):
    room = size_of(local, IDS[0]) + size_of(local, IDS[1]) + size_of(local, IDS[2]) // 2
    first, second = take(IDS[0]), take(IDS[1])
    os.utime(second.location.folder, (0, 0))
    first.release()
    second.release()
    take(IDS[2], max_bytes=room)
    assert kept(tmp_path) == {IDS[0], IDS[2]}


def test_a_copy_that_is_read_stays(take, local, tmp_path):
    room = size_of(local, IDS[0]) + size_of(local, IDS[1]) + size_of(local, IDS[2]) // 2
    first, second = take(IDS[0]), take(IDS[1])
    os.utime(first.location.folder, (0, 0))
    second.release()
    take(IDS[2], max_bytes=room)
    assert kept(tmp_path) == {IDS[0], IDS[2]}
    assert first.location.folder.is_dir()


def test_no_room_beside_copies_that_are_read(take, local, tmp_path):
    first = take(IDS[0])
    with pytest.raises(NotCopiedError, match="no room"):
        take(IDS[1], max_bytes=size_of(local) + 10)
    assert kept(tmp_path) == {first.location.folder.name}


def test_what_a_killed_process_left_is_removed(take, local, tmp_path):
    for dataset_id in IDS[:2]:
        part = tmp_path / "cache" / f"{dataset_id}.part"
        part.mkdir(parents=True)
        (part / "half").write_bytes(bytes(1024**2))
    take(IDS[0], max_bytes=size_of(local, IDS[0]) + 1024**2 // 2)
    assert kept(tmp_path) == {IDS[0]}


def test_a_full_disk_is_found_before_copying(take, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(NotCopiedError, match="no room"):
        take()
    assert kept(tmp_path) == set()


def test_a_folder_that_cannot_be_made_says_so(take, tmp_path):
    (tmp_path / "cache").touch()
    with pytest.raises(NotCopiedError, match=r"no local copy .* can be made"):
        take()


def test_a_store_out_of_reach_is_not_mistaken_for_a_useless_cache(remote, tmp_path):
    location = DatasetLocation.of(remote.url_of(f"datasets/main/{IDS[0]}"), env=OUT_OF_REACH)
    with pytest.raises(StorageError, match="cannot be reached") as caught:
        take_copy(location, folder=tmp_path / "cache", max_bytes=ROOM)
    assert not isinstance(caught.value, NotCopiedError)


COPYING = """
import sys
from pathlib import Path
from askrepo.store.local_copy import take_copy
from askrepo.store.location import DatasetLocation
from askrepo.store.opening import open_dataset

told = []
location = DatasetLocation.of(sys.argv[1])
copy = take_copy(location, folder=Path(sys.argv[2]), max_bytes=10**9, on_copy=lambda *sizes: told.append(sizes))
open_dataset(copy.location.url)
print("copied" if told else "found")
"""


def test_of_many_processes_one_copies_and_all_read(remote, s3_server, tmp_path):  # noqa: F811
    url = remote.url_of(f"datasets/main/{IDS[0]}")
    command = [sys.executable, "-c", COPYING, url, str(tmp_path / "cache")]
    environment = {**os.environ, **s3_server.environment, "PYTHONPATH": str(Path(__file__).parents[3])}
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert sorted(output.strip() for output, _ in outputs) == ["copied", "found", "found", "found"], outputs
