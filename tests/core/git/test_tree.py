import time

import pytest

from askrepo.errors import LimitExceededError
from askrepo.git import tree
from askrepo.git.repository_urls import parse_repository
from askrepo.pipeline import load
from askrepo.pipeline.clone import clone_repository
from askrepo.pipeline.load import load_files
from askrepo.workspace.tables import read_table
from tests.core.trees import FILE, FOLDER, commit_tree, repeated_tree, write_object, write_tree

GENERATED = b"*.py linguist-generated\n"


@pytest.fixture
def loaded(workspace):
    """Load a test repository and return its manifest and rows, in order."""

    def loaded(source, **options):
        repository = parse_repository(source.url, allow_local=True)
        snapshot = clone_repository(repository, workspace=workspace, timeout_s=60, max_bytes=10**8, allow_local=True)
        defaults = {"run": "runs/a/1", "include": (), "exclude": (), "max_file_bytes": 1_000_000}
        manifest = load_files(snapshot, workspace=workspace, **{**defaults, **options})
        return manifest, [row for key in manifest.parts for row in read_table(workspace, key).to_pylist()]

    return loaded


@pytest.mark.parametrize("name", [b"a.py", b".gitattributes"])
def test_tree_that_repeats_itself_is_refused(make_repository, loaded, name, monkeypatch):
    monkeypatch.setattr(tree, "MAX_PATHS", 20_000)
    source = make_repository()
    leaf = (FILE, name, write_object(source, "blob", GENERATED))
    commit_tree(source, repeated_tree(source, [leaf], width=10, depth=12))
    started = time.monotonic()

    with pytest.raises(LimitExceededError, match="more than 20,000 paths"):
        loaded(source)

    assert time.monotonic() - started < 20


def test_long_paths_are_counted_by_their_bytes(make_repository, loaded, monkeypatch):
    monkeypatch.setattr(tree, "MAX_PATHS_BYTES", 1024**2)
    source = make_repository()
    leaf = (FILE, b"a" * 2000, write_object(source, "blob", b"a\n"))
    commit_tree(source, repeated_tree(source, [leaf], width=10, depth=3))

    with pytest.raises(LimitExceededError, match="more than 1 MiB"):
        loaded(source)


def test_text_that_repeats_itself_is_refused_before_it_is_read(make_repository, loaded, monkeypatch):
    monkeypatch.setattr(load, "MAX_TEXT_BYTES", 1_000_000)
    source = make_repository()
    leaf = (FILE, b"a.py", write_object(source, "blob", b"x = 1\n" * 1000))
    commit_tree(source, repeated_tree(source, [leaf], width=10, depth=3))

    with pytest.raises(LimitExceededError, match="exclude what is not needed"):
        loaded(source)
    manifest, _ = loaded(source, exclude=("00*/*", "00[1-9]*"), include=("00[0-9]/000/*",))

    assert manifest.files == 1000


@pytest.mark.parametrize("names", [(b"a.py", b"a.py", b"b.py"), (b"b.py", b"a.py", b"b.py")], ids=["beside", "apart"])
def test_second_entry_of_a_path_costs_only_itself(make_repository, loaded, names):
    source = make_repository()
    blobs = [write_object(source, "blob", b"x = %d\n" % number) for number in range(3)]
    commit_tree(source, write_tree(source, [(FILE, name, blob) for name, blob in zip(names, blobs, strict=True)]))

    manifest, rows = loaded(source)

    assert dict(manifest.skipped) == {"duplicate path": 1}
    assert [row["text"] for row in rows if not row["reason"]] == [
        f"x = {at}\n" for at, name in enumerate(names) if name not in names[:at]
    ]


def test_odd_names_are_names_and_nothing_else(make_repository, loaded):
    source = make_repository()
    blob = write_object(source, "blob", b"x = 1\n")
    inner = write_tree(source, [(FILE, b"b.py", blob)])
    names = [b"../../x", b"..", b".", b".git", b"/etc/passwd", b"a/b.py", b"c\x1b\n", b"d\\e", b"l" * 5000, b"\xff"]
    commit_tree(source, write_tree(source, [*((FILE, name, blob) for name in names), (FOLDER, b"a", inner)]))

    manifest, rows = loaded(source)

    assert dict(manifest.skipped) == {"duplicate path": 1, "path not UTF-8": 1, "path too long": 1}
    assert manifest.files == len(rows) == len(names) + 1


def test_deep_tree_costs_its_paths(make_repository, loaded):
    source = make_repository()
    folder = write_tree(source, [(FILE, b"a.py", write_object(source, "blob", b"x = 1\n"))])
    for _ in range(100):
        folder = write_tree(
            source, [(FOLDER, b"d" * 100, folder), (FILE, b"e.py", write_object(source, "blob", b"e\n"))]
        )
    commit_tree(source, folder)

    manifest, _ = loaded(source)

    assert (manifest.files, dict(manifest.skipped)) == (101, {"path too long": 60})


@pytest.mark.parametrize("limit", ["MAX_ATTRIBUTES_FILE_BYTES", "MAX_ATTRIBUTES_BYTES", "MAX_ATTRIBUTES_FILES"])
def test_attributes_beyond_the_limits_are_left_aside(make_repository, loaded, monkeypatch, limit, caplog):
    monkeypatch.setattr(tree, limit, 0)
    source = make_repository("project", {".gitattributes": GENERATED, "a.py": "x = 1\n"})

    _, rows = loaded(source)

    assert [row["kind"] for row in rows if row["path"] == "a.py"] == ["source"]
    assert "1 files of attributes left aside" in caplog.text


def test_folder_or_link_of_the_name_declares_nothing(make_repository, loaded):
    source = make_repository()
    link = write_object(source, "blob", GENERATED)
    blob = write_object(source, "blob", b"x = 1\n")
    commit_tree(source, write_tree(source, [(b"120000", b".gitattributes", link), (FILE, b"a.py", blob)]))

    _, rows = loaded(source)

    assert [row["kind"] for row in rows if row["path"] == "a.py"] == ["source"]
