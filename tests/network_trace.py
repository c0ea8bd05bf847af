"""Which addresses a command, with everything it starts, speaks to: read from its system calls."""

from __future__ import annotations

import codecs
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).resolve().parents[1]
CALLS = "connect,sendto,sendmsg,sendmmsg"
# Enough of what is sent to hold a look-up of a name.
SHOWN_BYTES = 512
STOP_TIMEOUT_S = 20.0
POLL_S = 0.1
ADDRESS = re.compile(
    r'sa_family=AF_INET6?, sin6?_port=htons\((\d+)\).*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)")'
)
SENT = re.compile(r'"((?:[^"\\]|\\.)*)"')
DNS_HEADER_BYTES = 12


class NetworkTrace:
    """A command under strace, from the start of the `with` block to its end, which ends it with all its children."""

    def __init__(self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path = ROOT) -> None:
        strace = shutil.which("strace")
        assert strace, "strace is needed to see the native libraries' connections: apt-get install strace"
        self._options = [strace, "-f", "-qq", "--seccomp-bpf", f"--trace={CALLS}", f"--string-limit={SHOWN_BYTES}"]
        self._command, self._env, self._cwd = list(command), dict(env), cwd

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="network-trace-")
        self._calls = Path(self._folder.name) / "calls"
        self._output = Path(self._folder.name) / "output"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [*self._options, "-o", self._calls, "--", *self._command],
                env=self._env,
                cwd=self._cwd,
                # Held open: a command that reads it waits, as at its prompt.
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()

    def wait(self, seconds: float) -> int | None:
        """The exit code, None when the command still runs after these seconds."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(timeout=seconds)
        return None

    def stop(self) -> None:
        """End the command as a person would, then whatever is left of it."""
        started = self._alive(psutil.Process(self.process.pid).children(recursive=True)) if self._runs() else []
        for member in started[:1]:
            member.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while self._alive(started) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        for member in self._alive(started):
            with suppress(psutil.NoSuchProcess):
                member.kill()
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def output(self) -> str:
        """What the command has printed so far."""
        return self._output.read_text(errors="replace")

    def calls(self) -> int:
        """How many system calls were seen so far; none at all means that the trace does not work."""
        return len(self._lines())

    def foreign(self) -> list[str]:
        """What left the machine so far: `address:port` of each, and `look-up of NAME`."""
        return foreign_addresses(self._lines())

    def _lines(self) -> list[str]:
        return self._calls.read_text(errors="replace").splitlines() if self._calls.exists() else []

    def _runs(self) -> bool:
        return self.process.poll() is None

    @staticmethod
    def _alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
        alive = []
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    alive.append(process)
        return alive


def traced(
    command: Sequence[str | Path],
    env: Mapping[str, str],
    seconds: float,
    *,
    exit_codes: Sequence[int | None] = (0, None),
) -> list[str]:
    """What a command sent to other machines in these seconds; its standard input stays open and empty.

    :param seconds: the command is ended when it still runs by then.
    :param exit_codes: what is expected; None stands for a command that still runs.
    :returns: `address:port` of each, and `look-up of NAME`; empty when all stayed here.
    """
    with NetworkTrace(command, env={**os.environ, **env}) as trace:
        code = trace.wait(seconds)
        assert code in exit_codes, f"exit code {code}: {trace.output()}"
        trace.stop()
        return trace.foreign()


def foreign_addresses(lines: Iterable[str]) -> list[str]:
    """Addresses that are not this machine's, and names that were looked up, in strace's lines; each once."""
    return list(dict.fromkeys(found for line in lines for found in (*_addresses(line), *_names(line))))


def _addresses(line: str) -> Iterator[str]:
    found = list(ADDRESS.finditer(line))
    for port, four, six in (match.groups() for match in found):
        if not _is_here(four or six):
            yield f"[{six}]:{port}" if six else f"{four}:{port}"
    if not found and re.search(r"sa_family=AF_INET6?\b", line):
        yield f"not understood: {line}"


def _is_here(text: str) -> bool:
    address = ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None) or address
    # Linux takes the unspecified address for this machine.
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _names(line: str) -> Iterator[str]:
    """Names in questions to a name server, which may well be one on this machine that asks others."""
    if re.match(r"(?:\d+\s+)?send", line):
        for quoted in SENT.findall(line):
            if name := _asked_name(codecs.decode(quoted, "unicode_escape").encode("latin-1", errors="replace")):
                yield f"look-up of {name}"


def _asked_name(packet: bytes) -> str | None:
    """The name that a DNS packet asks for; None when it is another kind of message."""
    is_question = packet[2:3] in {b"\0", b"\1"} and packet[4:10] == b"\0\1\0\0\0\0"
    labels, rest = [], packet[DNS_HEADER_BYTES:]
    while is_question and rest and rest[0]:
        labels.append(rest[1 : rest[0] + 1].decode("ascii", errors="replace"))
        rest = rest[rest[0] + 1 :]
    return ".".join(labels) or None
