"""An alias goes back to an earlier dataset that is still there and whole, and to nothing else."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.claims import claimed
from askrepo.aliases.publish import publish
from askrepo.aliases.rollback import rollback_alias
from askrepo.errors import DatasetCorruptedError, StorageError, UnavailableError, UnknownAliasError, UsageError
from askrepo.types import AliasEntry
from askrepo.workspace.objects import Workspace
from tests.core.datasets import rows_of, write_dataset

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def catalogue(workspace: Workspace) -> AliasCatalogue:
    return AliasCatalogue(workspace)


@pytest.fixture
def swap(workspace: Workspace, catalogue: AliasCatalogue) -> Callable[[int], AliasEntry]:
    """Write a dataset and move the alias there: its entry and its dataset have one number."""

    def call(number: int) -> AliasEntry:
        dataset = f"datasets/main/20260301t000000z-{number:06x}"
        manifest = write_dataset(workspace, rows_of([{"text": f"text {number}"}] * 4), dataset=dataset)
        return publish(catalogue, manifest, number, "swap", workspace=workspace, now=START)

    return call


@pytest.fixture
def three(swap) -> list[AliasEntry]:
    return [swap(number) for number in (1, 2, 3)]


def test_rollback_goes_to_the_dataset_before(three, workspace, catalogue):
    entry = rollback_alias("main", workspace=workspace, now=START + HOUR)

    assert catalogue.current("main") == entry
    assert (entry.number, entry.reason, entry.manifest) == (4, "rollback", three[1].manifest)


def test_rollback_of_a_removed_alias_brings_its_last_dataset_back(three, workspace, catalogue):
    catalogue.append(replace(three[2], number=4, reason="removed"))

    entry = rollback_alias("main", workspace=workspace, now=START + HOUR)

    assert catalogue.current("main") == entry
    assert (entry.number, entry.reason, entry.manifest) == (5, "rollback", three[2].manifest)


def test_rollback_to_a_dataset_whose_removal_was_killed_is_refused(three, workspace, catalogue):
    with pytest.raises(StorageError), claimed("main", three[0].manifest.dataset, "remove", workspace=workspace):
        raise StorageError

    with pytest.raises(UnavailableError, match=r"-000001 .* was removed; those that remain: .*-000002, .*-000003"):
        rollback_alias("main", workspace=workspace, to="1")

    assert catalogue.number("main") == 3


def test_rollback_skips_entries_of_the_current_dataset(three, workspace):
    rollback_alias("main", workspace=workspace, to="3")

    assert rollback_alias("main", workspace=workspace).manifest == three[1].manifest


@pytest.mark.parametrize(
    "to",
    ["1", "00000001", "20260301t000000z-000001", "datasets/main/20260301t000000z-000001"],
    ids=["number", "padded number", "id", "key"],
)
def test_rollback_goes_where_it_is_told(three, workspace, to):
    assert rollback_alias("main", workspace=workspace, to=to).manifest == three[0].manifest


@pytest.mark.parametrize(
    ("to", "problem"),
    [("20260301", "several datasets"), ("2027", "no dataset"), ("", "no dataset"), ("9", "no dataset")],
)
def test_rollback_to_something_unclear_names_the_datasets(three, workspace, catalogue, to, problem):
    with pytest.raises(UsageError, match=f"{problem}.*20260301t000000z-000001, 20260301t000000z-000002"):
        rollback_alias("main", workspace=workspace, to=to)

    assert catalogue.number("main") == 3


def test_rollback_to_a_removed_dataset_names_those_that_remain(three, workspace, catalogue):
    shutil.rmtree(workspace.url_of(three[0].manifest.dataset))

    with pytest.raises(UnavailableError, match=r"-000001 .* was removed; those that remain: .*-000002, .*-000003"):
        rollback_alias("main", workspace=workspace, to="1")

    assert catalogue.number("main") == 3


def test_rollback_to_a_damaged_dataset_is_refused(three, workspace, catalogue):
    folder = Path(workspace.url_of(three[0].manifest.dataset))
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "askrepo-files.json")
    max(files, key=lambda path: path.stat().st_size).unlink()

    with pytest.raises(DatasetCorruptedError):
        rollback_alias("main", workspace=workspace, to="1")

    assert catalogue.current("main") == three[-1]


def test_rollback_with_one_dataset_only_says_so(swap, workspace):
    swap(1)

    with pytest.raises(UsageError, match="one dataset only"):
        rollback_alias("main", workspace=workspace)


def test_rollback_of_an_unknown_alias_names_the_known_ones(three, workspace):
    with pytest.raises(UnknownAliasError, match="known aliases: main"):
        rollback_alias("docs", workspace=workspace)
