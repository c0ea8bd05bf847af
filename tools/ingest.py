"""`make ingest` and `make demo`: one run of the DAG askrepo_ingest, its progress readable, its exit code telling.

Reads ALIAS, REPOS, INCLUDE, EXCLUDE, EMBEDDER, KEEP and FORCE from the environment: no value passes through a shell.
"""

# ruff: noqa: T201 - it talks to the person at the terminal
from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE
from typing import Any

from askrepo.aliases.kept import check_keep
from askrepo.errors import AskrepoError, UsageError
from askrepo.pipeline.plan import plan_run
from askrepo.settings import Settings
from askrepo.types import Definition
from tools.airflow_home import ROOT, SetUpError, airflow_environment, check_settings, migrate
from tools.privacy import keep_private
from tools.process_tree import ProcessTree, end_with_make, interrupt_on_signals
from tools.run_log import RunLog, last_line

DAG = "askrepo_ingest"
FAILED, USAGE, STOPPED = 1, 2, 130
# Somebody is waiting: three retries then take 14 seconds, not the 3.5 minutes of a scheduled run.
RETRY_DELAY_S = "2"


def main() -> int:
    """Exit code: 0 the alias is current, 1 the run failed, 2 the parameters are wrong."""
    try:
        interrupt_on_signals()
        end_with_make()
        environment = airflow_environment(os.environ, allow_local=persons_folder(os.environ))
        check_settings(environment)
        parameters = run_parameters(environment)
        keep_private(environment)
        migrate(environment)
        return run_dag(parameters, environment)
    except (AskrepoError, SetUpError) as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE if isinstance(error, UsageError) else FAILED
    except OSError as error:
        print(f"error: {error.filename or 'Airflow'}: {error.strerror or error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        with suppress(OSError):  # of a terminal that is gone
            print("stopped; unless a swap is told above, the alias is untouched", file=sys.stderr)
        return STOPPED


def persons_folder(env: Mapping[str, str]) -> Path:
    """Below which repositories of this machine are read: the home of whoever runs make, never the whole machine."""
    home = Path(env.get("HOME") or "/").absolute()
    return home if home != Path(home.anchor) else ROOT


def run_parameters(env: Mapping[str, str]) -> dict[str, Any]:
    """The DAG's parameters.

    :raises UsageError: one is missing or wrong; Airflow is not started for that.
    """
    values = {
        "alias": env.get("ALIAS", ""),
        "repositories": _words(env, "REPOS"),
        "include": _words(env, "INCLUDE"),
        "exclude": _words(env, "EXCLUDE"),
        "embedder": env.get("EMBEDDER") or "local",
    }
    if not values["alias"] or not values["repositories"]:
        raise UsageError('make ingest needs ALIAS and REPOS: make ingest ALIAS=name REPOS="url[@ref] …"')
    definition = Definition.from_mapping(values)
    plan_run(definition, allow_local=Settings.from_env(env).allow_local)
    keep = check_keep(_words(env, "KEEP") or None)
    values |= {} if keep is None else {"keep": list(keep)}
    return {**values, "force": env.get("FORCE", "") not in {"", "0"}}


def run_dag(parameters: Mapping[str, Any], environment: Mapping[str, str]) -> int:
    """Run the DAG through Airflow and print one line per task; everything else goes to a log file."""
    command = [sys.executable, "-m", "airflow", "dags", "test", DAG, "--conf", json.dumps(parameters)]
    defaults = {"ASKREPO_RETRY_DELAY_S": RETRY_DELAY_S}
    environment = {**defaults, **environment, "AIRFLOW__LOGGING__JSON_LOGS": "True"}
    log_file = Path(environment["AIRFLOW_HOME"]) / "logs" / f"ingest-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    print(f"{DAG}: {', '.join(parameters['repositories'])} -> alias {parameters['alias']}", file=sys.stderr, flush=True)
    log = RunLog()
    with log_file.open("wb") as copy, ProcessTree(command, env=environment, stdout=PIPE) as airflow:
        for line in airflow.output():
            copy.write(line)
            for message in log.read(line):
                print(message, file=sys.stderr, flush=True)
        code = airflow.wait()
    if code:
        print(
            f"error: {log.error or last_line(log_file) or 'Airflow failed'}\n(whole log: {log_file})", file=sys.stderr
        )
        return FAILED
    return 0


def _words(env: Mapping[str, str], name: str) -> list[str]:
    try:
        return shlex.split(env.get(name, ""))
    except ValueError as error:
        raise UsageError(f"{name}: {error}; write words separated by spaces") from error


if __name__ == "__main__":
    sys.exit(main())
