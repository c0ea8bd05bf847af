"""Airflow's REST interface, as somebody with a login uses it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

POLL_S = 0.5
UNFINISHED = {"queued", "running"}

T = TypeVar("T")


def wait_for(what: str, look: Callable[[], T | None], *, timeout_s: float) -> T:
    """What `look` returns, as soon as it is neither None nor False.

    :raises AssertionError: not in time; the message says what was waited for.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = look()
        if found is not None and found is not False:
            return found
        time.sleep(POLL_S)
    raise AssertionError(f"no {what} after {timeout_s:.0f} s")


@dataclass(frozen=True, slots=True)
class DagRun:
    """A DAG run, by its names."""

    dag_id: str
    run_id: str

    @property
    def path(self) -> str:
        return f"/api/v2/dags/{self.dag_id}/dagRuns/{self.run_id}"


class Rest:
    """An Airflow at a URL."""

    def __init__(self, url: str, *, user: str, password: str) -> None:
        self.url = url
        self._token = ""
        self._token = self.call("POST", "/auth/token", {"username": user, "password": password})["access_token"]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=content, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise AssertionError(f"{method} {path}: {error}: {error.read().decode()}") from error
            raise

    def has_dag(self, dag_id: str) -> bool:
        try:
            self.call("GET", f"/api/v2/dags/{dag_id}")
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return False
        return True

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> DagRun:
        answer = self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        return DagRun(dag_id, answer["dag_run_id"])

    def end_state(self, run: DagRun, *, timeout_s: float) -> str:
        """The state that the run ends in."""

        def look() -> str | None:
            state = self.call("GET", run.path)["state"]
            return None if state in UNFINISHED else str(state)

        return wait_for(f"end of {run.run_id}", look, timeout_s=timeout_s)

    def instances(self, run: DagRun, task_id: str | None = None) -> list[dict[str, Any]]:
        """The run's task instances, or one task's, by task and map index."""
        found = self.call("GET", f"{run.path}/taskInstances?limit=1000")["task_instances"]
        chosen = [one for one in found if task_id in (None, one["task_id"])]
        return sorted(chosen, key=lambda one: (one["task_id"], one["map_index"]))
