from __future__ import annotations

import pytest

from askrepo.git.permalinks import permalink
from askrepo.types import Chunk, Snapshot

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def link(url: str, path: str = "src/a.py", start: int = 10, end: int = 20) -> str:
    chunk = Chunk("id", "o/n", path, "python", "source", (), (), start, end, 1, "")
    return permalink(Snapshot("o/n", url, None, COMMIT, "2026-01-02T03:04:05Z", "archive", 1), chunk)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/o/n", f"https://github.com/o/n/blob/{COMMIT}/src/a.py#L10-L20"),
        ("https://github.com/o/n.git", f"https://github.com/o/n/blob/{COMMIT}/src/a.py#L10-L20"),
        ("https://github.com/o/n/", f"https://github.com/o/n/blob/{COMMIT}/src/a.py#L10-L20"),
        ("ssh://git@github.com/o/n.git", f"https://github.com/o/n/blob/{COMMIT}/src/a.py#L10-L20"),
        ("https://gitlab.com/g/s/n.git", f"https://gitlab.com/g/s/n/-/blob/{COMMIT}/src/a.py#L10-20"),
        ("ssh://git@gitlab.acme.org:2222/o/n.git", f"https://gitlab.acme.org/o/n/-/blob/{COMMIT}/src/a.py#L10-20"),
        ("http://gitlab.acme.org:8080/o/n", f"http://gitlab.acme.org:8080/o/n/-/blob/{COMMIT}/src/a.py#L10-20"),
        ("https://bitbucket.org/o/n", f"https://bitbucket.org/o/n/src/{COMMIT}/src/a.py#lines-10:20"),
    ],
)
def test_known_host_gets_a_link_to_the_lines_at_the_commit(url, expected):
    assert link(url) == expected


@pytest.mark.parametrize("url", ["file:///srv/github/n", "https://git.example.org/o/n", "https://notgithub.example/o"])
def test_unknown_host_gets_the_repository(url):
    assert link(url) == url


def test_path_is_percent_encoded():
    assert link("https://github.com/o/n", path='a b/#1?"é.py').split(COMMIT)[1] == "/a%20b/%231%3F%22%C3%A9.py#L10-L20"


@pytest.mark.parametrize(
    ("url", "fragment"),
    [("https://github.com/o/n", "#L7"), ("https://gitlab.com/o/n", "#L7"), ("https://bitbucket.org/o/n", "#lines-7")],
)
def test_single_line_is_named_once(url, fragment):
    assert link(url, start=7, end=7).endswith("a.py" + fragment)
