from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from askrepo.aliases.catalogue import AliasCatalogue, AliasLog, moment_of
from askrepo.aliases.entry_at import entry_at, named_entry
from askrepo.errors import UnavailableError, UnknownAliasError, UsageError
from askrepo.pipeline.dataset_diff import diff_datasets
from askrepo.store.deletion import delete_dataset
from askrepo.store.location import DatasetLocation
from askrepo.types import AliasEntry
from askrepo.workspace.keys import dataset_id
from tests.datasets import BuiltAlias, build_alias, run_stages

FILES = {"README.md": "# Parcel\n\nDelivers.\n", "a.py": "a = 1\n", "old/b.py": "b = 2\n", "gone.py": "gone = 1\n"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    """Three entries; the dataset of the first is removed."""
    alias = build_alias(tmp_path_factory.mktemp("moments"), FILES, name="parcel")
    repository = alias.repositories[0]
    repository.git("mv", "old", "new")
    repository.git("rm", "--quiet", "gone.py")
    repository.commit({"a.py": "a = 2\n", "c.py": "c = 3\n", "new/b.py": "b = 2\n"})
    run_stages(alias.definition, workspace=alias.workspace, settings=alias.settings)
    repository.commit({"d.py": "d = 4\n"})
    run_stages(alias.definition, workspace=alias.workspace, settings=alias.settings)
    delete_dataset(DatasetLocation.within(alias.workspace, alias.entry.manifest.dataset))
    return alias


@pytest.fixture(scope="module")
def entries(built: BuiltAlias) -> list[AliasEntry]:
    return AliasCatalogue(built.workspace).history("main")


def at(built: BuiltAlias, moment: str) -> int:
    return entry_at("main", moment, workspace=built.workspace).number


@pytest.mark.slow
def test_a_moment_is_named_in_four_ways(built: BuiltAlias, entries: list[AliasEntry]) -> None:
    second = entries[1].manifest
    assert at(built, "2") == 2
    assert at(built, " 3 ") == 3
    assert at(built, dataset_id(second.dataset)) == 2
    assert at(built, f"parcel@{second.snapshots[0].commit[:8]}") == 2
    assert at(built, f"parcel@{second.snapshots[0].commit.upper()}") == 2
    assert at(built, datetime.now(UTC).strftime("%Y-%m-%d")) == 3


def test_a_date_means_what_was_current_then(entries: list[AliasEntry]) -> None:
    log = AliasLog("main", 3, tuple(entries), {})
    now = moment_of(entries[-1]) + timedelta(days=9)
    between = moment_of(entries[0]) + (moment_of(entries[1]) - moment_of(entries[0])) / 2
    assert named_entry(log, moment_of(entries[2]).isoformat(), now=now).number == 3
    assert named_entry(log, between.strftime("%Y-%m-%dT%H:%M:%S.%f"), now=now).number in (1, 2)
    assert named_entry(log, (now - timedelta(days=1)).strftime("%Y-%m-%d"), now=now).number == 3


def test_what_is_no_longer_kept_is_told_with_what_is(built: BuiltAlias) -> None:
    with pytest.raises(UnavailableError) as raised:
        entry_at("main", "1", workspace=built.workspace)
    told = str(raised.value)
    assert told.startswith("entry 1 of main (")
    assert "is no longer kept; kept: entry 2 (" in told
    assert "entry 3 (" in told


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("9", "has no entry 9: it has entries 1 to 3"),
        ("0", "has no entry 0"),
        ("2999-01-01", "'2999-01-01' is in the future"),
        ("2999-01-01T10:00", "is in the future"),
        ("2001-01-01", "had nothing yet at '2001-01-01'; its first entry is of "),
        ("2026-13-45", "'2026-13-45' is no date"),
        ("2026-11-28T99", "is no date"),
        ("parcel@abc", "commit 'abc' is too short"),
        ("parcel@ffffffffff", "was never at 'parcel@ffffffffff': it has parcel@"),
        ("other@ffffffffff", "it has no repository 'other'"),
        ("20", "has no entry 20"),
        ("2026", "has no entry 2026"),
        ("202", "has no entry 202"),
        ("", "'' names no moment of alias 'main'"),
        ("yesterday", "write an entry's number, a date"),
        ("x" * 500, "…' names no moment"),
    ],
)
def test_what_names_no_moment_is_told_in_one_line(built: BuiltAlias, moment: str, told: str) -> None:
    with pytest.raises(UsageError) as raised:
        entry_at("main", moment, workspace=built.workspace)
    assert told in str(raised.value)
    assert len(str(raised.value)) < 600


def test_a_start_that_several_have_is_ambiguous(built: BuiltAlias, entries: list[AliasEntry]) -> None:
    with pytest.raises(UsageError, match=r"may be any of entry 1 \(.*entry 2 \(.*write more of it"):
        entry_at("main", dataset_id(entries[0].manifest.dataset)[:9], workspace=built.workspace)


def test_a_start_of_several_commits_is_ambiguous(entries: list[AliasEntry]) -> None:
    from dataclasses import replace

    twin = [
        replace(
            entry, manifest=replace(entry.manifest, snapshots=(replace(entry.manifest.snapshots[0], commit=commit),))
        )
        for entry, commit in zip(entries, ["abcdef" + "0" * 34, "abcdef" + "1" * 34, "abcdef" + "1" * 34], strict=True)
    ]
    log = AliasLog("main", 3, tuple(twin), {})
    with pytest.raises(UsageError, match="'abcdef' is the start of several commits"):
        named_entry(log, "parcel@abcdef", now=datetime.now(UTC))
    assert named_entry(log, "parcel@abcdef1", now=datetime.now(UTC)).number == 3


def test_a_tag_or_branch_names_the_newest_entry_it_was_asked_for(entries: list[AliasEntry]) -> None:
    from dataclasses import replace

    def asked_for(entry: AliasEntry, ref: str | None) -> AliasEntry:
        snapshot = replace(entry.manifest.snapshots[0], ref=ref)
        return replace(entry, manifest=replace(entry.manifest, snapshots=(snapshot,)))

    refs = ["v1.2", "main", "main"]
    log = AliasLog("main", 3, tuple(map(asked_for, entries, refs)), {})
    now = datetime.now(UTC)
    assert [named_entry(log, at, now=now).number for at in ("v1.2", "parcel@v1.2", "main", "parcel@main")] == [
        1,
        1,
        3,
        3,
    ]
    commit = entries[1].manifest.snapshots[0].commit
    assert named_entry(log, f"parcel@{commit[:9]}", now=now).number == 2
    with pytest.raises(UsageError, match=r"never at 'parcel@v9': it has parcel@\w{10} \(v1\.2\), parcel@"):
        named_entry(log, "parcel@v9", now=now)
    with pytest.raises(UsageError, match="'v9' names no moment"):
        named_entry(log, "v9", now=now)


def test_an_entry_that_removed_the_alias_is_told(entries: list[AliasEntry]) -> None:
    from dataclasses import replace

    log = AliasLog("main", 4, (*entries, replace(entries[-1], number=4, reason="removed")), {})
    with pytest.raises(UsageError, match="was removed by entry 4"):
        named_entry(log, "4", now=datetime.now(UTC))
    assert named_entry(log, dataset_id(entries[-1].manifest.dataset), now=datetime.now(UTC)).number == 3


def test_an_unknown_alias_is_told(built: BuiltAlias) -> None:
    with pytest.raises(UnknownAliasError):
        entry_at("nope", "1", workspace=built.workspace)


def test_a_diff_names_every_file_by_what_happened_to_it(built: BuiltAlias, entries: list[AliasEntry]) -> None:
    found = diff_datasets(entries[0], entries[1], workspace=built.workspace)
    assert [path for _, path in found.added] == ["c.py"]
    assert [path for _, path in found.changed] == ["a.py"]
    assert [(one[1], other[1]) for one, other in found.moved] == [("old/b.py", "new/b.py")]
    assert [path for _, path in found.removed] == ["gone.py"]
    assert found.unchanged == 1
    (commit,) = found.commits
    assert (commit.before, commit.after) == tuple(entry.manifest.snapshots[0].commit for entry in entries[:2])


def test_a_diff_backwards_is_the_opposite(built: BuiltAlias, entries: list[AliasEntry]) -> None:
    there = diff_datasets(entries[0], entries[2], workspace=built.workspace)
    back = diff_datasets(entries[2], entries[0], workspace=built.workspace)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert [pair[::-1] for pair in there.moved] == list(back.moved)
    assert diff_datasets(entries[2], entries[2], workspace=built.workspace).unchanged == entries[2].manifest.files
