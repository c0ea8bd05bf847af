"""Peak resident memory of each task, in a real Airflow where every task is a process of its own (LocalExecutor).

    .venv/bin/python benchmarks/task_memory.py REPOSITORY [REPOSITORY …]

Starts Airflow as `make airflow` does, triggers askrepo_ingest over REST into an empty workspace, and samples the
resident memory of every process ten times a second; a task's process has the task instance's id in its title. Pages
shared with other processes are counted in full.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
import urllib.request
from typing import Any

import psutil

from tools.airflow_home import airflow_environment, migrate
from tools.serve import StandaloneAirflow, free_port

SAMPLE_S = 0.1


class Sampler(threading.Thread):
    """Highest resident memory seen of each process of an Airflow."""

    def __init__(self, airflow: StandaloneAirflow) -> None:
        super().__init__(daemon=True)
        self.airflow = airflow
        self.peaks: dict[tuple[int, str], int] = {}
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(SAMPLE_S):
            for process in self.airflow.processes():
                try:
                    name, memory = " ".join(process.cmdline())[:90], process.memory_info().rss
                except psutil.Error:
                    continue
                key = (process.pid, name)
                self.peaks[key] = max(self.peaks.get(key, 0), memory)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", help="git URL or local path, optionally @ref")
    parser.add_argument("--embedder", default="local")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        variables = {"ASKREPO_WORKSPACE": f"{folder}/workspace", "ASKREPO_AIRFLOW_HOME": f"{folder}/airflow"}
        variables["ASKREPO_ALLOW_LOCAL"] = "1"
        environment = airflow_environment({**os.environ, **variables})
        migrate(environment)
        airflow = StandaloneAirflow(environment, port=free_port())
        sampler = Sampler(airflow)
        try:
            airflow.start()
            airflow.wait_until_healthy()
            sampler.start()
            conf = {"alias": "benchmark", "repositories": arguments.repositories, "embedder": arguments.embedder}
            tasks = trigger_and_wait(airflow, conf)
        finally:
            sampler.done.set()
            airflow.stop()
    peaks: dict[str, int] = {}
    for (_, title), peak in sampler.peaks.items():
        for instance, task in tasks.items():
            if instance in title and "Executor" not in title:
                peaks[task] = max(peaks.get(task, 0), peak)
    for task, peak in sorted(peaks.items(), key=lambda item: -item[1]):
        print(f"{task:10s}{peak / 1e6:8.0f} MB")


def trigger_and_wait(airflow: StandaloneAirflow, conf: dict[str, Any]) -> dict[str, str]:
    user, password = airflow.login()
    token = call(airflow, "POST", "/auth/token", {"username": user, "password": password})["access_token"]
    runs = "/api/v2/dags/askrepo_ingest/dagRuns"
    while True:  # the DAG processor reads the folder shortly after it is healthy
        try:
            run = call(airflow, "POST", runs, {"logical_date": None, "conf": conf}, token)
            break
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            time.sleep(1)
    while run["state"] in {"queued", "running"}:
        time.sleep(1)
        run = call(airflow, "GET", f"{runs}/{run['dag_run_id']}", None, token)
    print("run ended:", run["state"])
    page = call(airflow, "GET", f"{runs}/{run['dag_run_id']}/taskInstances?limit=1000", None, token)
    return {instance["id"]: instance["task_id"] for instance in page["task_instances"]}


def call(airflow: StandaloneAirflow, method: str, path: str, body: Any, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(airflow.url + path, data=content, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
