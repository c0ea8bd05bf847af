from __future__ import annotations

import json
import re
from typing import Any

import pytest

from askrepo.errors import UsageError
from askrepo.text.tokens import count_tokens
from askrepo_query.mcp.tools import MAX_TEXT_CHARS, TOOLS, checked_arguments


def test_all_that_a_client_is_told_of_the_tools_is_short() -> None:
    told = [{"name": name, "description": tool["description"], "inputSchema": tool["schema"]}
            for name, tool in TOOLS.items()]  # fmt: skip
    assert list(TOOLS) == ["search", "read", "context", "ask", "status"]
    assert count_tokens(json.dumps(told)) <= 1500


def test_defaults_are_filled_in_and_numbers_may_be_text() -> None:
    arguments = checked_arguments("search", {"query": " retry\0 ", "limit": "3", "offset": 2.0, "path": None})
    assert arguments == {
        "query": "retry", "limit": 3, "offset": 2, "detail": "full", "max_tokens": 4000
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("search", {"query": "x", "limt": 3}, "search has no argument 'limt'; did you mean 'limit'?; it takes query,"),
        ("search", {}, "search needs 'query'"),
        ("search", {"query": "x", "limit": 51}, "'limit' of search must be a whole number from 1 to 50, found '51'"),
        ("search", {"query": "x", "limit": True}, "must be a whole number"),
        ("search", {"query": "x", "detail": "all"}, "'detail' of search must be one of location, signature, full"),
        ("search", {"query": ["x"]}, "'query' of search must be text, found"),
        ("search", {"query": " \0 "}, "'query' of search is empty"),
        ("search", {"query": "x" * 1_000_000}, f"has 1,000,000 characters; {MAX_TEXT_CHARS:,} are enough"),
        ("context", {"question": "x", "max_tokens": 20_001}, "from 200 to 20,000"),
        ("status", {"query": "x"}, "status has no argument 'query'"),
    ],
)
def test_what_is_wrong_with_a_call_is_said_by_name(tool: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        checked_arguments(tool, given)
