from __future__ import annotations

import errno
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from askrepo.errors import DatasetCorruptedError
from askrepo.store import inventory, proof
from askrepo.store.location import DatasetLocation, FileState
from tests.core.datasets import rows_of, write_dataset


@pytest.fixture
def dataset(workspace, monkeypatch):
    """A dataset that has been at rest for long, its inventory's digest and how often its files were read."""
    monkeypatch.setattr(proof, "_TICK_NS", 0)
    manifest = write_dataset(workspace, rows_of([{}, {}]))
    time.sleep(0.02)
    return DatasetLocation.within(workspace, manifest.dataset), manifest.inventory


@pytest.fixture
def check(dataset, tmp_path, monkeypatch):
    """Checks the dataset and tells whether its files were read for it."""
    read = []
    check_digests = inventory.check_digests
    monkeypatch.setattr(inventory, "check_digests", lambda *a, **kw: (read.append(1), check_digests(*a, **kw)))

    def checked(digest: str = dataset[1]) -> bool:
        read.clear()
        proof.check_files(dataset[0], digest=digest, cache=tmp_path / "cache")
        return bool(read)

    return checked


def record(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache" / "verified").iterdir()
    return found


def any_file(location: DatasetLocation) -> Path:
    return max(
        (path for path in location.folder.rglob("*") if path.is_file() and path.name != inventory.FILE),
        key=lambda path: path.stat().st_size,
    )


def test_files_are_read_once(check):
    assert [check(), check(), check()] == [True, False, False]


def test_another_inventory_is_another_dataset(check, dataset):
    check()
    assert check("") is True


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text(""),
        lambda path: os.truncate(path, 20),
        lambda path: path.write_text("0" * 64),
        lambda path: path.write_text(path.read_text() + "0"),
        lambda path: path.write_bytes(os.urandom(64)),
        lambda path: path.chmod(0o666),
        lambda path: path.parent.chmod(0o777),
        lambda path: (path.rename(path.with_name("elsewhere")), path.symlink_to("elsewhere")),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), os.mkfifo(path)),
        lambda path: os.chown(path, 65534, -1),
        lambda path: os.chown(path.parent, 65534, -1),
    ],
    ids=[
        *("emptied", "cut off", "other", "longer", "noise", "file writable by others", "folder writable by others"),
        *("link", "folder", "pipe", "of another user", "in another user's folder"),
    ],
)
def test_a_record_that_proves_nothing_is_not_believed(check, dataset, tmp_path, change, request):
    if "another user" in request.node.name and os.geteuid():
        pytest.skip("only root can give a file away")
    check()
    change(record(tmp_path))
    assert check() is True


@pytest.mark.parametrize("name", [".DS_Store", ".nfs000001", "_deeplake_log/Thumbs.db", "notes.txt~"])
def test_a_file_that_was_added_is_called_so(check, dataset, name):
    (dataset[0].folder / name).write_bytes(b"")
    with pytest.raises(DatasetCorruptedError, match=rf"'{name}' is none of the files that were published: remove it"):
        check()


def test_a_list_of_files_that_is_larger_than_any_is_not_read(check, dataset):
    os.truncate(dataset[0].folder / inventory.FILE, 2**40)
    with pytest.raises(DatasetCorruptedError, match="the list of its files, is larger than any"):
        check()


def test_a_change_that_keeps_size_and_time_is_found(check, dataset):
    check()
    path = any_file(dataset[0])
    before, content = path.stat(), path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DatasetCorruptedError, match=path.name):
        check()


def test_what_changed_a_moment_ago_is_not_remembered(check, dataset, monkeypatch):
    monkeypatch.setattr(proof, "_TICK_NS", 2 * 10**9)
    assert [check(), check()] == [True, True]


def test_what_changes_while_it_is_read_is_not_remembered(check, dataset, monkeypatch):
    states, path = DatasetLocation.states, any_file(dataset[0])
    monkeypatch.setattr(DatasetLocation, "states", lambda self: (states(self), path.touch())[0])
    assert [check(), check()] == [True, True]


def test_a_cache_that_cannot_be_written_is_not_needed(check, tmp_path, caplog, monkeypatch):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "verified").touch()
    assert [check(), check()] == [True, True]
    assert caplog.records == []
    monkeypatch.setattr(proof, "_SLOW_S", 0.0)
    check()
    assert "every question takes" in caplog.text


def test_a_full_disk_leaves_no_record(check, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    assert [check(), check()] == [True, True]
    assert list((tmp_path / "cache" / "verified").iterdir()) == []


def test_records_of_old_datasets_are_forgotten(check, tmp_path, monkeypatch):
    folder = tmp_path / "cache" / "verified"
    folder.mkdir(parents=True)
    for number in range(300):
        (folder / str(number)).touch()
        os.utime(folder / str(number), (number, number))
    check()
    assert len(list(folder.iterdir())) == 256
    assert check() is False


def test_records_are_private(check, tmp_path):
    check()
    assert record(tmp_path).stat().st_mode & 0o777 == 0o600
    assert record(tmp_path).parent.stat().st_mode & 0o777 == 0o700


class Remote(DatasetLocation):
    """A dataset of this machine that passes for one on an object store."""

    tags: ClassVar[dict[str, str]] = {}
    read: list[str]
    is_local = False

    def states(self):
        with self._local():
            return {
                name: FileState(state.size, self.tags.get(name, "1"))
                for name, state in DatasetLocation.of(self.url).states().items()
            }

    def parts(self, name):
        self.read.append(name)
        return DatasetLocation.of(self.url).parts(name)

    def write_file(self, name, content):
        DatasetLocation.of(self.url).write_file(name, content)


@pytest.fixture
def remote(dataset):
    location = Remote(dataset[0].url, {})
    object.__setattr__(location, "read", [])
    digest = inventory.write(location)
    location.read.clear()
    return location, digest


def test_a_file_of_another_tag_is_read_and_remembered(remote, tmp_path):
    location, digest = remote
    name = next(iter(inventory.listed(location) or ()))
    object.__setattr__(location, "tags", {name: "2"})
    for expected in ([inventory.FILE, name], []):
        location.read.clear()
        proof.check_files(location, digest=digest, cache=tmp_path / "cache")
        assert location.read == expected


def test_a_file_of_another_tag_and_content_is_damage(remote, tmp_path):
    location, digest = remote
    path = any_file(DatasetLocation.of(location.url))
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    proof.check_files(location, digest=digest)  # a store changes no content without changing the tag
    object.__setattr__(location, "tags", {path.relative_to(location.folder).as_posix(): "2"})
    with pytest.raises(DatasetCorruptedError, match=path.name):
        proof.check_files(location, digest=digest)


def test_the_manifest_of_an_earlier_version_says_nothing_of_files(workspace):
    manifest = replace(write_dataset(workspace, rows_of([{}])), inventory="")
    assert proof.check_files(DatasetLocation.within(workspace, manifest.dataset), digest=manifest.inventory)
