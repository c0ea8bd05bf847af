"""An S3 API that fails on demand: a proxy on loopback before a real one."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import urlsplit

Failure = Literal["drop", "lose", "error", "slow", "truncate"]
"""The connection ends before the request is served, or after it was but before the answer; a 5xx answer; an answer
that arrives in pieces; half of an answer."""

FAILURES: tuple[Failure, ...] = ("drop", "lose", "error", "slow", "truncate")
SLOW_PIECES = 5
# Headers that belong to one connection.
OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "date", "server", "content-length"}


@dataclass(frozen=True)
class Trouble:
    """Which requests fail, and how.

    :ivar method: of the requests that count.
    :ivar first: of those, from 1; `count` of them fail.
    """

    failure: Failure
    method: str
    first: int
    count: int = 1
    status: int = 503
    pause_s: float = 0.02


class FaultyProxy(ThreadingHTTPServer):
    """Passes requests on to a server, but for those in trouble.

    :ivar requests: passed on or not, by method.
    :ivar failed: how many were in trouble.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = urlsplit(target).netloc
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.lock = threading.Lock()
        self.be_fine()

    def start(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def be_fine(self) -> None:
        """Pass everything on, and count from 0."""
        self.trouble: Trouble | None = None
        self.requests: Counter[str] = Counter()
        self.failed = 0

    def be_in(self, trouble: Trouble) -> None:
        self.be_fine()
        self.trouble = trouble

    def failure_of(self, method: str) -> Trouble | None:
        """The trouble that this request is in, if any."""
        with self.lock:
            self.requests[method] += 1
            trouble, number = self.trouble, self.requests[method]
            if trouble is None or trouble.method != method:
                return None
            if not trouble.first <= number < trouble.first + trouble.count:
                return None
            self.failed += 1
            return trouble

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients that are killed close their connections."""


class _Handler(BaseHTTPRequestHandler):
    server: FaultyProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        body = self._body()
        trouble = self.server.failure_of(self.command)
        failure = trouble.failure if trouble else None
        if trouble and failure == "error":
            self._answer(
                trouble.status, {"Content-Type": "application/xml"}, b"<Error><Code>InternalError</Code></Error>"
            )
            return
        if failure == "drop":
            self._drop()
            return
        status, headers, content = self._passed_on(body)
        if failure == "lose":
            self._drop()
        elif trouble and failure in ("slow", "truncate"):
            self._answer_badly(trouble, status, headers, content)
        else:
            self._answer(status, headers, content)

    do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815 (the names that http.server looks for)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _passed_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.server.host, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OF_THE_CONNECTION}
        try:
            headers["Content-Length"] = str(len(body))
            connection.request(self.command, self.path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.wfile.write(self._head(status, headers, content) + content)

    def _answer_badly(self, trouble: Trouble, status: int, headers: dict[str, str], content: bytes) -> None:
        head = self._head(status, headers, content)
        whole = head + content
        if trouble.failure == "truncate":
            half = len(head) + len(content) // 2 if content else len(head) // 2
            self.wfile.write(whole[:half])
            self._drop()
            return
        step = len(whole) // SLOW_PIECES + 1
        for start in range(0, len(whole), step):
            self.wfile.write(whole[start : start + step])
            self.wfile.flush()
            time.sleep(trouble.pause_s)

    def _head(self, status: int, headers: dict[str, str], content: bytes) -> bytes:
        kept = {name: value for name, value in headers.items() if name.lower() not in OF_THE_CONNECTION}
        # The answer to HEAD says how long the object is, and has no body.
        length = headers.get("Content-Length", headers.get("content-length", "0")) if self.command == "HEAD" else None
        kept["Content-Length"] = length if length is not None else str(len(content))
        lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, '')}", *(f"{n}: {v}" for n, v in kept.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _drop(self) -> None:
        """End the connection at once, with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
