"""An alias is an append-only log: of many writers exactly one gets each number."""

import multiprocessing
from collections import Counter
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.errors import SwapLostError, UnavailableError, UnknownAliasError, UsageError
from askrepo.types import AliasEntry
from askrepo.workspace.objects import Workspace
from tests.core.datasets import manifest_of


def entry(number: int, *, alias: str = "main", dataset: str = "one") -> AliasEntry:
    manifest = manifest_of(f"datasets/{alias}/{dataset}", 5, "e" * 64)
    return AliasEntry(alias, number, "2026-01-02T03:04:05+00:00", "swap", manifest)


@pytest.fixture
def catalogue(workspace: Workspace) -> AliasCatalogue:
    return AliasCatalogue(workspace)


def test_a_new_workspace_has_no_alias(catalogue):
    assert catalogue.aliases() == []
    assert catalogue.number("main") == 0


def test_the_highest_number_is_current(catalogue):
    written = [catalogue.append(entry(number, dataset=f"d{number}")) for number in (1, 2, 3)]

    assert catalogue.current("main") == written[-1]
    assert catalogue.history("main") == written
    assert catalogue.number("main") == 3


def test_aliases_are_listed_by_name(catalogue):
    for alias in ("main", "docs"):
        catalogue.append(entry(1, alias=alias))

    assert catalogue.aliases() == ["docs", "main"]


def test_an_unknown_alias_is_answered_with_the_known_ones(catalogue):
    catalogue.append(entry(1))

    with pytest.raises(UnknownAliasError, match=r"no alias 'docs'.*known aliases: main"):
        catalogue.current("docs")


def test_without_any_alias_the_message_says_what_to_do(catalogue):
    with pytest.raises(UnknownAliasError, match="run the pipeline first"):
        catalogue.history("main")


@pytest.mark.parametrize("alias", ["../main", "a/b", "", "Main", ".hidden"])
def test_a_name_that_is_no_alias_reaches_no_file(catalogue, alias):
    with pytest.raises(UsageError, match="not an alias name"):
        catalogue.current(alias)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_only_the_next_number_can_be_written(catalogue, number):
    catalogue.append(entry(1))

    with pytest.raises(SwapLostError, match=f"at entry 1, so entry {number}"):
        catalogue.append(entry(number, dataset="other"))

    assert catalogue.current("main") == entry(1)


@pytest.mark.parametrize("name", ["00000002.json.tmp", "2.json", "notes.txt", "00000009.json/inner", "00000000.json"])
def test_files_of_other_names_are_ignored(catalogue, workspace, name):
    catalogue.append(entry(1))
    workspace.write(f"aliases/main/{name}", b"{")
    workspace.write("aliases/README.md", b"")
    workspace.write("aliases/Not An Alias/00000001.json", b"{}")

    assert catalogue.current("main") == entry(1)
    assert catalogue.aliases() == ["main"]


@pytest.mark.parametrize("content", [b"", b'{"alias": "ma', b"[]", b"null", b'{"alias": "main"}', b"\xff"])
def test_an_entry_that_cannot_be_understood_is_named(catalogue, workspace, content):
    catalogue.append(entry(1))
    workspace.write("aliases/main/00000002.json", content)

    with pytest.raises(UnavailableError, match=r"aliases/main/00000002\.json"):
        catalogue.current("main")


def test_an_entry_under_a_wrong_name_is_refused(catalogue, workspace):
    catalogue.append(entry(1))
    workspace.write("aliases/main/00000002.json", workspace.read("aliases/main/00000001.json"))

    with pytest.raises(UnavailableError, match="it is entry 1 of alias 'main'"):
        catalogue.current("main")


def removal(number: int, *, alias: str = "main") -> AliasEntry:
    return replace(entry(number, alias=alias), reason="removed", swapped_at="2026-03-04T05:06:07+00:00")


def test_a_removed_alias_is_answered_with_when_and_how_to_bring_it_back(catalogue):
    for item in (entry(1), removal(2), entry(1, alias="docs")):
        catalogue.append(item)

    with pytest.raises(UnknownAliasError) as caught:
        catalogue.current("main")

    assert str(caught.value) == (
        "alias 'main' was removed on 2026-03-04 05:06 UTC (entry 2): bring it back with `askrepo rollback main` while "
        "its dataset is still there, or build it anew; known aliases: docs"
    )


def test_a_removed_alias_is_not_listed_but_counted_and_remembered(catalogue):
    written = [catalogue.append(item) for item in (entry(1), removal(2))]

    assert catalogue.aliases() == []
    assert catalogue.current_or_none("main") is None
    assert catalogue.number("main") == 2
    assert catalogue.newest("main") == written[-1]
    assert catalogue.history("main") == written


def test_a_removed_alias_is_current_again_after_its_next_entry(catalogue):
    for item in (entry(1), removal(2), entry(3, dataset="anew")):
        catalogue.append(item)

    assert catalogue.aliases() == ["main"]
    assert catalogue.current("main") == catalogue.current_or_none("main") == entry(3, dataset="anew")


def test_an_alias_without_entries_has_no_current_one(catalogue):
    assert catalogue.newest("main") is None
    assert catalogue.current_or_none("main") is None


def test_an_alias_whose_entry_cannot_be_read_is_listed_so_that_somebody_notices(catalogue, workspace):
    catalogue.append(entry(1))
    workspace.write("aliases/main/00000002.json", b"{")

    assert catalogue.aliases() == ["main"]


def append_many(url: str, writer: int, tries: int) -> list[int]:
    """Numbers that this writer won, trying always the next one."""
    catalogue = AliasCatalogue(Workspace.open(url))
    won = []
    for _ in range(tries):
        number = catalogue.number("main") + 1
        try:
            catalogue.append(entry(number, dataset=f"writer{writer}"))
        except SwapLostError:
            continue
        won.append(number)
    return won


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["threads", "processes"])
def test_exactly_one_writer_wins_each_number(tmp_path: Path, pool):
    url = str(tmp_path / "workspace")
    Workspace.open(url)
    executor: Executor
    if pool == "threads":
        executor = ThreadPoolExecutor(16)
    else:
        executor = ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn"))
    with executor:
        futures = [executor.submit(append_many, url, writer, 12) for writer in range(16)]
        won = {writer: future.result() for writer, future in enumerate(futures)}

    history = AliasCatalogue(Workspace.open(url)).history("main")
    winners = Counter(number for numbers in won.values() for number in numbers)
    assert set(winners.values()) == {1}
    assert [item.number for item in history] == sorted(winners) == list(range(1, len(winners) + 1))
    for item in history:
        writer = int(item.manifest.dataset.rsplit("writer", 1)[1])
        assert item.number in won[writer]


def test_an_entry_is_read_back_equal(catalogue):
    full = replace(entry(1), manifest=replace(entry(1).manifest, report={"seconds": {"load": 1.5}}))

    catalogue.append(full)

    assert catalogue.current("main") == full
