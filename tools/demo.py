"""`make demo`: this repository (or REPO) through the pipeline, then a question to it."""

# ruff: noqa: T201 - it talks to the person at the terminal
from __future__ import annotations

import os
import sys
from pathlib import Path

from tools.airflow_home import ROOT, airflow_environment
from tools.ingest import main as ingest
from tools.process_tree import stop_as_usual

QUESTION = "What is this repository for?"


def main() -> int:
    """Exit code of the first step that failed, else 0."""
    os.environ.update(ALIAS="demo", REPOS=_quoted(os.environ.get("REPO") or str(ROOT)))
    if not os.environ.get("REPO") and not os.environ.get("ASKREPO_ALLOW_LOCAL"):
        # This checkout, wherever it is.
        os.environ["ASKREPO_ALLOW_LOCAL"] = str(ROOT)
    if code := ingest():
        return code
    command = ["ask", "--alias", "demo", QUESTION]
    print(f'\n$ askrepo ask --alias demo "{QUESTION}"\n', file=sys.stderr, flush=True)
    askrepo = str(Path(sys.executable).with_name("askrepo"))
    stop_as_usual()
    # In place of this process: whatever ends this one ends it.
    return os.execve(askrepo, [askrepo, *command], airflow_environment(os.environ))  # noqa: S606


def _quoted(repository: str) -> str:
    """The repository as one word of REPOS, whatever its path contains."""
    import shlex

    return shlex.quote(repository)


if __name__ == "__main__":
    sys.exit(main())
