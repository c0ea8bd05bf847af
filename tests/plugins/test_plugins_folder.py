"""What Airflow does with the plugins folder."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.airflow_session import ROOT

LOAD_PLUGINS = """
from airflow import plugins_manager
plugins_manager.ensure_plugins_loaded() if hasattr(plugins_manager, "ensure_plugins_loaded") else None
import git, importlib, pathlib, sys
package = pathlib.Path("plugins/askrepo_operators").resolve()
shadowed = [file.stem for file in package.glob("*.py") if file.stem in sys.modules and file.stem != "__init__"
            and (getattr(sys.modules[file.stem], "__file__", "") or "").startswith(str(package))]
import askrepo_operators
print(git.Repo.__module__, shadowed, askrepo_operators.SwapAliasOperator.__module__)
"""


def test_operators_shadow_no_module_of_others() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    run = subprocess.run(
        [sys.executable, "-c", LOAD_PLUGINS],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert run.stdout.split("\n")[-2] == "git.repo.base [] askrepo_operators.swapping", run.stderr
