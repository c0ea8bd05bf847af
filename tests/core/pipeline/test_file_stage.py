from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from askrepo.errors import UnavailableError
from askrepo.pipeline.file_stage import FileStage, file_stages, place_of, shown_path
from askrepo.settings import Settings
from askrepo.types import AliasEntry, Definition
from askrepo.workspace.objects import Workspace
from tests.conftest import GIT_ENVIRONMENT, GitRepository
from tests.core.trees import FILE, FOLDER, commit_tree, write_object, write_tree
from tests.datasets import BuiltAlias, build_alias, run_stages

CONTENTS = {
    b"a.py": b"x = 1\n",
    b"picture.png": b"\x89PNG\0",
    b"empty.py": b"",
    b"blank.py": b"\n \n",
    b"big.txt": b"line\n" * (1024 * 1024),
    b"app.js": b"a=1;" * 5000,
    b"weights.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    b"broken.txt": b"\xff\xfe\x00\xd8a",
    b"lat\xe9in.py": b"x = 1\n",
    b"new\nline.py": b"x = 1\n",
    b"esc\x1b[31m.py": b"x = 1\n",
    b'quo"te\\.py': b"x = 1\n",
    b"quo'te.py": b"x = 1\n",
    b"tab\t.py": b"x = 1\n",
    b"-x.py": b"x = 1\n",
    "空.py".encode(): b"x = 1\n",
    b" space .py": b"x = 1\n",
    b"a.py:12": b"x = 1\n",
    b"100%.py": b"x = 1\n",
    b"star*[a].py": b"x = 1\n",
    b"n" * 5000: b"x = 1\n",
    b"skip.me": b"x = 2\n",
    b"Readme.py": b"x = 1\n",
    b"README.py": b"x = 2\n",
    b"crlf\r\n.py": b"x = 1\n",
    b"rtl\xe2\x80\xae.py": b"x = 1\n",
    b"trail .": b"x = 1\n",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[AliasEntry], Workspace, list[bytes]]:
    """An alias over a tree of every kind of path, its workspace, and the tree's paths as git lists them."""
    root = tmp_path_factory.mktemp("hostile")
    source = GitRepository(root / "project")
    entries = [(FILE, name, write_object(source, "blob", content)) for name, content in CONTENTS.items()]
    inner = write_tree(source, [(FILE, b"deep.py", entries[0][2]), (FILE, b"skip.me", entries[0][2])])
    deep = write_tree(source, [(FILE, b"deepest.py", entries[0][2])])
    for _ in range(200):
        deep = write_tree(source, [(FOLDER, b"deep", deep)])
    link = write_object(source, "blob", b"/etc/passwd")
    entries += [
        (FILE, b"a.py", write_object(source, "blob", b"x = 3\n")),
        (FOLDER, b"folder", inner),
        (FOLDER, b"Folder", write_tree(source, [(FILE, b"twin.py", entries[0][2])])),
        (FOLDER, b"down", deep),
        (b"120000", b"link", link),
        (b"160000", b"module", "1" * 40),
    ]
    commit_tree(source, write_tree(source, entries))
    workspace = Workspace.open(str(root / "workspace"))
    settings = Settings.from_env({"ASKREPO_WORKSPACE": workspace.url, "ASKREPO_CACHE": str(root / "cache")})
    definition = Definition("main", (source.url,), exclude=("*skip.me",), embedder="hash")
    entry = run_stages(definition, workspace=workspace, settings=settings)
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "-z", "--name-only", "main"],
        cwd=source.path, env={**os.environ, **GIT_ENVIRONMENT}, capture_output=True, check=True,
    )  # fmt: skip
    return [entry], workspace, listed.stdout.rstrip(b"\0").split(b"\0")


def one(path: str, hostile: tuple[list[AliasEntry], Workspace, list[bytes]]) -> FileStage:
    (found,) = file_stages(path, entries=hostile[0], workspace=hostile[1])
    return found


@pytest.mark.slow
def test_every_path_of_a_hostile_tree_has_an_answer(
    hostile: tuple[list[AliasEntry], Workspace, list[bytes]],
) -> None:
    entries, workspace, paths = hostile
    assert len(paths) == len(CONTENTS) + 7
    outcomes: dict[str, int] = {}
    for path in set(paths):
        found = file_stages(os.fsdecode(path), entries=entries, workspace=workspace)
        assert len(found) == paths.count(path), path
        for each in found:
            assert each.stage in ("loaded", "excluded", "skipped")
            assert (each.stage == "loaded") == (each.chunks > 0 and each.reason == "")
            assert each.explained or each.stage != "skipped"
            outcomes[each.reason or "loaded"] = outcomes.get(each.reason or "loaded", 0) + 1
    manifest = entries[0].manifest
    assert outcomes == {"loaded": manifest.loaded, **{key: n for key, n in manifest.skipped.items() if n}}
    assert sum(outcomes.values()) == manifest.files
    assert {"duplicate path", "path not UTF-8", "path too long", "LFS pointer", "submodule"} < set(outcomes)


@pytest.mark.parametrize(
    ("path", "stage", "reason"),
    [
        ("skip.me", "excluded", "excluded"),
        ("link", "skipped", "symlink"),
        ("project/big.txt", "skipped", "too large"),
        ("./folder/deep.py", "loaded", ""),
        ("gone.py", "not in the tree", ""),
        ("", "not in the tree", ""),
        ("../..", "not in the tree", ""),
        ("half\ud800", "not in the tree", ""),
        ("nul\0", "not in the tree", ""),
    ],
)
def test_a_path_has_a_stage(
    hostile: tuple[list[AliasEntry], Workspace, list[bytes]], path: str, stage: str, reason: str
) -> None:
    found = one(path, hostile)
    assert (found.stage, found.reason) == (stage, reason)


def test_a_loaded_file_tells_kind_language_and_chunks(
    hostile: tuple[list[AliasEntry], Workspace, list[bytes]],
) -> None:
    found = one("folder/deep.py", hostile)
    assert (found.kind, found.language, found.encoding, found.size, found.chunks) == ("source", "python", "utf-8", 6, 1)


def test_a_folder_tells_what_became_of_its_files(
    hostile: tuple[list[AliasEntry], Workspace, list[bytes]],
) -> None:
    found = one("folder", hostile)
    assert (found.path, found.stage, dict(found.within)) == ("folder/", "folder", {"loaded": 1, "excluded": 1})
    whole = one(".", hostile)
    assert sum(whole.within.values()) == hostile[0][0].manifest.files


def test_what_is_not_there_names_what_is(hostile: tuple[list[AliasEntry], Workspace, list[bytes]]) -> None:
    assert one("src/deep.py", hostile).nearest[0] == "folder/deep.py"


def test_the_pattern_that_left_a_path_out_is_told(tmp_path: Path) -> None:
    files = {"docs/a.md": "# A\n", "src/a.py": "x = 1\n", "src/gen/b.py": "y = 1\n"}
    built = build_alias(tmp_path, files)
    definition = replace(built.definition, alias="other", include=("src/*",), exclude=("*.rst", "**/gen/*"))
    entry = run_stages(definition, workspace=built.workspace, settings=built.settings)
    told = {path: file_stages(path, entries=[entry], workspace=built.workspace)[0].pattern for path in files}
    assert told == {"docs/a.md": "", "src/a.py": None, "src/gen/b.py": "**/gen/*"}


def test_each_repository_that_has_the_path_answers(tmp_path: Path) -> None:
    built = build_alias(tmp_path, {"a.py": "x = 1\n"}, others={"other": {"a.py": "", "b.py": "y = 1\n"}})

    def told(path: str) -> list[tuple[str, str]]:
        stages = file_stages(path, entries=[built.entry], workspace=built.workspace)
        return [(each.repository, each.stage) for each in stages]

    assert told("a.py") == [("project", "loaded"), ("other", "skipped")]
    assert told("other/a.py") == [("other", "skipped")]
    assert told("b.py") == [("other", "loaded")]
    assert told("c.py") == [("project", "not in the tree"), ("other", "not in the tree")]


def test_a_list_of_files_that_is_gone_or_changed_is_told(tmp_path: Path) -> None:
    built: BuiltAlias = build_alias(tmp_path, {"a.py": "x = 1\n"})
    for file in (tmp_path / "workspace" / "files" / "main").iterdir():
        file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(UnavailableError, match="missing or damaged"):
        file_stages("a.py", entries=[built.entry], workspace=built.workspace)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.py", ("a.py", None, None)),
        ("a.py:7", ("a.py", 7, 7)),
        ("a.py:7-12", ("a.py", 7, 12)),
        ("a.py#L7-L12", ("a.py", 7, 12)),
        ("a.py#L7", ("a.py", 7, 7)),
        ("a.py:7:12", ("a.py", 7, 7)),
        ("a.py:", ("a.py:", None, None)),
        ("a.py:x", ("a.py:x", None, None)),
        ("a.py:12-9", ("a.py", 12, 9)),
        ("a.py:" + "9" * 30, ("a.py:" + "9" * 30, None, None)),
    ],
)
def test_lines_may_be_written_behind_a_path(text: str, found: tuple[str, int | None, int | None]) -> None:
    assert place_of(text) == found


def test_bytes_that_are_not_utf8_are_shown_as_they_are_listed() -> None:
    assert shown_path(os.fsdecode(b"lat\xe9in.py")) == "lat\\xe9in.py"
