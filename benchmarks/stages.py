"""The pipeline's tasks as Airflow runs them: each in a process of its own, which tells what it cost."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("plan", "clone", "compare", "load", "gather", "split", "embed", "build", "swap")

# What a process of Airflow has imported when it begins a task.
_PRELOADED = ["airflow.sdk.execution_time.task_runner", "askrepo_operators"]
_OPERATORS = {
    "plan": "PlanRunOperator",
    "clone": "CloneRepositoryOperator",
    "compare": "CompareSnapshotsOperator",
    "load": "LoadFilesOperator",
    "gather": "GatherShardsOperator",
    "split": "SplitFilesOperator",
    "embed": "EmbedChunksOperator",
    "build": "BuildDatasetOperator",
    "swap": "SwapAliasOperator",
}


@dataclass(frozen=True)
class Cost:
    """What a task took.

    :ivar began: by a clock that all processes share, in seconds.
    :ivar cpu_s: processor seconds of the process and of the git it started, without importing libraries.
    :ivar peak_bytes: most resident memory of the process (VmHWM), what Airflow has imported included.
    """

    began: float
    wall_s: float
    cpu_s: float
    peak_bytes: int


@dataclass(frozen=True)
class Task:
    """A task that ended.

    :ivar result: what it returned, as JSON values.
    :ivar xcoms: what else it handed over, by key.
    """

    result: Any
    xcoms: Mapping[str, Any]
    cost: Cost


@dataclass(frozen=True)
class Passage:
    """A run that ended: its tasks by stage."""

    tasks: Mapping[str, Sequence[Task]]

    @property
    def report(self) -> Mapping[str, Any]:
        """The report of the dataset that was built."""
        report: Mapping[str, Any] = self.tasks["build"][0].result["report"]
        return report

    @property
    def chunks(self) -> int:
        """Rows of the dataset that was built."""
        return int(self.tasks["build"][0].result["chunks"])

    def cpu_s(self, *stages: str) -> float:
        """Processor seconds of some stages, of all when none is named."""
        return sum(task.cost.cpu_s for stage in stages or STAGES for task in self.tasks[stage])

    def wall_s(self, *stages: str) -> float:
        """Seconds of all tasks one after another; of some stages, of all when none is named."""
        return sum(task.cost.wall_s for stage in stages or STAGES for task in self.tasks[stage])

    def peak_bytes(self, stage: str) -> int:
        """The most that any task of a stage took."""
        return max(task.cost.peak_bytes for task in self.tasks[stage])


class Pipeline:
    """Runs of one alias in one workspace.

    :param definition: the parameters of a run, as Airflow's form has them.
    :param workers: tasks that run side by side.
    :param environment: of the tasks, beside ASKREPO_WORKSPACE.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        *,
        workspace: Path,
        workers: int = 1,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._definition = json.dumps(definition)
        self._environment = {"ASKREPO_WORKSPACE": str(workspace), "ASKREPO_ALLOW_LOCAL": "1", **environment}
        self._workers = workers

    def run(self, run: str) -> Passage:
        """One passage: the first makes everything, the others carry over what they may."""
        with fresh_processes(self._workers) as processes:
            tasks = self._split(run, processes)
            [compare] = tasks["compare"]
            agreed = compare.xcoms
            against = {name: agreed[name] for name in ("fingerprint", "incumbent")}
            shards = [{"shard": task.result, **against} for task in tasks["split"]]
            tasks["embed"] = self._execute("embed", run, processes, shards)
            written = {name: _results(tasks[stage]) for name, stage in (("loads", "load"), ("vectors", "embed"))}
            inputs = {"snapshots": compare.result, **written, **against, "carried_from": agreed["carried_from"]}
            clone_s = [task.xcoms["seconds"] for task in tasks["clone"]]
            tasks["build"] = self._execute("build", run, processes, [inputs], pulled=clone_s)
            manifest = {"manifest": tasks["build"][0].result, "expected_number": agreed["expected_number"]}
            tasks["swap"] = self._execute("swap", run, processes, [manifest])
        return Passage(tasks)

    def split(self, run: str) -> Mapping[str, Sequence[Task]]:
        """The first part of a passage: the tasks up to and including split."""
        with fresh_processes(self._workers) as processes:
            return self._split(run, processes)

    def embed(self, run: str, shards: Sequence[Mapping[str, Any]], *, fingerprint: str) -> list[Task]:
        """Embed shards of chunks that no earlier dataset has, side by side as workers allow."""
        inputs = [{"shard": shard, "fingerprint": fingerprint, "incumbent": 0} for shard in shards]
        with fresh_processes(self._workers) as processes:
            return self._execute("embed", run, processes, inputs)

    def _split(self, run: str, processes: ProcessPoolExecutor) -> dict[str, list[Task]]:
        plan = self._execute("plan", run, processes, [{}])
        clones = self._execute("clone", run, processes, [{"repository": each} for each in plan[0].result])
        compare = self._execute("compare", run, processes, [{"snapshots": _results(clones)}])
        carried = {"carried_from": compare[0].xcoms["carried_from"]}
        snapshots = [{"snapshot": snapshot, **carried} for snapshot in compare[0].result]
        loads = self._execute("load", run, processes, snapshots)
        gather = self._execute("gather", run, processes, [{"manifests": _results(loads)}])
        shards = [{"shard": shard, **carried} for shard in gather[0].result]
        chunks = self._execute("split", run, processes, shards)
        ended = (plan, clones, compare, loads, gather, chunks)
        return dict(zip(STAGES[: len(ended)], ended, strict=True))

    def _execute(
        self,
        stage: str,
        run: str,
        processes: ProcessPoolExecutor,
        inputs: Sequence[Mapping[str, Any]],
        *,
        pulled: Any = None,
    ) -> list[Task]:
        """A task for each of the inputs."""
        common = {"task_id": stage, "definition": self._definition, "run": run}
        calls = [
            processes.submit(execute_task, stage, {**common, **each}, pulled, self._environment) for each in inputs
        ]
        tasks = []
        for number, call in enumerate(calls, start=1):
            tasks.append(call.result())
            _tell(f"{run}: {stage} {number} of {len(calls)}")
        return tasks


@contextmanager
def fresh_processes(workers: int = 1) -> Iterator[ProcessPoolExecutor]:
    """Processes for one call each, forked from one that has imported what Airflow has."""
    for folder in (str(ROOT), str(ROOT / "plugins")):
        if folder not in sys.path:
            sys.path.append(folder)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    os.environ.setdefault("AIRFLOW_HOME", str(Path(tempfile.gettempdir(), "askrepo-benchmarks-airflow")))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    with ProcessPoolExecutor(workers, mp_context=context, max_tasks_per_child=1) as processes:
        yield processes


def execute_task(stage: str, parameters: dict[str, Any], pulled: Any, environment: Mapping[str, str]) -> Task:
    """Execute an operator in this process.

    :param pulled: what other tasks handed over to it.
    """
    import structlog

    import askrepo_operators

    logging.disable(logging.WARNING)
    # The operators' own logs, and Airflow's warning that they run outside of its tasks.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    os.environ.update(environment)
    operator = getattr(askrepo_operators, _OPERATORS[stage])(**parameters)
    instance = _TaskInstance(pulled)
    context = {"ti": instance, "outlet_events": defaultdict(_Events)}
    result, cost = measured(operator.execute, context)
    return Task(json.loads(json.dumps(result)), instance.pushed, cost)


def measured(function: Any, *arguments: Any) -> tuple[Any, Cost]:
    """What the function returns and what it cost, in this process."""
    _import_libraries()
    began, before = time.monotonic(), os.times()
    result = function(*arguments)
    after, ended = os.times(), time.monotonic()
    return result, Cost(began, ended - began, sum(after[:4]) - sum(before[:4]), peak_bytes())


def peak_bytes() -> int:
    """The most resident memory that this process had; `ru_maxrss` begins with what its parent had."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status does not tell VmHWM: this needs Linux")


class _TaskInstance:
    """Stands for Airflow's, whose XComs go through its server."""

    def __init__(self, pulled: Any) -> None:
        self.pushed: dict[str, Any] = {}
        self._pulled = pulled

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, **_: Any) -> Any:
        return self._pulled


class _Events:
    """Stands for Airflow's list of asset events."""

    def add(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""


def _import_libraries() -> None:
    """Import what the stages import when they need it, so that short tasks are not measured by it."""
    import numpy  # noqa: F401, ICN001
    import pyarrow.parquet  # noqa: F401

    from askrepo.store._deeplake import load_deeplake
    from askrepo.tokens import count_tokens

    load_deeplake()
    count_tokens("")


def _results(tasks: Sequence[Task]) -> list[Any]:
    return [task.result for task in tasks]


def _tell(progress: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{progress}", end="", file=sys.stderr, flush=True)
