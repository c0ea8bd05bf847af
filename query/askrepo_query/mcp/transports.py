"""How clients reach the server: over the process's standard streams, or over HTTP."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvicorn
from mcp.server.stdio import stdio_server
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from askrepo.errors import UsageError
from askrepo_query.mcp.address import Address
from askrepo_query.output import print_note

if TYPE_CHECKING:
    from mcp.server import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/mcp"
MAX_REQUEST_BYTES = 2 * 1024 * 1024
GRACE_S = 1


async def serve_stdio(server: Server[Any]) -> None:
    """Serve one client until standard input ends. What else is written to standard output goes to standard error."""
    async with stdio_server() as (requests, answers):
        await server.run(requests, answers, server.create_initialization_options())


async def serve_http(server: Server[Any], address: Address, token: str | None) -> None:
    """Serve whoever may call until the process is ended.

    :raises UsageError: the address cannot be listened on.
    """
    app = server.streamable_http_app(
        streamable_http_path=PATH, host=address.host, max_request_body_size=MAX_REQUEST_BYTES
    )
    config = uvicorn.Config(
        Guard(app, address=address, token=token),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
    )
    with _listening(address) as listening:
        port = listening.getsockname()[1]
        print_note(f"serving http://{address.shown}:{port}{PATH}" + (", with a token" if token else ""))
        async with server.session_manager.run():
            await _Uvicorn(config).serve(sockets=[listening])


class _Uvicorn(uvicorn.Server):
    """Without signal handlers of its own: the command has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _listening(address: Address) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listening = socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise UsageError(f"cannot listen on {address.shown}:{address.port}: {error.strerror or error}") from error
    with listening:
        yield listening


class Guard:
    """Lets a request through when its Host and Origin are ours and it has the token, if there is one.

    A page on the web can have a browser send requests here, under a name of its own that leads to this machine: so
    `Host` must be an address, or a name that we know (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, *, address: Address, token: str | None) -> None:
        self._app = app
        self._names = {"localhost", address.host.lower()}
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it. Blanks around the value of a header are none of it."""
        if scope["type"] == "http":
            scope = {**scope, "headers": [(name, value.strip(b" \t")) for name, value in scope["headers"]]}
        refusal = self._refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> PlainTextResponse | None:
        origin = headers.get("origin")
        if len(headers.getlist("host")) != 1 or not self._is_ours(f"//{headers['host']}"):
            return PlainTextResponse("wrong Host\n", status_code=421)
        if origin is not None and not self._is_ours(origin):
            return PlainTextResponse("wrong Origin\n", status_code=403)
        given = headers.get("authorization", "")
        if self._token and not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            challenge = {"www-authenticate": "Bearer"}
            return PlainTextResponse("a token is needed (ASKREPO_MCP_TOKEN)\n", status_code=401, headers=challenge)
        return None

    def _is_ours(self, url: str) -> bool:
        try:
            name = urlsplit(url).hostname or ""
        except ValueError:
            return False
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
