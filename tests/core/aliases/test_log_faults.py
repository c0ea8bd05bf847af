"""What somebody leaves in an alias's log neither hides the log nor stops it, and is told in one line."""

from __future__ import annotations

import datetime as dt  # noqa: F401 - obstore imports it late, which another user may not be allowed to
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import obstore  # noqa: F401
import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.errors import ForbiddenError, StorageError, UnavailableError
from askrepo.housekeeping.stored import find_datasets
from askrepo.types import canonical_json, to_json
from askrepo.workspace.objects import Workspace
from tests.core.aliases.test_catalogue import entry

NOBODY = 65534


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    """The folder of an alias with three entries."""
    catalogue = AliasCatalogue(workspace)
    for number in (1, 2, 3):
        catalogue.append(entry(number, dataset=f"d{number}"))
    return Path(workspace.url, "aliases", "main")


@pytest.fixture
def catalogue(workspace: Workspace) -> AliasCatalogue:
    return AliasCatalogue(workspace)


def put(kind: str, path: Path) -> None:
    """Something under a name."""
    if kind == "folder":
        path.mkdir()
    elif kind == "full folder":
        path.mkdir()
        (path / "00000009.json").write_text("{}")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind in ("dangling link", "link to itself", "link to a folder"):
        path.symlink_to({"dangling link": "gone", "link to itself": path.name, "link to a folder": "/etc"}[kind])
    elif kind == "link to an entry":
        path.symlink_to("00000001.json")
    else:
        path.write_bytes({"empty": b"", "text": b"note to self", "an entry's copy": entry_bytes(1)}[kind])


def entry_bytes(number: int) -> bytes:
    return canonical_json(to_json(entry(number, dataset=f"d{number}"))).encode()


NO_FILES = ["folder", "full folder", "pipe", "dangling link", "link to itself", "link to a folder"]
FILES = ["empty", "text", "an entry's copy", "link to an entry"]


@pytest.mark.parametrize("kind", [*NO_FILES, *FILES])
@pytest.mark.parametrize("names", [["99999999"], ["00000500"], ["00000500", "00000501"], ["999999999"]], ids="+".join)
def test_a_far_number_neither_hides_the_log_nor_stops_it(catalogue, folder, kind, names):
    for name in names:
        put(kind, folder / f"{name}.json")
    assert catalogue.current("main") == entry(3, dataset="d3")
    catalogue.append(entry(4, dataset="d4"))
    assert catalogue.current("main") == entry(4, dataset="d4")
    assert [one.number for one in catalogue.history("main")] == [1, 2, 3, 4]
    problems = catalogue.log("main").problems
    assert list(problems) == ([] if kind in NO_FILES else [int(name) for name in names])
    assert all("is no entry of the log and is ignored: remove it" in problem for problem in problems.values())


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_has_the_next_entrys_name_is_told_by_its_name(catalogue, folder, kind):
    put(kind, folder / "00000004.json")
    with pytest.raises(UnavailableError, match=r"cannot be moved: .*00000004\.json has the name .* remove it"):
        catalogue.append(entry(4))
    assert catalogue.current("main") == entry(3, dataset="d3")
    remove(folder / "00000004.json")
    assert catalogue.append(entry(4))


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


@pytest.mark.parametrize("kind", FILES)
def test_what_would_be_the_newest_entry_after_the_next_stops_the_swap(catalogue, folder, kind):
    """Otherwise the swap would be done, and its readers led to a file that is no entry."""
    put(kind, folder / "00000005.json")
    with pytest.raises(UnavailableError, match=r"cannot be moved: .*00000005\.json has the name"):
        catalogue.append(entry(4))
    assert catalogue.current("main") == entry(3, dataset="d3")


@pytest.mark.parametrize(
    "name",
    [
        "\u0660" * 6 + "\u0664\u0662.json", "\uff10" * 7 + "\uff19.json",
        "0000000\u096f.json", "000000042.json", "+0000042.json", "00000042.JSON",
        " 0000042.json", "00000042.json ", "00000042.json\n", "0000\n042.json", "00000042.json#1", "-0000001.json",
        "99999999999999999999.json", b"000000\xff2.json", b"\xff\xfe",
    ],
    ids=repr,
)  # fmt: skip
def test_a_file_of_an_odd_name_is_nobodys_entry(catalogue, folder, name):
    (folder / os.fsdecode(name)).write_bytes(entry_bytes(3))
    (folder.parent / os.fsdecode(name)).write_bytes(b"")
    assert catalogue.current("main") == entry(3, dataset="d3")
    assert catalogue.aliases() == ["main"]
    assert len(catalogue.history("main")) == 3
    assert catalogue.append(entry(4))


def changed(**values: object) -> bytes:
    """Entry 2, with some values changed; `manifest__x` is the manifest's."""
    document = json.loads(entry_bytes(2))
    for name, value in values.items():
        (document["manifest"] if name.startswith("manifest__") else document)[name.removeprefix("manifest__")] = value
    return json.dumps(document).encode()


DAMAGE = {
    "empty": b"",
    "cut": entry_bytes(2)[:100],
    "another entry": entry_bytes(1),
    "not JSON": b"\xff\0",
    "nested": b"[" * 100_000,
    "a number of thousands of digits": b"9" * 10_000,
    "no date": changed(swapped_at="yesterday"),
    "empty date": changed(swapped_at=""),
    "date before all dates": changed(swapped_at="0001-01-01T00:00:00+14:00"),
    "date is a number": changed(swapped_at=1767225600),
    "manifest without date": changed(manifest__created_at="soon"),
    "unknown reason": changed(reason="moved"),
    "number is text": changed(number="2"),
    "chunks are text": changed(manifest__chunks="many"),
    "skipped is a list": changed(manifest__skipped=["x"]),
    "dataset is a list": changed(manifest__dataset=["x"]),
    "skipped files are text": changed(manifest__skipped={"binary": "x"}),
    "no dataset": changed(manifest__dataset=""),
    "dataset is all of the workspace": changed(manifest__dataset="/"),
    "dataset is above the workspace": changed(manifest__dataset="../../x"),
    "dataset with a NUL": changed(manifest__dataset="a\0b"),
    "dataset of another scheme": changed(manifest__dataset="http://x/y"),
    "no snapshots": changed(manifest__snapshots=None),
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
def test_an_old_entry_that_cannot_be_read_leaves_the_others(catalogue, folder, content):
    (folder / "00000002.json").write_bytes(content)
    assert catalogue.current("main") == entry(3, dataset="d3")
    assert [one.number for one in catalogue.history("main")] == [1, 3]
    log = catalogue.log("main")
    assert (log.number, log.newest, list(log.problems)) == (3, entry(3, dataset="d3"), [2])
    assert "00000002.json" in log.problems[2]
    assert catalogue.append(entry(4))


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
def test_a_newest_entry_that_cannot_be_read_is_never_passed_over(catalogue, folder, content):
    (folder / "00000003.json").write_bytes(content)
    with pytest.raises(UnavailableError, match=r"00000003\.json.*askrepo rollback main"):
        catalogue.current("main")
    log = catalogue.log("main")
    assert (log.number, log.newest, [one.number for one in log.entries]) == (3, None, [1, 2])
    assert catalogue.aliases() == ["main"]


def test_a_newest_entry_behind_a_gap_is_never_passed_over(catalogue, folder):
    catalogue.append(entry(4))
    (folder / "00000002.json").unlink()
    (folder / "00000004.json").write_text("{")
    with pytest.raises(UnavailableError, match=r"00000004\.json"):
        catalogue.current("main")


def test_the_log_goes_on_beyond_eight_digits(catalogue, folder):
    (folder / "99999999.json").write_bytes(canonical_json(to_json(entry(99_999_999))).encode())
    assert catalogue.number("main") == 99_999_999
    catalogue.append(entry(100_000_000))
    catalogue.append(entry(100_000_001))
    assert catalogue.current("main") == entry(100_000_001)


def test_a_far_entry_of_ours_does_not_make_the_clean_up_endless(catalogue, folder, workspace):
    far = entry(99_999_999, dataset="far")
    (folder / "99999999.json").write_bytes(canonical_json(to_json(far)).encode())
    datasets = find_datasets("main", workspace=workspace)
    assert [one.number for one in datasets.history] == [1, 2, 3, 99_999_999]
    assert datasets.current == far.manifest


def test_an_entry_is_flushed_before_it_has_its_name_and_its_folders_after(workspace, monkeypatch):
    flushed: list[tuple[str, bool]] = []
    folder = Path(workspace.url, "aliases", "main")
    entry_file = folder / "00000001.json"
    flush = os.fsync

    def note(descriptor: int) -> None:
        flushed.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), entry_file.exists()))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    AliasCatalogue(workspace).append(entry(1))
    temporary, *folders = flushed
    assert (temporary[0].startswith(f"{entry_file}#"), temporary[1]) == (True, False)
    assert folders == [(str(folder), True), (str(folder.parent), True), (workspace.url, True)]
    assert [path.name for path in folder.iterdir()] == ["00000001.json"]


def test_a_disk_that_fails_to_flush_fails_the_swap(workspace, monkeypatch):
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match="input/output error"):
        AliasCatalogue(workspace).append(entry(1))
    assert AliasCatalogue(workspace).aliases() == []


@contextmanager
def somebody_else() -> Iterator[None]:
    """Another user, when the tests have the right to be one; whoever has not is no superuser anyway."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def shared() -> Iterator[Workspace]:
    """A workspace that everybody can reach, with two entries."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    workspace = Workspace.open(str(root / "workspace"))
    for number in (1, 2):
        AliasCatalogue(workspace).append(entry(number))
    yield workspace
    shutil.rmtree(root)


@pytest.mark.parametrize(
    ("place", "mode"),
    [
        ("aliases/main/00000002.json", 0), ("aliases/main", 0), ("aliases/main", 0o444), ("aliases", 0),
        ("aliases", 0o444), (".", 0), (".", 0o444),
    ],
)  # fmt: skip
def test_a_log_that_may_not_be_read_is_not_called_damaged(shared, place, mode):
    path = Path(shared.url, place)
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        with (
            somebody_else(),
            pytest.raises(ForbiddenError, match=r"permission denied; give this user the right") as caught,
        ):
            AliasCatalogue(shared).current("main")
    finally:
        path.chmod(before)
    assert "damaged" not in str(caught.value)
    assert "run the pipeline" not in str(caught.value)


def test_an_old_entry_that_may_not_be_read_is_told_as_such(shared):
    Path(shared.url, "aliases/main/00000001.json").chmod(0)
    with somebody_else(), pytest.raises(ForbiddenError, match=r"00000001\.json: permission denied"):
        AliasCatalogue(shared).log("main")


def test_a_log_that_may_not_be_written_stops_the_swap(shared):
    with somebody_else(), pytest.raises(ForbiddenError, match=r"00000003\.json: permission denied"):
        AliasCatalogue(shared).append(entry(3))
    assert AliasCatalogue(shared).number("main") == 2


def test_a_workspace_below_a_folder_of_another_user_is_told_as_such(shared):
    Path(shared.url).parent.chmod(0)
    try:
        with somebody_else(), pytest.raises(ForbiddenError, match="Permission denied"):
            Workspace.open(shared.url, create=False)
    finally:
        Path(shared.url).parent.chmod(0o755)


def test_an_entry_larger_than_any_is_not_read(catalogue, folder):
    """A file with a hole takes no room on the disk, and all memory of whoever reads it."""
    os.truncate(folder / "00000003.json", 2**40)
    with pytest.raises(UnavailableError, match=r"00000003\.json: it is too large for an alias entry; restore the file"):
        catalogue.current("main")
    assert [one.number for one in catalogue.history("main")] == [1, 2]


@pytest.mark.parametrize(
    "dataset", ["datasets/main/x", "/data/../x", "s3://bucket//x", "file:///x", "al://org/x", "new\nline/ü/@"]
)
def test_a_dataset_may_be_anywhere(catalogue, folder, dataset):
    (folder / "00000002.json").write_bytes(changed(manifest__dataset=dataset))
    assert catalogue.entry("main", 2).manifest.dataset == dataset
