from __future__ import annotations

import pytest

from askrepo.search.question.mentions import MAX_MENTIONS, is_name, mentions


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("visibility_timeout", ["visibility_timeout"]),
        ("where is visibility_timeout set?", ["visibility_timeout"]),
        ("what does ASKREPO_ALIAS do", ["ASKREPO_ALIAS"]),
        ("how does HttpClient retry", ["HttpClient"]),
        ("what does parseURL return", ["parseURL"]),
        ("what is sha256sum for", ["sha256sum"]),
        ("How does `Session.send` handle redirects?", ["Session.send"]),
        ("where is std::vector used", ["std::vector"]),
        ("who calls Module#method and Job:new", ["Module#method", "Job:new"]),
        ("does it log Gson().toJson(x)?", ["Gson", "toJson"]),
        ("what does --no-cache do, and -f?", ["--no-cache", "-f"]),
        ("why \"No module named 'foo'\" on import", ["No module named 'foo'"]),
        ("how do I use task()", ["task"]),
        ("the function task", ["task"]),
        ("where is retention set", ["retention"]),
        ("what does the retention setting do", ["retention"]),
        ("what does Picker do", ["Picker"]),
        ("src/flask/app.py:120 fails", ["src/flask/app.py"]),
        ("what is in config.yaml", ["config.yaml"]),
        ("E0308 in the build", ["E0308"]),
        ("is 1.2.3-rc1 out", ["1.2.3-rc1"]),
        ("what is the @app.route decorator", ["@app.route"]),
        ("the println! macro", ["println!"]),
        ("select * from users_table", ["users_table"]),
        ("is url_for like redirect_to", ["url_for", "redirect_to"]),
        ("Picker", ["Picker"]),
        ("What is the request context?", []),
        ("how persistent flags are inherited by child commands", []),
        ("can you tell me, e.g. how fast it is?", []),
        ("I don't know what it's for, isn't it 'fine'", ["fine"]),
        ("???", []),
        ("\N{FOX FACE}", []),
    ],
)
def test_names_are_read_as_they_were_typed(question: str, names: list[str]) -> None:
    assert [mention.text for mention in mentions(question)] == names


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Session.send", ("Session", "send")),
        ("std::collections::HashMap", ("std", "collections", "HashMap")),
        ("@app.route", ("app", "route")),
        ("Job:new", ("Job", "new")),
        ("Gson().toJson", ("Gson", "toJson")),
        ("--no-cache", ("--no-cache",)),
        ("1.2.3", ("1.2.3",)),
    ],
)
def test_parts_of_a_qualified_name(text: str, parts: tuple[str, ...]) -> None:
    assert mentions(text)[0].parts == parts


@pytest.mark.parametrize(
    ("question", "is_sure"),
    [("thread_safe", True), ("is it thread-safe", False), ("the function task", False), ("is it 'fine'", False)],
)
def test_what_may_be_plain_language_is_not_sure(question: str, is_sure: bool) -> None:
    assert mentions(question)[0].is_sure is is_sure


@pytest.mark.parametrize(
    ("question", "single"),
    [
        ("url_for", True),
        ("`url_for()`", True),
        ('"No module named foo"', True),
        ("where is url_for", False),
        ("url_for redirect_to", False),
    ],
)
def test_a_question_may_be_nothing_but_a_name(question: str, single: bool) -> None:
    assert is_name(question) is single


def test_a_pasted_log_names_no_more_than_can_be_looked_up() -> None:
    assert len(mentions(" ".join(f"name_{n}" for n in range(1000)))) == MAX_MENTIONS
