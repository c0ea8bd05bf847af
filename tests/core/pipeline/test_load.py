import json
import os
import subprocess
from collections import Counter
from dataclasses import replace

import pytest

from askrepo.errors import NothingToIndexError, StorageError
from askrepo.git.repository_urls import parse_repository
from askrepo.git.tree import TreeReader
from askrepo.pipeline import load
from askrepo.pipeline.clone import clone_repository
from askrepo.pipeline.load import PART_BYTES, gather_shards, load_files
from askrepo.types import FileShard, LoadManifest, Snapshot, load_manifest_from, to_json
from askrepo.workspace.tables import files_schema, read_table

SNAPSHOT = Snapshot("a/b", "https://example.org/a/b", None, "0" * 40, "2026-01-02T03:04:05Z", "snapshots/x.tar", 1)


@pytest.fixture
def publish(workspace):
    """Clone a test repository into the workspace."""

    def publish(source, ref: str = "main") -> Snapshot:
        repository = parse_repository(f"{source.url}@{ref}", allow_local=True)
        return clone_repository(repository, workspace=workspace, timeout_s=120, max_bytes=10**8, allow_local=True)

    return publish


@pytest.fixture
def load_rows(publish, workspace):
    """Load a test repository and return the manifest and its rows by path."""

    def load_rows(source, **options):
        defaults = {"run": "runs/docs/1", "include": (), "exclude": (), "max_file_bytes": 1_000_000}
        manifest = load_files(publish(source), workspace=workspace, **{**defaults, **options})
        rows = [row for key in manifest.parts for row in read_table(workspace, key).to_pylist()]
        check_conservation(manifest, rows)
        return manifest, {row["path"]: row for row in rows}

    return load_rows


def check_conservation(manifest: LoadManifest, rows: list[dict]) -> None:
    """Every path is counted once: as loaded, or under its reason."""
    reasons = Counter(row["reason"] for row in rows)
    assert manifest.files == len(rows) == manifest.loaded + sum(manifest.skipped.values())
    assert manifest.loaded == reasons.pop("", 0)
    assert dict(manifest.skipped) == reasons
    assert all(bool(row["text"]) != bool(row["reason"]) for row in rows)
    assert all(bool(row["encoding"]) == bool(row["text"]) for row in rows)


def add_raw(source, path: bytes, content: str, mode: str = "100644") -> None:
    """Add an entry to the index under any path, without a file of that name."""
    blob = _hash(source, content)
    environment = {**os.environ, "GIT_DIR": str(source.path / ".git")}
    entry = f"{mode} {blob}\t".encode() + path + b"\0"
    subprocess.run(["git", "update-index", "-z", "--index-info"], env=environment, input=entry, check=True)


def _hash(source, content: str) -> str:
    file = source.path.parent / "content"
    file.write_text(content)
    return source.git("hash-object", "-w", str(file))


def commit_index(source) -> None:
    source.git("commit", "--quiet", "-m", "raw")


def test_file_becomes_a_row(make_repository, load_rows):
    source = make_repository("project", {"src/a.py": "x = 1\r\n"})

    manifest, rows = load_rows(source)

    assert rows["src/a.py"] == {
        "repository": "project",
        "path": "src/a.py",
        "blob": source.git("rev-parse", "HEAD:src/a.py"),
        "size": 7,
        "language": "python",
        "kind": "source",
        "reason": "",
        "encoding": "utf-8",
        "attributes": "{}",
        "generated": False,
        "documents": False,
        "text_bytes": 6,
        "first_row": -1,
        "rows": 0,
        "known_as": "",
        "text": "x = 1\n",
    }
    assert (manifest.files, manifest.loaded, dict(manifest.skipped)) == (1, 1, {})
    assert manifest.part_bytes == (6,)
    assert manifest.text_bytes == 6


def test_every_path_is_loaded_or_skipped_with_a_reason(make_repository, load_rows):
    source = make_repository("project")
    source.commit(
        {
            "a.py": "x = 1\n",
            "latin.py": "# caf\xe9\n".encode("latin-1"),
            "picture.png": b"\x89PNG\0",
            "empty.py": "",
            "blank.py": "\n \n",
            "big.txt": b"line\n" * (1024 * 1024),
            "app.js": "a=1;" * 5000,
            "weights.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "broken.txt": b"\xff\xfe\x00\xd8a",
            "skip/me.py": "x = 2\n",
        }
    )
    (source.path / "link").symlink_to("/etc/passwd")
    source.git("add", "link")
    source.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    commit_index(source)

    manifest, rows = load_rows(source, exclude=("skip/*",))

    assert {path: row["reason"] for path, row in rows.items()} == {
        "a.py": "",
        "latin.py": "",
        "picture.png": "binary",
        "empty.py": "empty",
        "blank.py": "empty",
        "big.txt": "too large",
        "app.js": "minified",
        "weights.bin": "LFS pointer",
        "broken.txt": "undecodable",
        "skip/me.py": "excluded",
        "link": "symlink",
        "module": "submodule",
    }
    assert rows["big.txt"]["size"] == 5 * 1024 * 1024
    assert rows["module"]["blob"] == "1" * 40
    assert manifest.loaded == 2


def test_five_mebibytes_are_loaded_when_the_limit_admits_them(make_repository, load_rows):
    content = "line\n" * (1024 * 1024)
    source = make_repository("project", {"big.txt": content, "after.txt": "after\n"})

    _, rows = load_rows(source, max_file_bytes=len(content))

    assert rows["big.txt"]["text"] == content
    assert rows["after.txt"]["text"] == "after\n"


def test_very_long_line_is_loaded_whole(make_repository, load_rows):
    content = "short = 1\n" * 1000 + "x = '" + "y" * 100_000 + "'\n"
    source = make_repository("project", {"a.py": content})

    assert load_rows(source)[1]["a.py"]["text"] == content


def test_notebook_is_loaded_as_its_source_cells(make_repository, load_rows):
    cells = [{"cell_type": "code", "source": "x = 1", "outputs": [{"data": {"image/png": "A" * 10_000}}]}]
    source = make_repository("project", {"a.ipynb": json.dumps({"cells": cells}), "bad.ipynb": "{no json\n"})

    _, rows = load_rows(source)

    assert rows["a.ipynb"]["text"] == "# %%\nx = 1\n"
    assert rows["bad.ipynb"]["text"] == "{no json\n"


def test_notebook_is_measured_by_its_cells(make_repository, load_rows):
    picture = {"cell_type": "code", "source": "x = 1", "outputs": [{"data": {"image/png": "A" * 5_000}}]}
    pasted = {"cell_type": "markdown", "source": ["![plot](data:image/png;base64,", "iVBO" * 1_000, ")\n"]}
    endless = {"cell_type": "code", "source": "y = 1\n" * 1_000}
    notebooks = {
        "picture.ipynb": json.dumps({"cells": [picture]}),
        "pasted.ipynb": json.dumps({"cells": [pasted]}),
        "endless.ipynb": json.dumps({"cells": [endless]}),
        "huge.ipynb": json.dumps({"cells": [picture] * 10}),
        "broken.IPYNB": "[" + "1,\n" * 1_000,
    }
    _, rows = load_rows(make_repository("project", notebooks), max_file_bytes=2_000)

    assert {path: row["reason"] for path, row in rows.items()} == {
        "picture.ipynb": "",
        "pasted.ipynb": "",
        "endless.ipynb": "too large",
        "huge.ipynb": "too large",
        "broken.IPYNB": "too large",
    }


def test_files_with_damaged_letters_are_loaded_and_counted(make_repository, load_rows, caplog):
    caplog.set_level("INFO", "askrepo.pipeline.load")
    source = make_repository("project", {"a.py": "# 日本語\n", "b.py": "# 日本語\n".encode() * 5 + b"# \xff\n"})
    manifest, rows = load_rows(source)

    assert (manifest.loaded, manifest.repaired) == (2, 1)
    assert (rows["b.py"]["encoding"], rows["b.py"]["text"][-2:]) == ("utf-8, repaired", "\ufffd\n")
    assert "1 with damaged letters" in caplog.text


def test_paths_that_differ_in_case_both_keep_their_row(make_repository, load_rows):
    source = make_repository("project")
    add_raw(source, b"Read.me", "upper\n")
    add_raw(source, b"read.me", "lower\n")
    commit_index(source)

    _, rows = load_rows(source)

    assert (rows["Read.me"]["text"], rows["read.me"]["text"]) == ("upper\n", "lower\n")


def test_odd_path_names_have_an_outcome(make_repository, load_rows):
    source = make_repository("project")
    odd = ["new\nline.py", "esc\x1b[31m.py", 'quo"te\\.py', "tab\t.py", "-x.py", "空.py", " space .py"]
    for path in odd:
        add_raw(source, path.encode(), "x = 1\n")
    add_raw(source, b"lat\xe9in.py", "x = 1\n")
    commit_index(source)

    _, rows = load_rows(source)

    assert set(rows) == {*odd, "lat\\xe9in.py"}
    assert all(rows[path]["text"] == "x = 1\n" for path in odd)
    assert rows["lat\\xe9in.py"]["reason"] == "path not UTF-8"


def test_symlink_is_never_followed(make_repository, load_rows, tmp_path):
    (tmp_path / "secret").write_text("hidden\n")
    source = make_repository("project", {"a": "1\n"})
    (source.path / "link").symlink_to(tmp_path / "secret")
    source.git("add", "link")
    commit_index(source)

    assert load_rows(source)[1]["link"]["text"] == ""


def linked(make_repository, target: str):
    source = make_repository("project", {"docs/index.md": "# Welcome\n", "docs/secret.md": "key\n"})
    (source.path / "README.md").symlink_to(target)
    source.git("add", "README.md")
    commit_index(source)
    return source


def test_a_readme_that_links_to_a_page_of_the_tree_has_its_text(make_repository, load_rows):
    _, rows = load_rows(linked(make_repository, "docs/../docs/index.md"))

    assert (rows["README.md"]["text"], rows["README.md"]["kind"]) == ("# Welcome\n", "doc")
    assert rows["README.md"]["blob"] == rows["docs/index.md"]["blob"]


@pytest.mark.parametrize(
    "target", ["../docs/index.md", "/docs/index.md", "docs", "gone.md", "README.md", "docs/secret.md"]
)
def test_a_readme_that_links_to_anything_else_stays_a_link(make_repository, load_rows, target):
    _, rows = load_rows(linked(make_repository, target), exclude=("docs/secret.md",))

    assert (rows["README.md"]["reason"], rows["README.md"]["text"]) == ("symlink", "")


def test_include_and_exclude_choose_paths(make_repository, load_rows):
    source = make_repository("project", {"docs/a.md": "a\n", "docs/b.md": "b\n", "src/a.py": "a\n"})

    manifest, rows = load_rows(source, include=("docs/*",), exclude=("**/b.md",))

    assert [path for path, row in rows.items() if not row["reason"]] == ["docs/a.md"]
    assert dict(manifest.skipped) == {"excluded": 2}


def test_attributes_of_the_repository_are_honoured(make_repository, load_rows):
    attributes = (
        "made/** linguist-generated\n"
        "copied/** linguist-vendored=true\n"
        "vendor/** -linguist-vendored\n"
        "uv.lock linguist-generated=false\n"
        "hidden/** export-ignore\n"
        "*.py filter=evil\n"
    )
    paths = ["made/a.py", "copied/a.py", "vendor/a.py", "uv.lock", "hidden/a.py", "a.py"]
    source = make_repository("project", {".gitattributes": attributes, **dict.fromkeys(paths, "x = 1\n")})
    source.commit({"sub/.gitattributes": "*.js linguist-generated\n", "sub/a.js": "a\n"})

    _, rows = load_rows(source)

    kinds = {path: rows[path]["kind"] for path in [*paths, "sub/a.js"]}
    assert kinds == {
        "made/a.py": "generated",
        "copied/a.py": "vendored",
        "vendor/a.py": "source",
        "uv.lock": "config",
        "hidden/a.py": "source",
        "a.py": "source",
        "sub/a.js": "generated",
    }
    assert not any(row["reason"] for row in rows.values())


def test_attributes_are_right_for_many_and_long_paths(make_repository, load_rows):
    source = make_repository("project", {".gitattributes": "odd* linguist-generated\n"})
    paths = [f"{'odd' if number % 2 else 'even'}-{number}-{'x' * 150}.py" for number in range(1200)]
    source.commit(dict.fromkeys(paths, "x = 1\n"))

    _, rows = load_rows(source)

    assert all(rows[path]["kind"] == ("generated" if path.startswith("odd") else "source") for path in paths)


def test_source_that_is_documentation_is_a_document(make_repository, load_rows):
    guide = "//! How to write a parser, step by step.\n" * 10
    source = make_repository("project", {"src/_guide.rs": guide, "tests/guide.rs": guide})

    rows = load_rows(source)[1]

    assert {path: (row["kind"], row["documents"]) for path, row in rows.items()} == {
        "src/_guide.rs": ("doc", True),
        "tests/guide.rs": ("test", True),
    }


def test_a_manual_in_yaml_is_a_document_where_documentation_lies(make_repository, load_rows):
    manual = "body: |\n" + "  The filter takes its input and gives it back unchanged.\n" * 40
    settings = "".join(f"key_{number}: {number}\n" for number in range(60))
    files = {"docs/manual.yml": manual, "docs/site.yml": settings, "config/locales/en.yml": manual}
    source = make_repository("project", files)

    rows = load_rows(source)[1]

    assert {path: row["kind"] for path, row in rows.items()} == {
        "docs/manual.yml": "doc",
        "docs/site.yml": "example",
        "config/locales/en.yml": "config",
    }


def test_generated_header_marks_a_loaded_file(make_repository, load_rows):
    source = make_repository("project", {"api.go": "// Code generated by tool. DO NOT EDIT.\npackage api\n"})

    row = load_rows(source)[1]["api.go"]

    assert (row["kind"], row["reason"]) == ("generated", "")


def test_interpreter_tells_language_of_script_without_ending(make_repository, load_rows):
    source = make_repository("project", {"bin/run": "#!/usr/bin/env python3\nprint(1)\n"})

    assert load_rows(source)[1]["bin/run"]["language"] == "python"


def test_equal_content_is_read_once_but_every_path_keeps_its_row(make_repository, load_rows, monkeypatch):
    asked = []
    original = TreeReader.blobs
    monkeypatch.setattr(TreeReader, "blobs", lambda self, ids: asked.extend(ids) or original(self, ids))
    source = make_repository("project", {f"copy{number:04}.py": "x = 1\n" for number in range(1500)})

    manifest, _ = load_rows(source)

    assert manifest.loaded == 1500
    assert len(asked) == 1


def test_too_large_blob_is_never_asked_for(make_repository, load_rows, monkeypatch):
    asked = []
    original = TreeReader.blobs
    monkeypatch.setattr(TreeReader, "blobs", lambda self, ids: asked.extend(ids) or original(self, ids))
    source = make_repository("project", {"big.txt": "x\n" * 100, "a.txt": "a\n"})

    load_rows(source, max_file_bytes=50)

    assert asked == [source.git("rev-parse", "HEAD:a.txt")]


def test_cache_of_blobs_is_bounded():
    cache = load._BlobCache(max_bytes=10)
    cache.put("a", b"12345")
    cache.put("b", b"12345")
    cache.get("a")
    cache.put("c", b"1")

    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (b"12345", None, b"1")
    cache.put("d", b"1" * 11)
    assert cache.get("d") is None


def test_parts_follow_tree_order_and_repeat_exactly(make_repository, load_rows, workspace):
    files = {f"f{number:03}.txt": f"{number}\n" + "text\n" * 40_000 for number in range(40)}
    source = make_repository("project", files)

    first, rows = load_rows(source)
    contents = [workspace.read(key) for key in first.parts]
    again, _ = load_rows(source)

    assert list(rows) == sorted(files)
    assert len(first.parts) > 2
    assert all(PART_BYTES <= size < 2 * PART_BYTES for size in first.part_bytes[:-1])
    assert replace(again, seconds=0) == replace(first, seconds=0)
    assert [workspace.read(key) for key in again.parts] == contents
    assert load_manifest_from(to_json(first)) == first


def test_parts_lie_below_the_run_one_folder_per_repository_and_ref(make_repository, publish, workspace):
    source = make_repository("project", {"a.py": "x = 1\n"})
    source.git("branch", "dev")
    options = {"workspace": workspace, "run": "runs/docs/7", "include": (), "exclude": (), "max_file_bytes": 100}

    keys = [load_files(publish(source, ref), **options).parts[0] for ref in ("main", "dev")]

    assert len(set(keys)) == 2
    assert all(key.startswith("runs/docs/7/load/") and key.endswith("/part-00000.parquet") for key in keys)
    assert read_table(workspace, keys[0]).schema.names == files_schema().names


def test_repository_with_only_binaries_loads_nothing(make_repository, load_rows):
    source = make_repository("project", {"a.png": b"\0", "b.png": b"\0\1"})

    manifest, _ = load_rows(source)

    assert (manifest.loaded, manifest.text_bytes, manifest.part_bytes) == (0, 0, (0,))
    with pytest.raises(NothingToIndexError, match="nothing to index in project: found 2 binary"):
        gather_shards([manifest])


def test_empty_tree_has_no_parts(make_repository, load_rows):
    source = make_repository("project", {})

    manifest, _ = load_rows(source)

    assert (manifest.files, manifest.parts) == (0, ())
    with pytest.raises(NothingToIndexError, match="no files at all"):
        gather_shards([manifest])


def test_damaged_snapshot_is_told(make_repository, publish, workspace):
    snapshot = publish(make_repository("project", {"a.py": "x = 1\n" * 1000}))
    archive = bytearray(workspace.read(snapshot.archive))
    start = archive.index(b"PACK") + 12
    archive[start : start + 60] = bytes(60)
    workspace.write(snapshot.archive, bytes(archive))

    with pytest.raises(StorageError, match="damaged"):
        load_files(snapshot, workspace=workspace, run="r", include=(), exclude=(), max_file_bytes=10**6)


def test_commit_that_the_snapshot_lacks_is_told(make_repository, publish, workspace):
    snapshot = replace(publish(make_repository("project", {"a.py": "x\n"})), commit="1" * 40)

    with pytest.raises(StorageError, match="damaged"):
        load_files(snapshot, workspace=workspace, run="r", include=(), exclude=(), max_file_bytes=10**6)


def manifest_of(*part_bytes: int, name: str = "a/b", skipped: dict[str, int] | None = None) -> LoadManifest:
    parts = tuple(f"{name}/part-{number}" for number in range(len(part_bytes)))
    skipped = skipped or {}
    loaded = sum(1 for size in part_bytes if size)
    files = loaded + sum(skipped.values())
    snapshot = replace(SNAPSHOT, name=name)
    return LoadManifest(snapshot, parts, part_bytes, files, loaded, skipped, sum(part_bytes))


def test_full_parts_are_shards_of_their_own():
    shards = gather_shards([manifest_of(PART_BYTES, PART_BYTES + 9, 5)])

    assert shards == (FileShard(0, ("a/b/part-0",)), FileShard(1, ("a/b/part-1",)), FileShard(2, ("a/b/part-2",)))


def test_small_repositories_share_a_shard_in_order():
    shards = gather_shards([manifest_of(10, name="a"), manifest_of(20, name="b")])

    assert shards == (FileShard(0, ("a/part-0", "b/part-0")),)


def test_parts_without_text_belong_to_no_shard():
    shards = gather_shards([manifest_of(0, 10, 0), manifest_of(0, name="b", skipped={"binary": 3})])

    assert shards == (FileShard(0, ("a/b/part-1",)),)


@pytest.mark.parametrize("max_shards", [1, 2, 7, 200])
def test_shards_never_exceed_their_number(max_shards):
    manifests = [manifest_of(*[PART_BYTES + number for number in range(150)], name=name) for name in ("a", "b")]

    shards = gather_shards(manifests, max_shards=max_shards)

    assert len(shards) <= max_shards
    assert [part for shard in shards for part in shard.parts] == [part for one in manifests for part in one.parts]
    assert [shard.number for shard in shards] == list(range(len(shards)))


def test_nothing_to_index_names_the_counts():
    manifests = [manifest_of(0, skipped={"binary": 2, "excluded": 5}), manifest_of(name="c", skipped={"binary": 4})]

    with pytest.raises(NothingToIndexError, match="in a/b, c: found 6 binary, 5 excluded"):
        gather_shards(manifests)
