"""Ctrl-C while an answer arrives."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.fakes import OpenAIServer, chunk, spoken, sse
from tests.query.conftest import Run, json_lines

ENVIRONMENT = {"TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[2])}
STALL = 60.0
LONG = "`backoff` waits twice as long as before, which a line of eighty columns has no room to say, thirty at most"


def wait_for(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)  # the command is about to read what was sent


def test_an_interrupted_answer_ends_quietly_and_is_kept(run_main: Run, server: OpenAIServer) -> None:
    server.answers.append(sse(chunk("It waits [1]. And "), end=[STALL]))
    with subprocess.Popen(
        [sys.executable, "-m", "askrepo_query", "ask", "backoff"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **ENVIRONMENT, "ASKREPO_CHAT_TIMEOUT_S": "50"},
    ) as process:
        wait_for(lambda: bool(server.requests))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (130, b"", b"")
    (kept,) = json_lines(run_main("log", "--json"))
    assert (kept["answer"], kept["is_interrupted"]) == ("It waits [1]. And", True)
    assert run_main("log").stdout.endswith("backoff  (interrupted)\n")
    assert "interrupted   the answer is what had arrived" in run_main("log", "show", kept["id"]).stdout


def test_a_terminal_shows_what_there_is_of_an_interrupted_answer(run_main: Run, server: OpenAIServer) -> None:
    said = {"sources": [1], "quote": "Seconds to wait before the next attempt", "text": f"{LONG}."}
    begun = json.dumps({"statements": [said]})[:-2] + ', {"sources": [1], "quote": "", "text": "It doub'
    server.answers.append(sse(chunk(begun), end=[STALL]))
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "askrepo_query", "ask", "backoff"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **ENVIRONMENT, "ASKREPO_CHAT_TIMEOUT_S": "50"},
    ) as process:
        os.close(theirs)
        screen = ""
        while "twice as long as before" not in screen:  # shown while the rest has not come
            screen += os.read(ours, 4096).decode()
        time.sleep(0.3)  # the command is about to read on
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):
            while piece := os.read(ours, 4096):
                screen += piece.decode()
        process.wait(timeout=20)
    os.close(ours)
    assert process.returncode == 130
    shown = screen.split("twice as long as before")[1]
    assert "It doub" in shown
    assert "[1] parcel@" in shown
    assert "the answer was interrupted, and is incomplete" in shown
    (kept,) = json_lines(run_main("log", "--json"))
    assert kept["answer"].startswith(f"{LONG} [1]. It doub")
    assert kept["is_interrupted"]


def test_an_interrupted_turn_does_not_end_the_conversation(run_main: Run, server: OpenAIServer) -> None:
    server.answers += [spoken("It retries [1]."), spoken("backoff?"), sse(chunk("It waits "), end=[STALL])]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "askrepo_query", "chat"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **ENVIRONMENT, "ASKREPO_CHAT_TIMEOUT_S": "50"},
    ) as process:
        os.write(ours, b"what is the backoff\nhow long\n")
        wait_for(lambda: len(server.requests) == 3)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        os.write(ours, b"/exit\n")
        out, _ = process.communicate(timeout=20)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0
    assert b"interrupted" in out
    assert b"Traceback" not in out
