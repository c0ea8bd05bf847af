"""askrepo_remove: nothing happens unless it was meant, and then the alias stays away until somebody wants it again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.definition_store import DefinitionStore
from askrepo.aliases.rollback import rollback_alias
from askrepo.errors import StorageError, UnknownAliasError
from askrepo.types import AliasEntry, Definition
from askrepo.workspace.objects import Workspace
from tests.airflow_session import AIRFLOW_WARNINGS, FinishedRun
from tests.conftest import GitRepository
from tests.core.datasets import manifest_of

pytestmark = AIRFLOW_WARNINGS

RunDag = Callable[..., FinishedRun]
MakeRepository = Callable[..., GitRepository]
GREETING = "def greet(name):\n    return f'hello {name}'\n"


@pytest.fixture
def run_remove(dagbag: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> RunDag:
    """Run askrepo_remove in this process."""
    monkeypatch.setenv("ASKREPO_WORKSPACE", workspace.url)
    dag = dagbag.get_dag("askrepo_remove")

    def run(*, configured: tuple[str, ...] = (), **parameters: Any) -> FinishedRun:
        monkeypatch.setattr(dag.get_task("check"), "configured", configured)
        return FinishedRun(dag.test(run_conf=parameters))

    return run


@pytest.fixture
def main(workspace: Workspace) -> AliasCatalogue:
    """An alias with a dataset, as far as the catalogue knows, and a definition."""
    catalogue = AliasCatalogue(workspace)
    manifest = manifest_of("datasets/main/one", 5, "e" * 64)
    catalogue.append(AliasEntry("main", 1, "2026-01-02T03:04:05+00:00", "swap", manifest))
    DefinitionStore(workspace).keep(Definition("main", ("https://example.org/owner/name",)), by="ada")
    return catalogue


def objects(workspace: Workspace) -> dict[str, bytes]:
    root = Path(workspace.url)
    return {str(file): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def test_an_alias_typed_twice_is_removed(run_remove: RunDag, main: AliasCatalogue, workspace: Workspace) -> None:
    run = run_remove(alias="main", confirm="main")

    assert (run.state, run.states()) == ("success", {"check": ["success"], "remove": ["success"]})
    with pytest.raises(UnknownAliasError, match="alias 'main' was removed on"):
        main.current("main")
    assert DefinitionStore(workspace).aliases() == []


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"alias": "main", "confirm": "mian"}, "alias 'main' is not removed: 'mian' was typed as confirmation"),
        ({"alias": "nope", "confirm": "nope"}, "no alias 'nope' in workspace"),
        ({"alias": "main", "confirm": "main", "configured": ("main",)}, "take it out of aliases.yaml first"),
    ],
    ids=["typed wrongly", "unknown", "configured"],
)
def test_a_removal_that_was_not_meant_fails_at_once_and_touches_nothing(
    run_remove: RunDag,
    main: AliasCatalogue,
    workspace: Workspace,
    capfd: pytest.CaptureFixture[str],
    parameters: dict[str, Any],
    line: str,
) -> None:
    before = objects(workspace)

    run = run_remove(**parameters)

    assert (run.state, run.states()) == ("failed", {"check": ["failed"], "remove": ["upstream_failed"]})
    assert run.tries()["check"] == [1]
    assert line in "".join(capfd.readouterr())
    assert objects(workspace) == before


@pytest.mark.parametrize("parameters", [{}, {"alias": "main"}, {"alias": "../up", "confirm": "../up"}])
def test_a_form_that_is_not_filled_in_is_refused_before_a_run_exists(
    run_remove: RunDag, dagbag: Any, parameters: dict[str, str]
) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        run_remove(**{"alias": "", "confirm": "", **parameters})


def test_a_removal_that_dies_on_its_way_is_finished_by_the_retry(
    run_remove: RunDag, main: AliasCatalogue, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = AliasCatalogue.append
    died = []

    def die_once(catalogue: AliasCatalogue, entry: AliasEntry) -> AliasEntry:
        if died:
            return append(catalogue, entry)
        died.append(True)
        raise StorageError("the disk is full")

    monkeypatch.setattr(AliasCatalogue, "append", die_once)

    run = run_remove(alias="main", confirm="main")

    assert (run.state, run.tries()) == ("success", {"check": [1], "remove": [2]})
    assert [entry.reason for entry in main.history("main")] == ["swap", "removed"]
    assert DefinitionStore(workspace).aliases() == []


def test_a_definition_without_dataset_is_removed(run_remove: RunDag, workspace: Workspace) -> None:
    DefinitionStore(workspace).keep(Definition("main", ("https://example.org/owner/name",)), by="ada")

    run = run_remove(alias="main", confirm="main")

    assert run.state == "success"
    assert objects(workspace) == {}


def test_a_removal_is_undone_by_a_rollback(
    run_remove: RunDag, run_ingest: RunDag, make_repository: MakeRepository, workspace: Workspace
) -> None:
    repository = make_repository("project", {"a.py": GREETING})
    run_ingest(repositories=[repository.url])
    before = AliasCatalogue(workspace).current("main")
    run_remove(alias="main", confirm="main")

    rollback_alias("main", workspace=workspace)

    current = AliasCatalogue(workspace).current("main")
    assert (current.number, current.reason, current.manifest) == (3, "rollback", before.manifest)


def test_a_removed_alias_is_built_anew_by_a_later_run(
    run_remove: RunDag, run_ingest: RunDag, make_repository: MakeRepository, workspace: Workspace
) -> None:
    large = make_repository("large", {f"{number}.py": GREETING for number in range(5)})
    small = make_repository("small", {"a.py": GREETING})
    run_ingest(repositories=[large.url])
    run_remove(alias="main", confirm="main")

    run = run_ingest(repositories=[small.url])

    assert run.state == "success"
    history = AliasCatalogue(workspace).history("main")
    assert [entry.reason for entry in history] == ["swap", "removed", "swap"]
    assert AliasCatalogue(workspace).current("main").manifest.loaded == 1
    assert DefinitionStore(workspace).aliases() == ["main"]


def test_the_form_tells_what_will_be_lost(dagbag: Any) -> None:
    dag = dagbag.get_dag("askrepo_remove")

    help_texts = {name: dag.params.get_param(name).schema["description_md"] for name in ("alias", "confirm")}
    assert "No reader finds it any more" in help_texts["alias"]
    assert "askrepo rollback" in help_texts["alias"]
    assert "The same alias once more" in help_texts["confirm"]
    assert all(task.retries == 3 and task.doc_md for task in dag.tasks)
