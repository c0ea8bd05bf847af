from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from askrepo.aliases.readers import AliasReader
from askrepo.errors import UnknownPathError, UsageError
from askrepo.search.reading import Reading, lines_of, open_file
from tests.datasets import BuiltAlias, build_alias

LONG = "".join(f"value_{number} = {number}\n" for number in range(1, 1001))
FILES = {
    "src/pkg/retry.py": "def backoff(attempt):\n\n    return 2**attempt\n",
    "src/long.py": LONG,
    "src/wide.js": "x = '" + "word " * 500 + "'\ny = 2\n",
    "docs/retry.md": "# Retry\n\nIt waits.",
    "a/same.py": "one = 1\n",
    "b/same.py": "two = 2\n",
}
OTHER = {"src/pkg/retry.py": "other = True\n", "only/here.py": "here = 1\n"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    return build_alias(tmp_path_factory.mktemp("reading"), FILES, name="parcel", others={"other": OTHER})


@pytest.fixture(scope="module")
def readers(built: BuiltAlias) -> list[AliasReader]:
    return [built.reader]


def read(
    path: str,
    start: int | None = None,
    end: int | None = None,
    *,
    readers: Sequence[AliasReader],
    repository: str | None = None,
    **bounds: int,
) -> Reading:
    return lines_of(open_file(path, readers=readers, repository=repository), start, end, **bounds)


def place(reading: Reading) -> tuple[str, str, int, int]:
    return reading.file.repository, reading.file.path, reading.start_line, reading.end_line


@pytest.mark.parametrize("path", [path for path in FILES if path != "src/pkg/retry.py"])
def test_all_lines_of_a_file_are_those_that_were_committed(readers: list[AliasReader], path: str) -> None:
    whole = read(path, readers=readers, max_lines=10_000, max_chars=10_000_000)
    assert "\n".join(whole.lines) == FILES[path].removesuffix("\n")
    assert (whole.start_line, whole.end_line, whole.next_line) == (1, len(whole.lines), None)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("docs/retry.md", ("parcel", "docs/retry.md")),
        ("./docs/retry.md", ("parcel", "docs/retry.md")),
        ("/docs/retry.md", ("parcel", "docs/retry.md")),
        ("retry.md", ("parcel", "docs/retry.md")),
        ("here.py", ("other", "only/here.py")),
        ("other/src/pkg/retry.py", ("other", "src/pkg/retry.py")),
        ("parcel/src/pkg/retry.py", ("parcel", "src/pkg/retry.py")),
    ],
)
def test_a_path_names_one_file(readers: list[AliasReader], path: str, found: tuple[str, str]) -> None:
    file = open_file(path, readers=readers)
    assert (file.repository, file.path) == found


@pytest.mark.parametrize("between", ["/", " "], ids=["slash", "space"])
def test_a_citation_s_own_path_is_read(built: BuiltAlias, between: str) -> None:
    commit = built.entry.manifest.snapshots[0].commit
    reader = built.reader
    assert open_file(f"parcel@{commit[:10]}{between}docs/retry.md", readers=[reader]).path == "docs/retry.md"
    with pytest.raises(UnknownPathError):
        open_file(f"parcel@0123456789{between}docs/retry.md", readers=[reader])


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("src/pkg/retry.py", "may be any of parcel/src/pkg/retry.py, other/src/pkg/retry.py: write the repository"),
        ("same.py", "may be any of parcel/a/same.py, parcel/b/same.py"),
        ("docs/Retry.MD", "nearest: docs/retry.md"),
        ("lib/retri.md", "nearest: docs/retry.md"),
        ("gone.rs", "no file 'gone.rs' in parcel@"),
        ("etry.md", "no file 'etry.md'"),
        ("", "no file ''"),
        ("src", "'src' is a folder: name a file of it, such as src/long.py"),
        ("../../etc/passwd", "no file"),
        ("x' OR '1'='1", "no file"),
        ("nul\0byte", "no file"),
        ("half\udc80", "no file"),
        ("a/" * 5000, "no file"),
    ],
)
def test_a_path_that_is_none_or_several_is_told(readers: list[AliasReader], path: str, told: str) -> None:
    with pytest.raises(UnknownPathError) as raised:
        open_file(path, readers=readers)
    assert told in str(raised.value)


def test_a_repository_decides_between_files_of_one_path(readers: list[AliasReader]) -> None:
    assert read("src/pkg/retry.py", readers=readers, repository="other").lines == ("other = True",)
    with pytest.raises(UnknownPathError, match="no repository 'third'"):
        read("src/pkg/retry.py", readers=readers, repository="third")


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (None, None, (1, 1000)),
        (10, 12, (10, 12)),
        (999, None, (999, 1000)),
        (None, 3, (1, 3)),
        (990, 10**18, (990, 1000)),
        (1000, 1000, (1000, 1000)),
    ],
)
def test_a_range_is_cut_to_the_file(
    readers: list[AliasReader], start: int | None, end: int | None, found: tuple[int, int]
) -> None:
    reading = read("src/long.py", start, end, readers=readers, max_lines=5000)
    assert (reading.start_line, reading.end_line) == found
    assert reading.lines[0] == f"value_{found[0]} = {found[0]}"
    assert reading.citation.path == "src/long.py"


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (1001, None, "has 1,000 lines and no line 1,001"),
        (10**30, 10**31, "no line"),
        (0, 5, "0-5 are no range"),
        (-3, None, "-3-1000 are no range"),
        (9, 3, "9-3 are no range"),
    ],
)
def test_a_range_that_is_none_is_told(readers: list[AliasReader], start: int, end: int | None, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read("src/long.py", start, end, readers=readers)


def test_a_huge_range_is_bounded_and_says_where_to_read_on(readers: list[AliasReader]) -> None:
    file = open_file("src/long.py", readers=readers)
    first = lines_of(file, 1, 10**12)
    assert (first.end_line, first.next_line) == (400, 401)
    rest, at = [*first.lines], first.next_line
    while at is not None:
        following = lines_of(file, at)
        rest, at = [*rest, *following.lines], following.next_line
    assert "\n".join(rest) + "\n" == LONG


def test_a_line_that_is_too_long_is_cut_and_ends_the_reading(readers: list[AliasReader]) -> None:
    reading = read("wide.js", readers=readers, max_chars=100)
    assert (len(reading.lines), len(reading.lines[0]), reading.next_line) == (1, 100, 2)
    assert reading.lines[0].endswith("…")
    assert lines_of(reading.file, 2, max_chars=100).lines == ("y = 2",)


def test_files_that_several_aliases_have_at_one_commit_are_one(built: BuiltAlias, tmp_path: Path) -> None:
    assert open_file("docs/retry.md", readers=[built.reader, built.reader]).path == "docs/retry.md"
