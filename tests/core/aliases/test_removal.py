"""A removed alias stays away, whoever swaps, refreshes or dies at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.definition_store import DefinitionStore
from askrepo.aliases.removal import check_removal, keep_unless_removed, remove_alias
from askrepo.errors import StorageError, SwapLostError, UnknownAliasError, UsageError
from askrepo.types import AliasEntry, Definition
from askrepo.workspace.objects import Workspace
from tests.core.datasets import manifest_of

DEFINITION = Definition("main", ("https://example.org/owner/name",))
# How often a removal, or keeping a definition, reaches for the workspace: something may happen at each point.
REMOVAL_OPERATIONS = 8
KEEPING_OPERATIONS = 6
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def entry(number: int, *, dataset: str = "one") -> AliasEntry:
    return AliasEntry(
        "main", number, "2026-01-02T03:04:05+00:00", "swap", manifest_of(f"datasets/main/{dataset}", 5, "e")
    )


def reasons(workspace: Workspace) -> list[str]:
    return [item.reason for item in AliasCatalogue(workspace).history("main")]


@pytest.fixture
def refreshed(workspace: Workspace) -> Workspace:
    """A workspace with alias `main`: one dataset, and a definition."""
    AliasCatalogue(workspace).append(entry(1))
    DefinitionStore(workspace).keep(DEFINITION, by="ada")
    return workspace


class Interrupted(Workspace):
    """A workspace in which something happens at one of its operations.

    :param at: which operation, counted from 1.
    :param before: what happens before it takes place; after: what happens afterwards.
    """

    OPERATIONS = (
        "read",
        "read_document",
        "write",
        "create",
        "exists",
        "list_keys",
        "list_names",
        "list_folders",
        "delete",
    )

    def __init__(self, workspace: Workspace, *, at: int, before: Any = None, after: Any = None) -> None:
        super().__init__(workspace.url, store=workspace._store)
        self.count = 0
        self._at, self._before, self._after = at, before, after

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return self._counted(found) if name in Interrupted.OPERATIONS else found

    def _counted(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.count += 1
            is_it = self.count == self._at
            if is_it and self._before:
                self._before()
            result = operation(*arguments)
            if is_it and self._after:
                self._after()
            return result

        return call


def operations_of(action: Callable[[Workspace], Any], workspace: Workspace) -> int:
    """How many operations an action takes, counted on the way."""
    counting = Interrupted(workspace, at=0)
    action(counting)
    return counting.count


def test_a_removed_alias_has_neither_readers_nor_refreshes(refreshed):
    removal = remove_alias("main", workspace=refreshed, now=NOW)

    assert (removal.entry.number, removal.had_definition) == (2, True)
    with pytest.raises(UnknownAliasError, match="was removed on 2026-03-04 05:06 UTC"):
        AliasCatalogue(refreshed).current("main")
    assert DefinitionStore(refreshed).aliases() == []
    assert AliasCatalogue(refreshed).history("main")[-1].manifest == entry(1).manifest


def test_removing_again_changes_nothing(refreshed):
    first = remove_alias("main", workspace=refreshed, now=NOW)

    again = remove_alias("main", workspace=refreshed)

    assert again.entry == first.entry
    assert reasons(refreshed) == ["swap", "removed"]


def test_an_alias_that_has_only_a_definition_loses_it(workspace):
    DefinitionStore(workspace).keep(DEFINITION, by="ada")

    removal = remove_alias("main", workspace=workspace)

    assert (removal.entry, removal.had_definition) == (None, True)
    assert workspace.list_keys("definitions") == workspace.list_keys("aliases") == []


def test_an_alias_made_by_its_own_dag_needs_no_definition(workspace):
    AliasCatalogue(workspace).append(entry(1))

    assert not remove_alias("main", workspace=workspace).had_definition
    assert reasons(workspace) == ["swap", "removed"]


def test_datasets_are_left_to_maintenance(refreshed):
    refreshed.write("datasets/main/one/rows", b"rows")

    remove_alias("main", workspace=refreshed)

    assert refreshed.read("datasets/main/one/rows") == b"rows"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", range(1, REMOVAL_OPERATIONS + 1))
def test_a_removal_killed_at_any_point_is_finished_by_the_next_try(refreshed, at, moment):
    def die() -> None:
        raise StorageError("killed")

    dying = Interrupted(refreshed, at=at, **{moment: die})
    with pytest.raises(StorageError, match="killed"):
        remove_alias("main", workspace=dying)

    remove_alias("main", workspace=refreshed)

    assert reasons(refreshed) == ["swap", "removed"]
    assert DefinitionStore(refreshed).aliases() == []


def test_every_point_of_a_removal_was_among_those(refreshed):
    assert operations_of(lambda workspace: remove_alias("main", workspace=workspace), refreshed) == REMOVAL_OPERATIONS


@pytest.mark.parametrize("at", range(1, REMOVAL_OPERATIONS + 1))
def test_a_swap_during_the_removal_comes_before_it_or_loses(refreshed, at):
    lost = []

    def swap() -> None:
        try:
            AliasCatalogue(refreshed).append(entry(2, dataset="two"))
        except SwapLostError:
            lost.append(True)

    remove_alias("main", workspace=Interrupted(refreshed, at=at, before=swap))

    assert reasons(refreshed) == (["swap", "removed"] if lost else ["swap", "swap", "removed"])
    assert AliasCatalogue(refreshed).aliases() == []


def test_a_removal_that_swaps_overtake_again_and_again_gives_up(refreshed, monkeypatch):
    append = AliasCatalogue.append

    def overtaken(catalogue: AliasCatalogue, item: AliasEntry) -> AliasEntry:
        append(catalogue, replace(item, reason="swap"))
        return append(catalogue, item)

    monkeypatch.setattr(AliasCatalogue, "append", overtaken)
    with pytest.raises(SwapLostError, match="alias 'main'"):
        remove_alias("main", workspace=refreshed)


def test_a_store_that_answers_a_second_time_costs_no_second_entry(refreshed, monkeypatch):
    append = AliasCatalogue.append

    def written_but_refused(catalogue: AliasCatalogue, item: AliasEntry) -> AliasEntry:
        append(catalogue, item)
        raise SwapLostError("another run wrote it first")

    monkeypatch.setattr(AliasCatalogue, "append", written_but_refused)

    assert remove_alias("main", workspace=refreshed).entry.number == 2
    assert reasons(refreshed) == ["swap", "removed"]


def test_many_removals_and_swaps_at_once_leave_one_log_without_gaps(refreshed):
    def swap(number: int) -> None:
        catalogue = AliasCatalogue(refreshed)
        for _ in range(5):
            try:
                catalogue.append(entry(catalogue.number("main") + 1, dataset=f"d{number}"))
            except SwapLostError:
                continue

    def remove(_: int) -> None:
        for _ in range(5):
            try:
                remove_alias("main", workspace=refreshed)
            except SwapLostError:
                continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: (swap if number % 2 else remove)(number), range(8)))
    remove_alias("main", workspace=refreshed)

    found = AliasCatalogue(refreshed).history("main")
    assert [item.number for item in found] == list(range(1, len(found) + 1))
    assert found[-1].reason == "removed"
    assert not [pair for pair in pairwise(found) if pair[0].reason == pair[1].reason == "removed"]


class TestKeepingADefinition:
    def test_after_a_swap_the_definition_is_kept(self, workspace):
        AliasCatalogue(workspace).append(entry(1))

        kept = keep_unless_removed(DEFINITION, by="ada", workspace=workspace)

        assert DefinitionStore(workspace).find("main") == kept is not None

    def test_of_a_removed_alias_nothing_is_kept(self, refreshed):
        remove_alias("main", workspace=refreshed)

        assert keep_unless_removed(DEFINITION, by="ada", workspace=refreshed) is None
        assert DefinitionStore(refreshed).aliases() == []

    @pytest.mark.parametrize("at", range(1, KEEPING_OPERATIONS + 1))
    def test_a_removal_while_it_is_kept_still_ends_the_refreshes(self, workspace, at):
        AliasCatalogue(workspace).append(entry(1))
        removing = Interrupted(workspace, at=at, before=lambda: remove_alias("main", workspace=workspace))

        keep_unless_removed(DEFINITION, by="ada", workspace=removing)

        assert reasons(workspace) == ["swap", "removed"]
        assert DefinitionStore(workspace).aliases() == []

    def test_every_point_of_keeping_was_among_those(self, workspace):
        AliasCatalogue(workspace).append(entry(1))

        assert (
            operations_of(lambda one: keep_unless_removed(DEFINITION, by="ada", workspace=one), workspace)
            == KEEPING_OPERATIONS
        )

    @pytest.mark.parametrize("at", range(1, REMOVAL_OPERATIONS + 1))
    def test_keeping_during_a_removal_does_not_outlive_it(self, refreshed, at):
        keeping = lambda: keep_unless_removed(DEFINITION, by="ada", workspace=refreshed)  # noqa: E731

        remove_alias("main", workspace=Interrupted(refreshed, at=at, before=keeping))

        assert DefinitionStore(refreshed).aliases() == []


class TestCheck:
    def test_a_known_alias_typed_twice_may_be_removed(self, refreshed):
        check_removal("main", confirm="main", configured=["docs"], workspace=refreshed)

    def test_a_definition_alone_may_be_removed_even_when_it_is_damaged(self, workspace):
        workspace.write("definitions/main.json", b"{")

        check_removal("main", confirm="main", configured=[], workspace=workspace)

    @pytest.mark.parametrize(
        ("alias", "confirm", "error", "message"),
        [
            ("main", "u:tok@h", UsageError, "not removed: something else was typed as confirmation"),
            ("main", "mian", UsageError, "'mian' was typed as confirmation; type the alias again"),
            ("main", "", UsageError, "type the alias again"),
            ("docs", "docs", UsageError, "aliases.yaml configures it.*take it out of aliases.yaml first"),
            ("nope", "nope", UnknownAliasError, "no alias 'nope'.*known aliases: main"),
            ("../up", "../up", UsageError, "not an alias name"),
        ],
    )
    def test_what_was_not_meant_is_refused_and_changes_nothing(self, refreshed, alias, confirm, error, message):
        before = refreshed.list_keys("")

        with pytest.raises(error, match=message):
            check_removal(alias, confirm=confirm, configured=["docs"], workspace=refreshed)

        assert refreshed.list_keys("") == before

    def test_an_alias_that_is_removed_already_is_answered_with_when(self, refreshed):
        remove_alias("main", workspace=refreshed, now=NOW)

        with pytest.raises(UnknownAliasError, match="was removed on 2026-03-04 05:06 UTC"):
            check_removal("main", confirm="main", configured=[], workspace=refreshed)
