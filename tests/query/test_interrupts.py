"""Ctrl-C at any moment, and the other signals that end a process: quickly, and without a word."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.datasets import BuiltAlias, build_alias
from tests.fakes import OpenAIServer
from tests.query.conftest import FILES, KEY

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "askrepo_query")
TIMEOUT_S = 60.0
AT_ONCE = 6  # processes; more would measure how busy the machine is

Environment = dict[str, str]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> BuiltAlias:
    """An alias whose embedder imports native code on a thread."""
    return build_alias(tmp_path_factory.mktemp("local"), FILES, name="parcel", embedder="local")


@pytest.fixture
def environment(local: BuiltAlias, clean_home: Path) -> Environment:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "ASKREPO_WORKSPACE": local.workspace.url,
        "ASKREPO_CACHE": str(local.settings.cache),
    }


@pytest.fixture
def hanging(environment: Environment) -> Iterator[OpenAIServer]:
    """A chat endpoint that never answers."""
    with OpenAIServer(api_key=KEY) as server:
        server.fail_next(times=1000, fault="hang")
        environment |= {
            "ASKREPO_CHAT_MODEL": "fake-model",
            "ASKREPO_OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": KEY,
        }
        yield server


@dataclass(frozen=True)
class Ended:
    """A process that got a signal."""

    after_s: float
    code: int
    errors: str

    @property
    def noise(self) -> str:
        """What it said on stderr but what the answers rest on, which `chat` says when it opens."""
        return "".join(line for line in self.errors.splitlines(keepends=True) if not line.startswith("main: "))


def default_signals() -> None:
    """A shell's background jobs ignore Ctrl-C, and what starts the tests may be one."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def ended(args: Sequence[str], environment: Environment, *, after_s: float, by: int = signal.SIGINT) -> Ended:
    """The command, after a signal that came so long after its first line of code."""
    process = subprocess.Popen(
        [*COMMAND, *args],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=default_signals,
    )
    with process:
        wait_for_handler(process.pid)
        time.sleep(after_s)
        process.send_signal(by)
        code = process.wait(TIMEOUT_S)
        return Ended(after_s, code, process.stderr.read().decode())


def wait_for_handler(pid: int) -> None:
    """Until the process catches SIGHUP, which Python by itself does not."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/status").read_text()
        (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
        if int(caught, 16) & 1 << (signal.SIGHUP - 1):
            return
        time.sleep(0.002)
    pytest.fail("the command never caught a signal")


def sweep(args: Sequence[str], environment: Environment, moments: Sequence[float], *, by: int) -> list[Ended]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda after_s: ended(args, environment, after_s=after_s, by=by), moments))


@pytest.mark.parametrize("args", [["search", "parcel"], ["status"], ["doctor"], ["chat"]], ids=lambda args: args[0])
def test_ctrl_c_at_any_moment_is_quiet(args: list[str], environment: Environment) -> None:
    runs = sweep(args, environment, [0.0, 0.2, 0.4, 0.8], by=signal.SIGINT)

    assert [run for run in runs if run.code not in {130, 0} or run.noise] == []
    assert runs[0].code == 130


@pytest.mark.parametrize("tenths", [range(0, 31, 3), pytest.param(range(31), marks=pytest.mark.faults)], ids=str)
def test_ctrl_c_at_any_moment_while_a_model_is_asked_is_quiet(
    hanging: OpenAIServer, environment: Environment, tenths: range
) -> None:
    runs = sweep(["ask", "parcel"], environment, [tenth / 10 for tenth in tenths], by=signal.SIGINT)

    assert [run for run in runs if run.code != 130 or run.noise] == []


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGHUP], ids=lambda by: by.name)
def test_other_signals_end_it_as_quietly(hanging: OpenAIServer, environment: Environment, by: signal.Signals) -> None:
    runs = sweep(["ask", "parcel"], environment, [0.0, 0.1, 0.4, 0.7, 1.5], by=by)

    assert [run for run in runs if run.code != 128 + by or run.noise] == []


def test_a_signal_that_the_parent_has_it_ignore_is_ignored(environment: Environment) -> None:
    command = ["nohup", *COMMAND, "chat"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as chat:
        while not chat.stderr.readline().startswith(b"main: "):
            pass
        chat.send_signal(signal.SIGHUP)
        _, errors = chat.communicate(b"\n", timeout=TIMEOUT_S)
    assert (chat.returncode, errors) == (0, b"")


SWALLOWS = {
    "a library": "try:\n    ready()\n    time.sleep(30)\nexcept BaseException:\n    time.sleep(30)",
    "a destructor": (
        "class Slow:\n    def __del__(self):\n        ready()\n        time.sleep(30)\nSlow()\ntime.sleep(30)"
    ),
    "native code": (
        "import ctypes\nlock, mutex = ctypes.CDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(64)\n"
        "ready()\nlock(mutex)\nlock(mutex)"
    ),
}
STARTED = """
import time
from askrepo_query import interrupts
interrupts.install()
interrupts.raise_first()
def ready():
    print(flush=True)
"""


@pytest.mark.parametrize("script", SWALLOWS.values(), ids=SWALLOWS)
def test_what_swallows_the_interrupt_ends_soon(script: str) -> None:
    code, errors, _ = interrupted(script, times=1)

    assert (code, errors) == (130, b"")


def test_a_second_ctrl_c_does_not_wait() -> None:
    code, errors, took_s = interrupted(SWALLOWS["a library"], times=2)

    assert (code, errors) == (130, b"")
    assert took_s < 0.9


def interrupted(script: str, *, times: int) -> tuple[int, bytes, float]:
    """Exit code, stderr, and seconds from the first interrupt to the end."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTED + script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=default_signals,
    ) as process:
        process.stdout.readline()
        time.sleep(0.1)
        begun = time.monotonic()
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        code = process.wait(10)
        return code, process.stderr.read(), time.monotonic() - begun


def test_on_a_terminal_ctrl_c_ends_the_turn_and_not_the_conversation(
    hanging: OpenAIServer, environment: Environment
) -> None:
    ours, theirs = pty.openpty()
    chat = subprocess.Popen(
        [*COMMAND, "chat"], env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=default_signals,
    )  # fmt: skip
    os.close(theirs)
    with chat:
        os.write(ours, b"what is parcel?\n")
        wait_until(lambda: bool(hanging.requests))
        chat.send_signal(signal.SIGINT)
        time.sleep(1.5)  # longer than an interrupt that nobody dealt with is given
        os.write(ours, b"/exit\n")
        assert chat.wait(TIMEOUT_S) == 1  # nothing was answered
    assert b"interrupted" in os.read(ours, 65536)
    os.close(ours)


def wait_until(is_so) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_error_while_native_code_is_imported_does_not_abort(local: BuiltAlias, environment: Environment) -> None:
    """The embedder loads on a thread when the dataset turns out to be unreadable."""
    moved = Path(local.workspace.url_of(local.entry.manifest.dataset))
    away = moved.rename(moved.with_name("away"))
    try:
        runs = [subprocess.run([*COMMAND, "search", "x"], env=environment, capture_output=True) for _ in range(3)]
    finally:
        away.rename(moved)
    assert [run.returncode for run in runs] == [3] * 3
    assert {run.stderr.count(b"\n") for run in runs} == {1}


BUSY = """
import sys, threading, time
from askrepo_query import cli, start

def fail(**_):
    threading.Thread(target=time.sleep, args=(60,)).start()
    sys.exit(3)

cli.main = fail
start.run()
"""


def test_the_process_waits_for_no_thread_of_its_own() -> None:
    assert subprocess.run([sys.executable, "-c", BUSY], cwd=ROOT, timeout=20).returncode == 3
