"""The pipeline's tasks as Airflow runs them: each in a process of its own, which tells what it cost."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from unittest import mock

from askrepo.types import Comparison, to_json

T = TypeVar("T")

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
    :ivar embedder_wall_s: seconds of these in which the embedder made vectors; embedder_cpu_s likewise.
    """

    began: float
    wall_s: float
    cpu_s: float
    peak_bytes: int
    embedder_wall_s: float = 0.0
    embedder_cpu_s: float = 0.0


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

    def other_cpu_s(self) -> float:
        """Processor seconds of all stages but for the embedder's own."""
        return self.cpu_s() - sum(task.cost.embedder_cpu_s for task in self.tasks["embed"])

    def other_wall_s(self) -> float:
        """Seconds likewise."""
        return self.wall_s() - sum(task.cost.embedder_wall_s for task in self.tasks["embed"])

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
        settings = {name: value for name, value in os.environ.items() if name.startswith("ASKREPO_")}
        own = {"ASKREPO_WORKSPACE": str(workspace), "ASKREPO_ALLOW_LOCAL": "1"}
        self._environment = {**settings, **own, **environment}
        self._workers = workers

    def run(self, run: str) -> Passage:
        """One passage: the first makes everything, the others carry over what they may."""
        tasks = self.split(run)
        [compare] = tasks["compare"]
        agreed = {"comparison": compare.xcoms["comparison"]}
        tasks["embed"] = self._execute("embed", run, [{"shard": task.result, **agreed} for task in tasks["split"]])
        written = {name: _results(tasks[stage]) for name, stage in (("loads", "load"), ("vectors", "embed"))}
        inputs = {"snapshots": compare.result, **written, **agreed}
        clone_s = [task.xcoms["seconds"] for task in tasks["clone"]]
        tasks["build"] = self._execute("build", run, [inputs], pulled=clone_s)
        tasks["swap"] = self._execute("swap", run, [{"manifest": tasks["build"][0].result, **agreed}])
        return Passage(tasks)

    def split(self, run: str) -> dict[str, list[Task]]:
        """The first part of a passage: the tasks up to and including split."""
        plan = self._execute("plan", run, [{}])
        clones = self._execute("clone", run, [{"repository": each} for each in plan[0].result])
        compare = self._execute("compare", run, [{"snapshots": _results(clones)}])
        agreed = {"comparison": compare[0].xcoms["comparison"]}
        snapshots = [{"snapshot": snapshot, **agreed} for snapshot in compare[0].result]
        loads = self._execute("load", run, snapshots)
        gather = self._execute("gather", run, [{"manifests": _results(loads)}])
        chunks = self._execute("split", run, [{"shard": shard, **agreed} for shard in gather[0].result])
        ended = (plan, clones, compare, loads, gather, chunks)
        return dict(zip(STAGES[: len(ended)], ended, strict=True))

    def embed(self, run: str, shards: Sequence[Mapping[str, Any]], *, fingerprint: str) -> list[Task]:
        """Embed shards of chunks that no dataset has."""
        nothing = to_json(Comparison(number=0, current=0, carry=False, fingerprint=fingerprint, reasons=()))
        inputs = [{"shard": shard, "comparison": nothing} for shard in shards]
        return self._execute("embed", run, inputs)

    def _execute(self, stage: str, run: str, inputs: Sequence[Mapping[str, Any]], *, pulled: Any = None) -> list[Task]:
        """A task for each of the inputs."""
        common = {"task_id": stage, "definition": self._definition, "run": run}
        calls = [(execute_task, (stage, {**common, **each}, pulled, self._environment)) for each in inputs]
        return call_in_processes(calls, workers=self._workers, progress=f"{run}: {stage}")


Call = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function of a module and its arguments."""


def call_in_processes(calls: Sequence[Call], *, workers: int = 1, progress: str = "") -> list[Any]:
    """What the calls return, each made in a process of its own, forked from one that has imported what Airflow has.

    (A `ProcessPoolExecutor` with one task per child may wait for ever on Python 3.11.)

    :param progress: what to call them on a terminal.
    """
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(_PRELOADED)
    results = []
    with _server_environment(), ThreadPoolExecutor(workers) as threads:
        for result in threads.map(partial(_call_in_process, server), calls):
            results.append(result)
            if sys.stderr.isatty():
                print(f"\r\x1b[K{progress} {len(results)} of {len(calls)}", end="", file=sys.stderr, flush=True)
    return results


def call_in_process(function: Callable[..., T], *arguments: Any) -> T:
    """What one call returns."""
    [result] = call_in_processes([(function, arguments)])
    return result  # type: ignore[no-any-return]


def _call_in_process(server: Any, call: Call) -> Any:
    receiver, sender = server.Pipe(duplex=False)
    process = server.Process(target=_answer, args=(sender, *call))
    process.start()
    sender.close()
    try:
        result, error = receiver.recv()
    except EOFError:
        process.join()
        raise ChildProcessError(f"{call[0].__name__} ended with exit code {process.exitcode}") from None
    process.join()
    if error:
        raise ChildProcessError(f"{call[0].__name__} failed in its process:\n{error}")
    return result


def _answer(sender: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        sender.send((function(*arguments), None))
    except Exception:  # noqa: BLE001 (whatever it is, it is the caller's to tell)
        sender.send((None, traceback.format_exc()))


@contextmanager
def _server_environment() -> Iterator[None]:
    """What the process to fork from starts with: where our modules are, and a home for what Airflow writes."""
    folders = [str(ROOT), str(ROOT / "plugins")]
    sys.path += [folder for folder in folders if folder not in sys.path]
    home = os.environ.get("AIRFLOW_HOME") or str(Path(tempfile.gettempdir(), "askrepo-benchmarks-airflow"))
    values = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "AIRFLOW_HOME": home}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def execute_task(stage: str, parameters: dict[str, Any], pulled: Any, environment: Mapping[str, str]) -> Task:
    """Execute an operator in this process.

    :param pulled: what other tasks handed over to it.
    """
    import askrepo_operators

    _quieten_logs()
    os.environ.update(environment)
    operator = getattr(askrepo_operators, _OPERATORS[stage])(**parameters)
    instance = _TaskInstance(pulled)
    context = {"ti": instance, "outlet_events": defaultdict(_Events)}
    with _embedder_watched() as embedder:
        result, cost = measured(operator.execute, context)
    cost = replace(cost, embedder_wall_s=embedder.wall_s, embedder_cpu_s=embedder.cpu_s)
    return Task(json.loads(json.dumps(result)), instance.pushed, cost)


def measured(function: Callable[..., T], *arguments: Any) -> tuple[T, Cost]:
    """What the function returns and what it cost, in this process, which logs errors only."""
    _quieten_logs()
    _import_libraries()
    began, before_s = time.monotonic(), _cpu_s()
    result = function(*arguments)
    return result, Cost(began, time.monotonic() - began, _cpu_s() - before_s, peak_bytes())


def _cpu_s() -> float:
    """Processor seconds of this process and of those that it started and waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak_bytes() -> int:
    """The most resident memory that this process had; `ru_maxrss` begins with what its parent had."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status does not tell VmHWM: this needs Linux")


@dataclass
class _EmbedderTime:
    wall_s: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def _embedder_watched() -> Iterator[_EmbedderTime]:
    """Note what the embedder of the block's task takes to make vectors."""
    from askrepo_operators import stage

    time_taken = _EmbedderTime()
    open_embedder = stage.open_embedder  # type: ignore[attr-defined]  # where the operators look it up

    def watched(spec: str, **options: Any) -> Any:
        embedder = open_embedder(spec, **options)
        embed_texts = embedder.embed_texts

        def timed(texts: Sequence[str]) -> Any:
            began, before_s = time.monotonic(), _cpu_s()
            vectors = embed_texts(texts)
            time_taken.wall_s += time.monotonic() - began
            time_taken.cpu_s += _cpu_s() - before_s
            return vectors

        embedder.embed_texts = timed  # type: ignore[method-assign]
        return embedder

    with mock.patch.object(stage, "open_embedder", watched):
        yield time_taken


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


def _quieten_logs() -> None:
    """Leave out what the operators log, and Airflow's warning that they run outside of its tasks."""
    import structlog

    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def _import_libraries() -> None:
    """Import what the stages import when they need it, so that short tasks are not measured by it."""
    import numpy  # noqa: F401, ICN001
    import pyarrow.parquet  # noqa: F401

    from askrepo.store.deeplake import load_deeplake
    from askrepo.text.tokens import count_tokens

    load_deeplake()
    count_tokens("")


def _results(tasks: Sequence[Task]) -> list[Any]:
    return [task.result for task in tasks]
