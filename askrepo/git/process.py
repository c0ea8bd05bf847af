"""Runs git as a process that trusts neither the repository nor this machine's own configuration."""

from __future__ import annotations

import io
import os
import re
import select
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from askrepo.errors import (
    AskrepoError,
    CredentialsError,
    LimitExceededError,
    RemoteUnavailableError,
    RepositoryError,
    StorageError,
    TransientError,
    UnknownRefError,
    UsageError,
)
from askrepo.git.supervised import Supervised, supervised

if TYPE_CHECKING:
    import asyncio

    from _typeshed import WriteableBuffer

REMOTE_PROTOCOLS = "https:ssh"
LOCAL_PROTOCOLS = "https:ssh:http:file"
# What git and ssh need of our own environment: where programs, keys, proxies and certificates are. Above all no
# GIT_*: under a git hook or an alias those would point at another repository.
INHERITED = (
    *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "DISPLAY"),
    *("http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"),
)
CONFIGURATION = {
    "core.hooksPath": os.devnull,
    "core.attributesFile": os.devnull,
    # What git keeps in memory, well below MEMORY_BYTES: packs are mapped in windows instead of whole, blobs above the
    # threshold are streamed, and each thread of index-pack holds the texts of a chain of deltas.
    "core.bigFileThreshold": "64m",
    "core.packedGitLimit": "256m",
    "core.packedGitWindowSize": "32m",
    "pack.threads": "4",
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "fetch.recurseSubmodules": "no",
    "fetch.unpackLimit": "1",  # keep the pack whole: one file instead of thousands of loose objects
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.followRedirects": "false",  # git would follow to any host; `redirects` follows within the origin
    # Servers keep a waiting client alive with 1 byte per second (uploadpack.keepAlive); less means they are gone.
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "120",
    "protocol.version": "2",
    "transfer.bundleURI": "false",
}
SHOWING_HEADERS = {"GIT_TRACE_CURL": "1", "GIT_TRACE_CURL_NO_DATA": "1"}
SSH_COMMAND = "ssh -oBatchMode=yes -oConnectTimeout=30 -oServerAliveInterval=30 -oServerAliveCountMax=4"
# A killed process is noticed this fast, and a growing repository measured this often.
POLL_S = 0.05
MEASURE_S = 0.5
# Address space of each git process. index-pack needs most: 0.4 GiB for two blobs of 150 MB, one a delta of the other
# (measured 2026-11-28).
MEMORY_BYTES = 2 * 1024**3
# Files that git writes where it should write none but perhaps ssh's known_hosts.
FILE_BYTES = 64 * 1024**2
# Room that a fetch gets above its limit, so that the limit is found by measuring, which says more than a signal.
MARGIN_BYTES = 1024**2
# What git prints where the caller gives no smaller limit.
OUTPUT_BYTES = 64 * 1024**2
# Of git's messages only the end is kept: a hostile server may say a lot, and is cut off when it does not stop.
MESSAGE_BYTES = 64 * 1024
SAID_BYTES = 4 * 1024**2
MESSAGE_CHARS = 500
READ_BYTES = 64 * 1024
# How long all waiting for a process that reads a repository of this machine may take together.
PATIENCE_S = 900.0
# Shorter words of the credentials' environment (`1`, `get`) are no secrets, and hiding them would garble messages.
MIN_SECRET_CHARS = 6

_TOO_MUCH = r"out of memory|cannot allocate memory|mmap failed|died of signal (25|9)\b|file too large"
_DUMB = r"dumb http transport does not support"
_PARTIAL = r"lazy fetching disabled|from promisor remote|promisor remote is not"
_FULL_DISK = r"no space left on device|disk quota exceeded|read-only file system"
_REFUSED = (
    r"could not read (username|password)|authentication failed|permission denied \(|returned error: 40[13]\b"
    r"|http basic: access denied|invalid credentials|too many authentication failures|load key "
)
_NO_REF = r"couldn't find remote ref|not our ref|unadvertised object|no such remote ref"
_NO_REPOSITORY = (
    r"repository '?.*'? ?not found|returned error: 404|not a git repository|does not appear to be a git repo"
    r"|does not exist|error: repository not found|info/refs not valid|no such file or directory"
)
_UNREACHABLE = (
    r"could not resolve|name resolution|failed to connect|couldn't connect|connection (refused|timed out|reset)"
    r"|operation (timed out|too slow)|timed out|network is unreachable|no route to host|returned error: (5\d\d|429)"
    r"|early eof|rpc failed|unexpected disconnect|hung up unexpectedly|empty reply|connection was (reset|closed)"
    r"|ssl_error_syscall|recv (failure|error)|transfer closed|kex_exchange|tls connection was non-properly"
    r"|http/2 stream|gnutls_handshake|connection closed|proxy connect aborted"
)
# What git's words mean, the more telling ones first: after most failures git also says that the remote hung up.
_MEANINGS: tuple[tuple[type[AskrepoError], str, str], ...] = (
    (StorageError, _FULL_DISK, "free or enlarge the disk"),
    (
        LimitExceededError,
        _TOO_MUCH,
        f"reading it takes more than the {MEMORY_BYTES / 1024**3:g} GiB of memory, or larger files, than git gets here",
    ),
    (
        RepositoryError,
        _DUMB,
        "the server speaks only the old ('dumb') HTTP protocol: clone it yourself and give the folder",
    ),
    (
        RepositoryError,
        _PARTIAL,
        "it is a partial clone, which lacks objects: give the URL that it was cloned from",
    ),
    (
        CredentialsError,
        _REFUSED,
        "the repository is private or does not exist: check its URL and the token or key of its connection",
    ),
    (CredentialsError, "host key verification failed", "the host's key is unknown: add it to known_hosts"),
    (UnknownRefError, _NO_REF, "check the branch, the tag or all digits of the commit"),
    (RepositoryError, "repository corruption", "the remote itself is damaged: run `git fsck` there"),
    (RepositoryError, "dubious ownership", "it belongs to another user of this machine: change its owner"),
    (RepositoryError, _NO_REPOSITORY, "check the URL"),
    (RemoteUnavailableError, _UNREACHABLE, "try again later"),
)
_REDIRECTED = re.compile(r"(fatal|error): .*returned error: 3\d\d\b")
# What git writes about headers with GIT_TRACE_CURL: time, place in its source, text.
_HEADER = re.compile(r"\d\d:\d\d:\d\d\S* \S+ +(?:[<=]= |=> |== )")
# A password may hold a slash; digits before one are a port.
_URL_CREDENTIALS = re.compile(r"(?<=://)(?:[^/\s@]{0,400}|[^/\s@:]{1,200}:(?!\d{1,5}/)[^\s@]{0,400})@")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")

_running: set[subprocess.Popen[bytes]] = set()


class GitStoppedError(TransientError):
    """git was stopped from outside, by `kill_running`."""


class RedirectedError(RepositoryError):
    """The server sends git to another address, which git does not follow by itself.

    :ivar headers: lines about the headers that git sent and received, when it was asked to show them. They may hold
        secrets.
    """

    def __init__(self, message: str, *, headers: Sequence[str]) -> None:
        super().__init__(message)
        self.headers = headers


def run_git(
    args: Sequence[str],
    *,
    cwd: Path,
    action: str,
    timeout_s: float,
    max_bytes: int | None = None,
    allow_local: bool = False,
    git_environment: Mapping[str, str] | None = None,
    shows_headers: bool = False,
) -> bytes:
    """What git wrote to its standard output.

    :param cwd: the directory git works in, which the size limit is about.
    :param action: what a message says was attempted, such as `fetch https://host/owner/name`.
    :param timeout_s: seconds after which git and its children are killed.
    :param max_bytes: bytes that `cwd` and the output may reach together before git is killed.
    :param allow_local: admit the protocols file and http.
    :param git_environment: credentials, as environment variables; their values never appear in a message.
    :param shows_headers: have git tell about the headers of HTTP, for `RedirectedError.headers`.
    :raises RedirectedError: the server sends git to another address.
    :raises AskrepoError: git failed; the class says whether a retry may help.
    """
    if timeout_s <= 0:
        raise _out_of_time(action)
    secrets = git_environment or {}
    environment = {**_environment(secrets, allow_local=allow_local), **(SHOWING_HEADERS if shows_headers else {})}
    file_bytes = FILE_BYTES if max_bytes is None else max_bytes + MARGIN_BYTES
    with _started(args, cwd=cwd, environment=environment, stdin=None, file_bytes=file_bytes) as process:
        said = _Said(action, OUTPUT_BYTES if max_bytes is None else max_bytes)
        _watch(process, said, cwd=cwd, timeout_s=timeout_s, max_bytes=max_bytes)
    if process.returncode:
        raise _error(action, said.last_words, code=process.returncode, secrets=secrets)
    return bytes(said.output)


async def run_git_async(
    args: Sequence[str],
    *,
    cwd: Path,
    action: str,
    timeout_s: float,
    max_bytes: int,
    allow_local: bool = False,
    git_environment: Mapping[str, str] | None = None,
    shows_headers: bool = False,
) -> bytes:
    """What git wrote to its standard output, for a caller whose event loop must not be held up.

    Git runs under the conditions of `run_git`; cancelling the call kills it.

    :param timeout_s: seconds after which git and its children are killed; a later call may do better.
    :param max_bytes: bytes of output at which git is killed. Other parameters as for `run_git`.
    :raises AskrepoError: git failed; the class says whether a retry may help.
    """
    import asyncio

    secrets = git_environment or {}
    environment = {**_environment(secrets, allow_local=allow_local), **(SHOWING_HEADERS if shows_headers else {})}
    said = _Said(action, max_bytes)
    with supervised(_command(args, environment), memory_bytes=MEMORY_BYTES, file_bytes=FILE_BYTES) as start:
        process = await _started_async(start, cwd=cwd, environment=environment)
        try:
            async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as reading:
                reading.create_task(_pass_on(process.stdout, said.hear_output))
                reading.create_task(_pass_on(process.stderr, said.hear_words))
                code = await process.wait()
        except TimeoutError as error:
            raise RemoteUnavailableError(f"cannot {action}: not done within {timeout_s:g} s") from error
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            if process.returncode is None:
                _kill_group(process.pid)
                await _ended(process)
    if code:
        raise _error(action, said.last_words, code=code, secrets=secrets)
    return bytes(said.output)


@contextmanager
def open_git(args: Sequence[str], *, cwd: Path, patience_s: float = PATIENCE_S) -> Iterator[subprocess.Popen[bytes]]:
    """A git process with pipes on its standard input and output, gone when the block ends.

    For reading a repository that is already here, without network and without writing a file. Reading raises
    `LimitExceededError` when git is too slow.

    :param patience_s: seconds that all waiting for its answers may take together.
    """
    environment = {**_environment({}, allow_local=False), "GIT_ALLOW_PROTOCOL": ""}
    with _started(args, cwd=cwd, environment=environment, stdin=subprocess.PIPE, file_bytes=0) as process:
        if process.stdout is not None:
            action = f"read a repository with git {args[0]}"
            process.stdout = io.BufferedReader(_Patient(process.stdout, action, patience_s), READ_BYTES)
        try:
            yield process
        finally:
            _close_pipes(process)


def kill_running() -> None:
    """Kill every git process of this Python process, with its children; whoever waits gets a `GitStoppedError`."""
    for process in tuple(_running):  # no lock: this may run inside a signal handler
        _kill(process)


def scrubbed(text: str, secrets: Mapping[str, str]) -> str:
    """The text without URL credentials, without any value of an environment, without control characters."""
    values = {word for value in secrets.values() for word in (value, *value.split()) if len(word) >= MIN_SECRET_CHARS}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "***")
    return _CONTROL.sub(" ", _URL_CREDENTIALS.sub("***@", text))


def _environment(git_environment: Mapping[str, str], *, allow_local: bool) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    defaults = {"GIT_SSH_COMMAND": SSH_COMMAND, "GIT_ASKPASS": "", "SSH_ASKPASS": ""}
    fixed = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": LOCAL_PROTOCOLS if allow_local else REMOTE_PROTOCOLS,
        "GIT_NO_REPLACE_OBJECTS": "1",
        # A partial clone on this machine would make git run what its own configuration names, to get what it lacks.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }
    return {**inherited, **defaults, **_renumbered(git_environment), **fixed}


def _renumbered(git_environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with its GIT_CONFIG_* entries counted from 0.

    Airflow's GitHook counts on from those of the process, which are not handed to git here.
    """
    kept = {name: value for name, value in git_environment.items() if not name.startswith("GIT_CONFIG_")}
    count = int(git_environment.get("GIT_CONFIG_COUNT") or 0)
    indices = [index for index in range(count) if f"GIT_CONFIG_KEY_{index}" in git_environment]
    for number, index in enumerate(indices):
        kept[f"GIT_CONFIG_KEY_{number}"] = git_environment[f"GIT_CONFIG_KEY_{index}"]
        kept[f"GIT_CONFIG_VALUE_{number}"] = git_environment.get(f"GIT_CONFIG_VALUE_{index}", "")
    return {**kept, "GIT_CONFIG_COUNT": str(len(indices))}


@contextmanager
def _started(
    args: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stdin: int | None, file_bytes: int
) -> Iterator[subprocess.Popen[bytes]]:
    """A git process with a process group of its own, which is killed when the block ends before git does.

    Without a pipe on its standard input it has one for its messages.
    """
    with supervised(_command(args, environment), memory_bytes=MEMORY_BYTES, file_bytes=file_bytes) as start:
        process = subprocess.Popen(
            start.command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if stdin is None else subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=start.descriptors,
        )
        _running.add(process)
        try:
            yield process
        finally:
            if process.poll() is None and process.stdin is None:
                _kill(process)
            _end(process)
            _running.discard(process)
            _close_pipes(process)


async def _started_async(start: Supervised, *, cwd: Path, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """A git process with a process group of its own, whose output and messages come through pipes."""
    import asyncio

    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *start.command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=start.descriptors,
        )
    )
    # asyncio would kill the shell alone, and then wait for git, which holds the shell's pipes.
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        start.stop()
        await asyncio.wait({starting})
        if not starting.cancelled() and starting.exception() is None:
            await _ended(starting.result())
        raise


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for a killed process.

    What it wrote last is read first: asyncio waits for the end of its pipes, and a full buffer hides that end.
    """
    import asyncio

    await asyncio.gather(_pass_on(process.stdout, _unheard), _pass_on(process.stderr, _unheard))
    await process.wait()


def _unheard(_part: bytes) -> None:
    return None


async def _pass_on(stream: asyncio.StreamReader | None, hear: Callable[[bytes], None]) -> None:
    while part := await stream.read(READ_BYTES) if stream else b"":
        hear(part)


class _Said:
    """What git wrote so far: its output, and the end of its messages."""

    def __init__(self, action: str, max_bytes: int) -> None:
        self.output = bytearray()
        self._words = bytearray()
        self._words_bytes = 0
        self.action = action
        self._max_bytes = max_bytes

    @property
    def last_words(self) -> str:
        return self._words[-MESSAGE_BYTES:].decode("utf-8", "replace")

    def hear_output(self, part: bytes) -> None:
        self.output += part
        if len(self.output) > self._max_bytes:
            raise LimitExceededError(
                f"cannot {self.action}: the answer has more than {self._max_bytes:,} bytes: nothing of it was taken"
            )

    def hear_words(self, part: bytes) -> None:
        self._words += part
        self._words_bytes += len(part)
        if len(self._words) > 2 * MESSAGE_BYTES:
            del self._words[:-MESSAGE_BYTES]
        if self._words_bytes > SAID_BYTES:
            found = (
                "its folders are nested deeper than this system allows"
                if b"warning: unable to access '" in self._words
                else "the server sends messages without end"
            )
            raise LimitExceededError(f"cannot {self.action}: {found} ({SAID_BYTES:,} bytes of messages so far)")


class _Patient(io.RawIOBase):
    """The output of a process, for as long as all waiting for it stays within a limit."""

    def __init__(self, stream: IO[bytes], action: str, patience_s: float) -> None:
        self._stream = stream
        self._action = action
        self._patience_s = patience_s
        self._left_s = patience_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        started = time.monotonic()
        ready, _, _ = select.select([self._stream], [], [], max(0.0, self._left_s))
        self._left_s -= time.monotonic() - started
        if not ready:
            raise LimitExceededError(
                f"cannot {self._action}: git was busy for {self._patience_s:g} s, which no ordinary repository needs"
            )
        return os.readv(self._stream.fileno(), [buffer])

    def close(self) -> None:
        self._stream.close()
        super().close()


def _command(args: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    git = shutil.which("git", path=environment.get("PATH"))
    if git is None:
        raise UsageError("git is not installed, or not on PATH: install it")
    options = [part for name, value in CONFIGURATION.items() for part in ("-c", f"{name}={value}")]
    return [git, *options, *args]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Reap the process: one with pipes ends by itself once they are closed, or is killed."""
    try:
        process.wait(timeout=0 if process.stdin is None else 5)
    except subprocess.TimeoutExpired:
        _kill(process)
        process.wait()


def _watch(
    process: subprocess.Popen[bytes], said: _Said, *, cwd: Path, timeout_s: float, max_bytes: int | None
) -> None:
    """Listen to git until it ends, within the limits."""
    started = measured = time.monotonic()
    with selectors.DefaultSelector() as selector:
        _listen(selector, process.stdout, said.hear_output)
        _listen(selector, process.stderr, said.hear_words)
        while True:
            is_running = _waited(process, selector)
            now = time.monotonic()
            if max_bytes is not None and (now - measured >= MEASURE_S or not is_running):
                measured = now
                _check_size(cwd, len(said.output), action=said.action, max_bytes=max_bytes)
            if not is_running:
                return
            if now - started >= timeout_s:
                raise _out_of_time(said.action)


def _listen(selector: selectors.BaseSelector, stream: IO[bytes] | None, hear: Callable[[bytes], None]) -> None:
    if stream is not None:
        os.set_blocking(stream.fileno(), False)
        selector.register(stream, selectors.EVENT_READ, hear)


def _waited(process: subprocess.Popen[bytes], selector: selectors.BaseSelector) -> bool:
    """Hear what there is, or wait a moment; whether the process still runs.

    What it wrote before it ended is heard even when a child of it keeps the pipes open, as an ssh master does.
    """
    is_running = process.poll() is None
    if selector.get_map():
        for key, _ in selector.select(POLL_S if is_running else 0):
            _hear(selector, key, all_of_it=not is_running)
    elif is_running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=POLL_S)
    return is_running


def _hear(selector: selectors.BaseSelector, key: selectors.SelectorKey, *, all_of_it: bool) -> None:
    with suppress(BlockingIOError):
        while True:
            part = os.read(key.fd, READ_BYTES)
            if not part:
                selector.unregister(key.fileobj)
                return
            key.data(part)
            if not all_of_it:
                return


def _out_of_time(action: str) -> LimitExceededError:
    return LimitExceededError(
        f"cannot {action}: not done within the time limit; raise ASKREPO_CLONE_TIMEOUT_S if it is too short"
    )


def _check_size(cwd: Path, output_bytes: int, *, action: str, max_bytes: int) -> None:
    if _tree_bytes(cwd) + output_bytes > max_bytes:
        raise LimitExceededError(
            f"cannot {action}: larger than {max_bytes / 1024**2:,.1f} MiB; raise ASKREPO_MAX_REPOSITORY_MB to admit it"
        )


def _tree_bytes(folder: Path) -> int:
    """Bytes of all files below a directory that another process is writing to."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total


def _kill(process: subprocess.Popen[bytes]) -> None:
    _kill_group(process.pid)


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it has just ended
        os.killpg(group, signal.SIGKILL)


def _error(action: str, said: str, *, code: int, secrets: Mapping[str, str]) -> AskrepoError:
    """The error that git's own words mean; anything unknown is permanent and shown as git said it."""
    if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return GitStoppedError(f"cannot {action}: git was killed before it was done")
    headers, words = _told_apart(said)
    lines = [line.strip() for line in scrubbed(words, secrets).splitlines() if line.strip()]
    if any(map(_REDIRECTED.match, lines)):
        return RedirectedError(f"cannot {action}: the server redirects to another address", headers=headers)
    for error_class, pattern, advice in _MEANINGS:
        found = next((line for line in lines if re.search(pattern, line, re.IGNORECASE)), None)
        if found is not None:
            return error_class(f"cannot {action}: git says {found[:MESSAGE_CHARS]!r}; {advice}")
    last = lines[-1][:MESSAGE_CHARS] if lines else f"nothing, and ended with code {code}"
    return RepositoryError(f"cannot {action}: git says {last!r}")


def _told_apart(said: str) -> tuple[list[str], str]:
    """What git told about headers, which may hold secrets, and its words."""
    lines = said.split("\n")
    headers = [line for line in lines if _HEADER.match(line)]
    return headers, "\n".join(line for line in lines if not _HEADER.match(line))


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None and not stream.closed:
            with suppress(BrokenPipeError):
                stream.close()
