from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from askrepo.errors import UsageError
from askrepo.settings import Settings
from askrepo.store.location import DatasetLocation
from askrepo.store.opening import open_dataset
from askrepo.types import Definition
from askrepo.workspace.objects import Workspace
from askrepo.workspace.places import check_dataset_place, local_folder
from askrepo_query.cli import main
from benchmarks.in_process import run_until_embedded
from tests.core.datasets import rows_of, write_dataset
from tests.datasets import build_alias


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).parts[0] for path in folder.rglob("*")}


@pytest.mark.parametrize(
    "name",
    [
        "a?b",
        "a#b",
        "a%40b",
        "a:b",
        "s3:",
        "a*[b]",
        " a b ",
        "ünï漢",
        "a\nb",
        "a\\b",
        "a'b\"",
        "a.",
        "..a",
        "~a",
        "x" * 200,
    ],
)
def test_datasets_are_where_a_strange_name_says(tmp_path, name):
    workspace = Workspace.open(str(tmp_path / name / "ws"))
    manifest = write_dataset(workspace, rows_of([{}]))
    assert open_dataset(DatasetLocation.within(workspace, manifest.dataset), manifest=manifest).chunk("c0")
    assert below(tmp_path) == {name}
    assert below(tmp_path / name) == {"ws"}


AT = ["jane@corp.example/ws", "ws@main", "@", "ws@", "a@b@c/ws"]


@pytest.mark.parametrize("name", AT)
def test_a_place_with_a_version_sign_is_refused_before_anything_is_done(tmp_path, name):
    root = tmp_path / "root"
    root.mkdir()
    workspace = Workspace.open(str(root / name))
    found = below(root)
    definition = Definition("main", (str(tmp_path / "no repository, which nobody looks for"),), embedder="hash")
    settings = Settings.from_env({"ASKREPO_CACHE": str(tmp_path / "cache")})
    with pytest.raises(UsageError, match=r"takes what follows '@' for a version.*set ASKREPO_WORKSPACE"):
        run_until_embedded(definition, workspace=workspace, settings=settings)
    assert below(root) == found
    assert list(Path(workspace.url).iterdir()) == []


def test_so_is_a_place_for_datasets_alone(tmp_path, workspace):
    settings = Settings.from_env({"ASKREPO_DATASETS": str(tmp_path / "a@b"), "ASKREPO_CACHE": str(tmp_path / "cache")})
    with pytest.raises(UsageError, match="ASKREPO_DATASETS"):
        run_until_embedded(Definition("main", ("/nowhere",)), workspace=workspace, settings=settings)
    assert not (tmp_path / "a@b").exists()


@pytest.mark.parametrize("command", [["search", "first"], ["ask", "first"], ["doctor"]], ids=lambda command: command[0])
def test_a_workspace_that_was_copied_to_such_a_place_is_refused(tmp_path, command):
    built = build_alias(tmp_path / "built", {"a.py": "def first():\n    pass\n"})
    (tmp_path / "root").mkdir()
    copied = Path(built.workspace.url).rename(tmp_path / "root" / "jane@corp")
    found = CliRunner().invoke(main, [*command, "--workspace", str(copied)])
    assert found.exit_code == 2
    assert "'@'" in found.stdout + found.stderr
    assert below(tmp_path / "root") == {"jane@corp"}


def test_a_link_without_the_sign_leads_there(tmp_path):
    (tmp_path / "jane@corp").mkdir()
    (tmp_path / "link").symlink_to("jane@corp")
    built = build_alias(
        tmp_path / "built", {"a.py": "x = 1\n"}, workspace=Workspace.open(str(tmp_path / "link" / "ws"))
    )
    assert built.reader.dataset.file_chunks("project", "a.py")
    assert below(tmp_path) == {"built", "jane@corp", "link"}


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:///a/b", "/a/b"),
        ("file:///a?b#c%20d", "/a?b#c%20d"),
        ("file://localhost/a", "/a"),
        ("FILE:///a", "/a"),
        ("/a?b", "/a?b"),
    ],
)
def test_a_file_url_names_all_that_follows(url, folder):
    assert local_folder(url) == Path(folder)
    assert DatasetLocation.of(url).url == folder


@pytest.mark.parametrize("url", ["file://host/a", "file://a/b"])
def test_a_file_url_with_a_host_is_no_directory_here(url, tmp_path):
    for place in (Workspace.open, DatasetLocation.of):
        with pytest.raises(UsageError, match="names a host"):
            place(url)


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket/a@b",
        "s3://key:hush-hush@bucket/a",
        "gs://bucket/a?b",
        "az://container/a#b",
        "al://org/name@v1",
        "s3://bucket/a%20b",
        "s3://bucket/a b",
        "s3://bucket/a/../b",
        "s3://bucket/a\nb",
        "s3://bucket/a\\b",
    ],
)
def test_a_remote_url_that_its_clients_read_differently_is_refused(url):
    places: list[Callable[[str], object]] = [check_dataset_place, DatasetLocation.of]
    for place in (*places, Workspace.open) if not url.startswith("al:") else places:
        with pytest.raises(UsageError) as refused:
            place(url)
        assert "hush" not in str(refused.value)


def test_a_home_of_an_unknown_user_is_told(tmp_path):
    with pytest.raises(UsageError, match="write the whole path"):
        Workspace.open("~nobody-of-that-name/ws")
