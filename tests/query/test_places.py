"""Where places lead on a terminal."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from askrepo.settings import Settings
from askrepo.types import Citation
from askrepo_query.places import Places
from tests.datasets import BuiltAlias
from tests.query.conftest import run_on_terminal

PAGE = "https://github.com/acme/parcel/blob/c/src/retry.py#L7-L9"


def place(built: BuiltAlias, *, path: str = "src/retry.py") -> Citation:
    return Citation("parcel", built.reader.entry.manifest.snapshots[0].commit, path, 7, 9)


def address(built: BuiltAlias, links: str, *, path: str = "src/retry.py", url: str = PAGE) -> str:
    settings = Settings.from_env({"ASKREPO_LINKS": links})
    return Places(settings, [built.reader]).address(place(built, path=path), url)


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ("", PAGE),
        ("off", ""),
        ("vscode", "vscode://file{}/src/retry.py:7"),
        ("cursor", "cursor://file{}/src/retry.py:7"),
        ("idea", "idea://open?file={}/src/retry.py&line=7"),
        ("file", f"file://{socket.gethostname()}{{}}/src/retry.py"),
        ("mine://{line}@{path}", "mine://7@{}/src/retry.py"),
    ],
)
def test_a_file_of_this_machine_leads_where_the_setting_says(built: BuiltAlias, links: str, expected: str) -> None:
    assert address(built, links) == expected.format(built.repositories[0].path)


@pytest.mark.parametrize("path", ["gone.py", "../outside", ".git/config"])
def test_what_is_no_file_of_the_checkout_leads_to_the_web(built: BuiltAlias, path: str) -> None:
    assert address(built, "vscode", path=path) == PAGE


@pytest.mark.parametrize("url", ["file:///srv/parcel", "javascript:alert(1)", "https://e.org/a b", "https://e\x1b\\"])
def test_only_pages_of_the_web_are_linked_to(built: BuiltAlias, url: str) -> None:
    assert address(built, "", url=url) == ""


def test_an_odd_path_is_written_so_that_nothing_of_it_steers(built: BuiltAlias) -> None:
    found = address(built, "vscode", path="src/evil\x1b[2J\u202e.py")
    assert found.endswith("/src/evil%1B%5B2J%E2%80%AE.py:7")


@pytest.mark.parametrize("command", [["show", "src/retry.py:7-9"], ["search", "backoff"], ["ask", "backoff"]])
def test_places_on_a_terminal_are_links_to_the_editor(
    clean_home: Path, built: BuiltAlias, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("ASKREPO_WORKSPACE", built.workspace.url)
    monkeypatch.setenv("ASKREPO_LINKS", "vscode")
    shown = run_on_terminal(*command).screen
    file = built.repositories[0].path / "src/retry.py"
    assert re.search(rf"\x1b]8;;vscode://file{re.escape(str(file))}:\d+\x1b\\[^\n]*retry\.py", shown), shown


def test_a_projects_file_may_not_say_where_places_lead(clean_home: Path, built: BuiltAlias) -> None:
    (clean_home / "askrepo.toml").write_text('links = "https://evil.example/{path}"\n')
    told = run_on_terminal("show", "src/retry.py", "--workspace", built.workspace.url)
    assert told.exit_code == 2
    assert "links may not be set in a project's file" in told.screen
