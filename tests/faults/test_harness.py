"""The harness itself: it sees what it is there to see."""

from __future__ import annotations

import http.client
import os
import signal
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

import pytest

from askrepo.files.globs import matches
from tests.faults.cases import DECISION, KINDS, TASKS, case_of
from tests.faults.harness import Event, Found, _lost_swaps, _orphans, _wrong_ledger, _wrong_log, _wrong_reading
from tests.faults.points import Moment, Watcher, pause
from tests.faults.processes import Child
from tests.faults.proxy import FaultyProxy, Trouble
from tests.faults.reader import Answer, Place, Seen, Truth, judged

CENSUS = {task: {"!open": 3, "build.build_dataset": 1, DECISION: 2} for task in TASKS}
DIGESTS = {"old": "o", "new": "n"}


# Cases ---------------------------------------------------------------------------------------------------------------


def case(seed: int):
    return case_of(seed, census=CENSUS, requests={"GET": 9, "PUT": 4}, seconds=1.0)


def test_a_seed_is_one_case() -> None:
    assert [case(seed) for seed in range(120)] == [case(seed) for seed in range(120)]
    assert len({str(case(seed).tries) for seed in range(0, 120, len(KINDS))}) > 1


def test_the_ordinary_cases_are_of_every_kind() -> None:
    assert len(KINDS) == 20
    assert {kind.strike for kind in KINDS} == {"kill", "late kill", "full disk", "store", "rival"}
    assert {kind.task for kind in KINDS} >= {"clone", "load", "split", "embed", "build", "swap"}


# Moments -------------------------------------------------------------------------------------------------------------


def test_every_call_of_askrepo_and_every_effect_is_a_moment(tmp_path: Path) -> None:
    watcher = Watcher()
    watcher.start()
    watcher.begin("load-0")
    matches("a.py", "*.py")
    (tmp_path / "folder").mkdir()
    watcher.stop()
    assert watcher.census["load"]["globs.matches"] == 1
    assert watcher.census["load"]["!mkdir"] == 1


@pytest.mark.parametrize(("number", "expected"), [(2, ["a.py", "b.py", "hit"]), (9, ["a.py", "b.py", "c.py", "hit"])])
def test_a_moment_comes_at_its_number_or_else_when_the_task_ends(number: int, expected: list[str]) -> None:
    seen: list[str] = []
    watcher = Watcher(Moment("load", "globs.matches", number, "after"), lambda: seen.append("hit"))
    watcher.start()
    watcher.begin("load-0")
    for name in ("a.py", "b.py", "c.py"):
        matches(seen.append(name) or name, "*.py")
        if "hit" in seen:
            break
    watcher.stop()
    assert seen == expected


# Processes -----------------------------------------------------------------------------------------------------------


def die(connection: Connection) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crash(connection: Connection) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def fail(connection: Connection) -> None:
    raise ValueError("why")


def test_how_a_process_ended_is_told() -> None:
    assert Child(die).outcome().is_killed
    assert Child(crash).outcome().error == "crash"
    failed = Child(fail).outcome()
    assert (failed.error, failed.is_transient) == ("ValueError", False)
    assert "why" in failed.message


def stand_still(connection: Connection) -> str:
    pause()
    return "done"


def test_a_process_that_stands_still_goes_on_when_told() -> None:
    child = Child(stand_still)
    child.wait_until_paused()
    assert not child.connection.poll()
    child.resume()
    assert child.outcome().value == "done"


# The proxy -----------------------------------------------------------------------------------------------------------


class Target(ThreadingHTTPServer):
    served = 0


class Hello(BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        self.server.served += 1
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"0123456789")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def target() -> Iterator[Target]:
    with Target(("127.0.0.1", 0), Hello) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(target: Target) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(f"http://127.0.0.1:{target.server_address[1]}").start()
    yield proxy
    proxy.stop()


def get(proxy: FaultyProxy) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", "/key")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_proxy_passes_on_what_is_in_no_trouble(proxy: FaultyProxy) -> None:
    proxy.be_in(Trouble("error", "GET", first=2))
    assert [get(proxy)[0] for _ in range(3)] == [200, 503, 200]


def test_a_slow_answer_is_whole(proxy: FaultyProxy) -> None:
    proxy.be_in(Trouble("slow", "GET", first=1))
    assert get(proxy) == (200, b"0123456789")


@pytest.mark.parametrize(("failure", "served"), [("drop", 0), ("lose", 1), ("truncate", 1)])
def test_a_lost_connection(failure, served: int, proxy: FaultyProxy, target: Target) -> None:
    proxy.be_in(Trouble(failure, "GET", first=1))
    with pytest.raises((OSError, http.client.HTTPException)):
        get(proxy)
    assert target.served == served


# What is checked -----------------------------------------------------------------------------------------------------

FOUND = Found(["00000001.json", "00000002.json"], [1, 2], ["a", "b"], ["o", "n"], "b", ["b"], [])


def test_a_sound_log_is_right() -> None:
    assert _wrong_log(FOUND, DIGESTS, "new") == _orphans(FOUND) == []


@pytest.mark.parametrize(
    "found",
    [
        Found(["00000001.json", "00000003.json"], [1, 3], ["a", "b"], ["o", "n"], "b", ["b"], []),
        Found(["00000001.json", "00000002.json", "00000003.json#1"], [1, 2], ["a", "b"], ["o", "n"], "b", ["b"], []),
        Found(["00000001.json"], [1], ["a"], ["o"], "b", ["b"], []),
        Found(
            ["00000001.json", "00000002.json", "00000003.json"],
            [1, 2, 3],
            ["a", "x", "b"],
            ["o", "x", "n"],
            "b",
            ["b"],
            [],
        ),
    ],
    ids=["a gap", "a torn entry", "not the new one", "a dataset of no commit"],
)
def test_a_wrong_log_is_seen(found: Found) -> None:
    assert _wrong_log(found, DIGESTS, "new")


def test_a_swap_that_was_reported_and_lost_is_seen() -> None:
    assert _lost_swaps(FOUND, {2: "b"}) == []
    assert _lost_swaps(FOUND, {2: "a"})


def test_a_reader_that_goes_back_or_fails_is_seen() -> None:
    assert _wrong_reading(Seen(3, [1, 2]), FOUND) == []
    for seen in (Seen(3, [1, 2, 1]), Seen(3, [1, 2], wrong=["KeyError"]), Seen(3, [1]), Seen(3, [1, 7, 2])):
        assert _wrong_reading(seen, FOUND)


def test_what_is_embedded_again_is_seen() -> None:
    began, kept = Event("began", "r", "embed-0", 1, ()), Event("kept", "r", "embed-0", 1, ("x",))
    computed, again = Event("computed", "r", "embed-0", 1, ("x",)), Event("began", "r", "embed-0", 2, ())
    computed_again = Event("computed", "r", "embed-0", 2, ("x",))
    assert _wrong_ledger([began, computed, again, computed_again], set()) == []
    assert _wrong_ledger([began, computed, kept, again, computed_again], set())
    assert _wrong_ledger([began, computed], {"x"})


TRUTH = Truth([{"p": "c1", "l": "c1"}, {"p": "c2", "l": "c2"}], {"c1": {"a.py": "one\ntwo\n"}, "c2": {"a.py": "new\n"}})


@pytest.mark.parametrize(
    ("places", "is_right"),
    [
        ([Place("p", "c1", "a.py", 2, 2, "two\n")], True),
        ([Place("p", "c1", "a.py", 1, 2, "one\ntwo\n"), Place("l", "c1", "a.py", 1, 1, "one")], True),
        ([Place("p", "c1", "a.py", 1, 1, "new\n")], False),
        ([Place("p", "c1", "a.py", 1, 1, "one\n"), Place("l", "c2", "a.py", 1, 1, "new\n")], False),
        ([], False),
    ],
)
def test_an_answer_of_two_versions_is_seen(places: list[Place], is_right: bool) -> None:
    assert (judged(Answer(places), TRUTH) == "") is is_right
