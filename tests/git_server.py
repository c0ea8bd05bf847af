"""git over HTTP on loopback, with the failures and the curiosity that tests need."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.conftest import GIT_ENVIRONMENT

# Answers git's question for credentials from the environment; printf is a builtin of sh, so no process sees them.
CREDENTIAL_HELPER = (
    """!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$ASKREPO_GIT_USER" "$ASKREPO_GIT_TOKEN"; }; f"""
)


def token_environment(url: str, username: str, token: str) -> dict[str, str]:
    """Environment for git that answers the URL's host, and no other, with a user and a token.

    The token travels in the environment and through a pipe, never in an argument list. A credential helper is used
    rather than `http.extraHeader`, which git would send to any host that it is led to.
    """
    parts = urlsplit(url)
    scope = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"credential.{scope}.helper",
        "GIT_CONFIG_VALUE_0": CREDENTIAL_HELPER,
        "ASKREPO_GIT_USER": username,
        "ASKREPO_GIT_TOKEN": token,
    }


class GitServer(ThreadingHTTPServer):
    """git's own HTTP backend over the repositories below a folder, asking for a password when it has one."""

    daemon_threads = False

    def __init__(self, root: Path, *, password: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _GitHandler)
        self.root = root
        self.password = password
        self.redirect: Callable[[str, str], str | None] = lambda method, path: None
        self.redirect_status = 302
        self.status: int | None = None
        self.is_dumb = False
        self.chatter: bytes | None = None
        self.requests: list[str] = []
        self.authorizations: list[str | None] = []
        self.command_lines = b""
        self.before_request: Callable[[int], None] = lambda _: None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _GitHandler(BaseHTTPRequestHandler):
    server: GitServer

    def do_GET(self) -> None:
        server = self.server
        server.requests.append(self.path)
        server.authorizations.append(self.headers["Authorization"])
        server.command_lines += b"".join(_read(path) for path in Path("/proc").glob("[0-9]*/cmdline"))
        server.before_request(sum("info/refs" in path for path in server.requests))
        if location := server.redirect(self.command, self.path):
            self._answer(server.redirect_status, {"Location": location})
        elif server.status is not None:
            self._answer(server.status, {})
        elif server.password is not None and not self._is_authorized():
            self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'})
        elif server.is_dumb:
            self._answer_file()
        elif server.chatter is not None and self.command == "POST" and len(server.requests) > 2:
            self._chatter(server.chatter)
        else:
            self._run_backend()

    do_POST = do_GET  # noqa: N815 (the name that http.server looks for)

    def _is_authorized(self) -> bool:
        expected = base64.b64encode(f"bot:{self.server.password}".encode()).decode()
        return self.headers["Authorization"] == f"Basic {expected}"

    def _answer_file(self) -> None:
        """What a server does that knows nothing of git."""
        file = self.server.root / urlsplit(self.path).path.lstrip("/")
        self._answer(200, {}, file.read_bytes()) if file.is_file() else self._answer(404, {})

    def _chatter(self, message: bytes) -> None:
        """Send messages instead of a pack, for ever (gitprotocol-v2: section `packfile`, band 2)."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-result")
        self.end_headers()
        line = b"\x02" + message
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(b"000dpackfile\n")
            while True:
                self.wfile.write(b"%04x" % (len(line) + 4) + line)

    def _run_backend(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        parts = urlsplit(self.path)
        environment = {
            **os.environ,
            **GIT_ENVIRONMENT,
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers["Content-Type"] or "",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers["Content-Encoding"] or "",
            "GIT_PROTOCOL": self.headers["Git-Protocol"] or "",
        }
        answer = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self._answer(int(headers.pop("Status", "200").split()[0]), headers, content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # some tests do not wait for the answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
