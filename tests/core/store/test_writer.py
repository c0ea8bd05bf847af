"""A dataset is written whole or not at all."""

import gc
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from askrepo.errors import DatasetCorruptedError, StorageError, UsageError, VerificationError
from askrepo.store.location import DatasetLocation
from askrepo.store.opening import open_dataset
from askrepo.store.schema import RowDigest, Rows
from askrepo.store.writer import DatasetWriter
from tests.core.datasets import DIMENSION, manifest_of, rows_of, unit_vectors


@pytest.fixture
def location(tmp_path: Path) -> DatasetLocation:
    return DatasetLocation.of(str(tmp_path / "datasets" / "main" / "one"))


def create(location: DatasetLocation) -> DatasetWriter:
    return DatasetWriter.create(location, dimension=DIMENSION, expected_bytes=0)


def test_committed_rows_are_readable_with_their_manifest(location):
    with create(location) as writer:
        writer.append(rows_of([{}, {}]))
        manifest = manifest_of("datasets/main/one", writer.rows, writer.digest)
        writer.commit(manifest)
        writer.build_indexes()

    reader = open_dataset(location.url)

    assert reader.manifest == manifest
    assert list(reader.chunks(["c0", "c1"])) == ["c0", "c1"]


def test_an_exception_leaves_no_rows(location):
    def fail() -> None:
        with create(location) as writer:
            writer.append(rows_of([{}]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    gc.collect()

    with pytest.raises(DatasetCorruptedError, match="no manifest"):
        open_dataset(location.url)


def test_leaving_without_commit_leaves_no_rows(location):
    with create(location) as writer:
        writer.append(rows_of([{}]))
    gc.collect()

    with pytest.raises(DatasetCorruptedError, match="no manifest"):
        open_dataset(location.url)


def test_an_empty_dataset_is_refused(location):
    with create(location) as writer:
        writer.append(rows_of([]))
        with pytest.raises(VerificationError, match="empty"):
            writer.commit(manifest_of("datasets/main/one", 0, writer.digest))


@pytest.mark.parametrize("field", ["chunks", "digest"])
def test_a_manifest_of_other_rows_is_refused(location, field):
    with create(location) as writer:
        writer.append(rows_of([{}]))
        manifest = manifest_of("datasets/main/one", writer.rows, writer.digest)
        other: Any = {field: 7 if field == "chunks" else "0" * 64}
        wrong = replace(manifest, **other)
        with pytest.raises(VerificationError, match="does not describe"):
            writer.commit(wrong)


@pytest.mark.parametrize(
    "rows",
    [
        rows_of([{"text": None}]),
        Rows({**rows_of([{}]).columns, "text": []}, unit_vectors(1)),
        rows_of([{}], unit_vectors(1, DIMENSION + 1)),
        rows_of([{}], unit_vectors(2)),
    ],
    ids=["missing value", "short column", "other dimension", "too many vectors"],
)
def test_incomplete_rows_are_refused(location, rows):
    with create(location) as writer, pytest.raises(VerificationError):
        writer.append(rows)


def test_too_little_space_is_found_before_writing(location):
    free = shutil.disk_usage(location.folder.parents[2]).free

    with pytest.raises(StorageError, match=r"needs [\d,]+ MiB free, .* has [\d,]+ MiB"):
        DatasetWriter.create(location, dimension=DIMENSION, expected_bytes=free)

    assert not location.folder.exists()


def test_an_existing_dataset_is_not_written_over(location):
    with create(location) as writer:
        writer.append(rows_of([{}]))
        writer.commit(manifest_of("datasets/main/one", writer.rows, writer.digest))

    with pytest.raises(StorageError, match="exists"):
        create(location)


def test_an_unwritable_place_is_a_storage_error(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="cannot write dataset"):
        create(DatasetLocation.of(str(tmp_path / "file" / "one")))


def test_the_digest_does_not_depend_on_batches():
    rows = rows_of([{"text": "a"}, {"text": "b"}, {"text": "c"}])
    whole, parted = RowDigest(), RowDigest()
    whole.update(rows)
    for cut in (slice(0, 1), slice(1, 3)):
        parted.update(Rows({name: values[cut] for name, values in rows.columns.items()}, rows.vectors[cut]))

    assert whole.hexdigest() == parted.hexdigest()


@pytest.mark.parametrize("change", [{"path": "b.py"}, {"end_line": 10}, {"lexemes": "x"}, {"vector_id": "x"}])
def test_the_digest_sees_every_column(change):
    assert digest_of_rows([{}]) != digest_of_rows([change])


def test_the_digest_sees_vectors_and_order():
    vectors = unit_vectors(2)
    nudged = np.nextafter(vectors, 2, dtype=np.float32)

    assert len({digest_of_rows([{}, {}], each) for each in (vectors, nudged, vectors[::-1])}) == 3


def digest_of_rows(rows: list[dict], vectors: np.ndarray | None = None) -> str:
    digest = RowDigest()
    digest.update(rows_of(rows, vectors))
    return digest.hexdigest()


def test_credentials_of_a_location_are_not_shown():
    env = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    location = DatasetLocation.of("s3://bucket/datasets/main/one", env=env)

    assert location.arguments == {
        "url": "s3://bucket/datasets/main/one",
        "creds": {
            "aws_access_key_id": "AKIA",
            "aws_secret_access_key": "hush",
            "endpoint_url": "http://127.0.0.1:1",
        },
    }
    assert "hush" not in repr(location)


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("gs://bucket/one", {"url": "gcs://bucket/one"}),
        ("az://container/one", {"url": "az://account/container/one"}),
        ("al://organisation/one", {"url": "al://organisation/one", "token": "hush"}),
        ("file:///data/one", {"url": "/data/one"}),
    ],
)
def test_urls_are_spelled_as_deep_lake_wants_them(url, spelled):
    env = {"AZURE_STORAGE_ACCOUNT_NAME": "account", "ACTIVELOOP_TOKEN": "hush"}

    assert DatasetLocation.of(url, env=env).arguments == spelled


def test_an_unknown_scheme_is_refused():
    with pytest.raises(UsageError, match="scheme"):
        DatasetLocation.of("ftp://host/one")
