from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from askrepo.errors import UnknownAliasError
from askrepo.receipts.store import ReceiptStore
from askrepo.text.tokens import count_tokens
from askrepo_query.mcp.library import Library
from askrepo_query.options import WITHOUT_VECTORS
from askrepo_query.session import Session
from tests.datasets import BuiltAlias, build_alias, run_stages
from tests.query.conftest import FILES, HOSTILE_PATH
from tests.query.mcp.conftest import Call, commit_of, outcome_of, text_of


async def test_a_search_gives_numbered_lines_under_their_place_and_says_what_it_rests_on(
    call: Call, built: BuiltAlias
) -> None:
    result = await call("search", query="exponential backoff", limit=1)
    first, line, *_ = text_of(result).splitlines()
    last = text_of(result).splitlines()[-1]
    commit = commit_of(built)
    assert first.startswith("src/retry.py:1-")
    assert line == '1\t"""Retries."""'
    assert last.startswith("main · ")
    assert last.endswith(f" · parcel@{commit[:10]} · built just now") or "min ago" in last
    (rests,) = result.meta["askrepo"]["rests_on"]
    assert (rests["alias"], rests["entry"], rests["commits"][0]["commit"]) == ("main", 2, commit)
    assert (result.is_error, result.structured_content) == (False, None)


@pytest.mark.parametrize(("detail", "lines"), [("location", 1), ("signature", 3)])
async def test_less_detail_gives_less(call: Call, detail: str, lines: int) -> None:
    text = text_of(await call("search", query="Retrier", limit=2, detail=detail))
    heading = next(line for line in text.splitlines() if line.startswith("src/retry.py:"))
    assert heading.endswith("  Retrier") or "backoff" in heading
    assert ("\t" in text) is (detail == "signature")


async def test_a_result_keeps_its_bound_by_less_detail_and_says_so(call: Call) -> None:
    wide = text_of(await call("search", query="parcel retry heading sabotage queue", limit=20))
    result = await call("search", query="parcel retry heading sabotage queue", limit=20, max_tokens=200)
    assert count_tokens(wide) > 200
    assert count_tokens(text_of(result)) <= 200
    assert "instead of full, which 200 tokens do not hold" in text_of(result)
    assert result.meta["askrepo"]["detail"] in {"signature", "location"}


async def test_paging_goes_on_where_the_first_page_ended(call: Call) -> None:
    both = text_of(await call("search", query="parcel", limit=2, detail="location")).splitlines()[:2]
    second = text_of(await call("search", query="parcel", limit=1, offset=1, detail="location")).splitlines()[0]
    assert second == both[1]
    assert outcome_of(await call("search", query="parcel", offset=99)) == "no match"


async def test_a_name_that_stands_nowhere_is_attested(call: Call, built: BuiltAlias) -> None:
    result = await call("search", query="frobnicate_parcel")
    commit = commit_of(built)[:10]
    assert text_of(result).splitlines()[:2] == [
        "no match: frobnicate_parcel",
        f'"frobnicate_parcel" is not in parcel@{commit}: 6 files searched',
    ]
    assert (outcome_of(result), result.is_error) == ("no match", False)
    assert result.meta["askrepo"]["attested_absent"] == ["frobnicate_parcel"]


async def test_absence_is_not_attested_when_some_text_was_not_searched(tmp_path: Path) -> None:
    built = build_alias(tmp_path, {"a.py": "def kept(): ...\n", "b.min.js": "var left_out_name=1;" * 400})
    library = Library(Session(built.settings))
    result = lookup_search(library, "left_out_name")
    assert result.details["attested_absent"] == []
    assert '"left_out_name" was not found as a whole name; not searched: 1 minified' in result.text


def lookup_search(library: Library, query: str) -> Any:
    from askrepo_query.mcp.search_tool import search

    return search(library, query, 8, "full", 4000, 0)


@pytest.mark.parametrize("path", ["data.bin", "nosuch/folder", "../../etc/passwd"])
async def test_a_path_that_is_not_indexed_is_told_apart_whatever_is_called(call: Call, path: str) -> None:
    results = [await call("search", query="retry", path=path), await call("read", path=path),
               await call("status", path=path)]  # fmt: skip
    why = "skipped, binary: its content is no text" if path == "data.bin" else "not in the tree"
    for result in results:
        assert (outcome_of(result), result.is_error) == ("path not indexed", False)
        assert text_of(result).startswith(f"path not indexed: {path}")
        assert why in text_of(result)


async def test_an_unknown_alias_is_told_with_the_known_ones(call: Call) -> None:
    for tool, arguments in (("search", {"query": "x"}), ("read", {"path": "x"}), ("status", {})):
        result = await call(tool, alias="mian", **arguments)
        assert (outcome_of(result), result.is_error) == ("unknown alias", True)
        assert "main" in text_of(result)


async def test_a_dataset_that_is_gone_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    from mcp.client.client import Client

    from askrepo_query.mcp.server import server_for

    built = build_alias(tmp_path, FILES)
    library = Library(Session(built.settings))
    async with Client(server_for(library)) as client:
        before = await client.call_tool("search", {"query": "retry"})
        shutil.rmtree(tmp_path / "workspace" / "datasets")
        after = await client.call_tool("search", {"query": "retry"})
        again = await client.call_tool("search", {"query": "retry"})
    assert outcome_of(before) == "found"
    for result in (after, again):
        assert (outcome_of(result), result.is_error) == ("dataset unavailable", True)
        assert text_of(result).splitlines()[-1].startswith("Next: call status;")


async def test_a_swap_is_seen_by_the_next_call(tmp_path: Path) -> None:
    built = build_alias(tmp_path, FILES)
    library = Library(Session(built.settings))
    assert lookup_search(library, "brand_new_name").outcome == "no match"
    built.repositories[0].commit({"new.py": "def brand_new_name(): ...\n"})
    run_stages(built.definition, workspace=built.workspace, settings=built.settings)
    found = lookup_search(library, "brand_new_name")
    assert (found.outcome, found.entries[0].number) == ("found", 2)


async def test_reading_gives_lines_and_where_to_read_on(call: Call) -> None:
    text = text_of(await call("read", path="src/retry.py:6-7"))
    assert text.splitlines()[:3] == [
        "src/retry.py:6-7 of 9 lines",
        "6\tclass Retrier:",
        "7\t    def backoff(self, attempt: int) -> float:",
    ]
    whole = await call("read", path="retry.py", start=8, end=10**9)
    assert text_of(whole).startswith("src/retry.py:8-9 of 9 lines")


async def test_a_long_file_is_read_in_parts_within_the_bound(tmp_path: Path) -> None:
    from askrepo_query.mcp.read_tool import read

    built = build_alias(tmp_path, {"long.md": "".join(f"{'字' * 150} {number}\n" for number in range(900))})
    library, start, numbers = Library(Session(built.settings)), 1, []
    while start:
        result = read(library, "long.md", start)
        assert count_tokens(result.text) <= 20_000
        numbers += range(result.details["start_line"], result.details["end_line"] + 1)
        start = result.details["next_line"]
        assert (f"next: start={start}" in result.text) is (start is not None)
    assert numbers == list(range(1, 901))


async def test_an_earlier_dataset_can_be_read(call: Call) -> None:
    now, before = await call("read", path="src/new.py"), await call("read", path="src/new.py", at="1")
    assert (outcome_of(now), outcome_of(before)) == ("found", "path not indexed")
    assert outcome_of(await call("read", path="README.md", at="99")) == "wrong arguments"


async def test_context_gives_passages_or_no_match(call: Call) -> None:
    found = await call("context", question="how long does the retrier wait", max_tokens=300)
    assert text_of(found).startswith("src/retry.py:1-9\n1\t")
    assert count_tokens(text_of(found)) <= 300
    assert outcome_of(await call("context", question="zzqx wvut")) == "no match"


async def test_status_says_what_is_there(call: Call, built: BuiltAlias) -> None:
    text = text_of(await call("status"))
    assert text.startswith(f"main: parcel@{commit_of(built)[:10]} (")
    assert "6 of 7 files, all text · entry 2, built" in text
    assert "loaded as source, python" in text_of(await call("status", path="src/retry.py"))


async def test_what_files_hold_neither_steers_terminals_nor_forges_the_last_line(call: Call) -> None:
    for result in (await call("search", query="sabotage"), await call("read", path=HOSTILE_PATH)):
        assert not any(character in text_of(result) for character in "\x1b\x07\u202e\x9b")


async def test_ask_is_there_only_with_a_chat_model(library: Library) -> None:
    from mcp.client.client import Client

    from askrepo_query.mcp.server import server_for

    settings = replace(library.session.settings, chat_model="some-model")
    for each, has_ask in ((library, False), (Library(Session(settings)), True)):
        async with Client(server_for(each)) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
        assert ("ask" in names) is has_ask


async def test_ask_answers_with_sources_and_tells_its_progress(library: Library) -> None:
    from mcp.client.client import Client

    from askrepo_query.mcp.server import server_for
    from tests.fakes import OpenAIServer

    told: list[str] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    with OpenAIServer(replies=["The next attempt waits with exponential backoff [1]."]) as endpoint:
        settings = replace(library.session.settings, chat_model="m", openai_base_url=endpoint.base_url,
                           openai_api_key="k", steps=0)  # fmt: skip
        async with Client(server_for(Library(Session(settings)))) as client:
            question = {"question": "how long does backoff wait"}
            result = await client.call_tool("ask", question, progress_callback=on_progress)
    assert outcome_of(result) == "found"
    assert text_of(result).splitlines()[-1].startswith("main · ")
    assert "[1] parcel@" in text_of(result)
    assert told[:2] == ["searching", "answering"]
    assert settings.answers is not None
    kept = ReceiptStore(settings.answers).latest(1)[0]
    assert (kept.question, kept.model) == ("how long does backoff wait", "m")


async def test_ask_reads_what_is_open_already(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    from mcp.client.client import Client

    from askrepo_query.mcp.server import server_for
    from tests.fakes import OpenAIServer

    with OpenAIServer(replies=["The next attempt waits with exponential backoff [1]."] * 2) as endpoint:
        settings = replace(library.session.settings, chat_model="m", openai_base_url=endpoint.base_url,
                           openai_api_key="k", steps=0)  # fmt: skip
        async with Client(server_for(Library(Session(settings)))) as client:
            await client.call_tool("search", {"query": "backoff"})
            for opened in ("open_alias", "open_aliases", "open_entry", "embedder_opener"):
                monkeypatch.delattr(f"askrepo.aliases.readers.{opened}")
            for opened in ("open_alias", "embedder_opener"):
                monkeypatch.delattr(f"askrepo.aliases.following.{opened}")
            result = await client.call_tool("ask", {"question": "how long does backoff wait"})
    assert outcome_of(result) == "found"


def test_the_rehearsal_loads_what_calls_use_and_asks_no_embedder(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str] = []

    def search_files(_: str, *, strategy: str, **__: Any) -> None:
        searched.append(strategy)

    monkeypatch.setattr("askrepo.search.search.search_files", search_files)
    library.rehearse()
    assert len(searched) == 1
    assert set(searched) <= set(WITHOUT_VECTORS)


def test_ahead_of_the_first_call_errors_are_kept_to_themselves(library: Library) -> None:
    gone = Library(library.session, ("nosuch",))
    gone.warm_up()
    gone.rehearse()
    with pytest.raises(UnknownAliasError):
        gone.read(None, len)


async def test_files_are_resources_at_their_commit(library: Library, built: BuiltAlias) -> None:
    from mcp.client.client import Client
    from mcp.shared.exceptions import MCPError

    from askrepo_query.mcp.server import server_for

    commit = commit_of(built)
    async with Client(server_for(library)) as client:
        (template,) = (await client.list_resource_templates()).resource_templates
        assert template.uri_template == "askrepo://{alias}/{repository}@{commit}/{+path}"
        read = await client.read_resource(f"askrepo://main/parcel@{commit}/src/retry.py")
        assert read.contents[0].text == FILES["src/retry.py"]
        for uri in ("askrepo://main/parcel@0000000000/a", f"askrepo://main/parcel@{commit}/..%2f..%2fetc/passwd",
                    "file:///etc/passwd", "askrepo://main", f"askrepo://other/parcel@{commit}/README.md"):  # fmt: skip
            with pytest.raises(MCPError) as refused:
                await client.read_resource(uri)
            assert refused.value.error.data == {"uri": uri}


async def test_an_answer_that_nobody_waits_for_does_not_hold_up_the_others(library: Library) -> None:
    import anyio
    from mcp.client.client import Client

    from askrepo_query.mcp.server import server_for
    from tests.fakes import OpenAIServer

    with OpenAIServer(answer=lambda _: time.sleep(3)) as endpoint:
        settings = replace(library.session.settings, chat_model="m", openai_base_url=endpoint.base_url,
                           openai_api_key="k", steps=0)  # fmt: skip
        async with Client(server_for(Library(Session(settings)))) as client:
            with anyio.move_on_after(0.5) as waiting:
                await client.call_tool("ask", {"question": "how long does backoff wait"})
            with anyio.fail_after(2):
                result = await client.call_tool("search", {"query": "Retrier"})
    assert waiting.cancelled_caught
    assert outcome_of(result) == "found"


async def test_nothing_is_traced(library: Library) -> None:
    from askrepo_query.mcp.server import server_for

    assert server_for(library).middleware == []


async def test_a_server_of_an_earlier_moment_stays_there(built: BuiltAlias) -> None:
    library = Library(Session(built.settings), ("main",), "1")
    assert lookup_search(library, "fresh").entries[0].number == 1
    assert not any(line.startswith("src/new.py") for line in lookup_search(library, "fresh").text.splitlines())


async def test_every_answer_ends_with_what_it_rests_on(call: Call) -> None:
    for tool, arguments in (("search", {"query": "retry"}), ("read", {"path": "README.md"}), ("read", {"path": "no"}),
                            ("context", {"question": "retry backoff"}), ("status", {})):  # fmt: skip
        assert text_of(await call(tool, **arguments)).splitlines()[-1].startswith("main · ")
