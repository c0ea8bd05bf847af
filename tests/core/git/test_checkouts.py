from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from askrepo.git.checkouts import file_here
from askrepo.types import Snapshot


def snapshot(url: str) -> Snapshot:
    return Snapshot("acme/app", url, None, "c" * 40, "2026-01-01T00:00:00+00:00", "snapshots/a.tar", 1)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a folder with odd characters; beside it a file that is not its."""
    folder = tmp_path / "my app #1?"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text("[core]\n")
    (folder / "src").mkdir()
    (folder / "src" / "a.py").write_text("a\n")
    (tmp_path / "secret").write_text("secret\n")
    return folder


def test_a_file_of_a_checkout_is_found(checkout: Path) -> None:
    assert file_here(snapshot(checkout.as_uri()), "src/a.py") == checkout / "src" / "a.py"


def test_a_link_within_the_checkout_is_followed(checkout: Path) -> None:
    (checkout / "link.py").symlink_to("src/a.py")
    assert file_here(snapshot(checkout.as_uri()), "link.py") == checkout / "src" / "a.py"


@pytest.mark.parametrize(
    "path",
    [
        "../secret", "/etc/passwd", "out", "folder/secret", "src", "gone.py", ".git/config", "git", "a\0b", "x" * 5000,
        "ring",
    ],
)  # fmt: skip
def test_nothing_else_is(checkout: Path, path: str) -> None:
    (checkout / "out").symlink_to("../secret")
    (checkout / "folder").symlink_to("..")
    (checkout / "git").symlink_to(".git/config")
    (checkout / "ring").symlink_to("ring")
    assert file_here(snapshot(checkout.as_uri()), path) is None


@pytest.mark.parametrize(
    "url", ["https://github.com/acme/app", "ssh://git@host/acme/app", "file:///nowhere", "file://host/tmp"]
)
def test_a_repository_elsewhere_has_no_file_here(url: str) -> None:
    assert file_here(snapshot(url), "src/a.py") is None


def test_a_folder_that_is_no_checkout_has_none(checkout: Path) -> None:
    (checkout / ".git").rename(checkout / "git-before")
    assert file_here(snapshot(checkout.as_uri()), "src/a.py") is None


@pytest.mark.parametrize("name", ["acme/app", "app"])
def test_a_repository_elsewhere_may_have_a_checkout_in_a_folder_of_them(tmp_path: Path, name: str) -> None:
    file = tmp_path / "src" / name / "a.py"
    (file.parent / ".git").mkdir(parents=True)
    file.write_text("a\n")
    remote = snapshot("https://github.com/acme/app")
    assert file_here(remote, "a.py", checkouts=tmp_path / "src") == file
    assert file_here(remote, "../../a.py", checkouts=tmp_path / "src") is None
    assert file_here(remote, "a.py", checkouts=tmp_path / "nowhere") is None


@pytest.mark.parametrize("name", ["../app", "acme/..", "/app", "."])
def test_a_name_leads_to_no_folder_beside_the_checkouts(checkout: Path, name: str) -> None:
    (checkout / "app").mkdir()
    odd = replace(snapshot("https://github.com/acme/app"), name=name)
    assert file_here(odd, "src/a.py", checkouts=checkout / "app") is None
