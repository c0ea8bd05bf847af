"""An Airflow of its own for the test session. Import this before anything of Airflow: it reads its environment once."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(tempfile.mkdtemp(prefix="askrepo-airflow-"))
RETRY_DELAY_S = "1"

atexit.register(shutil.rmtree, HOME, ignore_errors=True)
for _name in [name for name in os.environ if name.startswith("AIRFLOW")]:
    del os.environ[_name]
os.environ.update(
    {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
    }
)
sys.path.append(str(ROOT / "dags"))  # where Airflow's DAG processor puts it

# Airflow 3.3.2 reads .airflowignore with an outdated call of pathspec.
AIRFLOW_WARNINGS = [pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")]


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """A metadata database of the installed version."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from airflow.utils import db

        db.initdb()


@pytest.fixture(scope="session")
def dagbag(airflow_db: None) -> Any:
    """The project's DAGs, as Airflow finds them."""
    return read_dags(ROOT / "dags")


def read_dags(folder: Path) -> Any:
    """A DagBag of the folder, with retries that do not keep a test waiting."""
    import warnings

    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("ASKREPO_RETRY_DELAY_S", RETRY_DELAY_S)
        from airflow.dag_processing.dagbag import DagBag

        return DagBag(str(folder))


@dataclass(frozen=True)
class FinishedRun:
    """A DAG run as a test looks at it."""

    dag_run: Any

    @property
    def state(self) -> str:
        return str(self.dag_run.state)

    def states(self) -> dict[str, list[str]]:
        """States of each task's instances, in map order."""
        return self._by_task(lambda instance: str(instance.state))

    def tries(self) -> dict[str, list[int]]:
        """Tries of each task's instances, in map order."""
        return self._by_task(lambda instance: instance.try_number)

    def xcoms(self) -> list[tuple[str, str, Any]]:
        """All XComs of the run: task, key, value."""
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session

        with create_session() as session:
            rows = session.query(XComModel).filter_by(run_id=self.dag_run.run_id, dag_id=self.dag_run.dag_id)
            return [(row.task_id, row.key, XComModel.deserialize_value(row)) for row in rows]

    def rendered_fields(self) -> list[str]:
        """What Airflow stored, and shows, of the tasks' parameters."""
        from airflow.models.renderedtifields import RenderedTaskInstanceFields
        from airflow.utils.session import create_session

        with create_session() as session:
            rows = session.query(RenderedTaskInstanceFields).filter_by(run_id=self.dag_run.run_id)
            return [json.dumps(row.rendered_fields) for row in rows]

    def asset_events(self) -> list[dict[str, Any]]:
        """Extras of the asset events that the run emitted."""
        from airflow.models.asset import AssetEvent
        from airflow.utils.session import create_session

        with create_session() as session:
            rows = session.query(AssetEvent).filter_by(source_run_id=self.dag_run.run_id)
            return [dict(row.extra) for row in rows]

    def _by_task(self, value: Callable[[Any], Any]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for instance in sorted(self.dag_run.get_task_instances(), key=lambda one: one.map_index):
            found.setdefault(instance.task_id, []).append(value(instance))
        return found


@pytest.fixture
def run_ingest(dagbag: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FinishedRun]:
    """Run askrepo_ingest in this process: `run_ingest(alias="main", repositories=[url])`."""
    monkeypatch.setenv("ASKREPO_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("ASKREPO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ASKREPO_ALLOW_LOCAL", "1")

    def run(**parameters: Any) -> FinishedRun:
        # `dag.test` leaves a run's parameters in the DAG, so that the next one would inherit what it does not give.
        unset = {"include": [], "exclude": [], "force": False}
        conf: Mapping[str, Any] = {"alias": "main", "embedder": "hash", **unset, **parameters}
        return FinishedRun(dagbag.get_dag("askrepo_ingest").test(run_conf=dict(conf)))

    return run
