"""Completion, in a real shell each: bash, zsh and fish are programs that these tests need."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from tests.datasets import BuiltAlias

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60.0
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(askrepo completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'bindkey -e; autoload -U compinit; compinit -D -u; eval "$(askrepo completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "askrepo completion fish | source"),
}
TO_THE_START, TO_THE_END = "\x01", "\x05"


class Shell:
    """An interactive shell on a terminal."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        assert shutil.which(command[0]), f"these tests need {command[0]}: install it"
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))

    def close(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)

    def run(self, line: str, *, until: str) -> str:
        """What the terminal showed from here to a text, which the line must not have."""
        os.write(self._terminal, line.encode())
        shown = ""
        deadline = time.monotonic() + TIMEOUT_S
        while until not in shown:
            assert time.monotonic() < deadline, shown
            if select.select([self._terminal], [], [], 0.1)[0]:
                shown += os.read(self._terminal, 65536).decode(errors="replace")
        return shown

    def completed(self, line: str) -> str:
        """The line after Tab: put between marks, and printed."""
        shown = self.run(f"{line}\t{TO_THE_START}echo '<'{TO_THE_END} '>'DONE\n", until=">DONE")
        assert "rror" not in shown, shown
        (found,) = re.findall("<(askrepo .*?) *>DONE", shown)
        return found


@pytest.fixture(scope="module")
def environment(built: BuiltAlias, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With a command of that name on the PATH."""
    home = tmp_path_factory.mktemp("home")
    command = home / "bin" / "askrepo"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m askrepo_query "$@"\n')
    command.chmod(0o755)
    (home / "questions.jsonl").touch()
    names = {"HOME": str(home), "TERM": "xterm", "PATH": f"{command.parent}:{os.environ['PATH']}"}
    return {**os.environ, **names, "ASKREPO_WORKSPACE": built.workspace.url}


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest, environment: dict[str, str]) -> Iterator[Shell]:
    command, setup = SHELLS[request.param]
    shell = Shell(command, environment, Path(environment["HOME"]))
    shell.run(f"{setup}; echo REA''DY\n", until="READY")
    yield shell
    shell.close()


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("askrepo rollb", "askrepo rollback"),
        ("askrepo search --langua", "askrepo search --language"),
        ("askrepo search --alias m", "askrepo search --alias main"),
        ("askrepo search --alias=m", "askrepo search --alias=main"),
        ("askrepo search -a x", "askrepo search -a x"),
        ("askrepo search --language typesc", "askrepo search --language typescript"),
        ("askrepo search --strategy bm", "askrepo search --strategy bm25"),
        ("askrepo history m", "askrepo history main"),
        ("askrepo completion z", "askrepo completion zsh"),
        ("askrepo eval quest", "askrepo eval questions.jsonl"),
    ],
)
def test_tab_completes_what_begins_like_it(shell: Shell, line: str, completed: str) -> None:
    assert shell.completed(line) == completed


def test_tab_completes_the_dataset_to_go_back_to(shell: Shell, built: BuiltAlias) -> None:
    first = AliasCatalogue(built.workspace).history("main")[0].manifest.dataset.rpartition("/")[2]
    assert shell.completed("askrepo rollback main --to 2") == f"askrepo rollback main --to {first}"


@pytest.mark.parametrize(
    "trouble",
    [
        {"ASKREPO_WORKSPACE": "/no/such/place"},
        {"ASKREPO_WORKSPACE": "nonsense://x"},
        {"ASKREPO_K": "many"},
        {"ASKREPO_WORKSPACE": "s3://bucket", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "x"},
    ],
    ids=["missing", "nonsense", "bad setting", "out of reach"],
)
def test_tab_is_silent_and_quick_when_something_is_wrong(environment: dict[str, str], trouble: dict[str, str]) -> None:
    words = {"_ASKREPO_COMPLETE": "bash_complete", "COMP_WORDS": "askrepo search --alias m", "COMP_CWORD": "3"}
    done = subprocess.run(
        ["askrepo"], env={**environment, **words, **trouble}, capture_output=True, timeout=10, check=True
    )
    assert (done.stdout.strip(), done.stderr) == (b"", b"")
