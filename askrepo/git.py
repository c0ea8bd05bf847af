"""Runs git as a process that trusts neither the repository nor this machine's own configuration."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
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

if TYPE_CHECKING:
    import asyncio

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
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "fetch.recurseSubmodules": "no",
    "fetch.unpackLimit": "1",  # keep the pack whole: one file instead of thousands of loose objects
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.followRedirects": "initial",
    # Servers keep a waiting client alive with 1 byte per second (uploadpack.keepAlive); less means they are gone.
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "120",
    "protocol.version": "2",
    "transfer.bundleURI": "false",
}
SSH_COMMAND = "ssh -oBatchMode=yes -oConnectTimeout=30 -oServerAliveInterval=30 -oServerAliveCountMax=4"
# A killed process is noticed this fast, and a growing repository measured this often.
POLL_S = 0.05
MEASURE_S = 0.5
# Only the end of what git said is read back: a hostile server may say a lot.
MESSAGE_BYTES = 64 * 1024
MESSAGE_CHARS = 500
READ_BYTES = 64 * 1024
# Shorter words of the credentials' environment (`1`, `get`) are no secrets, and hiding them would garble messages.
MIN_SECRET_CHARS = 6

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
        CredentialsError,
        _REFUSED,
        "the repository is private or does not exist: check its URL and the token or key of its connection",
    ),
    (CredentialsError, "host key verification failed", "the host's key is unknown: add it to known_hosts"),
    (UnknownRefError, _NO_REF, "check the branch, the tag or all 40 digits of the commit"),
    (RepositoryError, "repository corruption", "the remote itself is damaged: run `git fsck` there"),
    (RepositoryError, "dubious ownership", "it belongs to another user of this machine: change its owner"),
    (RepositoryError, _NO_REPOSITORY, "check the URL"),
    (RemoteUnavailableError, _UNREACHABLE, "try again later"),
)
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*@")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")

_running: set[subprocess.Popen[bytes]] = set()


class GitStoppedError(TransientError):
    """git was stopped from outside, by `kill_running`."""


def run_git(
    args: Sequence[str],
    *,
    cwd: Path,
    action: str,
    timeout_s: float,
    max_bytes: int | None = None,
    allow_local: bool = False,
    git_environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git wrote to its standard output.

    :param cwd: the directory git works in, which the size limit is about.
    :param action: what a message says was attempted, such as `fetch https://host/owner/name`.
    :param timeout_s: seconds after which git and its children are killed.
    :param max_bytes: bytes that `cwd` and the output may reach together before git is killed.
    :param allow_local: admit the protocols file and http.
    :param git_environment: credentials, as environment variables; their values never appear in a message.
    :raises AskrepoError: git failed; the class says whether a retry may help.
    """
    if timeout_s <= 0:
        raise _out_of_time(action)
    secrets = git_environment or {}
    environment = _environment(secrets, allow_local=allow_local)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        with _started(args, cwd=cwd, environment=environment, stdin=None, stdout=output, stderr=errors) as process:
            _watch(process, cwd=cwd, output=output, action=action, timeout_s=timeout_s, max_bytes=max_bytes)
        if process.returncode:
            raise _error(action, _tail(errors), code=process.returncode, secrets=secrets)
        output.seek(0)
        return output.read()


async def run_git_async(
    args: Sequence[str],
    *,
    cwd: Path,
    action: str,
    timeout_s: float,
    max_bytes: int,
    allow_local: bool = False,
    git_environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git wrote to its standard output, for a caller whose event loop must not be held up.

    Git runs under the conditions of `run_git`; cancelling the call kills it.

    :param timeout_s: seconds after which git and its children are killed; a later call may do better.
    :param max_bytes: bytes of output at which git is killed. Other parameters as for `run_git`.
    :raises AskrepoError: git failed; the class says whether a retry may help.
    """
    import asyncio

    secrets = git_environment or {}
    environment = _environment(secrets, allow_local=allow_local)
    with tempfile.TemporaryFile() as errors:
        process = await _started_async(args, cwd=cwd, environment=environment, stderr=errors)
        try:
            async with asyncio.timeout(timeout_s):
                output = await _read(process.stdout, action=action, max_bytes=max_bytes)
                code = await process.wait()
        except TimeoutError as error:
            raise RemoteUnavailableError(f"cannot {action}: not done within {timeout_s:g} s") from error
        finally:
            if process.returncode is None:
                _kill_group(process.pid)
                await process.wait()
        if code:
            raise _error(action, _tail(errors), code=code, secrets=secrets)
        return output


@contextmanager
def open_git(
    args: Sequence[str], *, cwd: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A git process with pipes on its standard input and output, gone when the block ends.

    For reading a repository that is already here: there is no time limit and no network.
    """
    full = {**_environment({}, allow_local=False), **(environment or {}), "GIT_ALLOW_PROTOCOL": ""}
    pipe = subprocess.PIPE
    with _started(args, cwd=cwd, environment=full, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            for stream in (process.stdin, process.stdout):
                if stream is not None and not stream.closed:
                    _close_quietly(stream)


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
    args: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    stdin: int | None,
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
) -> Iterator[subprocess.Popen[bytes]]:
    """A git process with a process group of its own, which is killed when the block ends before git does."""
    try:
        process = subprocess.Popen(
            _command(args),
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise _no_git() from error
    _running.add(process)
    try:
        yield process
    finally:
        if process.poll() is None and process.stdin is None:
            _kill(process)
        _end(process)
        _running.discard(process)


async def _started_async(
    args: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stderr: IO[bytes]
) -> asyncio.subprocess.Process:
    """A git process with a process group of its own, whose output comes through a pipe."""
    import asyncio

    try:
        return await asyncio.create_subprocess_exec(
            *_command(args),
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise _no_git() from error


async def _read(stream: asyncio.StreamReader | None, *, action: str, max_bytes: int) -> bytes:
    content = bytearray()
    while part := await stream.read(READ_BYTES) if stream else b"":
        content += part
        if len(content) > max_bytes:
            raise LimitExceededError(f"cannot {action}: the answer has more than {max_bytes:,} bytes")
    return bytes(content)


def _command(args: Sequence[str]) -> list[str]:
    options = [part for name, value in CONFIGURATION.items() for part in ("-c", f"{name}={value}")]
    return ["git", *options, *args]


def _no_git() -> UsageError:
    return UsageError("git is not installed, or not on PATH: install it")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Reap the process: one with pipes ends by itself once they are closed, or is killed."""
    try:
        process.wait(timeout=0 if process.stdin is None else 5)
    except subprocess.TimeoutExpired:
        _kill(process)
        process.wait()


def _watch(
    process: subprocess.Popen[bytes],
    *,
    cwd: Path,
    output: IO[bytes],
    action: str,
    timeout_s: float,
    max_bytes: int | None,
) -> None:
    """Wait for git within the limits."""
    started = measured = time.monotonic()
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=POLL_S)
        now, is_running = time.monotonic(), process.returncode is None
        if max_bytes is not None and (now - measured >= MEASURE_S or not is_running):
            measured = now
            _check_size(cwd, output, action=action, max_bytes=max_bytes)
        if not is_running:
            return
        if now - started >= timeout_s:
            raise _out_of_time(action)


def _out_of_time(action: str) -> LimitExceededError:
    return LimitExceededError(
        f"cannot {action}: not done within the time limit; raise ASKREPO_CLONE_TIMEOUT_S if it is too short"
    )


def _check_size(cwd: Path, output: IO[bytes], *, action: str, max_bytes: int) -> None:
    if _tree_bytes(cwd) + os.fstat(output.fileno()).st_size > max_bytes:
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


def _tail(stream: IO[bytes]) -> str:
    stream.seek(max(0, os.fstat(stream.fileno()).st_size - MESSAGE_BYTES))
    return stream.read().decode("utf-8", "replace")


def _error(action: str, said: str, *, code: int, secrets: Mapping[str, str]) -> AskrepoError:
    """The error that git's own words mean; anything unknown is permanent and shown as git said it."""
    if code == -signal.SIGKILL:
        return GitStoppedError(f"cannot {action}: git was killed before it was done")
    text = scrubbed(said, secrets)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for error_class, pattern, advice in _MEANINGS:
        found = next((line for line in lines if re.search(pattern, line, re.IGNORECASE)), None)
        if found is not None:
            return error_class(f"cannot {action}: git says {found[:MESSAGE_CHARS]!r}; {advice}")
    last = lines[-1][:MESSAGE_CHARS] if lines else f"nothing, and ended with code {code}"
    return RepositoryError(f"cannot {action}: git says {last!r}")


def _close_quietly(stream: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        stream.close()
