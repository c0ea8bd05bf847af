"""A project-local Airflow: its environment, and its database."""

from __future__ import annotations

import importlib.metadata
import os
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from askrepo.telemetry import SILENCE
from tools.process_tree import MAKE_PID, run
from tools.run_log import told_by

ROOT = Path(__file__).resolve().parents[1]
EMBED_POOL = "askrepo_paid_embedder"
# Requests that a paid embedder gets at once from all runs together; Airflow's page changes it under Admin, Pools.
EMBED_POOL_SLOTS = 2

OUR_OPTION = "ASKREPO_AIRFLOW__"
# Of another installation, or of the shell's Python; without .pyc files, for one, every Airflow command compiles
# thousands of modules again (measured 21 s instead of 10 s). MAKE_PID is for the process that make started.
FOREIGN = ("AIRFLOW", "_AIRFLOW", "PYTHON", "VIRTUAL_ENV", "LANGSMITH_", "LANGCHAIN_", "OPENLINEAGE_", MAKE_PID)
WANTED = ("AIRFLOW_CONN_", "AIRFLOW_VAR_", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONUNBUFFERED", "PYTHONPYCACHEPREFIX")
SILENT = {
    **SILENCE,
    # Airflow's reports of its use; earlier releases sent them through scarf.sh.
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "OPENLINEAGE_DISABLED": "true",
}
# Airflow gives its logs these modes, whatever the umask.
PRIVATE_LOGS = {
    "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
    "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
}


class SetUpError(Exception):
    """Airflow could not be set up; the message says what to look at."""


def airflow_environment(env: Mapping[str, str], *, allow_local: Path | None = None) -> dict[str, str]:
    """The environment in which all Airflow commands of this project run.

    What the caller has set (connections, variables, `ASKREPO_*`) stays. Settings of another Airflow, or of another
    Python, do not get in: where Airflow keeps its things is ours, `.airflow` or ASKREPO_AIRFLOW_HOME, and an option
    for this Airflow is named `ASKREPO_AIRFLOW__SECTION__OPTION`.

    :param allow_local: the folder below which repositories of this machine may be read when the caller says nothing.
    """
    home = Path(env.get("ASKREPO_AIRFLOW_HOME") or ROOT / ".airflow").absolute()
    ours = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(home / "airflow.cfg"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)]),
        "PYTHONPATH": str(ROOT),
        **_without_proxies(env),
        **SILENT,
        **PRIVATE_LOGS,
    }
    defaults = {
        "ASKREPO_WORKSPACE": str(ROOT / ".workspace"),
        "ASKREPO_EMBED_POOL": EMBED_POOL,
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Its default asks a name server who this machine is.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
    }
    if allow_local is not None:
        defaults["ASKREPO_ALLOW_LOCAL"] = str(allow_local)
    options = {name.removeprefix("ASKREPO_"): value for name, value in env.items() if name.startswith(OUR_OPTION)}
    return {**defaults, **_of_caller(env), **options, **ours}


def check_settings(environment: Mapping[str, str]) -> None:
    """Return when the settings and aliases.yaml can be understood: tasks and DAG files read them much later.

    :raises UsageError: they cannot; the message names what.
    """
    # Where Airflow puts these folders itself.
    sys.path += [folder for folder in (str(ROOT / "plugins"), str(ROOT / "dags")) if folder not in sys.path]
    from askrepo_check import check

    aliases = Path(environment["AIRFLOW__CORE__DAGS_FOLDER"], "aliases.yaml")
    check(environment, aliases=aliases if aliases.exists() else None)


def _of_caller(env: Mapping[str, str]) -> dict[str, str]:
    """What of the caller's environment is meant for us; an empty setting of ours counts as unset."""
    kept = {name: value for name, value in env.items() if name.startswith(WANTED) or not name.startswith(FOREIGN)}
    return {name: value for name, value in kept.items() if value or not name.startswith("ASKREPO_")}


def _without_proxies(env: Mapping[str, str]) -> dict[str, str]:
    """Airflow's components speak to each other directly, whatever proxy the caller uses for the rest."""
    names = [name for name in ("no_proxy", "NO_PROXY") if env.get(name)] or ["no_proxy", "NO_PROXY"]
    return {name: ",".join(filter(None, [env.get(name), "127.0.0.1,localhost,::1"])) for name in names}


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
    if (home / "airflow.db").exists() and stamp.exists() and stamp.read_bytes() == version.encode():
        return
    try:
        _airflow(home, environment, "db", "migrate")
    except SetUpError as error:
        raise SetUpError(f"{error}; {_begin_anew(home)}") from error
    stamp.write_text(version, encoding="utf-8")


def _has_pool(home: Path, name: str) -> bool:
    """Whether the database has the pool: read here, because Airflow's own command takes seconds to tell."""
    try:
        with closing(sqlite3.connect(home / "airflow.db")) as database:
            return database.execute("SELECT 1 FROM slot_pool WHERE pool = ?", (name,)).fetchone() is not None
    except sqlite3.Error as error:
        raise SetUpError(
            f"cannot read Airflow's database {home / 'airflow.db'}: {error}; {_begin_anew(home)}"
        ) from error


def _begin_anew(home: Path) -> str:
    return f"moving {home} away begins anew, without Airflow's connections and history (datasets are not in it)"


def _airflow(home: Path, environment: Mapping[str, str], *command: str) -> None:
    log = home / "logs" / f"{'-'.join(command[:2])}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        code = run([sys.executable, "-m", "airflow", *command], env=environment, stdout=output)
    if code:
        raise SetUpError(f"airflow {' '.join(command[:2])} failed; {told_by(log)}")
