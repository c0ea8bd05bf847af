"""Maintenance removes what nobody needs, and nothing else, whatever happens meanwhile."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from askrepo.aliases.claims import claimed, is_being_removed
from askrepo.aliases.kept import write_keep
from askrepo.aliases.rollback import rollback_alias
from askrepo.embedders.embedder import open_embedder
from askrepo.errors import DatasetCorruptedError, StorageError, UnavailableError, UsageError
from askrepo.housekeeping.maintenance import Plan, carry_out
from askrepo.housekeeping.report import plan_lines, summary, usage_by_alias
from askrepo.housekeeping.stored import Item
from askrepo.pipeline.build import build_dataset
from askrepo.pipeline.embed import embed_chunks
from askrepo.pipeline.load import gather_shards, load_files
from askrepo.pipeline.split import split_files
from askrepo.pipeline.swap import swap_alias
from askrepo.store.deletion import delete_dataset
from askrepo.store.location import DatasetLocation
from askrepo.store.opening import open_dataset
from askrepo.store.reader import DatasetReader
from askrepo.store.verification import open_unchanged, open_verified
from askrepo.types import AliasEntry, DatasetManifest
from askrepo.workspace.objects import Workspace
from tests.core.datasets import rows_of, unit_vectors, write_dataset
from tests.core.stores import DAY, HOUR, LATER, NOW, Store, archive_of, dataset_key
from tests.datasets import build_alias
from tests.s3_server import s3_server  # noqa: F401

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def store(workspace: Workspace) -> Store:
    return Store(workspace)


def names(items: Iterable[Item], kind: str = "") -> list[str]:
    return [item.name for item in items if kind in ("", item.kind)]


def everything(root: str) -> dict[str, tuple[int, int, int]]:
    """Every file and directory with what a write would change."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_size, path.lstat().st_ino)
        for path in Path(root).rglob("*")
    }


# What goes and what stays -------------------------------------------------------------------------------------------


def test_datasets_beyond_the_retention_go_with_their_lists(store):
    old, *kept = store.swaps(3)

    outcome = store.maintain()

    assert names(outcome.removed) == [old]
    assert {key for key in store.all_keys() if old.rpartition("/")[2] in key} == set()
    assert names(store.plan().items, "dataset") == kept
    assert len([key for key in store.all_keys() if key.startswith("files/")]) == 2


def test_what_no_swap_published_goes_after_a_day(store):
    store.enter(store.dataset(1))
    orphan = store.dataset(2)

    assert store.maintain(now=NOW + 23 * HOUR).removed == ()
    assert names(store.maintain(now=NOW + 25 * HOUR).removed) == [orphan]


def test_a_first_build_that_was_killed_goes_too(store):
    orphan = store.dataset(1)

    assert names(store.maintain().removed) == [orphan]


def test_datasets_of_a_removed_alias_go_after_a_day_and_its_runs_with_age(store):
    datasets, run = store.swaps(2), store.run("run-1")
    store.enter(datasets[1], reason="removed", at=NOW + HOUR)

    assert store.maintain(now=NOW + 24 * HOUR).removed == ()
    assert names(store.maintain(now=NOW + 26 * HOUR).removed) == datasets
    assert names(store.maintain(now=NOW + 8 * DAY).removed) == [run]


def test_a_dataset_whose_swap_is_many_entries_ago_is_no_orphan(store):
    begun = NOW - 100 * DAY
    store.enter(store.dataset(1, begun=begun), at=begun)
    for number in (2, 3):
        store.dataset(number)
    for day in range(60):
        store.enter(dataset_key(2 + day % 2), at=begun + day * DAY)

    assert store.maintain(retention=3).removed == ()


def test_lists_of_datasets_that_are_gone_go_after_a_day(store):
    store.swaps(1)
    key = "files/main/20260301t000000z-00000a.parquet"
    store.workspace.write(key, b"x")

    assert store.maintain(now=NOW + HOUR).removed == ()
    assert names(store.maintain().removed) == [key]


def test_runs_but_the_last_three_go_with_age(store):
    runs = [store.run(f"manual__2026-03-0{day}") for day in range(1, 6)]

    assert store.maintain(now=NOW + 6 * DAY).removed == ()
    assert names(store.maintain(now=NOW + 8 * DAY).removed) == runs[:2]
    assert store.workspace.list_folders("runs/main") == [run.rpartition("/")[2] for run in runs[2:]]


def test_snapshots_go_with_age_unless_a_current_dataset_was_built_from_them(store):
    old, current = store.snapshot("a"), store.snapshot("b")
    for number, commit in enumerate("ab", 1):
        store.enter(store.dataset(number), commit=commit)

    assert store.maintain(now=NOW + 6 * DAY).removed == ()
    assert names(store.maintain().removed) == [old]
    assert {key for key in store.all_keys() if key.startswith("snapshots/")} == {
        current,
        current.replace(".tar", ".json"),
    }


def test_temporary_files_go_after_a_day(store):
    store.run("run-1")
    left = Path(store.workspace.url, "runs/main/run-1/load/part.parquet#1")
    left.write_bytes(b"half")

    assert store.maintain(now=NOW + HOUR).removed == ()
    assert names(store.maintain().removed) == ["runs/main/run-1/load/part.parquet#1"]
    assert not left.exists()


def test_claims_that_were_left_go_after_a_day(store):
    with pytest.raises(StorageError), claimed("main", dataset_key(1), "remove", workspace=store.workspace):
        raise StorageError

    assert store.maintain(now=NOW + HOUR).removed == ()
    assert names(store.maintain().removed, "claim") == [f"claims/main/{dataset_key(1).rpartition('/')[2]}.json"]


def test_only_the_named_aliases_are_touched(store):
    old = {alias: store.swaps(3, alias)[0] for alias in ("docs", "main")}
    store.snapshot("f")

    assert names(store.maintain(aliases=["docs"]).removed) == [old["docs"]]
    assert names(store.maintain().removed) == [old["main"], archive_of("f")]


def test_an_unknown_alias_is_named_with_the_known_ones(store):
    store.swaps(1)

    with pytest.raises(UsageError, match=r"nothing of an alias 'docs'; it knows: main"):
        store.plan(aliases=["docs"])


def test_an_empty_workspace_has_nothing_to_do(store):
    assert store.plan().items == ()
    assert "nothing" in "\n".join(plan_lines(store.plan(), "here"))


# What must not be touched -------------------------------------------------------------------------------------------


def test_foreign_files_are_not_touched(store, tmp_path):
    store.swaps(3)
    for number in range(1, 5):
        store.run(f"run-{number}")
    foreign = [
        "readme.txt",
        "datasets/readme.txt",
        "datasets/main/readme.txt",
        "datasets/main/notes/readme.txt",
        "datasets/main/99999999t999999z-000001/x",
        "datasets/UPPER/20260301t000000z-000001/x",
        "runs/readme.txt",
        "runs/main/readme.txt",
        "runs/main/notes/readme.txt",
        "snapshots/readme.txt",
        "snapshots/o-n/readme.txt",
        "snapshots/o-n/abc.tar",
        "files/main/readme.parquet",
        "claims/main/readme.json",
        "backup/datasets/main/20260301t000000z-000001/x",
        "aliases/main/readme.json#1x",
        "definitions/old.json",
    ]
    for key in foreign:
        store.workspace.write(key, b"mine")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    Path(store.workspace.url, "datasets/main/20260301t000000z-000001").symlink_to(outside)
    Path(store.workspace.url, "backup#1").write_text("mine")
    entries = {key for key in store.all_keys() if key.startswith("aliases/")}

    store.maintain()

    assert entries | set(foreign) <= store.all_keys()
    assert (outside / "mine").read_text() == "mine"
    assert Path(store.workspace.url, "backup#1").exists()


def test_a_plan_writes_nothing_at_all(store):
    store.swaps(3)
    store.run("run-1")
    store.snapshot("f")
    before = everything(store.workspace.url)

    plan = store.plan()
    list(plan_lines(plan, store.workspace.url))

    assert len(plan.removals) > 1
    assert everything(store.workspace.url) == before


def test_a_run_between_split_and_embed_goes_on(tmp_path):
    built = build_alias(tmp_path, {"a.py": "def first():\n    return 1\n"})
    workspace, run = built.workspace, "runs/main/manual__2026-01-01"
    store = Store(workspace)
    built.repositories[0].commit({"a.py": "def second():\n    return 2\n"})
    from askrepo.pipeline.clone import clone_repository
    from askrepo.pipeline.plan import plan_run

    [repository] = plan_run(built.definition, allow_local=True)
    snapshot = clone_repository(repository, workspace=workspace, timeout_s=60, max_bytes=10**9, allow_local=True)
    load = load_files(snapshot, workspace=workspace, run=run, include=(), exclude=(), max_file_bytes=10**6)
    chunks = [split_files(shard, workspace=workspace, run=run) for shard in gather_shards([load])]
    later_runs = [store.run(f"manual__2026-02-0{day}") for day in range(1, 5)]
    for key in (key for later in later_runs for key in workspace.list_keys(later)):
        os.utime(workspace.url_of(key), (0, 0))

    outcome = store.maintain(now=datetime.now(UTC), run_age=timedelta(0))

    # `run-1` of `build_alias` is the last by name: so two of the four are, and the run under way is young.
    assert names(outcome.removed) == later_runs[:2]
    embedder = open_embedder("hash", cache=tmp_path)
    vectors = [
        embed_chunks(shard, workspace=workspace, run=run, embedder=embedder, current_vectors=None) for shard in chunks
    ]
    manifest = build_dataset(
        built.definition,
        [snapshot],
        [load],
        vectors,
        workspace=workspace,
        run=run,
        fingerprint=embedder.fingerprint,
    )
    assert swap(store, manifest, expected_number=1).number == 2


def test_a_run_that_is_taken_up_again_after_the_plan_stays(store):
    old, *_ = [store.run(f"manual__2026-03-0{day}") for day in range(1, 5)]
    plan = store.plan(now=NOW + 8 * DAY)
    os.utime(store.workspace.url_of(f"{old}/load/part.parquet"), (plan.as_of.timestamp(), plan.as_of.timestamp()))

    outcome = carry_out(plan, workspace=store.workspace)

    assert names(plan.removals) == [old]
    assert outcome.removed == ()
    assert outcome.spared == {old: "it was taken up again"}


def test_a_snapshot_that_is_published_again_after_the_plan_stays(store):
    archive = store.snapshot("f")
    plan = store.plan()
    os.utime(store.workspace.url_of(archive), (plan.as_of.timestamp(), plan.as_of.timestamp()))

    assert carry_out(plan, workspace=store.workspace).spared == {archive: "it was published again"}


def test_a_current_dataset_of_another_alias_stays(store):
    old, *_ = store.swaps(3)
    store.enter(old, "copy")

    assert store.maintain().removed == ()
    [item] = [item for item in store.plan().items if item.name == old]
    assert item.why == "current dataset of alias copy"


@pytest.mark.parametrize(
    "key", ["aliases/main/00000002.json", "aliases/other/00000001.json"], ids=["its own", "another"]
)
def test_nothing_is_removed_that_an_unreadable_log_may_name(store, key):
    store.swaps(3)
    archive, runs = store.snapshot("f"), [store.run(f"run-{number}") for number in range(1, 5)]
    store.workspace.write(key, b"{")

    plan = store.plan()

    assert names(plan.removals) == runs[:1]
    assert key in plan.problems[0]
    assert archive in names(plan.kept)
    assert any("could not be judged" in line for line in plan_lines(plan, "here"))


# Readers, rollbacks and swaps at the same time ----------------------------------------------------------------------


def make(store: Store, number: int, begun: datetime = NOW) -> DatasetManifest:
    """A real dataset."""
    return write_dataset(
        store.workspace, rows_of([{"text": f"text {number}"}] * 4), dataset=dataset_key(number, begun=begun)
    )


def swap(store: Store, manifest: DatasetManifest, *, expected_number: int, now: datetime | None = None) -> AliasEntry:
    return swap_alias(
        manifest,
        workspace=store.workspace,
        expected_number=expected_number,
        force=True,
        min_size_ratio=0,
        retention=9,
        grace_s=3600,
        now=now,
    )


@pytest.fixture
def three(store: Store) -> list[DatasetManifest]:
    """Real datasets, of which the first is beyond the retention."""
    manifests = [make(store, number) for number in (1, 2, 3)]
    for at, manifest in enumerate(manifests):
        swap(store, manifest, expected_number=at, now=NOW)
    return manifests


def test_a_reader_keeps_its_dataset_for_the_grace(store, three):
    reader = open_dataset(store.workspace.url_of(three[0].dataset), manifest=three[0])

    assert store.maintain(now=NOW + HOUR).removed == ()
    assert len(reader.nearest(unit_vectors(1)[0], limit=4)) == 4
    assert names(store.maintain(now=NOW + 61 * timedelta(minutes=1)).removed) == [three[0].dataset]


def test_a_dataset_that_a_rollback_made_current_after_the_plan_stays(store, three):
    plan = store.plan()
    rollback_alias("main", workspace=store.workspace, to="1")

    outcome = carry_out(plan, workspace=store.workspace)

    assert outcome.spared == {three[0].dataset: "entry 4 names it by now"}
    assert not is_being_removed("main", three[0].dataset, workspace=store.workspace)
    open_verified(store.workspace.url_of(three[0].dataset), manifest=three[0])


def test_one_that_was_current_for_a_moment_after_the_plan_stays_for_the_grace(store, three):
    plan = store.plan()
    rollback_alias("main", workspace=store.workspace, to="1")
    rollback_alias("main", workspace=store.workspace, to="3")

    assert carry_out(plan, workspace=store.workspace).removed == ()


def test_a_swap_that_waited_for_long_keeps_its_dataset(store, three):
    waiting = make(store, 4)
    plan = store.plan()
    swap(store, waiting, expected_number=3)

    outcome = carry_out(plan, workspace=store.workspace)

    assert waiting.dataset in names(plan.removals)
    assert outcome.spared == {waiting.dataset: "entry 4 names it by now"}


def test_maintenance_in_the_middle_of_a_rollback_leaves_its_dataset_alone(store, three, monkeypatch):
    outcomes = []

    def with_maintenance(url: str, *, manifest: DatasetManifest) -> DatasetReader:
        reader = open_unchanged(url, manifest=manifest)
        outcomes.append(store.maintain())
        return reader

    monkeypatch.setattr("askrepo.aliases.publish.open_unchanged", with_maintenance)
    rollback_alias("main", workspace=store.workspace, to="1")
    monkeypatch.undo()

    assert outcomes[0].removed == ()
    assert "somebody is moving its alias to it" in outcomes[0].spared[three[0].dataset]
    open_unchanged(store.workspace.url_of(three[0].dataset), manifest=three[0])


def test_a_rollback_in_the_middle_of_a_removal_is_refused(store, three, monkeypatch):
    refused = []

    def with_a_rollback(location: DatasetLocation, names: Sequence[str]) -> None:
        if not refused:
            with pytest.raises(
                UnavailableError, match=r"was removed; those that remain: .*-000002, .*-000003"
            ) as error:
                rollback_alias("main", workspace=store.workspace, to="1")
            refused.append(error.value)
        delete_files(location, names)

    delete_files = DatasetLocation.delete_files
    monkeypatch.setattr(DatasetLocation, "delete_files", with_a_rollback)
    outcome = store.maintain()

    assert refused
    assert names(outcome.removed) == [three[0].dataset]
    assert store.catalogue.number("main") == 3


def test_a_half_removed_dataset_is_removed_even_if_more_are_kept_by_now(store, three, monkeypatch):
    def failing(location: DatasetLocation, names: Sequence[str]) -> None:
        delete_files(location, names[:1])
        raise StorageError("the store is out of reach")

    delete_files = DatasetLocation.delete_files
    monkeypatch.setattr(DatasetLocation, "delete_files", failing)
    assert list(store.maintain().failed) == [three[0].dataset]
    monkeypatch.undo()

    with pytest.raises(UnavailableError, match="was removed"):
        rollback_alias("main", workspace=store.workspace, to="1")
    plan = store.plan(retention=9)
    assert [item.why for item in plan.removals] == ["its removal has begun"]
    assert names(carry_out(plan, workspace=store.workspace).removed) == [three[0].dataset]
    assert not [key for key in store.all_keys() if key.startswith("claims/")]


def test_what_cannot_be_removed_does_not_keep_the_rest(store, monkeypatch):
    first, second, _ = store.swaps(3)

    def failing(location: DatasetLocation) -> None:
        if location.url.endswith(first):
            raise StorageError("the store is out of reach")
        delete_dataset(location)

    monkeypatch.setattr("askrepo.housekeeping.removal.delete_dataset", failing)
    outcome = store.maintain(retention=1)
    monkeypatch.undo()

    assert (names(outcome.removed), outcome.failed) == ([second], {first: "the store is out of reach"})
    assert names(store.maintain(retention=1).removed) == [first]


CALLS = ("create", "delete", "exists", "list_folders", "list_keys", "list_names", "read", "read_document", "write")


@pytest.mark.slow
@pytest.mark.parametrize("first", ["rollback", "removal"])
def test_a_rollback_and_a_removal_may_meet_at_any_point(store, tmp_path, monkeypatch, first):
    """One of them runs as a whole at each call of the store that the other makes, in one workspace after the other."""
    manifests = [make(store, number) for number in (1, 2)]
    for at, manifest in enumerate(manifests):
        swap(store, manifest, expected_number=at, now=NOW)
    met = 0
    while True:
        met += 1
        copy = Store(Workspace.open(str(shutil.copytree(store.workspace.url, tmp_path / f"copy-{met}"))))
        plan = copy.plan(retention=1)
        deeds: dict[str, Callable[[], bool]] = {
            "rollback": partial(rolled_back, copy),
            "removal": partial(removed, copy, plan),
        }
        done = {}

        def other(deeds=deeds, done=done) -> None:
            for name, deed in deeds.items():
                if name != first:
                    done[name] = deed()

        with monkeypatch.context() as patch:
            interrupt(patch, other, at=met)
            done[first] = deeds[first]()
        if len(done) < 2:
            break
        assert done["rollback"] is not done["removal"]
        current = copy.catalogue.current("main").manifest
        assert current == manifests[0 if done["rollback"] else 1]
        open_verified(copy.workspace.url_of(current.dataset), manifest=current)
        assert copy.workspace.list_keys("claims") == []
    assert met > 10


def rolled_back(store: Store) -> bool:
    try:
        return rollback_alias("main", workspace=store.workspace, to="1").number == 3
    except UnavailableError:
        return False


def removed(store: Store, plan: Plan) -> bool:
    return carry_out(plan, workspace=store.workspace).removed != ()


def interrupt(patch: pytest.MonkeyPatch, action: Callable[[], None], *, at: int) -> None:
    """Do something before the workspace answers the call of that number, once."""
    calls = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == at:
                action()
            return function(*arguments, **options)

        return call

    for name in CALLS:
        patch.setattr(Workspace, name, counted(getattr(Workspace, name)))
    patch.setattr(DatasetLocation, "delete_files", counted(DatasetLocation.delete_files))


# What is kept on purpose ---------------------------------------------------------------------------------------------


def test_what_keep_names_stays_until_it_names_it_no_more(store):
    first, second, *_ = store.swaps(5)
    write_keep("main", ("1",), workspace=store.workspace)

    assert names(store.maintain().removed) == [second, dataset_key(3)]
    [item] = [item for item in store.plan().items if item.name == first]
    assert (item.stays, item.why) == (True, "named by keep: 1")
    assert f"files/main/{first.rpartition('/')[2]}.parquet" in store.all_keys()

    write_keep("main", (), workspace=store.workspace)
    assert names(store.maintain().removed) == [first]


@pytest.mark.parametrize("item", ["1", "20260301t000000z-000001", "20260301", "n@aaaa", "v1.2", "o/n@v1.2"])
def test_it_is_named_in_any_way_that_at_takes(store, item):
    begun = datetime(2026, 3, 1, tzinfo=UTC)
    first = store.dataset(1, begun=begun)
    store.enter(first, ref="v1.2", at=begun)
    for number in (2, 3):
        store.enter(store.dataset(number), commit="b")
    write_keep("main", (item,), workspace=store.workspace)

    assert names(store.maintain(retention=1).removed) == [dataset_key(2)]
    assert first in names(store.plan(retention=1).kept)


def test_only_the_alias_that_names_it_keeps_it(store):
    old = {alias: store.swaps(3, alias)[0] for alias in ("docs", "main")}
    write_keep("docs", ("1",), workspace=store.workspace)

    assert names(store.maintain().removed) == [old["main"]]


def test_a_kept_dataset_outside_the_workspace_stays(store, tmp_path):
    elsewhere = Store(Workspace.open(str(tmp_path / "elsewhere")))
    urls = [f"{tmp_path}/elsewhere/{elsewhere.dataset(number, has_list=False)}" for number in (1, 2, 3)]
    for url in urls:
        store.enter(url)
    write_keep("main", ("1",), workspace=store.workspace)

    assert names(store.maintain(retention=1).removed) == urls[1:2]
    assert [Path(url).exists() for url in urls] == [True, False, True]


def test_of_a_removed_alias_nothing_is_kept(store):
    datasets = store.swaps(2)
    write_keep("main", ("1",), workspace=store.workspace)
    store.enter(datasets[1], reason="removed", at=NOW + HOUR)

    assert store.maintain(now=NOW + 24 * HOUR).removed == ()
    assert names(store.maintain(now=NOW + 26 * HOUR).removed) == datasets


def test_one_that_comes_back_keeps_it_again(store):
    first, *_ = store.swaps(4)
    write_keep("main", ("1",), workspace=store.workspace)
    store.enter(dataset_key(4), reason="removed", at=NOW + HOUR)
    store.enter(dataset_key(4), reason="rollback", at=NOW + 2 * HOUR)

    assert first not in names(store.maintain().removed)


def test_what_is_kept_after_the_plan_stays(store, three):
    plan = store.plan()
    write_keep("main", ("1",), workspace=store.workspace)

    outcome = carry_out(plan, workspace=store.workspace)

    assert outcome.spared == {three[0].dataset: "keep names it by now: 1"}
    assert not is_being_removed("main", three[0].dataset, workspace=store.workspace)
    assert rollback_alias("main", workspace=store.workspace, to="1").number == 4


def test_what_is_kept_while_it_is_being_removed_is_told(store, three, monkeypatch):
    told = []

    def with_a_keep(location: DatasetLocation, names: Sequence[str]) -> None:
        told.extend(write_keep("main", ("1",), workspace=store.workspace))
        delete_files(location, names)

    delete_files = DatasetLocation.delete_files
    monkeypatch.setattr(DatasetLocation, "delete_files", with_a_keep)

    assert names(store.maintain().removed) == [three[0].dataset]
    assert "keep '1' keeps nothing: entry 1 of main" in told[0]


def test_a_removal_that_has_begun_is_finished_whatever_is_kept_since(store, three, monkeypatch):
    def failing(location: DatasetLocation, names: Sequence[str]) -> None:
        delete_files(location, names[:1])
        raise StorageError("the store is out of reach")

    delete_files = DatasetLocation.delete_files
    monkeypatch.setattr(DatasetLocation, "delete_files", failing)
    store.maintain()
    monkeypatch.undo()
    write_keep("main", ("1",), workspace=store.workspace)

    assert names(store.maintain().removed) == [three[0].dataset]


def test_nothing_is_removed_that_an_unreadable_keep_may_name(store):
    store.swaps(3)
    store.workspace.write("kept/main.json", b"{")

    plan = store.plan()

    assert names(plan.removals, "dataset") == []
    assert "kept/main.json" in plan.problems[0]


def test_a_keep_that_becomes_unreadable_spares_the_dataset_and_lets_go_of_it(store, three):
    plan = store.plan()
    store.workspace.write("kept/main.json", b"{")

    outcome = carry_out(plan, workspace=store.workspace)

    assert (outcome.removed, outcome.failed) == ((), {})
    assert "kept/main.json" in outcome.spared[three[0].dataset]
    assert not is_being_removed("main", three[0].dataset, workspace=store.workspace)


# Killed half-way ----------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from datetime import datetime, timedelta
from pathlib import Path
from askrepo.housekeeping.maintenance import carry_out, plan_maintenance
from askrepo.housekeeping.retention import Limits
from askrepo.workspace.objects import Workspace

left = int(sys.argv[2])
def counted(action):
    def count(*arguments, **options):
        global left
        if "#" in str(arguments[0]):  # a file in the making
            return action(*arguments, **options)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return action(*arguments, **options)
    return count
Path.unlink = counted(Path.unlink)
Workspace.create = counted(Workspace.create)

workspace = Workspace.open(sys.argv[1])
limits = Limits(retention=2, grace=timedelta(hours=1), run_age=timedelta(days=7))
carry_out(plan_maintenance(workspace, limits, now=datetime.fromisoformat(sys.argv[3])), workspace=workspace)
print("done", left)
"""


def start_maintenance(store: Store, steps: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", KILLED, store.workspace.url, str(steps), LATER.isoformat()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


# Of a dataset of some fifty files: its claim, its log, its rows, the last of them; then a run and a snapshot.
@pytest.mark.slow
@pytest.mark.parametrize("steps", [0, 1, 2, 4, 30, "-6", "-4", "-2"])
def test_killed_at_any_point_it_goes_on_next_time(store, three, steps):
    for number in range(1, 5):
        store.run(f"run-{number}")
    store.snapshot("f")
    store.workspace.write(f"files/main/{three[0].dataset.rpartition('/')[2]}.parquet", b"x")
    files = len(store.workspace.list_keys(three[0].dataset))
    total = 1 + files + 1 + 1 + 1 + 2  # a claim, files, their list, the claim again, a run, a snapshot
    keys_of_the_current = store.workspace.list_keys(three[2].dataset)

    killed = start_maintenance(store, total + int(steps) if isinstance(steps, str) else steps)

    assert killed.returncode == -9, killed.stdout + killed.stderr
    if steps not in (0, 1):
        with pytest.raises((DatasetCorruptedError, UnavailableError)):
            open_dataset(store.workspace.url_of(three[0].dataset), manifest=three[0])
    if steps != 0:
        with pytest.raises(UnavailableError, match="was removed"):
            rollback_alias("main", workspace=store.workspace, to="1")
    assert store.maintain().failed == {}
    assert sorted(names(store.plan().items)) == sorted(
        [three[1].dataset, three[2].dataset, "runs/main/run-2", "runs/main/run-3", "runs/main/run-4"]
    )
    assert not Path(store.workspace.url_of(three[0].dataset)).exists()
    assert store.workspace.list_keys(three[2].dataset) == keys_of_the_current


# Elsewhere ----------------------------------------------------------------------------------------------------------


def test_datasets_outside_the_workspace_go_by_the_same_measure(store, tmp_path):
    outside = tmp_path / "elsewhere"
    elsewhere = Store(Workspace.open(str(outside)))
    datasets = [elsewhere.dataset(number, has_list=False) for number in (1, 2, 3)]
    urls = [f"{outside}/{dataset}" for dataset in datasets]
    for url in urls:
        store.enter(url)
    listed = f"files/main/{urls[0].rpartition('/')[2]}.parquet"
    store.workspace.write(listed, b"x")

    outcome = store.maintain()

    assert [(item.name, item.objects, item.bytes) for item in outcome.removed] == [(urls[0], 3, 30)]
    assert [Path(url).exists() for url in urls] == [False, True, True]
    assert listed not in store.all_keys()


def test_a_dataset_outside_that_no_entry_names_goes_only_if_a_run_of_this_workspace_wrote_it(store, tmp_path):
    outside = Store(Workspace.open(str(tmp_path / "elsewhere")))
    foreign, ours = (outside.dataset(number, has_list=False) for number in (1, 2))
    outside.workspace.write("datasets/main/notes/readme.txt", b"mine")
    store.enter(dataset_key(3))
    ours_id = ours.rpartition("/")[2]
    store.workspace.write(f"files/main/{ours_id}.parquet", b"x")
    urls = f"{outside.workspace.url}/datasets"

    outcome = store.maintain(outside=urls)

    assert names(outcome.removed) == [f"{urls}/main/{ours_id}"]
    assert [key for key in outside.all_keys() if foreign in key]
    [item] = [item for item in store.plan(outside=urls).items if item.kind == "dataset"]
    assert "another workspace may have built it" in item.why


@pytest.mark.parametrize(("swaps", "is_set"), [(40, False), (90, True)], ids=["by a late entry", "by the setting"])
def test_a_dataset_outside_whose_swap_is_long_ago_is_found(store, tmp_path, swaps, is_set):
    outside = Store(Workspace.open(str(tmp_path / "elsewhere")))
    begun = NOW - 100 * DAY
    url = f"{outside.workspace.url}/{outside.dataset(1, begun=begun, has_list=False)}"
    store.enter(url, at=begun)
    for day in range(swaps):
        store.enter(dataset_key(7), at=begun + day * DAY)
    store.dataset(7)
    store.enter(store.dataset(8))

    outcome = store.maintain(outside=f"{outside.workspace.url}/datasets" if is_set else None)

    assert names(outcome.removed) == [url]


@pytest.mark.slow
def test_it_works_the_same_on_an_object_store(s3_server):  # noqa: F811
    environment = s3_server.environment
    store = Store(Workspace.open(f"s3://{s3_server.new_bucket()}/workspace", env=environment))
    old, *kept = store.swaps(3)
    orphan = store.dataset(9)
    runs = [store.run(f"run-{number}") for number in range(1, 5)]
    archive = store.snapshot("f")
    store.workspace.write("runs/main/readme.txt", b"mine")

    outcome = store.maintain()

    assert names(outcome.removed) == [old, orphan, runs[0], archive]
    assert [(item.objects, item.bytes) for item in outcome.removed] == [(3, 30), (3, 30), (1, 3), (2, 14)]
    assert names(store.plan().items) == [
        *kept,
        *runs[1:],
        *(f"files/main/{k.rpartition('/')[2]}.parquet" for k in kept),
    ]
    assert store.workspace.read("runs/main/readme.txt") == b"mine"


# What it says -------------------------------------------------------------------------------------------------------


def test_storage_per_alias_adds_up_and_counts_shared_snapshots_once(store):
    for alias in ("docs", "main"):
        store.enter(store.dataset(1, alias), alias, commit="a")
    store.enter(store.dataset(2), commit="b")
    store.run("run-1")
    for commit in "abf":
        store.snapshot(commit)
    store.enter(dataset_key(2), commit="b")
    store.enter(dataset_key(1, "docs"), "docs", commit="a")

    usage = usage_by_alias(store.plan())

    assert [(alias, kind, one.count) for alias, kinds in usage.items() for kind, one in kinds.items() if one.count] == [
        ("docs", "dataset", 1),
        ("docs", "snapshot", 1),
        ("docs", "file list", 1),
        ("main", "dataset", 2),
        ("main", "run", 1),
        ("main", "snapshot", 1),
        ("main", "file list", 2),
        ("(shared)", "snapshot", 1),
    ]
    kept_apart = ("aliases/",)
    files = [path for path in Path(store.workspace.url).rglob("*") if path.is_file()]
    sizes = [
        path.stat().st_size for path in files if not str(path.relative_to(store.workspace.url)).startswith(kept_apart)
    ]
    assert sum(one.bytes for kinds in usage.values() for one in kinds.values()) == sum(sizes)
    assert sum(one.objects for kinds in usage.values() for one in kinds.values()) == len(sizes)


def test_a_snapshot_that_two_aliases_need_belongs_to_none(store):
    archive = store.snapshot("a")
    for alias in ("docs", "main"):
        store.enter(store.dataset(1, alias), alias, commit="a")

    [item] = [item for item in store.plan().items if item.kind == "snapshot"]

    assert (item.name, item.alias, item.stays) == (archive, "", True)


def test_the_report_says_what_goes_what_stays_and_why(store):
    old, _, current = store.swaps(3)

    text = "\n".join(plan_lines(store.plan(), "s3://bucket/workspace"))

    assert f"stored in s3://bucket/workspace: 105 B in 12 objects, as of {LATER:%Y-%m-%d %H:%M} UTC" in text
    assert "would be removed: 30 B in 3 objects" in text
    assert f"dataset {old}: left {NOW:%Y-%m-%d %H:%M}, not one of the newest 2" in text
    assert f"dataset {current}: current" in text


def test_the_summary_stays_small(store):
    for number in range(1, 50):
        store.run(f"run-{number:02}")

    found = summary(store.plan().removals)

    assert found == {
        "run": {"count": 46, "objects": 46, "bytes": 138, "first": [f"runs/main/run-0{n}" for n in (1, 2, 3)]}
    }
    lines = list(plan_lines(store.plan(), "here"))
    assert len(lines) < 40
    assert any("and 26 more" in line for line in lines)
