"""A project-local Airflow: its environment, and its database."""

from __future__ import annotations

import importlib.metadata
import os
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from tools.family import run
from tools.run_log import told_by

ROOT = Path(__file__).resolve().parents[1]
EMBED_POOL = "askrepo_paid_embedder"
# Requests that a paid embedder gets at once from all runs together; Airflow's page changes it under Admin, Pools.
EMBED_POOL_SLOTS = 2


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
    defaults = {
        "ASKREPO_WORKSPACE": str(ROOT / ".workspace"),
        "ASKREPO_ALLOW_LOCAL": "1",
        "ASKREPO_EMBED_POOL": EMBED_POOL,
    }
    set_by_caller = {name: value for name, value in env.items() if value or not name.startswith("ASKREPO_")}
    merged = {**defaults, **set_by_caller, **ours}
    # Without .pyc files every Airflow command compiles thousands of modules again (measured 21 s instead of 10 s).
    merged.pop("PYTHONDONTWRITEBYTECODE", None)
    return merged


def migrate(environment: Mapping[str, str]) -> None:
    """Make the metadata database ready, with the pool that ASKREPO_EMBED_POOL names; quick when it is.

    :raises SetUpError: a command of Airflow failed.
    """
    home = Path(environment["AIRFLOW_HOME"])
    _migrate_tables(home, environment)
    pool = environment["ASKREPO_EMBED_POOL"]
    if not _has_pool(home, pool):
        # A task whose pool does not exist waits for ever.
        about = "askrepo: tasks that may call a paid embedder"
        _airflow(home, environment, "pools", "set", pool, str(EMBED_POOL_SLOTS), about)


def _migrate_tables(home: Path, environment: Mapping[str, str]) -> None:
    """Migrate to the installed version; a stamp beside the database saves the 6 seconds when that is done."""
    stamp = home / "migrated"
    version = importlib.metadata.version("apache-airflow")
    if (home / "airflow.db").exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == version:
        return
    _airflow(home, environment, "db", "migrate")
    stamp.write_text(version, encoding="utf-8")


def _has_pool(home: Path, name: str) -> bool:
    """Whether the database has the pool: read here, because Airflow's own command takes seconds to tell."""
    with closing(sqlite3.connect(home / "airflow.db")) as database:
        return database.execute("SELECT 1 FROM slot_pool WHERE pool = ?", (name,)).fetchone() is not None


def _airflow(home: Path, environment: Mapping[str, str], *command: str) -> None:
    log = home / "logs" / f"{'-'.join(command[:2])}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        code = run([sys.executable, "-m", "airflow", *command], env=environment, stdout=output)
    if code:
        raise SetUpError(f"airflow {' '.join(command[:2])} failed; {told_by(log)}")
