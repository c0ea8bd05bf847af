"""A remote store that fails: retried for seconds, then one clear error, without secrets."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from askrepo.errors import AskrepoError, CredentialsError, StorageError, UnavailableError, UsageError
from askrepo.workspace.objects import ObjectMissingError, Workspace
from tests.s3_server import S3Server, s3_server  # noqa: F401

CONTENT = b"0123456789" * 100_000
TOKEN = "session-token-nobody-may-see"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_REGION": "us-east-1"}


class FaultyStore(ThreadingHTTPServer):
    """Has one object under every name; answers the first requests as it is told to.

    :ivar faults: for each request to come: a status with an XML code, "drop" or "truncate".
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faults: list[tuple[int, str] | str] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.environment = {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server_address[1]}"}

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no news."""

    def workspace(self, **env: str) -> Workspace:
        return Workspace.open("s3://bucket/workspace", env={**self.environment, **env})


class _Handler(BaseHTTPRequestHandler):
    server: FaultyStore
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.requests.append((self.command, {name.lower(): value for name, value in self.headers.items()}))
        fault = self.server.faults.pop(0) if self.server.faults else None
        if fault == "drop":
            self.close_connection = True
        elif isinstance(fault, tuple):
            status, code = fault
            self._answer(status, f"<Error><Code>{code}</Code><Token-0>{TOKEN}</Token-0></Error>".encode())
        else:
            self._answer_content(truncated=fault == "truncate")

    do_PUT = do_HEAD = do_GET  # noqa: N815 (the names that http.server looks for)

    def _answer_content(self, *, truncated: bool) -> None:
        wanted = self.headers["Range"]
        first = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        span = {"Content-Range": f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}"} if wanted else {}
        self._answer(206 if wanted else 200, CONTENT[first:], truncated=truncated, headers=span)

    def _answer(
        self, status: int, body: bytes, *, truncated: bool = False, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"ETag": '"1"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if truncated else body)
        self.close_connection = truncated

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def faulty() -> Iterator[FaultyStore]:
    store = FaultyStore()
    thread = threading.Thread(target=store.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield store
    store.shutdown()
    store.server_close()
    thread.join()


@pytest.mark.parametrize(
    "faults",
    [[(503, "SlowDown")] * 3, [(500, "InternalError")], ["drop"] * 2, ["truncate"], ["truncate", "drop", (503, "x")]],
    ids=["503", "500", "dropped connections", "truncated body", "all together"],
)
def test_passing_trouble_is_not_noticed(faulty: FaultyStore, faults: list[object], tmp_path: Path) -> None:
    for read in (Workspace.read, _downloaded):
        faulty.faults = list(faults)  # type: ignore[arg-type]
        assert read(faulty.workspace(), "key") == CONTENT
        assert faulty.faults == []


def _downloaded(workspace: Workspace, key: str) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        workspace.download(key, Path(folder) / "file")
        return (Path(folder) / "file").read_bytes()


def test_writing_is_tried_again_too(faulty: FaultyStore) -> None:
    faulty.faults = [(503, "SlowDown"), "drop"]
    faulty.workspace().create("key", b"content")
    assert [command for command, _ in faulty.requests] == ["PUT"] * 3


def test_trouble_that_stays_is_one_error_within_seconds(faulty: FaultyStore) -> None:
    faulty.faults = [(503, "SlowDown")] * 100
    started = time.monotonic()
    with pytest.raises(StorageError, match=r"cannot read key in s3://bucket/workspace: .*503.*SlowDown") as caught:
        faulty.workspace().read("key")
    assert time.monotonic() - started < 10
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (403, "InvalidAccessKeyId", CredentialsError),
        (400, "ExpiredToken", CredentialsError),
        (404, "NoSuchBucket", UnavailableError),
        (404, "NoSuchKey", ObjectMissingError),
        (400, "InvalidRequest", StorageError),
    ],
)
def test_answers_become_our_errors_without_what_the_store_repeats(
    faulty: FaultyStore, status: int, code: str, expected: type[AskrepoError]
) -> None:
    faulty.faults = [(status, code)]
    with pytest.raises(expected) as caught:
        faulty.workspace(AWS_SESSION_TOKEN=TOKEN).read("key")
    shown = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in (TOKEN, "hush") if secret in shown]


def test_a_store_that_nobody_runs_is_told_in_seconds() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
    workspace = Workspace.open("s3://bucket/workspace", env={**KEYS, "AWS_ENDPOINT_URL": endpoint})
    started = time.monotonic()
    with pytest.raises(StorageError, match="cannot be reached or does not answer"):
        workspace.list_folders("aliases")
    assert time.monotonic() - started < 10


def test_a_store_that_keeps_silent_is_told_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askrepo.workspace.stores._ANSWER_TIMEOUT", "1s")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        workspace = Workspace.open("s3://bucket/workspace", env={**KEYS, "AWS_ENDPOINT_URL": endpoint})
        with pytest.raises(StorageError, match="does not answer"):
            workspace.create("key", b"")


def test_keys_and_endpoint_are_those_of_the_mapping_alone(faulty: FaultyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "other")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    assert faulty.workspace().exists("key")
    headers = faulty.requests[0][1]
    assert "Credential=AKIAEXAMPLE/" in headers["authorization"]
    assert "x-amz-security-token" not in headers


def test_a_session_token_is_sent(faulty: FaultyStore) -> None:
    faulty.workspace(AWS_SESSION_TOKEN=TOKEN).exists("key")
    assert faulty.requests[0][1]["x-amz-security-token"] == TOKEN


def test_the_endpoint_for_s3_alone_wins(faulty: FaultyStore) -> None:
    endpoints = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": faulty.environment["AWS_ENDPOINT_URL"],
    }
    assert faulty.workspace(**endpoints).exists("key")


def test_a_bucket_that_is_missing_is_named(s3_server: S3Server) -> None:  # noqa: F811
    workspace = Workspace.open("s3://nowhere/workspace", env=s3_server.environment)
    for attempt in (lambda: workspace.list_folders("aliases"), lambda: workspace.create("key", b"")):
        with pytest.raises(UnavailableError, match=r"s3://nowhere/workspace: there is no such bucket"):
            attempt()


@pytest.mark.parametrize("url", ["s3://", "s3:///folder", "gs://"])
def test_a_url_without_bucket_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="names no bucket"):
        Workspace.open(url, env=KEYS)
