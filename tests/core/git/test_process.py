import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from askrepo.errors import (
    CredentialsError,
    LimitExceededError,
    RemoteUnavailableError,
    RepositoryError,
    StorageError,
    UnknownRefError,
)
from askrepo.git.process import MEMORY_BYTES, GitStoppedError, kill_running, open_git, run_git, run_git_async, scrubbed


def shell(command: str) -> list[str]:
    """Arguments that make git run a shell command, to watch a process under git's conditions."""
    return ["-c", f"alias.try=!{command}", "try"]


def run(args, cwd, **options):
    return run_git(args, cwd=cwd, action="try", **{"timeout_s": 60, **options})


def environment_of_git(cwd, **options) -> dict[str, str]:
    lines = run(shell("env"), cwd, **options).decode().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_output_comes_back(tmp_path):
    assert run(["version"], tmp_path).startswith(b"git version")


def test_git_sees_neither_our_secrets_nor_our_git_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("GIT_TRACE", "1")

    seen = environment_of_git(tmp_path)

    assert not {"OPENAI_API_KEY", "GIT_DIR", "GIT_TRACE"} & seen.keys()
    assert seen["GIT_CONFIG_GLOBAL"] == os.devnull
    assert seen["GIT_TERMINAL_PROMPT"] == "0"
    assert seen["GIT_ALLOW_PROTOCOL"] == "https:ssh"


def test_users_own_configuration_is_not_read(tmp_path, monkeypatch):
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Somebody\n")
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(RepositoryError):
        run(["config", "user.name"], tmp_path)


def test_given_environment_sets_credentials_but_not_protocols(tmp_path):
    given = {"GIT_SSH_COMMAND": "ssh -i /keys/one", "GIT_ALLOW_PROTOCOL": "ext", "GIT_CONFIG_GLOBAL": "/x"}

    seen = environment_of_git(tmp_path, git_environment=given)

    assert seen["GIT_SSH_COMMAND"] == "ssh -i /keys/one"
    assert seen["GIT_ALLOW_PROTOCOL"] == "https:ssh"
    assert seen["GIT_CONFIG_GLOBAL"] == os.devnull


def test_given_configuration_is_counted_from_zero(tmp_path):
    given = {"GIT_CONFIG_COUNT": "3", "GIT_CONFIG_KEY_2": "user.name", "GIT_CONFIG_VALUE_2": "Grace"}

    assert run(["config", "user.name"], tmp_path, git_environment=given) == b"Grace\n"


@pytest.mark.parametrize("url", ["ext::sh -c touch% owned", "file:///x", "http://127.0.0.1:1/x", "git://127.0.0.1/x"])
def test_protocol_outside_the_list_is_refused_by_git_itself(tmp_path, url):
    with pytest.raises(RepositoryError, match="not allowed"):
        run(["ls-remote", "--end-of-options", url], tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_time_limit_kills_git_and_its_children(tmp_path):
    with pytest.raises(LimitExceededError, match=r"not done within the time limit.*ASKREPO_CLONE_TIMEOUT_S"):
        run(shell("echo $$ > pid; sleep 600; true"), tmp_path, timeout_s=1)

    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_running(pid))


def test_size_limit_stops_git_while_it_writes(tmp_path):
    endless = "while :; do head -c 100000 /dev/zero >> growing; sleep 0.01; done"

    with pytest.raises(LimitExceededError, match=r"larger than 1.0 MiB.*ASKREPO_MAX_REPOSITORY_MB"):
        run(shell(endless), tmp_path, max_bytes=1024**2)

    assert (tmp_path / "growing").stat().st_size < 200 * 1024**2


def test_size_limit_counts_the_output(tmp_path):
    with pytest.raises(LimitExceededError):
        run(shell("head -c 2000000 /dev/zero"), tmp_path, max_bytes=1024**2)


def test_kill_running_stops_a_waiting_call(tmp_path):
    caught: list[BaseException] = []

    def wait_for_git() -> None:
        try:
            run(shell("echo $$ > pid; sleep 600; true"), tmp_path)
        except GitStoppedError as error:
            caught.append(error)

    waiting = threading.Thread(target=wait_for_git)
    waiting.start()
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    kill_running()
    waiting.join(timeout=20)

    assert len(caught) == 1
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_running(pid))


@pytest.mark.parametrize(
    ("said", "error_class"),
    [
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", CredentialsError),
        ("fatal: Authentication failed for 'https://x/'", CredentialsError),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 403", CredentialsError),
        ("git@x: Permission denied (publickey).", CredentialsError),
        ("Host key verification failed.", CredentialsError),
        ("fatal: couldn't find remote ref refs/heads/x", UnknownRefError),
        ("fatal: remote error: upload-pack: not our ref 0123", UnknownRefError),
        ("error: Server does not allow request for unadvertised object 0123", UnknownRefError),
        ("fatal: repository 'https://x/' not found", RepositoryError),
        ("fatal: Out of memory, malloc failed (tried to allocate 9999999999 bytes)", LimitExceededError),
        ("fatal: packfile x cannot be mapped: Cannot allocate memory", LimitExceededError),
        ("error: index-pack died of signal 25", LimitExceededError),
        ("fatal: dumb http transport does not support shallow capabilities", RepositoryError),
        ("ERROR: Repository not found.", RepositoryError),
        ("fatal: '/x' does not appear to be a git repository", RepositoryError),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", RemoteUnavailableError),
        ("ssh: connect to host x port 22: Connection refused", RemoteUnavailableError),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 503", RemoteUnavailableError),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 429", RemoteUnavailableError),
        ("fatal: early EOF", RemoteUnavailableError),
        ("fatal: write error: No space left on device", StorageError),
        ("fatal: something new", RepositoryError),
    ],
)
@pytest.mark.parametrize("ending", ["", "fatal: Could not read from remote repository.", "the remote end hung up"])
def test_words_of_git_tell_what_a_caller_can_do(tmp_path, said, error_class, ending):
    message = tmp_path / "message"
    message.write_text(f"{said}\n{ending}\n")

    with pytest.raises(Exception, match="cannot try: git says") as failure:
        run(shell("cat message >&2; exit 128"), tmp_path)

    assert type(failure.value) is error_class


def test_unknown_failure_shows_the_last_line_cleaned(tmp_path):
    (tmp_path / "message").write_bytes(b"first\nfatal: odd \x1b[31m https://me:tok@host/ hunter22 \xff\n")

    with pytest.raises(RepositoryError) as failure:
        run(shell("cat message >&2; exit 1"), tmp_path, git_environment={"TOKEN": "hunter22"})

    assert str(failure.value) == "cannot try: git says 'fatal: odd  [31m https://***@host/ *** \ufffd'"


def test_silent_failure_shows_the_exit_code(tmp_path):
    with pytest.raises(RepositoryError, match="nothing, and ended with code 3"):
        run(shell("exit 3"), tmp_path)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("cannot reach https://jane:s3cret@example.org/x.git", "cannot reach https://***@example.org/x.git"),
        ("cannot reach https://jane:s3/cr/et@example.org/x.git", "cannot reach https://***@example.org/x.git"),
        ("cannot reach https://token@example.org/x.git", "cannot reach https://***@example.org/x.git"),
        ("cannot reach https://example.org:8443/x@v1.git", "cannot reach https://example.org:8443/x@v1.git"),
    ],
)
def test_what_git_says_is_shown_without_a_password(said: str, shown: str) -> None:
    assert scrubbed(said, {}) == shown


def test_words_of_a_secret_are_hidden_too():
    secrets = {"GIT_CONFIG_VALUE_0": "Authorization: Basic c2VjcmV0", "GIT_CONFIG_COUNT": "1"}

    assert scrubbed("1: header Basic c2VjcmV0", secrets) == "1: header Basic ***"


def test_unreachable_port_may_be_tried_again(tmp_path):
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}/a/b"

        with pytest.raises(RemoteUnavailableError):
            run(["ls-remote", "--end-of-options", url], tmp_path, allow_local=True)


def test_server_that_never_answers_ends_at_the_time_limit(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a/b"

        with pytest.raises(LimitExceededError):
            run(["ls-remote", "--end-of-options", url], tmp_path, allow_local=True, timeout_s=1)


async def run_async(args, cwd, **options):
    return await run_git_async(args, cwd=cwd, action="try", **{"timeout_s": 60, "max_bytes": 10**6, **options})


async def test_waiting_without_blocking_gives_the_same_output_under_the_same_conditions(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    output = await run_async(shell("env"), tmp_path, git_environment={"TOKEN": "hunter22"})

    assert sorted(output.splitlines()) == sorted(
        run(shell("env"), tmp_path, git_environment={"TOKEN": "hunter22"}).splitlines()
    )
    assert b"sk-secret" not in output


async def test_time_limit_of_a_call_that_does_not_block_kills_git_and_its_children(tmp_path):
    with pytest.raises(RemoteUnavailableError, match="cannot try: not done within 1 s"):
        await run_async(shell("echo $$ > pid; sleep 600; true"), tmp_path, timeout_s=1)

    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_running(pid))


async def test_cancelled_call_kills_git_and_its_children(tmp_path):
    task = asyncio.create_task(run_async(shell("echo $$ > pid; sleep 600; true"), tmp_path))
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip()):
        await asyncio.sleep(0.02)

    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_running(pid))


async def test_call_that_is_cancelled_while_git_starts_kills_it(tmp_path):
    task = asyncio.create_task(run_async(shell("echo $$ > pid; sleep 600; true"), tmp_path))
    while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip()):
        await asyncio.sleep(0)
        time.sleep(0.2)  # git goes on while asyncio has not yet connected its pipes

    task.cancel()
    await asyncio.wait({task}, timeout=20)

    assert task.cancelled()
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_running(pid))


async def test_endless_output_is_cut_off(tmp_path):
    with pytest.raises(LimitExceededError, match="the answer has more than 1,000,000 bytes"):
        await run_async(shell("yes"), tmp_path)


async def test_call_that_does_not_block_fails_in_the_same_words(tmp_path):
    (tmp_path / "message").write_text("fatal: unable to access 'https://me:tok@x/': Could not resolve host: hunter22\n")
    command = shell("cat message >&2; exit 128")

    with pytest.raises(RemoteUnavailableError) as failure:
        await run_async(command, tmp_path, git_environment={"TOKEN": "hunter22"})
    with pytest.raises(RemoteUnavailableError) as expected:
        run(command, tmp_path, git_environment={"TOKEN": "hunter22"})

    assert str(failure.value) == str(expected.value)
    assert "tok" not in str(failure.value)
    assert "hunter22" not in str(failure.value)


def test_git_and_its_children_are_limited_in_memory_and_files(tmp_path):
    said = run(shell("ulimit -v; ulimit -f; ulimit -c"), tmp_path, max_bytes=1024**2).split()

    assert [int(limit) for limit in said] == [MEMORY_BYTES // 1024, 2 * 1024**2 // 512, 0]


@pytest.mark.parametrize("words", ["yes talk >&2", "yes talk"], ids=["messages", "output"])
def test_endless_words_are_cut_off(tmp_path, words):
    with pytest.raises(LimitExceededError, match=r"messages without end|more than"):
        run(shell(words), tmp_path)


@pytest.mark.parametrize("words", ["yes talk >&2", "yes talk"], ids=["messages", "output"])
async def test_endless_words_are_cut_off_without_blocking(tmp_path, words):
    with pytest.raises(LimitExceededError, match=r"messages without end|more than"):
        await run_git_async(shell(words), cwd=tmp_path, action="try", timeout_s=60, max_bytes=10**6)


def test_folders_nested_too_deep_are_not_blamed_on_a_server(tmp_path):
    with pytest.raises(LimitExceededError, match="its folders are nested deeper than this system allows"):
        run(shell("""yes "remote: warning: unable to access 'd/d/d/d/d" >&2"""), tmp_path)


def test_messages_do_not_keep_a_call_waiting_when_a_child_outlives_it(tmp_path):
    started = time.monotonic()

    assert run(shell("sleep 20 & echo $! > pid; echo done"), tmp_path) == b"done\n"

    assert time.monotonic() - started < 10
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_reader_of_a_repository_writes_no_file(tmp_path):
    with open_git(shell("echo much > file; true"), cwd=tmp_path) as process:
        process.wait()

    assert not (tmp_path / "file").exists() or (tmp_path / "file").stat().st_size == 0


def test_reader_that_only_thinks_is_given_up(tmp_path):
    with open_git(shell("sleep 60"), cwd=tmp_path, patience_s=0.2) as process:
        with pytest.raises(LimitExceededError, match=r"busy for 0.2 s"):
            process.stdout.read(1)
        os.killpg(process.pid, signal.SIGKILL)


CALLS = {
    "run": "run_git(args, cwd=cwd, action='try', timeout_s=60)",
    "open": "opened = open_git(args, cwd=cwd); opened.__enter__().stdout.read()",
    "async": "asyncio.run(run_git_async(args, cwd=cwd, action='try', timeout_s=60, max_bytes=10))",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_killed_process_leaves_no_git_running(tmp_path, call):
    busy = "sleep 600 & mkdir $! $$ ready; while :; do :; done"  # folders: a reader may not write a file
    program = (
        "import asyncio, pathlib; from askrepo.git.process import *;"
        f"cwd = pathlib.Path({str(tmp_path)!r}); args = {shell(busy)!r}; {call}"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as ours:
        try:
            wait_until((tmp_path / "ready").exists)
        finally:
            ours.kill()

    pids = [int(folder.name) for folder in tmp_path.iterdir() if folder.name.isdigit()]
    assert len(pids) == 2
    wait_until(lambda: not any(map(is_running, pids)))


def test_threads_start_git_side_by_side(tmp_path):
    threads = [threading.Thread(target=run, args=(["version"], tmp_path)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert not any(thread.is_alive() for thread in threads)
