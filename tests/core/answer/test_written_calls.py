import pytest

from askrepo.answer.chat_models import open_chat_model
from askrepo.answer.written_calls import calls_in, tool_called, without_calls
from askrepo.errors import RemoteUnavailableError
from tests.fakes import OpenAIServer, spoken
from tests.growth import is_linear

QWEN = '<tool_call>\n{"name": "search", "arguments": {"query": "retry"}}\n</tool_call>'
CALLS = {
    "qwen": QWEN,
    "qwen, twice": f"{QWEN}\n{QWEN}\n",
    "qwen coder": "<tool_call>\n<function=search>\n<parameter=query>\nretry\n</parameter>\n</function>\n</tool_call>",
    "glm": "<tool_call>search\n<arg_key>query</arg_key>\n<arg_value>retry</arg_value>\n</tool_call>",
    "unclosed": '<tool_call>{"name": "search", "arguments": {"query": "retry"}}',
    "granite": '<|tool_call|>[{"name": "search", "arguments": {"query": "retry"}}]<|/tool_call|>',
    "granite, unclosed": '<|tool_call|>[{"name": "search", "arguments": {"query": "retry"}}]',
    "mistral": '[TOOL_CALLS][{"name": "search", "arguments": {"query": "retry"}}]',
    "mistral, newer": '[TOOL_CALLS]search{"query": "retry"}',
    "qwen 2.5 coder": '{{"name": "search", "arguments": {"query": "retry"}}}',
    "llama": '{"name": "search", "parameters": {"query": "retry"}}',
    "llama, python": '<|python_tag|>search.call(query="retry")',
    "llama, function": '<function=search>{"query": "retry"}</function>',
    "phi": 'functools[{"name": "search", "arguments": {"query": "retry"}}]',
    "kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.search:0<|tool_call_argument_begin|>"
    '{"query": "retry"}<|tool_call_end|><|tool_calls_section_end|>',
    "deepseek": "<\uff5ctool\u2581calls\u2581begin\uff5c><\uff5ctool\u2581call\u2581begin\uff5c>function"
    '<\uff5ctool\u2581sep\uff5c>search\n```json\n{"query": "retry"}\n```<\uff5ctool\u2581call\u2581end\uff5c>'
    "<\uff5ctool\u2581calls\u2581end\uff5c>",
    "minimax": '<minimax:tool_call>\n<invoke name="search">\n<parameter name="query">x</parameter>\n</invoke>\n'
    "</minimax:tool_call>",
}
ANSWERS = {
    "plain": "It waits [1].",
    "empty": "",
    "citation": "[1] says that it waits.",
    "about the tag": "<tool_call> is the tag that Qwen writes around a call [1].",
    "tags": "<tool_call> and <tool_response> are the tags [1].",
    "fenced": f"Models write this [1]:\n\n```\n{QWEN}\n```\n",
    "example": f"Models write this:\n\n{QWEN}\n\nThe template reads it [1].",
    "json": '{"name": "parcel", "version": "1.0"} is what package.json holds [1].',
    "quoted": "It splits at `<tool_call>{` [1].",
    "html": "<details>\nIt waits [1].\n</details>",
}


def passed(text: str, size: int) -> tuple[list[str], list[str]]:
    called: list[str] = []
    pieces = (text[at : at + size] for at in range(0, len(text), size))
    return list(without_calls(pieces, called.append)), called


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("text", CALLS.values(), ids=CALLS)
def test_call_is_no_answer(text: str, size: int) -> None:
    assert passed(f"\n{text}", size) == ([], ["search"])


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("text", ANSWERS.values(), ids=ANSWERS)
def test_answer_stays_as_it_is(text: str, size: int) -> None:
    pieces, called = passed(text, size)
    assert ("".join(pieces), called) == (text, [])


@pytest.mark.parametrize("text", CALLS.values(), ids=CALLS)
def test_call_behind_an_answer_is_noticed(text: str) -> None:
    pieces, called = passed(f"Let me look.\n{text}\n", 5)
    assert ("".join(pieces), called) == (f"Let me look.\n{text}\n", ["search"])


def test_answer_is_passed_on_as_it_comes() -> None:
    pieces = without_calls(iter(["It ", "waits"]), lambda _: None)
    assert next(pieces) == "It "


@pytest.mark.parametrize("is_known", [False, True], ids=["first answer", "later answer"])
def test_written_call_is_told_like_a_real_one(is_known: bool) -> None:
    with OpenAIServer() as server:
        server.answers += [spoken(QWEN, size=3), spoken(f"I will look.\n{QWEN}", size=3)]
        model = open_chat_model("any", api_key=None, base_url=server.base_url, timeout_s=5.0, max_retries=0)
        model.ways.writes_plainly = is_known
        with pytest.raises(RemoteUnavailableError, match="wants to call search instead of answering"):
            model.complete([])
        reply = model.stream([])
        assert "".join(reply).startswith("I will look.")
        assert reply.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    "part", ["<tool_call>{", "\n<tool_call>{", "</tool_call>", "[TOOL_CALLS][", '{"name": "x",', "```\n"]
)
def test_long_text_is_read_in_linear_time(part: str) -> None:
    assert tool_called(part * 100_000) in (None, "a tool", "x")


ARGUMENTS = '{"query": "retry"}'
AS_JSON = {name: CALLS[name] for name in ("qwen", "qwen 2.5 coder", "unclosed", "granite", "mistral", "llama", "phi")}
MORE = {
    "fenced": f"```json\n{CALLS['llama']}\n```",
    "behind talk": f"I look {{first}}: {CALLS['qwen 2.5 coder']}",
    "as openai's": f'{{"type": "function", "function": {{"name": "search", "arguments": {ARGUMENTS}}}}}',
    "arguments as text": '{"name": "search", "arguments": "{\\"query\\": \\"retry\\"}"}',
    "behind another object": f'{{"name": "parcel", "version": "1"}} {CALLS["llama"]}',
}


@pytest.mark.parametrize("text", [*AS_JSON.values(), *MORE.values()], ids=[*AS_JSON, *MORE])
def test_call_that_is_written_as_json_can_be_carried_out(text: str) -> None:
    assert list(calls_in(text, ["search", "read"])) == [("search", ARGUMENTS)]


@pytest.mark.parametrize(
    "text",
    [*ANSWERS.values(), "READY", '{"name": "grep", "arguments": {}}', '{"name": "search", "arguments": [1]}',
     '{"name": 1, "arguments": {}}', '{"function": "search"}', '{"name": "search", "arguments": {"query": '],
)  # fmt: skip
def test_other_text_calls_nothing_that_there_is(text: str) -> None:
    assert [name for name, _ in calls_in(text.replace("<tool_call>", ""), ["read"])] == []


def test_looking_for_calls_takes_linear_time() -> None:
    assert is_linear(lambda n: list(calls_in('{"name": "search", "arguments": {"a": ' * n, ["search"])), 8000)
