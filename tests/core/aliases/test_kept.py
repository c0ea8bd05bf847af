"""What is kept on purpose: what may be written there, where it is stored, and which datasets it means."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from askrepo.aliases.catalogue import AliasCatalogue, AliasLog
from askrepo.aliases.kept import check_keep, kept_datasets, kept_entries, read_keep, write_keep
from askrepo.errors import UnavailableError, UsageError
from askrepo.types import AliasEntry
from askrepo.workspace.objects import Workspace
from tests.core.aliases.test_catalogue import entry
from tests.core.stores import Store, snapshot_of

IDS = [f"20260301t00000{second}z-00000{second}" for second in (1, 2, 3)]


def an_entry(number: int, *, commit: str, ref: str | None = None) -> AliasEntry:
    found = entry(number, dataset=IDS[number - 1])
    snapshot = replace(snapshot_of("a"), commit=commit.ljust(40, "0"), ref=ref)
    return replace(found, manifest=replace(found.manifest, snapshots=(snapshot,)))


LOG = AliasLog(
    "main",
    3,
    (
        an_entry(1, commit="abcd1", ref="v1.2"),
        an_entry(2, commit="abcd2", ref="main"),
        an_entry(3, commit="e", ref="main"),
    ),
    {},
)


@pytest.mark.parametrize(
    ("values", "items"),
    [
        (None, None),
        ([], ()),
        (["none"], ()),
        ([12, " v1.2 "], ("12", "v1.2")),
        (["o/n@v1", "o/n@v1", "2026-03-01", "2026-03-01 10:00"], ("o/n@v1", "2026-03-01", "2026-03-01 10:00")),
    ],
)
def test_what_may_be_kept(values, items):
    assert check_keep(values) == items


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("v1.2", "keep must be a list, found str"),
        ({"v1.2": 1}, "keep must be a list, found dict"),
        ([1.1], "keep has an item of type float: write it in quotes"),
        ([True], "keep has an item of type bool"),
        ([date(2026, 3, 1)], "keep has an item of type date"),
        ([None], "keep has an item of type NoneType"),
        ([""], "keep: '' names no moment: write an entry's number, a date"),
        (["two words"], "keep: 'two words' names no moment"),
        (["v1\n"], None),
        (["a\x1b[2Jb"], "names no moment"),
        (["https://user:s3cr3t@host/o/n@v1"], "keep: a URL names no moment"),
        (["x" * 300], "…' names no moment"),
        (["2026-13-45"], "keep: '2026-13-45' is no date"),
        ([0], "keep: there is no entry 0"),
        (["none", "v1"], "keep has 'none' and other items"),
        (list(range(1, 103)), "keep has 102 items, and at most 100 are taken"),
    ],
)
def test_what_cannot_name_an_entry_is_refused_in_one_line(values, told):
    if told is None:  # white space around it is no mistake
        assert check_keep(values) == ("v1",)
        return
    with pytest.raises(UsageError) as raised:
        check_keep(values)
    assert told in str(raised.value)
    assert "s3cr3t" not in str(raised.value)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("item", "numbers"),
    [
        ("1", [1]),
        (IDS[1], [2]),
        ("20260301t000002", [2]),
        ("o/n@abcd1", [1]),
        ("n@abcd1", [1]),
        ("v1.2", [1]),
        ("o/n@v1.2", [1]),
        ("main", [3]),  # the newest for which that branch was asked
        ("o/n@main", [3]),
        ("9", []),
        ("v9", []),
        ("o/n@v9", []),
        ("other@v1.2", []),
        ("2001-01-01", []),
        ("2999-01-01", []),
        ("o/n@abcd", [1, 2]),  # may be either, so neither must go
        ("20260301", [1, 2, 3]),
    ],
)
def test_an_item_means_what_at_means_and_all_of_them_when_that_is_not_clear(item, numbers):
    assert [entry.number for entry in kept_entries(LOG, [item])[item]] == numbers


def test_a_dataset_is_told_with_all_that_names_it():
    assert kept_datasets(LOG, ["1", "v1.2", "9"]) == {f"datasets/main/{IDS[0]}": ["1", "v1.2"]}


def test_nothing_is_stored_until_something_is_kept(workspace):
    assert read_keep("main", workspace=workspace) == ()
    assert write_keep("main", (), workspace=workspace) == []
    assert workspace.list_keys("") == []


def test_what_was_kept_is_replaced_and_only_when_it_is_another(workspace):
    write_keep("main", ("1",), workspace=workspace)
    file = Path(workspace.url, "kept/main.json")
    written = file.stat().st_mtime_ns

    write_keep("main", ("1",), workspace=workspace)
    assert file.stat().st_mtime_ns == written
    write_keep("main", ("2", "v1"), workspace=workspace)
    assert read_keep("main", workspace=workspace) == ("2", "v1")
    write_keep("main", (), workspace=workspace)
    assert read_keep("main", workspace=workspace) == ()


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"keep": "1"}', b'{"keep": [1.5]}', b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_named_and_can_be_written_anew(workspace: Workspace, content: bytes):
    workspace.write("kept/main.json", content)

    with pytest.raises(UnavailableError, match=r"cannot read .*kept/main\.json, which names what is kept of main"):
        read_keep("main", workspace=workspace)
    write_keep("main", ("1",), workspace=workspace)
    assert read_keep("main", workspace=workspace) == ("1",)


def test_what_keeps_nothing_is_told_with_what_there_is(workspace):
    store = Store(workspace)
    assert write_keep("main", ("1", "2"), workspace=workspace) == [
        "keep: alias main has no entry yet, so nothing of it can be kept"
    ]
    first, _ = store.swaps(2)
    workspace.delete_folder(first)

    gone, unknown, several = write_keep("main", ("1", "2", "v9", "20"), workspace=workspace)

    assert gone.startswith("keep '1' keeps nothing: entry 1 of main (")
    assert "is no longer kept; kept: entry 2 (" in gone
    assert unknown.startswith("keep 'v9' keeps nothing: 'v9' names no moment of alias 'main'")
    assert "entry 2" in unknown
    assert several == "keep '20' keeps nothing: alias 'main' has no entry 20: it has entries 1 to 2"
    assert AliasCatalogue(workspace).number("main") == 2
