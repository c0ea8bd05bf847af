"""The workspace: atomic writes, put-if-absent and clear errors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from askrepo.errors import StorageError, UnavailableError, UsageError
from askrepo.workspace.objects import ObjectExistsError, ObjectMissingError, Workspace
from tests.s3_server import S3Server, s3_server  # noqa: F401


@pytest.fixture(params=["local", "s3"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """An empty workspace of each kind: all of them must behave alike."""
    if request.param == "local":
        return Workspace.open(str(tmp_path / "workspace"))
    server: S3Server = request.getfixturevalue("s3_server")
    return Workspace.open(f"s3://{server.new_bucket()}/some/folder", env=server.environment)


def test_create_succeeds_once_and_keeps_the_first_content(workspace: Workspace) -> None:
    workspace.create("a/1.json", b"first")
    with pytest.raises(ObjectExistsError, match="exists already"):
        workspace.create("a/1.json", b"second")
    assert workspace.read("a/1.json") == b"first"


def test_of_many_creators_exactly_one_wins(workspace: Workspace) -> None:
    def attempt(number: int) -> bool:
        try:
            workspace.create("race", str(number).encode())
        except ObjectExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        wins = list(pool.map(attempt, range(64)))
    assert sum(wins) == 1
    assert workspace.read("race") == str(wins.index(True)).encode()


def test_a_missing_object_is_its_own_error(workspace: Workspace) -> None:
    with pytest.raises(ObjectMissingError, match=r"read .*nothing/here"):
        workspace.read("nothing/here")
    assert not workspace.exists("nothing/here")
    workspace.delete("nothing/here")


def test_listing_is_sorted_and_knows_folders(workspace: Workspace) -> None:
    for key in ("aliases/b/2.json", "aliases/b/1.json", "aliases/a/1.json", "aliasesx"):
        workspace.write(key, b"")
    assert workspace.list_keys("aliases") == ["aliases/a/1.json", "aliases/b/1.json", "aliases/b/2.json"]
    assert workspace.list_folders("aliases") == ["a", "b"]
    assert workspace.list_keys("absent") == workspace.list_folders("absent") == []


def test_files_travel_whole(workspace: Workspace, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"0123456789" * 1_000_000)
    workspace.upload("big", source)
    workspace.download("big", target)
    assert target.read_bytes() == source.read_bytes()


def test_deleting_a_folder_leaves_its_neighbours(workspace: Workspace) -> None:
    workspace.write("runs/a/1", b"")
    workspace.write("runs/ab/1", b"")
    workspace.delete_folder("runs/a")
    assert workspace.list_keys("runs") == ["runs/ab/1"]


def test_a_key_cannot_leave_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(UsageError, match="not a key"):
        workspace.read("../secret")


def test_an_unknown_scheme_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"s3://, gs:// or az://"):
        Workspace.open("ftp://host/folder")


def test_a_directory_that_cannot_be_made_says_how_to_choose_another(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="ASKREPO_WORKSPACE"):
        Workspace.open(str(tmp_path / "file" / "workspace"))


def test_a_reader_does_not_make_a_mistyped_workspace(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no workspace at"):
        Workspace.open(str(tmp_path / "mistyped"), create=False)
    assert not (tmp_path / "mistyped").exists()


def test_broken_json_names_the_object(workspace: Workspace) -> None:
    workspace.write("aliases/a/1.json", b'{"torn":')
    with pytest.raises(StorageError, match=r"aliases/a/1\.json is not JSON"):
        workspace.read_json("aliases/a/1.json")
