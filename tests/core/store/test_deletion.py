"""A deletion that is killed at any point leaves nothing that could be taken for a dataset."""

from pathlib import Path

import pytest

from askrepo.errors import DatasetCorruptedError, StorageError
from askrepo.store.deletion import delete_dataset, in_order
from askrepo.store.location import DatasetLocation
from askrepo.store.opening import open_dataset
from askrepo.types import DatasetManifest
from askrepo.workspace.objects import Workspace
from tests.core.datasets import rows_of, write_dataset

DATASET = "datasets/main/20260301t000000z-000001"


def location(workspace: Workspace) -> DatasetLocation:
    return DatasetLocation.within(workspace, DATASET)


@pytest.mark.parametrize("has_inventory", [True, False])
def test_no_part_of_a_deleted_dataset_opens(workspace, has_inventory):
    manifest: DatasetManifest | None = write_dataset(workspace, rows_of([{"text": "some text"}] * 4), dataset=DATASET)
    if not has_inventory:  # as an earlier version left it on an object store, where no list is required
        workspace.delete(f"{DATASET}/askrepo-files.json")
        manifest = None
    url = workspace.url_of(DATASET)
    open_dataset(url, manifest=manifest)
    names = list(location(workspace).states())

    order = [name for group in in_order(names) for name in group]
    assert sorted(order) == sorted(names)
    for name in order:
        location(workspace).delete_files([name])
        with pytest.raises(DatasetCorruptedError):
            open_dataset(url, manifest=manifest)


def test_what_lists_the_files_goes_last(workspace):
    write_dataset(workspace, rows_of([{}]), dataset=DATASET)

    assert in_order(location(workspace).states())[-1] == ["askrepo-files.json"]


def test_a_deleted_dataset_leaves_no_directory_and_may_be_deleted_again(workspace):
    write_dataset(workspace, rows_of([{}]), dataset=DATASET)

    delete_dataset(location(workspace))
    delete_dataset(location(workspace))

    assert not Path(workspace.url_of(DATASET)).exists()


def test_a_dataset_whose_store_is_gone_is_no_error(tmp_path):
    delete_dataset(DatasetLocation.of(str(tmp_path / "nowhere" / "main" / "20260301t000000z-000001")))

    assert not (tmp_path / "nowhere").exists()


def test_what_a_link_leads_to_stays(workspace, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("mine")
    place = Path(workspace.url, DATASET)
    place.parent.mkdir(parents=True)
    place.symlink_to(elsewhere)

    with pytest.raises(StorageError, match="it is a link"):
        delete_dataset(location(workspace))
    place.unlink()
    (place / "rows").mkdir(parents=True)
    (place / "rows" / "1").symlink_to(elsewhere / "mine")
    (place / "folder").symlink_to(elsewhere)
    delete_dataset(location(workspace))

    assert (elsewhere / "mine").read_text() == "mine"
