"""Whatever ends `make airflow`, `make ingest` or `make demo`, no process of theirs is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.airflow_rest import wait_for
from tools.process_tree import ENDING, ProcessTree, run

ROOT = Path(__file__).resolve().parents[1]
STOP_TIMEOUT_S = 0.5
STOPPED_IN_S = 30

# A command that takes no hint, with a child of a session of its own whose parent has ended.
STUBBORN = """
import os, signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
orphan = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]], start_new_session=True)"
wait = "import time; time.sleep(600)"
subprocess.run([sys.executable, "-c", orphan, wait, sys.argv[1]])
subprocess.Popen([sys.executable, "-c", wait, sys.argv[1]])
print("started", flush=True)
time.sleep(600)
"""
# Stands for an Airflow's tools: starts the command, waits for it and stops as they do.
OWNER = f"""
import os, sys
from tools.process_tree import *
interrupt_on_signals()
end_with_make()
adopt_orphans()
try:
    command, stdout = [sys.executable, *sys.argv[1:]], sys.stdout.fileno()
    with ProcessTree(command, env=os.environ, stdout=stdout, stop_timeout_s={STOP_TIMEOUT_S}) as tree:
        tree.wait()
except KeyboardInterrupt:
    pass
finally:
    ignore_signals()
    end_descendants(timeout_s={STOP_TIMEOUT_S})
"""
MAKEFILE = "all:\n\t@MAKE_PID=$$PPID exec {python} owner.py stubborn.py '{mark}'\n"


@dataclass(frozen=True)
class Started:
    """A make, the tool it started, its guard, and how to see them all."""

    make: subprocess.Popen[str]
    mark: str

    def alive(self) -> list[psutil.Process]:
        """Every process of it, known by the mark in its arguments."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if self.mark in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def tool(self) -> psutil.Process:
        return psutil.Process(self.make.pid).children()[0]

    def guard(self) -> psutil.Process:
        return self.tool().children()[0]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    assert shutil.which("make")
    mark = str(tmp_path)
    (tmp_path / "owner.py").write_text(OWNER)
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    (tmp_path / "Makefile").write_text(MAKEFILE.format(python=sys.executable, mark=mark))
    make = subprocess.Popen(
        ["make", "--no-print-directory"],
        cwd=tmp_path,
        env=env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    found = Started(make, mark)
    try:
        assert make.stdout is not None
        assert make.stdout.readline() == "started\n"
        wait_for("all processes", lambda: len(found.alive()) == 5, timeout_s=STOPPED_IN_S)
        yield found
    finally:
        for process in found.alive():
            with suppress(psutil.Error):
                process.kill()
        make.kill()
        make.communicate()


@pytest.mark.parametrize("number", [*ENDING, signal.SIGKILL])
@pytest.mark.parametrize("whom", ["make", "tool"])
def test_nothing_outlives_a_signal_given_twice(started: Started, whom: str, number: signal.Signals) -> None:
    tool = started.tool().pid
    for _ in range(2):
        with suppress(ProcessLookupError):
            os.kill(started.make.pid if whom == "make" else tool, number)
        time.sleep(0.2)

    wait_for("end of all", lambda: not started.alive(), timeout_s=STOPPED_IN_S)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_what_the_whole_group_gets(started: Started, number: signal.Signals) -> None:
    os.killpg(started.make.pid, number)

    wait_for("end of all", lambda: not started.alive(), timeout_s=STOPPED_IN_S)


def test_nothing_outlives_a_killed_guard(started: Started) -> None:
    started.guard().kill()

    wait_for("end of all", lambda: not started.alive(), timeout_s=STOPPED_IN_S)


def test_exit_code_and_output_are_the_commands_own(tmp_path: Path) -> None:
    with ProcessTree(
        [sys.executable, "-c", "print('out'); raise SystemExit(7)"], env=env(), stdout=subprocess.PIPE
    ) as told:
        assert list(told.output()) == [b"out\n"]
        assert told.wait() == 7
    with (tmp_path / "log").open("wb") as log:
        assert run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], env=env(), stdout=log) == 128 + 9
        assert run([str(tmp_path / "missing")], env=env(), stdout=log) == 127


def test_children_of_a_command_that_ended_end_with_it() -> None:
    code = "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)"

    with ProcessTree([sys.executable, "-c", code], env=env(), stdout=subprocess.DEVNULL) as tree:
        assert tree.wait() == 0
    assert not tree.processes()


def env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}
