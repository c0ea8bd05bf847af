"""Processes that tests start are ended with all their children, also when the tests themselves are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.airflow_rest import wait_for
from tests.processes import ROOT, Processes
from tools.process_tree import processes_of_session

# A process that starts another one and tells nobody.
FAMILY = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
STARTER = """
import os, signal, sys
from pathlib import Path
from tests.processes import Processes
folder = Path(sys.argv[1])
with Processes() as processes:
    processes.remove_at_end(folder)
    print(processes.start([sys.executable, "-c", sys.argv[2]], env=os.environ, log=folder / "log").pid, flush=True)
    sys.stdin.read()
    os.kill(os.getpid(), getattr(signal, sys.argv[3]))
    raise ValueError
"""


def has_family(session: int) -> bool:
    return len(processes_of_session(session)) == 2


@pytest.mark.parametrize("ending", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_nothing_is_left_of_tests_that_ended_early(tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    command = [sys.executable, "-c", STARTER, str(folder), FAMILY, ending]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as tests:
        assert tests.stdout is not None
        session = int(tests.stdout.readline())
        wait_for("child of the started process", lambda: has_family(session), timeout_s=30)

        tests.communicate()

    wait_for("end of the session", lambda: not processes_of_session(session), timeout_s=30)
    wait_for("removal of the folder", lambda: not folder.exists(), timeout_s=30)


def test_process_is_asked_before_it_is_killed(tmp_path: Path) -> None:
    script = f"trap 'echo asked > {tmp_path}/asked; exit' TERM; echo ready; while :; do sleep 0.05; done"
    log = tmp_path / "log"

    with Processes() as processes:
        process = processes.start(["sh", "-c", script], env=os.environ, log=log, stop=signal.SIGTERM)
        wait_for("ready process", lambda: "ready" in log.read_text(), timeout_s=30)

    assert (tmp_path / "asked").read_text() == "asked\n"
    assert process.returncode == 0
