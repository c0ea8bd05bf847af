"""Many processes swap one alias at once, on local disk and on an S3 API: one wins each number, no entry is torn.

The log is the only thing that keeps two runs apart, so it is raced as hard as the machine allows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.workspace.objects import Workspace
from tests.s3_server import S3Server, s3_server  # noqa: F401
from tests.swap_race_process import ALIAS, TIMEOUT_S, check_entry

WRITERS = 8
READERS = 2
NUMBERS = 12
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Mapping[str, str]]:
    """A workspace's URL and what its processes need in their environment."""
    if request.param == "local":
        return str(tmp_path / "workspace"), {}
    server: S3Server = request.getfixturevalue("s3_server")
    return f"s3://{server.new_bucket()}/workspace", server.environment


def test_each_number_has_one_winner_and_readers_see_a_log_that_only_grows(
    store: tuple[str, Mapping[str, str]], tmp_path: Path
) -> None:
    url, credentials = store
    with ExitStack() as processes:
        command = [url, str(NUMBERS), str(tmp_path / "meeting"), str(WRITERS)]
        readers = [start(processes, "read", f"r{each}", command, credentials) for each in range(READERS)]
        writers = [start(processes, "write", f"w{each}", command, credentials) for each in range(WRITERS)]
        won = {f"w{each}": numbers_of(writer) for each, writer in enumerate(writers)}
        seen = [numbers_of(reader) for reader in readers]

    history = AliasCatalogue(Workspace.open(url, env=credentials)).history(ALIAS)
    assert [entry.number for entry in history] == list(range(1, NUMBERS + 1))
    for entry in history:
        check_entry(entry)
    winners = [(number, name) for name, numbers in won.items() for number in numbers]
    assert sorted(winners) == [(entry.number, entry.manifest.run.split("/")[-1].split("-")[0]) for entry in history]
    for numbers in seen:
        assert numbers == sorted(numbers)
        assert numbers[-1] == NUMBERS


def start(
    processes: ExitStack, kind: str, name: str, command: list[str], credentials: Mapping[str, str]
) -> subprocess.Popen[str]:
    environment = {**os.environ, **credentials, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.swap_race_process", kind, name, *command],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    processes.callback(end, process)
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def numbers_of(process: subprocess.Popen[str]) -> list[int]:
    output, errors = process.communicate(timeout=2 * TIMEOUT_S)
    assert process.returncode == 0, errors
    numbers: list[int] = json.loads(output)
    return numbers
