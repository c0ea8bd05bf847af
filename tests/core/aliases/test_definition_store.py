"""What was given by hand is kept, so that it can be built again: exactly, in one step, each alias by itself."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from askrepo.aliases.definition_store import DefinitionStore, parameters_of
from askrepo.errors import ForbiddenError, UnavailableError, UsageError
from askrepo.types import Definition
from askrepo.workspace.objects import Workspace

DOCS = Definition("docs", ("https://example.org/o/docs@v1",), include=("*.md",), exclude=("old/*",), embedder="hash")
CODE = Definition("code", ("https://example.org/o/code", "git@example.org:o/more.git"))
FIRST = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = FIRST + timedelta(days=1)


@pytest.fixture
def store(workspace: Workspace) -> DefinitionStore:
    return DefinitionStore(workspace)


def test_nothing_is_kept_in_a_new_workspace(store):
    assert store.aliases() == []
    assert store.find("docs") is None


def test_a_kept_definition_is_found_as_it_was_given(store):
    kept = [store.keep(definition, by="ada", now=FIRST) for definition in (DOCS, CODE)]

    assert store.aliases() == ["code", "docs"]
    assert [store.find("docs"), store.find("code")] == kept
    assert [one.definition for one in kept] == [DOCS, CODE]
    assert (kept[0].made_at, kept[0].made_by) == ("2026-01-02T03:04:05+00:00", "ada")


def test_keeping_the_same_definition_again_writes_nothing(store, workspace):
    first = store.keep(DOCS, by="ada", now=FIRST)
    written = Path(workspace.url, "definitions/docs.json").stat()

    assert store.keep(DOCS, by="ben", now=LATER) == first
    assert Path(workspace.url, "definitions/docs.json").stat() == written


def test_another_definition_replaces_the_kept_one_and_remembers_its_beginning(store):
    store.keep(DOCS, by="ada", now=FIRST)
    changed = replace(DOCS, repositories=("https://example.org/o/other",))

    kept = store.keep(changed, by="ben", now=LATER)

    assert store.find("docs") == kept
    assert kept.definition == changed
    assert (kept.made_at, kept.made_by) == ("2026-01-02T03:04:05+00:00", "ada")
    assert (kept.changed_at, kept.changed_by) == ("2026-01-03T03:04:05+00:00", "ben")


def test_a_setting_of_the_installation_is_not_part_of_the_definition(store):
    kept = store.keep(replace(DOCS, max_file_bytes=7), by="ada")

    assert kept.definition == DOCS
    assert store.holds(replace(DOCS, max_file_bytes=8))


def test_the_parameters_of_a_definition_are_those_of_the_form():
    assert parameters_of(CODE) == {
        "alias": "code",
        "repositories": ["https://example.org/o/code", "git@example.org:o/more.git"],
        "include": [],
        "exclude": [],
        "embedder": "local",
    }


@pytest.mark.parametrize(("given", "ref"), [("./project", ""), ("project", ""), ("./project@main", "@main")])
def test_a_relative_path_is_kept_absolute_for_the_refresh_works_elsewhere(store, tmp_path, monkeypatch, given, ref):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path)

    kept = store.keep(replace(DOCS, repositories=(given,)), by="ada")

    monkeypatch.chdir("/")
    assert kept.definition.repositories == ((tmp_path / "project").as_uri() + ref,)
    assert store.find("docs") == kept


def test_a_definition_is_held_only_while_it_is_the_kept_one(store):
    assert not store.holds(DOCS)
    store.keep(DOCS, by="ada")
    assert store.holds(DOCS)
    assert not store.holds(replace(DOCS, embedder="local"))


def test_a_forgotten_definition_is_gone_and_forgetting_repeats(store):
    store.keep(DOCS, by="ada")
    store.keep(CODE, by="ada")

    assert [store.forget("docs"), store.forget("docs")] == [True, False]
    assert store.aliases() == ["code"]


DAMAGED = [
    b"",
    b'{"definition": {"ali',
    b"[]",
    b"null",
    b"\xff",
    b"{}",
    b'{"definition": {"alias": "docs", "repositories": ["https://example.org/o/docs"]}}',
    b'{"definition": {"alias": "docs", "repositories": []}, "made_at": "", "made_by": ""}',
    b'{"definition": {"alias": "docs", "repositories": "https://example.org/o/docs"}}',
    b'{"definition": {"alias": "docs", "repositories": ["--upload-pack=x"]}}',
    b'{"definition": {"alias": 5, "repositories": ["https://example.org/o/docs"]}}',
    b"""{"definition": {"alias": "docs", "repositories": ["https://example.org/o/docs"], "embedder": 5},
    "made_at": "", "made_by": "", "changed_at": "", "changed_by": ""}""",
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_definition_that_cannot_be_understood_is_named_and_harms_no_other(store, workspace, content):
    kept = store.keep(CODE, by="ada")
    workspace.write("definitions/docs.json", content)

    with pytest.raises(UnavailableError, match=r"definitions/docs\.json.*run askrepo_ingest for alias 'docs' again"):
        store.find("docs")

    assert store.aliases() == ["code", "docs"]
    assert store.find("code") == kept
    assert not store.holds(DOCS)


def test_a_definition_that_cannot_be_understood_is_replaced_by_the_next_one(store, workspace):
    workspace.write("definitions/docs.json", b"{")

    kept = store.keep(DOCS, by="ada")

    assert store.find("docs") == kept


def test_another_aliass_definition_under_a_wrong_name_is_refused(store, workspace):
    store.keep(CODE, by="ada")
    workspace.write("definitions/docs.json", workspace.read("definitions/code.json"))

    with pytest.raises(UnavailableError, match="it defines alias 'code'"):
        store.find("docs")


@pytest.mark.parametrize("name", ["docs.json.tmp", "README.md", "Docs.json", ".docs.json", "docs.json/inner", ".json"])
def test_files_of_other_names_are_ignored(store, workspace, name):
    workspace.write(f"definitions/{name}", b"{")

    assert store.aliases() == []


@pytest.mark.parametrize("alias", ["../aliases", "a/b", "", "Docs"])
def test_a_name_that_is_no_alias_reaches_no_file(store, alias):
    with pytest.raises(UsageError, match="not an alias name"):
        store.find(alias)
    with pytest.raises(UsageError, match="not an alias name"):
        store.forget(alias)


def test_a_reader_never_sees_half_a_definition(store):
    """Writers replace it all the time; each look finds one of theirs, whole."""
    theirs = [replace(DOCS, include=(f"{number}/" + "x" * 20_000,)) for number in range(4)]
    store.keep(theirs[0], by="ada")

    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(store.keep, theirs[number % 4], by="ada") for number in range(60)]
        looks = [pool.submit(store.find, "docs") for _ in range(60)]

    assert {write.result().definition for write in writes} == set(theirs)
    assert {look.result().definition for look in looks} <= set(theirs)


@pytest.mark.parametrize("name", ["\u0665.json", "a\nb.json", b"\xff.json", "docs.json#1"], ids=repr)
def test_a_file_of_an_odd_name_is_nobodys_definition(store, workspace, name):
    store.keep(DOCS, by="ada")
    Path(workspace.url, "definitions", os.fsdecode(name)).write_bytes(b"{")

    assert store.aliases() == ["docs"]


def test_a_definition_that_nests_too_deep_is_named(store, workspace):
    workspace.write("definitions/docs.json", b"[" * 100_000)

    with pytest.raises(UnavailableError, match=r"definitions/docs\.json"):
        store.find("docs")


def test_a_definition_of_another_user_is_not_replaced(store, workspace, monkeypatch):
    """It may be as it should be; only this user cannot tell."""
    store.keep(DOCS, by="ada")

    def forbidden(key: str) -> bytes:
        raise ForbiddenError(f"cannot read {key}: permission denied")

    monkeypatch.setattr(workspace, "read_document", forbidden)
    with pytest.raises(ForbiddenError):
        store.keep(replace(DOCS, include=()), by="ben")
    monkeypatch.undo()
    assert store.find("docs").definition == DOCS


def test_a_definition_larger_than_any_is_not_read(store, workspace):
    store.keep(DOCS, by="ada")
    os.truncate(Path(workspace.url, "definitions", "docs.json"), 2**40)

    with pytest.raises(UnavailableError, match=r"definitions/docs\.json: it is not a definition"):
        store.find("docs")
