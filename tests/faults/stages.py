"""A refresh, task by task, as Airflow drives it: the one place of this package that knows how the stages are called."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import askrepo.aliases.claims
import askrepo.pipeline.embed
import askrepo.pipeline.load
import askrepo.workspace.stores
from askrepo.embedders.embedder import Embedder
from askrepo.embedders.hashed import HashedEmbedder
from askrepo.housekeeping.maintenance import carry_out, plan_maintenance
from askrepo.housekeeping.retention import Limits
from askrepo.pipeline.run import Run
from askrepo.settings import Settings
from askrepo.types import (
    Definition,
    Repository,
    chunk_shard_from,
    comparison_from,
    dataset_manifest_from,
    file_shard_from,
    load_manifest_from,
    snapshot_from,
    to_json,
    vector_shard_from,
)
from askrepo.workspace.keys import IDS_SUFFIX
from askrepo.workspace.objects import Workspace
from benchmarks.in_process import local_run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Json = Any
"""What a task returns, as Airflow keeps it."""

TASKS = ("clone", "compare", "load", "gather", "split", "embed", "build", "swap")

# A small repository is cut into as many shards and batches as a large one.
PART_BYTES = 3_500
BATCH_TEXTS = 2


class Record:
    """The results of a run's tasks, which Airflow keeps in its database: a task that has one is not done again.

    :param begin: called with the name of every task that is done.
    """

    def __init__(self, folder: Path, begin: Callable[[str], None]) -> None:
        self._folder = folder
        self._begin = begin
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, task: str, work: Callable[[], Any]) -> Any:
        """What the task returned, now or at an earlier try."""
        file = self._folder / f"{task}.json"
        if not file.exists():
            self._begin(task)
            unfinished = file.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(work()))
            unfinished.rename(file)
        return json.loads(file.read_text())

    def forget(self, count: int) -> None:
        """Lose the newest results, as when Airflow hears nothing of a worker that was done, or a user clears tasks.

        Of a run that is done only the last result: nobody does the rest again.
        """
        if (self._folder / "swap.json").exists():
            count = min(count, 1)
        files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        for file in files[len(files) - count :] if count else ():
            file.unlink()


class Ledger:
    """What was embedded, and what of it was in the workspace by when: one line an event, in the order of time.

    Each line is written at once and at the file's end, so that processes can share the file and a killed one leaves
    whole lines.
    """

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, event: str, run: str, task: str, ids: Collection[str]) -> None:
        os.write(self._file, f"{event} {run} {task} {os.getpid()} {' '.join(ids)}\n".encode())


class NotingEmbedder(HashedEmbedder):
    """The `hash` embedder; writes down what it computes before anybody gets it."""

    def __init__(self, note: Callable[[str, Collection[str]], None]) -> None:
        super().__init__()
        self._note = note

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = super().embed_texts(texts)
        if texts:
            self._note("computed", [askrepo.pipeline.embed.vector_id(self.fingerprint, text) for text in texts])
        return vectors


@dataclass(frozen=True)
class Refresh:
    """One run of the pipeline, as far as its tasks have no result yet.

    :ivar ledger: where embed writes down what it does.
    :ivar cache: directory in which the run's machine keeps what it can make again.
    """

    definition: Definition
    workspace: Workspace
    run_id: str
    record: Record
    ledger: Ledger
    cache: Path
    retention: int = 3
    grace_s: float = 3600.0

    def run(self) -> Json:
        """The alias's entry that this run wrote, None when it was up to date."""
        with (
            mock.patch.object(askrepo.pipeline.load, "PART_BYTES", PART_BYTES),
            mock.patch.object(askrepo.pipeline.embed, "BATCH_TEXTS", BATCH_TEXTS),
        ):
            return self._run()

    def _run(self) -> Json:
        record, stages = self.record, self._stages()
        repositories = record("plan", lambda: [to_json(one) for one in stages.plan()])
        snapshots = [record(f"clone-{n}", partial(self._clone, one)) for n, one in enumerate(repositories)]
        found = record("compare", lambda: self._compare(snapshots))
        if not found["reasons"]:
            return None
        loads = [record(f"load-{n}", partial(self._load, one, found)) for n, one in enumerate(snapshots)]
        shards = record("gather", lambda: [to_json(one) for one in stages.gather([*map(load_manifest_from, loads)])])
        chunks = [record(f"split-{n}", partial(self._split, one, found)) for n, one in enumerate(shards)]
        vectors = [record(f"embed-{n}", partial(self._embed, n, one, found)) for n, one in enumerate(chunks)]
        manifest = record("build", lambda: self._build(snapshots, loads, vectors, found))
        return record("swap", lambda: self._swap(manifest, found))

    def _stages(self, embedder: Embedder | None = None) -> Run:
        """The run anew, as each task opens it."""
        settings = Settings.from_env({"ASKREPO_CACHE": str(self.cache), "ASKREPO_CLONE_TIMEOUT_S": "60"})
        return local_run(
            self.definition,
            workspace=self.workspace,
            settings=replace(settings, retention=self.retention, grace_s=self.grace_s),
            run_id=self.run_id,
            embedder=embedder,
        )

    def _clone(self, repository: Json) -> Json:
        return to_json(self._stages().clone(Repository(**repository)))

    def _compare(self, snapshots: list[Json]) -> Json:
        stages = self._stages()
        number = stages.number()
        return to_json(stages.compare([snapshot_from(snapshot) for snapshot in snapshots], number=number))

    def _load(self, snapshot: Json, found: Json) -> Json:
        return to_json(self._stages().load(snapshot_from(snapshot), comparison_from(found)))

    def _split(self, shard: Json, found: Json) -> Json:
        return to_json(self._stages().split(file_shard_from(shard), comparison_from(found)))

    def _embed(self, number: int, shard: Json, found: Json) -> Json:
        def note(event: str, ids: Collection[str]) -> None:
            self.ledger.note(event, self.run_id, f"embed-{number}", ids)

        note("began", ())
        with _listings_noted(self.workspace, partial(note, "kept")):
            stages = self._stages(NotingEmbedder(note))
            return to_json(stages.embed(chunk_shard_from(shard), comparison_from(found)))

    def _build(self, snapshots: list[Json], loads: list[Json], vectors: list[Json], found: Json) -> Json:
        return to_json(
            self._stages().build(
                [snapshot_from(one) for one in snapshots],
                [load_manifest_from(one) for one in loads],
                [vector_shard_from(one) for one in vectors],
                comparison_from(found),
            )
        )

    def _swap(self, manifest: Json, found: Json) -> Json:
        return to_json(self._stages().swap(dataset_manifest_from(manifest), comparison_from(found)))


@contextmanager
def store_retries(count: int | None) -> Iterator[None]:
    """Let the object store's client ask a failing store again only so often, and soon; None for as it is meant."""
    if count is None:
        yield
        return
    changed: dict[str, Any] = {"_MAX_RETRIES": count, "_FIRST_PAUSE": timedelta(milliseconds=10)}
    with mock.patch.multiple(askrepo.workspace.stores, **changed):
        yield


@contextmanager
def _listings_noted(workspace: Workspace, note: Callable[[Collection[str]], None]) -> Iterator[None]:
    """Note the ids whose vectors are in the workspace for good: those of each list, once it is written."""
    write = workspace.write

    def noting(key: str, content: bytes) -> None:
        write(key, content)
        if key.endswith(IDS_SUFFIX):
            note(content.decode().split())

    with mock.patch.object(workspace, "write", noting):
        yield


def maintain(workspace: Workspace) -> list[str]:
    """Remove whatever nobody needs, as if all of it had had its time; what then is still to be removed.

    Kept are current datasets, with what belongs to them, and each alias's last runs.
    """
    now = datetime.now(UTC) + timedelta(days=2)
    limits = Limits(retention=1, grace=timedelta(0), run_age=timedelta(0))
    # A claim's age is told by the clock.
    with mock.patch.object(askrepo.aliases.claims, "STALE_AFTER", timedelta(0)):
        outcome = carry_out(plan_maintenance(workspace, limits, now=now), workspace=workspace)
    left = plan_maintenance(workspace, limits, now=now).removals
    return [*(item.name for item in left), *outcome.failed.values()]
