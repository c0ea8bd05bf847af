"""The DAG end to end, in this process: real git, real Deep Lake, Airflow's own task runner."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.embedders.embedder import Embedder, open_embedder
from askrepo.errors import TransientError
from askrepo.store.opening import open_dataset
from askrepo.workspace.objects import Workspace
from tests.airflow_session import AIRFLOW_WARNINGS, FinishedRun
from tests.conftest import GitRepository
from tests.git_server import GitServer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

pytestmark = AIRFLOW_WARNINGS

Run = Callable[..., FinishedRun]
MakeRepository = Callable[..., GitRepository]
ONCE = ["success"]
NEVER = ["skipped"]
SECRET = "s3cr3t-token-of-a-connection"
STAGES = ["plan", "clone", "compare", "load", "gather", "split", "embed", "build", "swap", "keep"]
GREETING = "def greet(name):\n    return f'hello {name}'\n"


def objects(workspace: Workspace) -> dict[str, float]:
    """Every object of the workspace and when it was written."""
    root = Path(workspace.url)
    return {str(file): file.stat().st_mtime_ns for file in root.rglob("*") if file.is_file()}


def test_first_run_publishes_the_alias(run_ingest: Run, make_repository: MakeRepository, workspace: Workspace) -> None:
    repository = make_repository("project", {"a.py": GREETING, "README.md": "# Project\n"})

    run = run_ingest(repositories=[repository.url])

    assert run.state == "success"
    assert run.states() == dict.fromkeys(STAGES, ONCE)
    entry = AliasCatalogue(workspace).current("main")
    assert (entry.number, entry.manifest.loaded) == (1, 2)
    reader = open_dataset(workspace.url_of(entry.manifest.dataset), manifest=entry.manifest)
    assert "".join(chunk.text for chunk in reader.file_chunks("project", "a.py")) == GREETING


def test_unchanged_second_run_is_green_and_writes_nothing(
    run_ingest: Run, make_repository: MakeRepository, workspace: Workspace
) -> None:
    repository = make_repository("project", {"a.py": GREETING})
    run_ingest(repositories=[repository.url])
    before = objects(workspace)

    run = run_ingest(repositories=[repository.url])

    assert run.state == "success"
    assert run.states() == {stage: ONCE if stage in {"plan", "clone", "keep"} else NEVER for stage in STAGES}
    assert objects(workspace) == before


def test_forced_run_swaps_though_nothing_changed(
    run_ingest: Run, make_repository: MakeRepository, workspace: Workspace
) -> None:
    repository = make_repository("project", {"a.py": GREETING})
    run_ingest(repositories=[repository.url])

    run = run_ingest(repositories=[repository.url], force=True)

    assert run.state == "success"
    first, second = AliasCatalogue(workspace).history("main")
    assert {first.number, second.number} == {1, 2}
    assert first.manifest.digest == second.manifest.digest


def test_new_commit_moves_the_alias_and_reuses_vectors(
    run_ingest: Run, make_repository: MakeRepository, workspace: Workspace
) -> None:
    repository = make_repository("project", {"a.py": GREETING, "b.py": "x = 1\n"})
    run_ingest(repositories=[repository.url])
    commit = repository.commit({"b.py": "x = 2\n"})

    run = run_ingest(repositories=[repository.url])

    assert run.state == "success"
    entry = AliasCatalogue(workspace).current("main")
    assert entry.number == 2
    assert entry.manifest.snapshots[0].commit == commit
    [vectors] = [value for task, key, value in run.xcoms() if (task, key) == ("embed", "return_value")]
    assert (vectors["computed"], vectors["reused"]) == (1, 0)
    assert entry.manifest.report["chunks"] == {"carried": 1, "embedded": 1, "reused": 1}


def test_two_repositories_share_one_alias(
    run_ingest: Run, make_repository: MakeRepository, workspace: Workspace
) -> None:
    urls = [make_repository(name, {f"{name}.py": GREETING}).url for name in ("one", "two")]

    run = run_ingest(repositories=urls)

    assert run.states() == {stage: ONCE * (2 if stage in {"clone", "load"} else 1) for stage in STAGES}
    manifest = AliasCatalogue(workspace).current("main").manifest
    assert [snapshot.name for snapshot in manifest.snapshots] == ["one", "two"]
    assert manifest.chunks == 2


def test_each_shard_is_a_task_of_its_own(
    run_ingest: Run, make_repository: MakeRepository, workspace: Workspace, small_parts: None
) -> None:
    run = run_ingest(repositories=[make_repository("project", five_files()).url])

    assert run.state == "success"
    assert len(run.states()["split"]) == len(run.states()["embed"]) == 5
    assert AliasCatalogue(workspace).current("main").manifest.chunks == 5


def test_repository_without_text_fails_once_and_leaves_the_alias_alone(
    run_ingest: Run, make_repository: MakeRepository, workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    repository = make_repository("project", {"a.py": GREETING})
    run_ingest(repositories=[repository.url])
    repository.commit({"a.py": None, "logo.png": b"\x89PNG\x00\x01\x02"})

    run = run_ingest(repositories=[repository.url])

    assert run.state == "failed"
    assert (run.states()["gather"], run.tries()["gather"]) == (["failed"], [1])
    assert "nothing to index in project: found 1 binary" in "".join(capfd.readouterr())
    assert AliasCatalogue(workspace).number("main") == 1


def test_unknown_ref_fails_without_retry_and_leaves_the_alias_alone(
    run_ingest: Run, make_repository: MakeRepository, workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    repository = make_repository("project", {"a.py": GREETING})
    run_ingest(repositories=[repository.url])

    run = run_ingest(repositories=[f"{repository.url}@nowhere"])

    assert run.state == "failed"
    assert (run.states()["clone"], run.tries()["clone"]) == (["failed"], [1])
    lines = [line for line in "".join(capfd.readouterr()).splitlines() if line.strip()]
    shown = [number for number, line in enumerate(lines) if "no branch, tag or commit 'nowhere'" in line]
    # Once with Airflow's traceback, and once more beneath it.
    assert len([line for line in lines if line.startswith("Traceback")]) <= 1
    assert shown[-1] > max(number for number, line in enumerate(lines) if "Task failed with exception" in line)
    assert AliasCatalogue(workspace).number("main") == 1


def test_one_missing_repository_of_two_stops_the_run_before_the_dataset(
    run_ingest: Run, make_repository: MakeRepository, workspace: Workspace, tmp_path: Path
) -> None:
    good = make_repository("good", {"a.py": GREETING})

    run = run_ingest(repositories=[good.url, (tmp_path / "missing").as_uri()])

    assert run.state == "failed"
    assert run.states()["clone"] == ["success", "failed"]
    assert AliasCatalogue(workspace).aliases() == []
    assert workspace.list_keys("datasets") == []


def test_transient_failure_of_one_shard_repeats_that_shard_only(
    run_ingest: Run,
    make_repository: MakeRepository,
    workspace: Workspace,
    small_parts: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    embedder = FailsOnce(open_embedder("hash", cache=Path("unused")), at="file 3")
    monkeypatch.setattr("askrepo.aliases.readers.open_embedder", lambda *_, **__: embedder)

    run = run_ingest(repositories=[make_repository("project", five_files()).url])

    assert run.state == "success"
    assert run.tries()["embed"] == [1, 1, 1, 2, 1]
    assert all(tries == [1] * len(tries) for task, tries in run.tries().items() if task != "embed")
    assert sorted(embedder.texts) == sorted(set(embedder.texts))


def test_retried_run_gives_the_dataset_of_an_undisturbed_one(
    run_ingest: Run,
    make_repository: MakeRepository,
    workspace: Workspace,
    small_parts: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository = make_repository("project", five_files())
    run_ingest(alias="calm", repositories=[repository.url])
    embedder = FailsOnce(open_embedder("hash", cache=Path("unused")), at="file 1")
    monkeypatch.setattr("askrepo.aliases.readers.open_embedder", lambda *_, **__: embedder)

    run_ingest(alias="disturbed", repositories=[repository.url])

    catalogue = AliasCatalogue(workspace)
    assert catalogue.current("disturbed").manifest.digest == catalogue.current("calm").manifest.digest


def test_swap_is_lost_when_somebody_moved_the_alias_during_the_run(
    run_ingest: Run, make_repository: MakeRepository, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make_repository("project", {"a.py": GREETING})
    run_ingest(repositories=[repository.url])
    overtaken = AliasCatalogue(workspace).number
    # This run sees the alias as it was before the first one swapped.
    monkeypatch.setattr(AliasCatalogue, "number", lambda self, alias: overtaken(alias) - 1)
    repository.commit({"a.py": "y = 2\n"})

    run = run_ingest(repositories=[repository.url])

    assert run.state == "failed"
    assert (run.states()["swap"], run.tries()["swap"]) == (["failed"], [1])
    assert overtaken("main") == 1


def test_swap_announces_alias_dataset_commits_and_counts(
    run_ingest: Run, make_repository: MakeRepository, workspace: Workspace
) -> None:
    repository = make_repository("project", {"a.py": GREETING})

    run = run_ingest(repositories=[repository.url])

    manifest = AliasCatalogue(workspace).current("main").manifest
    [event] = run.asset_events()
    assert (event["alias"], event["dataset"]) == ("main", manifest.dataset)
    assert event["commits"] == {"project": repository.git("rev-parse", "HEAD")}
    assert event["counts"]["chunks"] == manifest.chunks == 1
    assert event["report"]["seconds"].pop("swap") > 0
    assert event["report"] == manifest.report
    assert event["report"]["files"] == {"added": 1, "changed": 0, "moved": 0, "removed": 0, "unchanged": 0}
    assert event["report"]["chunks"] == {"carried": 0, "embedded": 1, "reused": 0}


def test_xcoms_are_references_not_contents(
    run_ingest: Run, make_repository: MakeRepository, workspace: Workspace
) -> None:
    text = "".join(f"def function_{number}():\n    return {number}\n\n" for number in range(500))

    run = run_ingest(repositories=[make_repository("project", {"a.py": text}).url])

    shown = [str(value) for _, _, value in run.xcoms()]
    assert max(len(value) for value in shown) < 5_000
    assert not any("function_77" in value for value in shown)


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"alias": ""}, id="no alias"),
        pytest.param({"alias": "../up"}, id="alias is a path"),
        pytest.param({"repositories": []}, id="no repository"),
        pytest.param({"repositories": ["https://user:secret@host/a/b"]}, id="credentials in the URL"),
        pytest.param({"repositories": ["--upload-pack=touch x"]}, id="option instead of a URL"),
        pytest.param({"include": "*.py"}, id="patterns are no list"),
        pytest.param({"embedder": "unknown"}, id="unknown embedder"),
    ],
)
def test_wrong_parameters_are_refused_before_a_run_exists(run_ingest: Run, parameters: dict[str, Any]) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        run_ingest(**{"repositories": ["https://host/owner/name"], **parameters})


def test_private_repository_is_read_and_its_token_shows_up_nowhere(
    run_ingest: Run,
    make_repository: MakeRepository,
    serve: Callable[..., GitServer],
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make_repository("project", {"a.py": GREETING})
    server = serve(password=SECRET)
    connection = {"conn_type": "git", "host": server.url, "login": "bot", "password": SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_PRIVATE", json.dumps(connection))
    monkeypatch.setenv("ASKREPO_GIT_CONN_ID", "private")

    run = run_ingest(repositories=[f"{server.url}/project"])

    assert run.state == "success"
    shown = ["".join(capfd.readouterr()), *map(str, run.xcoms()), *run.rendered_fields(), *map(str, run.asset_events())]
    assert len(shown) > len(STAGES)
    assert not [text for text in shown if SECRET in text]
    assert SECRET.encode() not in server.command_lines
    assert not [file for file in objects(workspace) if SECRET.encode() in Path(workspace.url, file).read_bytes()]


def test_refused_credentials_fail_once_and_are_not_shown(
    run_ingest: Run,
    make_repository: MakeRepository,
    serve: Callable[..., GitServer],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make_repository("project", {"a.py": GREETING})
    server = serve(password="another")
    connection = {"conn_type": "git", "host": server.url, "login": "bot", "password": SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_PRIVATE", json.dumps(connection))
    monkeypatch.setenv("ASKREPO_GIT_CONN_ID", "private")

    run = run_ingest(repositories=[f"{server.url}/project"])

    assert (run.state, run.tries()["clone"]) == ("failed", [1])
    shown = "".join(capfd.readouterr())
    assert "check its URL and the token or key of its connection" in shown
    assert SECRET not in shown


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard per file of `five_files`."""
    monkeypatch.setattr("askrepo.pipeline.load.PART_BYTES", 100)


def five_files() -> dict[str, str]:
    return {f"{number}.txt": f"file {number} " + "word " * 30 + "\n" for number in range(5)}


class FailsOnce:
    """An embedder that fails the first time it sees a text, and remembers what it embedded."""

    def __init__(self, embedder: Embedder, *, at: str) -> None:
        self.spec, self.fingerprint = embedder.spec, embedder.fingerprint
        self.texts: list[str] = []
        self._embedder = embedder
        self._at: Collection[str] = [at]

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if any(mark in text for mark in self._at for text in texts):
            self._at = ()
            raise TransientError("the endpoint is not at home")
        self.texts.extend(texts)
        return self._embedder.embed_texts(texts)

    def embed_question(self, text: str) -> NDArray[np.float32]:
        return self._embedder.embed_question(text)
