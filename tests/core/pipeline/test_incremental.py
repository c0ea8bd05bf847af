"""A refresh takes over what did not change, and comes to the very dataset that a run from scratch would."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from askrepo.chunking.spans import split_apart
from askrepo.embedders.hashed import HashedEmbedder
from askrepo.errors import DatasetCorruptedError
from askrepo.git.tree import TreeReader
from askrepo.pipeline import split
from askrepo.settings import Settings
from askrepo.store.opening import open_dataset
from askrepo.store.reader import DatasetReader
from askrepo.types import DatasetManifest, Definition
from askrepo.workspace.keys import files_key
from askrepo.workspace.objects import Workspace
from benchmarks.in_process import EmbeddedRun, run_until_embedded
from tests.conftest import GitRepository

if TYPE_CHECKING:
    import numpy as np

pytestmark = pytest.mark.slow

FILES = {
    "README.md": "# Project\n\nIt retries failed jobs.\n\n## Use\n\nCall `run`.\n",
    "src/jobs.py": "def run(job):\n    return job()\n\n\ndef retry(job):\n    return [job() for _ in range(3)]\n",
    "src/store.py": "class Store:\n    def put(self, key, value):\n        self.values[key] = value\n",
    "src/copy.py": "class Store:\n    def put(self, key, value):\n        self.values[key] = value\n",
    "tests/test_jobs.py": "from jobs import run\n\ndef test_run():\n    assert run(lambda: 3) == 3\n",
    "logo.png": b"\x89PNG\0\0binary",
    "empty.txt": "",
}


class CountingEmbedder(HashedEmbedder):
    """The hash embedder, remembering what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        return super().embed_texts(texts)


class Refreshed:
    """One alias, refreshed again and again in one workspace."""

    def __init__(self, root: Path, definition: Definition) -> None:
        self.definition = definition
        self.embedder = CountingEmbedder()
        self.workspace = Workspace.open(str(root / "workspace"))
        self.settings = Settings.from_env({"ASKREPO_CACHE": str(root / "cache"), "ASKREPO_GRACE_S": "0"})

    def until_embedded(self, *, force: bool = False) -> EmbeddedRun:
        self.embedder.texts.clear()
        return run_until_embedded(
            self.definition, workspace=self.workspace, settings=self.settings, embedder=self.embedder, force=force
        )

    def refresh(self, *, force: bool = False) -> DatasetManifest:
        return self.until_embedded(force=force).finish(force=True).manifest


@pytest.fixture
def project(make_repository) -> GitRepository:
    return make_repository("project", FILES)


@pytest.fixture
def alias(tmp_path, project) -> Refreshed:
    return Refreshed(tmp_path / "alias", Definition("main", (project.url,), embedder="hash"))


@pytest.fixture
def from_scratch(tmp_path) -> Callable[[Definition], DatasetManifest]:
    """What the same definition comes to in a workspace that knows nothing."""
    built = 0

    def build(definition: Definition) -> DatasetManifest:
        nonlocal built
        built += 1
        return Refreshed(tmp_path / f"scratch-{built}", definition).refresh()

    return build


@pytest.fixture
def read_blobs(monkeypatch) -> list[str]:
    """Ids of the blobs that were read."""
    read: list[str] = []
    real = TreeReader.blobs

    def blobs(self, ids):
        read.extend(ids)
        return real(self, ids)

    monkeypatch.setattr(TreeReader, "blobs", blobs)
    return read


@pytest.fixture
def split_paths(monkeypatch) -> list[str]:
    """Paths of the files that were split."""
    paths: list[str] = []

    def noted(text, *, path, **options):
        paths.append(path)
        return split_apart(text, path=path, **options)

    monkeypatch.setattr(split, "split_apart", noted)
    return paths


def changes(**counts: int) -> dict[str, int]:
    return {"added": 0, "changed": 0, "moved": 0, "removed": 0, "unchanged": 0, **counts}


def same_dataset(one: DatasetManifest, other: DatasetManifest) -> bool:
    facts = [(m.digest, m.chunks, m.tokens, m.files, m.loaded, m.skipped) for m in (one, other)]
    return facts[0] == facts[1]


def test_only_what_changed_is_read_split_and_embedded(alias, project, from_scratch, read_blobs, split_paths):
    first = alias.refresh()
    project.commit({"src/jobs.py": f"{FILES['src/jobs.py']}\n\ndef stop():\n    pass\n", "new.py": "x = 1\n"})
    read_blobs.clear()
    split_paths.clear()

    second = alias.refresh()

    assert sorted(split_paths) == ["new.py", "src/jobs.py"]
    assert len(read_blobs) == 2
    assert {text.partition("\n")[0] for text in alias.embedder.texts} == {"jobs.py", "new.py"}
    assert second.report["files"] == changes(added=1, changed=1, unchanged=6)
    assert second.report["chunks"]["carried"] == first.chunks - 1
    assert same_dataset(second, from_scratch(alias.definition))


def test_the_first_run_reports_every_file_as_added(alias):
    assert alias.refresh().report["files"] == changes(added=len(FILES))


def test_deleted_files_are_gone(alias, project, from_scratch):
    alias.refresh()
    project.commit({"src/store.py": None, "logo.png": None})

    second = alias.refresh()

    reader = open_dataset(alias.workspace.url_of(second.dataset), manifest=second)
    assert reader.file_chunks("project", "src/store.py") == []
    assert reader.file_chunks("project", "src/copy.py")
    assert second.report["files"] == changes(removed=2, unchanged=5)
    assert alias.embedder.texts == []
    assert same_dataset(second, from_scratch(alias.definition))


def test_a_moved_file_is_neither_read_nor_split_again(alias, project, from_scratch, read_blobs, split_paths):
    alias.refresh()
    project.commit({"src/jobs.py": None, "lib/deep/jobs.py": FILES["src/jobs.py"]})
    read_blobs.clear()
    split_paths.clear()

    second = alias.refresh()

    assert (read_blobs, split_paths) == ([], [])
    assert alias.embedder.texts == []
    assert second.report["files"] == changes(moved=1, unchanged=6)
    assert same_dataset(second, from_scratch(alias.definition))


def test_a_file_of_another_type_is_read_anew_though_its_content_is_known(alias, project, from_scratch):
    project.commit({"notes.txt": "# Not a heading\n\ntext\n"})
    alias.refresh()
    project.commit({"notes.txt": None, "notes.md": "# Not a heading\n\ntext\n", "src/jobs.min.js": "var a = 1;\n"})

    assert same_dataset(alias.refresh(), from_scratch(alias.definition))


def test_documentation_in_comments_stays_what_it_is_when_it_moves(alias, project, from_scratch, split_paths):
    project.commit({"src/_guide.rs": "//! How to write a parser, step by step.\n" * 10})
    alias.refresh()
    split_paths.clear()
    project.commit({"src/_guide.rs": None, "src/_book.rs": "//! How to write a parser, step by step.\n" * 10})

    second = alias.refresh()

    reader = open_dataset(alias.workspace.url_of(second.dataset), manifest=second)
    assert reader.file_chunks("project", "src/_book.rs")[0].kind == "doc"
    assert same_dataset(second, from_scratch(alias.definition))


def test_attributes_count_as_a_change(alias, project, from_scratch, split_paths):
    alias.refresh()
    project.commit({".gitattributes": "src/store.py linguist-generated\n"})
    split_paths.clear()

    second = alias.refresh()

    reader = open_dataset(alias.workspace.url_of(second.dataset), manifest=second)
    assert reader.file_chunks("project", "src/store.py")[0].kind == "generated"
    assert "src/store.py" in split_paths
    assert "src/jobs.py" not in split_paths
    assert same_dataset(second, from_scratch(alias.definition))


def test_a_link_with_the_content_of_a_file_is_still_a_link(alias, project, from_scratch):
    project.commit({"target.txt": "src/jobs.py"})
    alias.refresh()
    (project.path / "target.txt").unlink()
    (project.path / "target.txt").symlink_to("src/jobs.py")
    project.commit({})
    assert alias.refresh().skipped["symlink"] == 1
    (project.path / "target.txt").unlink()
    project.commit({"target.txt": "src/jobs.py"})

    assert same_dataset(alias.refresh(), from_scratch(alias.definition))


def test_a_linked_readme_follows_the_page_it_links_to(alias, project, from_scratch):
    project.commit({"docs/index.md": "# One\n", "docs/other.md": "# Two\n"})
    (project.path / "README.md").unlink(missing_ok=True)
    (project.path / "README.md").symlink_to("docs/index.md")
    project.commit({})
    alias.refresh()
    project.commit({"docs/index.md": "# One, and more\n"})
    assert same_dataset(alias.refresh(), from_scratch(alias.definition))
    (project.path / "README.md").unlink()
    (project.path / "README.md").symlink_to("docs/other.md")
    project.commit({})

    assert same_dataset(alias.refresh(), from_scratch(alias.definition))


def test_nothing_but_a_commit_changes_nothing_but_the_commit(alias, project, from_scratch, read_blobs):
    first = alias.refresh()
    project.commit({}, "empty")
    read_blobs.clear()

    second = alias.refresh()

    assert (read_blobs, alias.embedder.texts) == ([], [])
    assert second.snapshots != first.snapshots
    assert second.digest == first.digest
    assert second.report["chunks"] == {"carried": first.chunks, "embedded": 0, "reused": first.chunks}


@pytest.mark.parametrize(
    "change",
    [
        {"include": ("src/*",)},
        {"exclude": ("tests/*", "*.md")},
        {"max_file_bytes": 80},
    ],
    ids=["include", "exclude", "size"],
)
def test_other_patterns_take_over_what_stays_and_read_what_is_new(alias, from_scratch, split_paths, change):
    wide, narrow = alias.definition, replace(alias.definition, **change)
    alias.refresh()
    split_paths.clear()
    alias.definition = narrow
    assert same_dataset(alias.refresh(), from_scratch(narrow))

    split_paths.clear()
    alias.definition = wide
    last = alias.refresh()

    assert 0 < len(split_paths) < 5
    assert same_dataset(last, from_scratch(wide))


def test_repositories_come_and_go(alias, project, make_repository, from_scratch, split_paths):
    other = make_repository("other", {"a.py": "def alpha():\n    pass\n", "src/jobs.py": FILES["src/jobs.py"]})
    alone, both = alias.definition, replace(alias.definition, repositories=(other.url, project.url))
    alias.refresh()
    split_paths.clear()
    alias.definition = both
    second = alias.refresh()
    assert sorted(split_paths) == ["a.py", "src/jobs.py"]
    expected = from_scratch(both)
    assert same_dataset(second, expected)

    split_paths.clear()
    alias.definition = alone
    assert same_dataset(alias.refresh(), from_scratch(alone))
    assert set(split_paths) == set(FILES) - {"logo.png", "empty.txt"}  # all by from_scratch


# --- what must not be taken over --------------------------------------------------------------------------------------


def spoil_table(alias: Refreshed, manifest: DatasetManifest) -> None:
    alias.workspace.write(files_key("main", manifest.dataset), b"PAR1 no Parquet")


def drop_table(alias: Refreshed, manifest: DatasetManifest) -> None:
    alias.workspace.delete(files_key("main", manifest.dataset))


def flip_table(alias: Refreshed, manifest: DatasetManifest) -> None:
    content = bytearray(alias.workspace.read(files_key("main", manifest.dataset)))
    content[len(content) // 2] ^= 1
    alias.workspace.write(files_key("main", manifest.dataset), bytes(content))


def forget_digests(alias: Refreshed, manifest: DatasetManifest) -> None:
    """The entry as an earlier version wrote it, whose table nothing vouches for."""
    entry = alias.workspace.read_json("aliases/main/00000001.json")
    del entry["manifest"]["inventory"], entry["manifest"]["files_digest"]
    alias.workspace.write("aliases/main/00000001.json", json.dumps(entry).encode())


def damage_dataset(alias: Refreshed, manifest: DatasetManifest) -> None:
    folder = Path(alias.workspace.url_of(manifest.dataset))
    largest = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 0xFF
    largest.write_bytes(content)


@pytest.mark.parametrize("spoil", [spoil_table, drop_table, flip_table, forget_digests, damage_dataset])
def test_a_damaged_current_dataset_gives_no_rows(alias, project, from_scratch, split_paths, spoil):
    spoil(alias, alias.refresh())
    project.commit({"new.py": "x = 1\n"})
    split_paths.clear()

    second = alias.refresh()

    assert len(split_paths) == 6
    assert second.report["chunks"]["carried"] == 0
    assert same_dataset(second, from_scratch(alias.definition))


def test_a_damaged_current_dataset_gives_no_vectors(alias, project, from_scratch):
    damage_dataset(alias, alias.refresh())
    alias.workspace.delete_folder("runs")
    project.commit({"new.py": "x = 1\n"})

    second = alias.refresh()

    assert len(alias.embedder.texts) == 6
    assert same_dataset(second, from_scratch(alias.definition))


def test_another_version_of_the_splitter_splits_everything_again(alias, monkeypatch, split_paths):
    alias.refresh()
    split_paths.clear()
    monkeypatch.setattr("askrepo.pipeline.known_files.SPLITTER_VERSION", "next")

    alias.refresh()

    assert len(split_paths) == 5


def test_another_embedder_takes_nothing_over(alias, split_paths):
    alias.refresh()
    split_paths.clear()
    alias.embedder.fingerprint = "f" * 32

    second = alias.refresh()

    assert len(split_paths) == 5
    assert second.report["chunks"]["carried"] == 0


def test_force_reads_everything_again_and_embeds_nothing_again(alias, split_paths):
    first = alias.refresh()
    split_paths.clear()

    second = alias.refresh(force=True)

    assert len(split_paths) == 5
    assert alias.embedder.texts == []
    assert second.digest == first.digest


def test_a_current_dataset_that_goes_away_meanwhile_fails_the_run(alias, project):
    first = alias.refresh()
    project.commit({"new.py": "x = 1\n"})
    run = alias.until_embedded()
    damage_dataset(alias, first)

    with pytest.raises(DatasetCorruptedError, match="run again with force"):
        run.finish()


def test_a_current_dataset_that_changes_while_it_is_carried_over_fails_the_run(alias, project, monkeypatch):
    first = alias.refresh()
    project.commit({"new.py": "x = 1\n"})
    run = alias.until_embedded()
    rows = DatasetReader.rows

    def then_damaged(self, start, stop):
        found = rows(self, start, stop)
        if self.manifest.dataset == first.dataset:
            damage_dataset(alias, first)
        return found

    monkeypatch.setattr(DatasetReader, "rows", then_damaged)
    with pytest.raises(DatasetCorruptedError, match="changed while it was read"):
        run.finish()
    assert len(alias.workspace.list_folders("datasets/main")) == 1


# --- any history ------------------------------------------------------------------------------------------------------


def random_content(choose: random.Random) -> str | bytes:
    names = [choose.choice(["alpha", "beta", "gamma", "run", "store"]) for _ in range(choose.randint(0, 9))]
    kinds: list[Callable[[], str | bytes]] = [
        lambda: "".join(f"def {name}_{number}():\n    return {number}\n\n\n" for number, name in enumerate(names)),
        lambda: "".join(f"# {name}\n\nAbout {name}.\n\n" for name in names),
        lambda: b"\0".join(name.encode() for name in names) + b"\0",
        lambda: " \n" * len(names),
        lambda: "#!/bin/bash\n" + "\n".join(f"echo {name}" for name in names),
        lambda: "var a=1;" * 2000,
    ]
    return choose.choice(kinds)()


def random_change(choose: random.Random, files: dict[str, str | bytes]) -> Mapping[str, str | bytes | None]:
    changed: dict[str, str | bytes | None] = {}
    for _ in range(choose.randint(1, 4)):
        path = (
            choose.choice(["", "src/", "docs/", "tests/"]) + choose.choice("abcdef") + choose.choice([".py", ".md", ""])
        )
        action = choose.choice(["write", "write", "move", "remove", "copy", "attributes"])
        others = sorted(files.keys() - changed.keys() - {path})
        if action in ("move", "copy") and others and path not in changed:
            source = choose.choice(others)
            changed[path] = files[source]
            if action == "move":
                changed[source] = None
        elif action == "remove" and others:
            changed[choose.choice(others)] = None
        elif action == "attributes":
            changed[".gitattributes"] = f"{choose.choice('abcdef')}.* {choose.choice(['', '-'])}linguist-generated\n"
        else:
            changed[path] = random_content(choose)
    for path, content in changed.items():
        if content is None:
            files.pop(path, None)
        else:
            files[path] = content
    return changed


@pytest.mark.parametrize("seed", range(3))
def test_any_history_comes_to_the_dataset_of_its_last_commit(seed, make_repository, tmp_path, from_scratch):
    choose = random.Random(seed)
    files: dict[str, str | bytes] = {"keep.py": "keep = 1\n"}
    project = make_repository("project", files)
    alias = Refreshed(tmp_path / "alias", Definition("main", (project.url,), embedder="hash"))
    seen: set[str] = set()
    for _ in range(5):
        project.commit(random_change(choose, files))
        refreshed = alias.refresh()
        assert not seen.intersection(alias.embedder.texts), "a vector was computed twice"
        # what was dropped from the dataset long ago may be made again
        seen = set(alias.embedder.texts)
        assert same_dataset(refreshed, from_scratch(alias.definition))
