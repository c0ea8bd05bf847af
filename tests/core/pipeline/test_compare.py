"""A run that would build what the alias has is not needed."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from askrepo.pipeline.compare import changed, compare_snapshots
from askrepo.pipeline.plan import definition_digest
from askrepo.types import AliasEntry, Comparison, Definition, comparison_from, to_json
from tests.core.datasets import SNAPSHOT, manifest_of, rows_of, write_dataset
from tests.damage import flip_bit
from tests.datasets import build_alias

DEFINITION = Definition("main", (SNAPSHOT.url,), include=("*.py", "*.md"))
OTHER = replace(SNAPSHOT, name="other/name", url="https://example.org/other/name")


def entry_for(definition: Definition, **changes: Any) -> AliasEntry:
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


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build_alias(tmp_path_factory.mktemp("alias"), {"a.py": "x = 1\n"})


def compared(built, *, definition=None, number=1, fingerprint=None, force=False):
    manifest = built.entry.manifest
    return compare_snapshots(
        definition or built.definition,
        manifest.snapshots,
        workspace=built.workspace,
        number=number,
        fingerprint=fingerprint or manifest.embedder.fingerprint,
        force=force,
    )


def test_the_comparison_tells_what_the_other_stages_need(built):
    fingerprint = built.entry.manifest.embedder.fingerprint

    assert compared(built) == Comparison(number=1, current=1, carry=True, fingerprint=fingerprint, reasons=())
    assert comparison_from(to_json(compared(built))) == compared(built)


def test_nothing_is_carried_over_by_force_from_nothing_or_to_another_embedder(built):
    first = Definition("other", built.definition.repositories, embedder="hash")
    found = [compared(built, force=True), compared(built, definition=first, number=0), compared(built, fingerprint="0")]

    assert [each.carry for each in found] == [False] * 3
    assert [each.current for each in found] == [1, 0, 1]
    assert [bool(each.reasons) for each in found] == [False, True, True]
