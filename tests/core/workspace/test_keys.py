"""Keys are what they were when the datasets out there were written, and what a key says can be read from it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from askrepo.errors import UsageError
from askrepo.workspace import keys
from askrepo.workspace.keys import run_key

DATASET = "20260503t120000z-abc123"
COMMIT = "a" * 40
SPELLED = {
    keys.entry_key("main", 42): "aliases/main/00000042.json",
    keys.claim_key("main", f"datasets/main/{DATASET}"): f"claims/main/{DATASET}.json",
    keys.claim_key("main", f"s3://bucket/d/{DATASET}/"): f"claims/main/{DATASET}.json",
    keys.definition_key("main"): "definitions/main.json",
    keys.datasets_folder("main"): "datasets/main",
    keys.files_key("main", f"s3://bucket/d/{DATASET}/"): f"files/main/{DATASET}.parquet",
    keys.part_key("runs/main/one", "owner-name", 3): "runs/main/one/load/owner-name/part-00003.parquet",
    keys.chunks_key("runs/main/one", 3): "runs/main/one/split/shard-00003.parquet",
    keys.vectors_folder("runs/main/one", "0123456789abcdef"): "runs/main/one/embed/0123456789ab",
    keys.vectors_stem("runs/main/one", "0123456789abcdef", 3): "runs/main/one/embed/0123456789ab/shard-00003",
    keys.batch_stem("runs/main/one/embed/0/shard-00003", "x"): "runs/main/one/embed/0/shard-00003/batch-x",
    keys.archive_key("owner-name", COMMIT): f"snapshots/owner-name/{COMMIT}.tar",
    keys.watched_key("main", "0123456789ab"): "watched/main/0123456789ab.json",
    keys.watch_report_key("main"): "watched/main/checked.json",
    keys.description_key(f"snapshots/owner-name/{COMMIT}.tar"): f"snapshots/owner-name/{COMMIT}.json",
}


@pytest.mark.parametrize(("made", "written"), SPELLED.items(), ids=SPELLED.values())
def test_keys_stay_as_they_were_written(made: str, written: str) -> None:
    assert made == written


@pytest.mark.parametrize(
    ("key", "owner"),
    {
        f"datasets/main/{DATASET}/_deeplake_log/x": ("dataset", "main", f"datasets/main/{DATASET}"),
        "datasets/main/notes/x": None,
        f"datasets/No alias/{DATASET}/x": None,
        "runs/main/one/load/x/part-00000.parquet": ("run", "main", "runs/main/one"),
        f"files/main/{DATASET}.parquet": ("file list", "main", f"files/main/{DATASET}.parquet"),
        "files/main/notes.parquet": None,
        f"claims/main/{DATASET}.json": ("claim", "main", f"claims/main/{DATASET}.json"),
        f"snapshots/owner-name/{COMMIT}.json": ("snapshot", "", f"snapshots/owner-name/{COMMIT}.tar"),
        f"snapshots/owner-name/{COMMIT}.tar": ("snapshot", "", f"snapshots/owner-name/{COMMIT}.tar"),
        "snapshots/owner-name/notes.tar": None,
        "aliases/main/00000001.json": None,
        "definitions/main.json": None,
        "notes": None,
    }.items(),
)
def test_a_key_tells_what_its_object_belongs_to(key: str, owner: tuple[str, str, str] | None) -> None:
    assert keys.owner_of(key) == owner


@pytest.mark.parametrize(
    ("name", "number"),
    [("00000042.json", 42), ("123456789.json", 123456789), ("00000000.json", 0), ("42.json", 0), ("notes", 0)],
)
def test_a_name_tells_which_entry_it_is(name: str, number: int) -> None:
    assert keys.entry_number(name) == number


def test_a_name_tells_whose_definition_it_is() -> None:
    assert [keys.defined_alias(name) for name in ("main.json", "Main.json", "main.txt")] == ["main", None, None]


def test_an_id_tells_when_its_dataset_was_begun() -> None:
    now = datetime(2026, 5, 3, 12, tzinfo=UTC)

    assert keys.begun_at(f"datasets/main/{keys.new_dataset_id(now)}") == now


@pytest.mark.parametrize("name", ["notes", "20260301t000000z", "99999999t999999z-000001", "20260301t000000z-00000g"])
def test_a_name_that_build_does_not_give_tells_no_time(name: str) -> None:
    assert keys.begun_at(f"datasets/main/{name}") is None


@pytest.mark.parametrize("alias", ["", "..", "a/b", "A"])
def test_no_key_is_made_of_what_can_be_no_alias(alias: str) -> None:
    with pytest.raises(UsageError):
        keys.definition_key(alias)
    with pytest.raises(UsageError):
        run_key(alias, "one")


def test_a_plain_run_id_is_its_folder() -> None:
    assert run_key("main", "nightly-7") == "runs/main/nightly-7"


@pytest.mark.parametrize("run_id", ["manual__2026-11-22T14:00:00+00:00", "../../etc", "..", "", "a/b", "x" * 300, "é"])
def test_any_run_id_is_one_folder_below_its_alias(run_id: str) -> None:
    parts = run_key("main", run_id).split("/")

    assert parts[:2] == ["runs", "main"]
    assert len(parts) == 3
    assert parts[2].strip(".")
    assert len(parts[2]) < 100


def test_run_ids_that_look_alike_have_different_folders() -> None:
    assert len({run_key("main", run_id) for run_id in ("a:b", "a+b", "a_b")}) == 3
