"""A project-local Airflow: its environment, and its database."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class SetUpError(Exception):
    """Airflow could not be set up; the message says what to look at."""


def airflow_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment in which all Airflow commands of this project run.

    What the caller has set (connections, `ASKREPO_*`) stays; where Airflow keeps its things is ours: `.airflow`, or
    ASKREPO_AIRFLOW_HOME. (AIRFLOW_HOME may be another installation's, so it does not count.)
    """
    home = Path(env.get("ASKREPO_AIRFLOW_HOME") or ROOT / ".airflow").absolute()
    ours = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)]),
        "PYTHONPATH": str(ROOT),
    }
    defaults = {"ASKREPO_WORKSPACE": str(ROOT / ".workspace"), "ASKREPO_ALLOW_LOCAL": "1"}
    set_by_caller = {name: value for name, value in env.items() if value or not name.startswith("ASKREPO_")}
    merged = {**defaults, **set_by_caller, **ours}
    # Without .pyc files every Airflow command compiles thousands of modules again (measured 21 s instead of 10 s).
    merged.pop("PYTHONDONTWRITEBYTECODE", None)
    return merged


def migrate(environment: Mapping[str, str]) -> None:
    """Make the metadata database ready; a stamp beside it saves the 6 seconds when it is.

    :raises SetUpError: the migration failed.
    """
    home = Path(environment["AIRFLOW_HOME"])
    stamp = home / "migrated"
    version = importlib.metadata.version("apache-airflow")
    if (home / "airflow.db").exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == version:
        return
    (home / "logs").mkdir(parents=True, exist_ok=True)
    log = home / "logs" / "migrate.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        run = subprocess.run(command, env=dict(environment), stdout=output, stderr=subprocess.STDOUT, check=False)
    if run.returncode:
        raise SetUpError(f"airflow db migrate failed; see {log}")
    stamp.write_text(version, encoding="utf-8")
