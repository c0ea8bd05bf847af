"""A run does as little as it can."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from askrepo.errors import UsageError
from askrepo.pipeline.plan import changed, definition_digest, plan_run
from askrepo.types import AliasEntry, Definition
from tests.core.datasets import SNAPSHOT, manifest_of, rows_of, write_dataset
from tests.damage import flip_bit

DEFINITION = Definition("main", (SNAPSHOT.url,), include=("*.py", "*.md"))
OTHER = replace(SNAPSHOT, name="other/name", url="https://example.org/other/name")


def entry_for(definition: Definition, **changes: object) -> AliasEntry:
    manifest = manifest_of("datasets/main/one", 5, "e" * 64)
    manifest = replace(manifest, definition=definition, definition_digest=definition_digest(definition), **changes)
    return AliasEntry("main", 1, "2026-01-02T03:04:05+00:00", "swap", manifest)


CURRENT = entry_for(DEFINITION)
FINGERPRINT = CURRENT.manifest.embedder.fingerprint


def test_nothing_changed_is_no_reason():
    assert changed(DEFINITION, [SNAPSHOT], CURRENT, FINGERPRINT) == ()


def test_the_order_of_snapshots_and_the_archive_do_not_count():
    current = entry_for(DEFINITION, snapshots=(SNAPSHOT, OTHER))

    assert changed(DEFINITION, [OTHER, replace(SNAPSHOT, archive="b.tar", bytes=2)], current, FINGERPRINT) == ()


@pytest.mark.parametrize(
    ("definition", "snapshots", "current", "fingerprint", "reason"),
    [
        (DEFINITION, [SNAPSHOT], None, FINGERPRINT, "alias main has no dataset yet"),
        (DEFINITION, [replace(SNAPSHOT, commit="b" * 40)], CURRENT, FINGERPRINT, "moved from aaaaaaaaaa to bbbbbbbbbb"),
        (DEFINITION, [SNAPSHOT, OTHER], CURRENT, FINGERPRINT, "other/name added"),
        (DEFINITION, [], CURRENT, FINGERPRINT, "owner/name removed"),
        (replace(DEFINITION, exclude=("x",)), [SNAPSHOT], CURRENT, FINGERPRINT, "settings changed"),
        (DEFINITION, [SNAPSHOT], CURRENT, "0" * 64, "embedder changed"),
    ],
    ids=["first run", "commit", "added", "removed", "settings", "embedder"],
)
def test_each_change_is_a_reason(definition, snapshots, current, fingerprint, reason):
    (found,) = changed(definition, snapshots, current, fingerprint)

    assert reason in found


def test_a_missing_dataset_is_a_reason(workspace):
    manifest = write_dataset(workspace, rows_of([{}]))
    current = entry_for(DEFINITION, dataset=manifest.dataset)
    assert changed(DEFINITION, [SNAPSHOT], current, FINGERPRINT, workspace=workspace) == ()

    workspace.delete_folder(manifest.dataset)

    assert changed(DEFINITION, [SNAPSHOT], current, FINGERPRINT, workspace=workspace) == (
        f"dataset {manifest.dataset} is missing",
    )


def test_a_damaged_dataset_is_a_reason(workspace):
    manifest = write_dataset(workspace, rows_of([{}]))
    current = entry_for(DEFINITION, dataset=manifest.dataset)
    flip_bit(Path(workspace.url_of(manifest.dataset)), random.Random(0))

    assert changed(DEFINITION, [SNAPSHOT], current, FINGERPRINT, workspace=workspace) == (
        f"dataset {manifest.dataset} is damaged",
    )


def test_the_digest_ignores_the_order_of_lists():
    assert definition_digest(DEFINITION) == definition_digest(replace(DEFINITION, include=("*.md", "*.py")))


@pytest.mark.parametrize(
    "change",
    [
        {"repositories": ("https://example.org/other/name",)},
        {"include": ()},
        {"exclude": ("*.py",)},
        {"embedder": "hash"},
        {"max_file_bytes": 5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_digest_sees_every_setting(change):
    assert definition_digest(DEFINITION) != definition_digest(replace(DEFINITION, **change))


def test_the_digest_sees_the_version_of_the_splitter(monkeypatch):
    before = definition_digest(DEFINITION)
    monkeypatch.setattr("askrepo.pipeline.split.SPLITTER_VERSION", "other")

    assert definition_digest(DEFINITION) != before


def test_the_plan_is_one_repository_each():
    repositories = plan_run(replace(DEFINITION, repositories=("https://example.org/a/b@v1",)), allow_local=False)

    assert [(repository.name, repository.ref) for repository in repositories] == [("a/b", "v1")]


def test_a_plan_with_something_else_is_refused():
    with pytest.raises(UsageError):
        plan_run(replace(DEFINITION, repositories=("--upload-pack=x",)), allow_local=True)


@pytest.mark.parametrize("embedder", ["glove", "openai:", "local:x", "openai:https://u:s3cret@h"])
def test_a_plan_with_an_embedder_that_there_is_not_is_refused(embedder):
    with pytest.raises(UsageError, match="embedder") as caught:
        plan_run(replace(DEFINITION, embedder=embedder), allow_local=False)

    assert "s3cret" not in str(caught.value)


def test_more_repositories_than_can_be_mapped_are_refused():
    definition = replace(DEFINITION, repositories=("https://h.org/a/b", "https://h.org/a/c"))

    with pytest.raises(UsageError, match=r"2 repositories.*at most 1 .*max_map_length"):
        plan_run(definition, allow_local=False, max_repositories=1)
    assert len(plan_run(definition, allow_local=False, max_repositories=2)) == 2
