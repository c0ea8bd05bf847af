"""`askrepo mcp`."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import click

from askrepo.embedders.endpoints import checked_base_url
from askrepo.errors import UsageError
from askrepo.settings import Settings
from askrepo_query import interrupts
from askrepo_query.mcp.address import Address
from askrepo_query.mcp.library import Library
from askrepo_query.options import alias_option, at_option, configured_strategy, example, workspace_option
from askrepo_query.output import print_result
from askrepo_query.session import Session

HTTP_DEFAULT = "127.0.0.1:8377"
PACKAGES = ("mcp", "mcp_types")
MISSING = "the server needs the package `mcp`, which is not installed: `pip install 'askrepo[mcp]'`"


@click.command(epilog=example("askrepo mcp --print-config"))
@click.option("--http", "address", metavar="[HOST:PORT]", is_flag=False, flag_value=HTTP_DEFAULT,
              help=f"Serve over HTTP, by default at {HTTP_DEFAULT}. Another machine's calls need a token.")  # fmt: skip
@click.option("--print-config", is_flag=True, help="Print what a client's configuration needs, and end.")
@alias_option
@at_option
@workspace_option
def mcp(session: Session, *, address: str | None, print_config: bool, aliases: tuple[str, ...], at: str | None) -> int:
    """Serve search, read, context, ask and status to coding agents, over the Model Context Protocol.

    Over stdin and stdout unless --http is given. Ends when its client does.
    """
    library = Library(session, tuple(map(session.alias, dict.fromkeys(aliases))), at)
    configured_strategy(session)
    if print_config:
        print_result(json.dumps(configuration(library, address), indent=2))
        return 0
    place = None if address is None else Address.parse(address)
    token = session.settings.mcp_token
    if place is not None:
        place.check_token(token)
    threading.Thread(target=library.warm_up, daemon=True).start()
    try:
        from askrepo_query.mcp.server import server_for
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES:
            raise
        raise UsageError(MISSING) from error
    import anyio

    from askrepo_query.mcp.transports import serve_http, serve_stdio

    server = server_for(library)
    threading.Thread(target=library.rehearse, daemon=True).start()
    interrupts.end_at_once()  # it only reads; raised in the middle of the loop, a signal would be told as a failure
    if place is None:
        anyio.run(serve_stdio, server)
    else:
        anyio.run(serve_http, server, place, token)
    return 0


def configuration(library: Library, address: str | None) -> dict[str, object]:
    """The entry of a client's configuration that starts this server, with absolute paths; or where it is reached."""
    if address is not None:
        place = Address.parse(address)
        entry: dict[str, object] = {"type": "http", "url": f"http://{place.shown}:{place.port}/mcp"}
        if library.session.settings.mcp_token:
            entry["headers"] = {"Authorization": "Bearer ${ASKREPO_MCP_TOKEN}"}
        return {"mcpServers": {"askrepo": entry}}
    script = Path(sys.executable).parent / "askrepo"
    start = [str(script)] if script.exists() else [sys.executable, "-m", "askrepo_query"]
    where = library.session.settings.workspace
    chosen = ["--workspace", where if "://" in where else str(Path(where).absolute())]
    for alias in library.served:
        chosen += ["--alias", alias]
    if library.at is not None:
        chosen += ["--at", library.at]
    entry = {"command": start[0], "args": [*start[1:], "mcp", *chosen]}
    environment = _environment(library.session.settings)
    return {"mcpServers": {"askrepo": {**entry, "env": environment} if environment else entry}}


def _environment(settings: Settings) -> dict[str, str]:
    """What differs from the defaults, since clients start servers without the shell's environment; never a secret."""
    values = {"ASKREPO_CACHE": str(settings.cache.absolute())} if os.environ.get("ASKREPO_CACHE") else {}
    if not settings.chat_model:
        return values
    # Without its base URL the model would be looked for at OpenAI's, and the passages sent there.
    base_url = settings.openai_base_url
    endpoint = {"ASKREPO_OPENAI_BASE_URL": checked_base_url(base_url, of="the chat model")} if base_url else {}
    return {**values, "ASKREPO_CHAT_MODEL": settings.chat_model, **endpoint}
