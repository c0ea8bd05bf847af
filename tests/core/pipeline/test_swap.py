"""Moving an alias: checked, one winner, reversible, and nothing removed that somebody needs."""

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.claims import DatasetClaimedError, claimed
from askrepo.aliases.rollback import rollback_alias
from askrepo.errors import (
    DatasetCorruptedError,
    ShrinkingDatasetError,
    SwapLostError,
)
from askrepo.pipeline.swap import swap_alias
from askrepo.types import AliasEntry, DatasetManifest
from askrepo.workspace.objects import ObjectExistsError, Workspace
from tests.core.datasets import rows_of, write_dataset

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
Make = Callable[..., DatasetManifest]


@pytest.fixture
def make(workspace: Workspace) -> Make:
    """Write datasets 1, 2, 3, … with as many rows as wanted, begun on 1 March 2026."""

    def write(number: int, *, rows: int = 4, alias: str = "main", begun: datetime = START) -> DatasetManifest:
        dataset = f"datasets/{alias}/{begun:%Y%m%dt%H%M%Sz}-{number:06x}"
        return write_dataset(workspace, rows_of([{"text": f"text {number}"}] * rows), dataset=dataset)

    return write


@pytest.fixture
def swap(workspace: Workspace) -> Callable[..., AliasEntry]:
    def call(manifest: DatasetManifest, expected_number: int, **changes: Any) -> AliasEntry:
        options = {"force": False, "min_size_ratio": 0.5, "retention": 3, "grace_s": 3600, "now": START}
        return swap_alias(manifest, workspace=workspace, expected_number=expected_number, **{**options, **changes})

    return call


@pytest.fixture
def catalogue(workspace: Workspace) -> AliasCatalogue:
    return AliasCatalogue(workspace)


def ids(workspace: Workspace, alias: str = "main") -> list[int]:
    return sorted(int(name[-6:], 16) for name in workspace.list_folders(f"datasets/{alias}"))


def stored_file(folder: Path) -> Path:
    """The largest of Deep Lake's own files."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "askrepo-files.json")
    return max(files, key=lambda path: path.stat().st_size)


def test_the_dataset_is_on_the_disk_before_an_entry_names_it(make, swap, workspace, monkeypatch):
    manifest = make(1)
    flushed, flush = [], os.fsync

    def note(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    swap(manifest, 0)

    files = set(Path(workspace.url, manifest.dataset).rglob("*"))
    entry = next(place for place, path in enumerate(flushed) if path.name.startswith("00000001.json"))
    assert files
    assert files <= set(flushed[:entry])


def test_the_first_swap_creates_the_alias(make, swap, catalogue):
    manifest = make(1)

    entry = swap(manifest, 0)

    assert catalogue.current("main") == entry
    assert (entry.number, entry.reason, entry.manifest) == (1, "swap", manifest)
    assert entry.swapped_at == "2026-03-01T00:00:00+00:00"


def test_the_same_swap_again_is_no_second_entry(make, swap, catalogue):
    first = swap(make(1), 0)

    assert swap(first.manifest, 0) == first
    assert catalogue.number("main") == 1


def test_a_swap_done_long_ago_still_succeeds_after_others(make, swap, catalogue):
    first = swap(make(1), 0)
    swap(make(2), 1)

    assert swap(first.manifest, 0) == first
    assert catalogue.number("main") == 2


def test_an_older_run_never_overwrites_a_newer_one(make, swap, catalogue):
    newer = swap(make(1), 0)

    with pytest.raises(SwapLostError, match="was at entry 0 when this run began and is at 1 now"):
        swap(make(2), 0)

    assert catalogue.current("main") == newer


def test_a_loser_of_the_race_for_a_number_changes_nothing(make, swap, workspace, catalogue, monkeypatch):
    winner = make(1)
    create = Workspace.create

    def somebody_first(self: Workspace, key: str, content: bytes) -> None:
        if key.startswith("aliases/"):
            monkeypatch.setattr(Workspace, "create", create)
            swap(winner, 0)
        create(self, key, content)

    monkeypatch.setattr(Workspace, "create", somebody_first)
    with pytest.raises(SwapLostError, match="another run wrote entry 1 first"):
        swap(make(2), 0)

    assert catalogue.current("main").manifest == winner


def test_an_answer_that_got_lost_is_no_lost_swap(make, swap, catalogue, monkeypatch):
    create = Workspace.create

    def written_but_told_otherwise(self: Workspace, key: str, content: bytes) -> None:
        create(self, key, content)
        raise ObjectExistsError(key)

    monkeypatch.setattr(Workspace, "create", written_but_told_otherwise)

    assert swap(make(1), 0) == catalogue.current("main")


def test_a_damaged_dataset_leaves_the_alias_untouched(make, swap, workspace, catalogue):
    current = swap(make(1), 0)
    damaged = make(2)
    folder = Path(workspace.url_of(damaged.dataset))
    stored = stored_file(folder)
    stored.write_bytes(stored.read_bytes()[:-1] + b"\0")

    with pytest.raises(DatasetCorruptedError):
        swap(damaged, 1)

    assert catalogue.current("main") == current


def test_a_dataset_that_is_gone_leaves_the_alias_untouched(make, swap, workspace, catalogue):
    manifest = make(1)
    workspace.delete_folder(manifest.dataset)

    with pytest.raises(DatasetCorruptedError, match="missing"):
        swap(manifest, 0)

    assert catalogue.number("main") == 0


def test_a_shrinking_dataset_is_refused_with_the_numbers(make, swap, catalogue):
    current = swap(make(1, rows=10), 0)

    with pytest.raises(ShrinkingDatasetError, match=r"has 4 chunks, the current one 10; 40% .* 50%\. .*force"):
        swap(make(2, rows=4), 1)

    assert catalogue.current("main") == current


@pytest.mark.parametrize(
    ("rows", "options"),
    [(5, {}), (1, {"force": True}), (1, {"min_size_ratio": 0.1})],
    ids=["exactly enough", "forced", "admitted by the setting"],
)
def test_an_accepted_loss_is_swapped(make, swap, rows, options):
    swap(make(1, rows=10), 0)

    assert swap(make(2, rows=rows), 1, **options).number == 2


def test_an_alias_that_was_removed_may_be_built_anew_and_smaller(make, swap, catalogue):
    before = swap(make(1, rows=10), 0)
    catalogue.append(replace(before, number=2, reason="removed"))

    assert swap(make(2, rows=1), 2).number == 3


def test_a_dataset_that_is_being_removed_is_not_published(make, swap, workspace, catalogue):
    manifest = make(1)

    removal = claimed("main", manifest.dataset, "remove", workspace=workspace)
    with removal, pytest.raises(DatasetClaimedError, match="somebody is removing it"):
        swap(manifest, 0)

    assert catalogue.number("main") == 0


def test_neither_a_swap_nor_a_failed_one_leaves_a_claim(make, swap, workspace):
    swap(make(1), 0)
    with pytest.raises(DatasetCorruptedError):
        swap(replace(make(2), run="runs/main/another"), 1)

    assert workspace.list_keys("claims") == []


# --- retention ------------------------------------------------------------------------------------------------------


def test_only_the_newest_datasets_stay(make, swap, workspace, caplog):
    caplog.set_level(logging.INFO)
    for number in range(1, 6):
        swap(make(number), number - 1, retention=2, now=START + number * 2 * HOUR)

    # 3 stopped being current at the fourth swap, two hours ago.
    assert ids(workspace) == [4, 5]
    assert sum("removed dataset" in record.message for record in caplog.records) == 3


def test_a_dataset_that_was_current_within_the_grace_stays(make, swap, workspace):
    for number in range(1, 5):
        swap(make(number), number - 1, retention=1, grace_s=3600, now=START + number * timedelta(minutes=25))

    # Dataset 1 was left at minute 50: 50 minutes before the fourth swap, 75 before the fifth.
    assert ids(workspace) == [1, 2, 3, 4]
    swap(make(5), 4, retention=1, grace_s=3600, now=START + timedelta(minutes=125))
    assert ids(workspace) == [2, 3, 4, 5]


def test_a_dataset_that_a_rollback_made_current_again_stays(make, swap, workspace):
    for number in (1, 2, 3):
        swap(make(number), number - 1, now=START)
    rollback_alias("main", workspace=workspace, to="1", now=START)
    for number in (4, 5):
        swap(make(number), number, retention=3, now=START + number * 10 * HOUR)

    assert ids(workspace) == [1, 4, 5]


def test_the_rollback_during_a_sweep_keeps_its_dataset(make, swap, workspace, catalogue, monkeypatch):
    for number in (1, 2):
        swap(make(number), number - 1, now=START)
    list_folders = Workspace.list_folders

    def with_a_rollback(self: Workspace, prefix: str) -> list[str]:
        if prefix == "datasets/main" and catalogue.number("main") == 3:
            rollback_alias("main", workspace=workspace, to="1", now=START + 10 * HOUR)
        return list_folders(self, prefix)

    monkeypatch.setattr(Workspace, "list_folders", with_a_rollback)
    swap(make(3), 2, retention=1, now=START + 10 * HOUR)
    monkeypatch.undo()

    assert 1 in ids(workspace)
    assert catalogue.current("main").manifest.dataset.endswith("000001")


def test_a_dataset_goes_with_the_list_of_its_files(make, swap, workspace):
    for number in (1, 2):
        manifest = make(number)
        workspace.write(f"files/main/{manifest.dataset.rpartition('/')[2]}.parquet", b"x")
        swap(manifest, number - 1, retention=1, grace_s=0, now=START + number * HOUR)

    # Dataset 1 was left by the second swap, at its very moment.
    swap(make(3), 2, retention=1, grace_s=0, now=START + 3 * HOUR)

    assert ids(workspace) == [2, 3]
    assert workspace.list_keys("files") == ["files/main/20260301t000000z-000002.parquet"]


def test_a_long_log_is_read_only_as_far_as_it_matters(make, swap, workspace, catalogue, monkeypatch):
    manifest = make(1, begun=START + 1000 * HOUR)
    first = swap(manifest, 0, now=START)
    for number in range(2, 150):
        moment = (START + number * HOUR).isoformat(timespec="seconds")
        catalogue.append(replace(first, number=number, swapped_at=moment))
    entry, read = AliasCatalogue.entry, []
    monkeypatch.setattr(AliasCatalogue, "entry", lambda self, *which: read.append(which) or entry(self, *which))

    swap(make(2, begun=START + 1000 * HOUR), 149, now=START + 1000 * HOUR)

    assert 48 <= len(read) < 60


@pytest.mark.parametrize(("age", "left"), [(23 * HOUR, [1, 7]), (25 * HOUR, [7])], ids=["young", "old"])
def test_a_dataset_that_no_entry_names_goes_after_a_day(make, swap, workspace, age, left):
    make(1)
    swap(make(7, begun=START + age), 0, now=START + age)

    assert ids(workspace) == left


def test_foreign_folders_and_other_aliases_are_left_alone(make, swap, workspace):
    make(1, alias="other")
    workspace.write("datasets/main/notes/readme.txt", b"mine")
    workspace.write("datasets/main/99999999t999999z-000001/x", b"mine")

    swap(make(1), 0, now=START + 1000 * HOUR)

    assert ids(workspace, "other") == [1]
    assert workspace.read("datasets/main/notes/readme.txt") == b"mine"
    assert workspace.exists("datasets/main/99999999t999999z-000001/x")


def test_trouble_while_removing_does_not_undo_the_swap(make, swap, workspace, catalogue, caplog):
    workspace.write("aliases/broken/00000001.json", b"{")
    for number in (1, 2):
        swap(make(number), number - 1, retention=1, now=START + number * 10 * HOUR)
    swap(make(3), 2, retention=1, now=START + 50 * HOUR)

    assert catalogue.number("main") == 3
    assert ids(workspace) == [1, 2, 3]
    assert "could not remove old datasets" in caplog.text


def test_datasets_outside_the_workspace_are_removed_too(make, swap, workspace, tmp_path):
    outside = str(tmp_path / "elsewhere" / "main")
    swap(write_dataset(workspace, rows_of([{}] * 4), dataset=f"{outside}/20260301t000000z-000001"), 0)
    swap(make(2), 1)
    swap(make(3), 2, retention=1, now=START + 10 * HOUR)

    assert list(Path(outside).iterdir()) == []


def test_a_manifest_that_differs_from_the_stamp_is_refused(make, swap, catalogue):
    with pytest.raises(DatasetCorruptedError):
        swap(replace(make(1), run="runs/main/another"), 0)

    assert catalogue.number("main") == 0
