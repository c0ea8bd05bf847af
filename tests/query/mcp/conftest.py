"""A library over a small alias, and a client in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from askrepo_query.mcp.library import Library
from askrepo_query.session import Session
from tests.datasets import BuiltAlias

Call = Callable[..., Awaitable[Any]]


@pytest.fixture
def library(built: BuiltAlias) -> Library:
    return Library(Session(built.settings))


@pytest.fixture
def call(library: Library) -> Call:
    """Call a tool as the SDK's client does: `result = await call("search", query="retry")`."""
    from mcp.client.client import Client

    from askrepo_query.mcp.server import server_for

    async def called(name: str, **arguments: Any) -> Any:
        async with Client(server_for(library)) as client:
            return await client.call_tool(name, arguments)

    return called


def commit_of(built: BuiltAlias) -> str:
    return built.reader.entry.manifest.snapshots[0].commit


def text_of(result: Any) -> str:
    (content,) = result.content
    return content.text


def outcome_of(result: Any) -> str:
    return result.meta["askrepo"]["outcome"]
