"""What a scheduled run costs when nothing changed, beyond what Airflow itself costs.

    .venv/bin/python -m benchmarks.unchanged REPOSITORY [REPOSITORY …]

Builds an alias as `make ingest` does, then executes the three stages that such a run has (plan, clone, compare), each
in fresh processes: the processor time of the process and of the git that it starts, less that of a process that only
imports what Airflow itself imports in every task. Medians of several rounds, taken in turns. Also tells whether
anything below datasets/ was touched, and names the heavy modules that a stage loaded. Exit code 1 when it is too much.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("plan", "clone", "compare")
AIRFLOW = "Airflow's own"
TOGETHER = "all in one process"
LIMIT_S = 1.0
HEAVY = ("deeplake", "numpy", "onnxruntime", "openai", "langchain_core", "pyarrow", "tiktoken", "tokenizers")
STAGE_PROCESS = "import benchmarks.unchanged as program; program.execute_stages()"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", help="git URL or local path, optionally @ref")
    parser.add_argument("--embedder", default="local")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    definition = {"alias": "benchmark", "repositories": arguments.repositories, "embedder": arguments.embedder}
    with tempfile.TemporaryDirectory() as folder:
        environment = build(folder, definition)
        before = datasets(environment)
        commands = {AIRFLOW: "", **{stage: stage for stage in STAGES}, TOGETHER: " ".join(STAGES)}
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        loaded: dict[str, list[str]] = {}
        for _ in range(arguments.rounds + 1):
            for name, stages in commands.items():
                used, loaded[name] = cpu_seconds(stages, definition, environment)
                seconds[name].append(used)
        untouched = datasets(environment) == before
    medians = {name: statistics.median(rounds[1:]) for name, rounds in seconds.items()}  # the first warms caches
    for name, median in medians.items():
        beyond = "" if name == AIRFLOW else f"{median - medians[AIRFLOW]:10.2f} s beyond"
        print(f"{name:20s}{median:8.2f} s{beyond}   {', '.join(loaded[name])}")
    total = sum(medians[stage] - medians[AIRFLOW] for stage in STAGES)
    print(f"{'three processes':20s}{'':10s}{total:10.2f} s beyond")
    print(f"datasets/ {'untouched' if untouched else 'CHANGED'}")
    return 0 if untouched and total <= LIMIT_S else 1


def build(folder: str, definition: dict[str, Any]) -> dict[str, str]:
    """The environment of a workspace in which the alias is up to date."""
    own = {"ASKREPO_WORKSPACE": f"{folder}/workspace", "ASKREPO_AIRFLOW_HOME": f"{folder}/airflow"}
    environment = {**os.environ, **own, "ASKREPO_ALLOW_LOCAL": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "plugins")])
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    asked = {"ALIAS": definition["alias"], "EMBEDDER": definition["embedder"]}
    asked["REPOS"] = shlex.join(definition["repositories"])
    subprocess.run([sys.executable, "-m", "tools.ingest"], cwd=ROOT, env={**environment, **asked}, check=True)
    return environment


def cpu_seconds(stages: str, definition: dict[str, Any], environment: dict[str, str]) -> tuple[float, list[str]]:
    """Processor seconds of a fresh process that executes the stages, git's included; the heavy modules it loaded."""
    before = os.times()
    command = [sys.executable, "-c", STAGE_PROCESS, json.dumps(definition), *stages.split()]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return used, json.loads(run.stdout.splitlines()[-1])


def execute_stages() -> None:
    """Import what Airflow imports in every task, then execute the stages with what those before them return."""
    from airflow.sdk.exceptions import AirflowSkipException  # noqa: TID251
    from airflow.sdk.execution_time import task_runner  # noqa: F401, TID251

    definition, *stages = sys.argv[1:]
    if stages:
        sys.path.append(str(ROOT / "plugins"))
    ended = False
    for stage in stages:
        try:
            execute(stage, definition)
        except AirflowSkipException:
            ended = True
    assert ended == ("compare" in stages), "the alias is not up to date"
    print(json.dumps([name for name in HEAVY if name in sys.modules]))


class NoXComs:
    """A task instance whose XComs go nowhere: they are Airflow's to send."""

    def xcom_push(self, key: str, value: object) -> None:
        json.dumps({key: value})


def execute(stage: str, definition: str) -> None:
    import askrepo_operators

    context: Any = {"ti": NoXComs()}
    common: dict[str, Any] = {"task_id": stage, "definition": definition, "run": "run"}
    if stage == "plan":
        askrepo_operators.PlanRunOperator(**common).execute(context)
    elif stage == "clone":
        for repository in inputs(definition, "repositories"):
            askrepo_operators.CloneRepositoryOperator(**common, repository=repository).execute(context)
    else:
        snapshots = inputs(definition, "snapshots")
        askrepo_operators.CompareSnapshotsOperator(**common, snapshots=snapshots).execute(context)


def inputs(definition: str, of: str) -> list[dict[str, Any]]:
    """What Airflow hands over from the stage before."""
    [entry] = Path(os.environ["ASKREPO_WORKSPACE"], "aliases", json.loads(definition)["alias"]).glob("*.json")
    snapshots: list[dict[str, Any]] = json.loads(entry.read_text())["manifest"]["snapshots"]
    if of == "snapshots":
        return snapshots
    return [{key: snapshot[key] for key in ("name", "url", "ref")} for snapshot in snapshots]


def datasets(environment: dict[str, str]) -> dict[str, tuple[int, int]]:
    """Size and time of every file below datasets/."""
    files = [file for file in Path(environment["ASKREPO_WORKSPACE"], "datasets").rglob("*") if file.is_file()]
    return {str(file): (file.stat().st_size, file.stat().st_mtime_ns) for file in files}


if __name__ == "__main__":
    sys.exit(main())
