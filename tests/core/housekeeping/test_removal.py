"""A removal takes what was listed for it, and nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from askrepo.errors import UnavailableError
from askrepo.housekeeping.removal import remove_item
from askrepo.housekeeping.stored import Item
from askrepo.workspace.listing import list_objects
from askrepo.workspace.objects import Workspace

RUN = Item("run", "runs/main/r", "main")
LATER = datetime.now(UTC) + timedelta(days=1)


def test_links_are_neither_followed_nor_removed(workspace, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    workspace.write("runs/main/r/load/part", b"x")
    for name, target in {"folder": outside, "file": outside / "mine"}.items():
        Path(workspace.url, "runs/main/r", name).symlink_to(target)

    objects = list_objects(workspace, "runs")
    remove_item(RUN, unless_since=LATER, workspace=workspace)

    assert [one.key for one in objects] == ["runs/main/r/load/part"]
    assert (outside / "mine").read_text() == "mine"
    assert sorted(path.name for path in Path(workspace.url, "runs/main/r").iterdir()) == ["file", "folder"]


def test_what_is_written_meanwhile_stays(workspace, monkeypatch):
    workspace.write("runs/main/r/load/part", b"x")
    delete = Workspace.delete

    def writing(self: Workspace, key: str) -> None:
        self.write("runs/main/r/embed/shard", b"y")
        delete(self, key)

    monkeypatch.setattr(Workspace, "delete", writing)
    remove_item(RUN, unless_since=LATER, workspace=workspace)

    assert workspace.list_keys("runs") == ["runs/main/r/embed/shard"]


@pytest.mark.parametrize(
    ("kind", "name", "keys"),
    [
        ("run", "runs/main/r", ["runs/main/r/load/part", "runs/main/r/report.json"]),
        ("snapshot", "snapshots/o-n/a.tar", ["snapshots/o-n/a.json", "snapshots/o-n/a.tar"]),
        ("file list", "files/main/d.parquet", ["files/main/d.parquet"]),
    ],
)
def test_all_of_it_goes_and_none_of_its_neighbours(workspace, kind, name, keys):
    neighbours = [f"{name.removesuffix('.tar')}{ending}" for ending in ("-2/load/part", "b.tar", ".jsonl", ".md")]
    for key in (*keys, *neighbours):
        workspace.write(key, b"x")

    assert remove_item(Item(kind, name, ""), unless_since=LATER, workspace=workspace) is None

    assert workspace.list_keys(name.partition("/")[0]) == sorted(neighbours)


def test_a_snapshot_counts_as_unpublished_before_its_archive_goes(workspace, monkeypatch):
    order: list[str] = []
    delete = Workspace.delete
    monkeypatch.setattr(Workspace, "delete", lambda self, key: (order.append(key), delete(self, key)))
    for ending in ("json", "tar"):
        workspace.write(f"snapshots/o-n/a.{ending}", b"x")

    remove_item(Item("snapshot", "snapshots/o-n/a.tar", ""), unless_since=LATER, workspace=workspace)

    assert order == ["snapshots/o-n/a.json", "snapshots/o-n/a.tar"]


def test_what_cannot_be_deleted_is_named(workspace):
    Path(workspace.url, "runs/main/r").mkdir(parents=True)

    with pytest.raises(UnavailableError, match=r"cannot delete .*runs/main/r: is a directory"):
        workspace.delete("runs/main/r")
