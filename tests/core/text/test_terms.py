"""Terms of the lexical index."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askrepo.text.terms import folder_terms, index_terms, name_terms, query_terms, text_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("getUserName", ["getusername", "get", "user", "name"]),
        ("get_user_name", ["getusername", "get", "user", "name"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        ("sha256", ["sha256", "sha", "256"]),
        ("__init__", ["init"]),
        ("connections", ["connect"]),
        ("x = y.b(1)", ["x", "y", "b", "1"]),
        ("Größe übergeben", ["größe", "übergeben"]),
        ("naïveParser", ["naïveparser", "naïv", "parser"]),
        ("使用dlt加载", ["使用dlt加载", "使用", "dlt", "加载"]),
        ("Cafe\u0301", ["café"]),
        ("___ --- !", []),
    ],
    ids=str,
)
def test_identifiers_are_kept_whole_and_in_parts(text: str, terms: list[str]) -> None:
    assert index_terms(text, path="", scope=()) == terms


def test_file_name_counts_twice_and_nearest_folders_once() -> None:
    terms = index_terms("", path="a/core/http/v2/client.py", scope=())
    assert terms == ["client", "client", "core", "http", "v2", "v", "2"]


def test_enclosing_names_count_once() -> None:
    terms = index_terms("text", path="", scope=("Client", "send", "send_all"))
    assert terms == ["text", "client", "send", "sendall", "all"]


def test_long_blob_is_one_bounded_term() -> None:
    assert index_terms("A" * 10_000, path="", scope=()) == ["a" * 64]
    assert "returns" not in index_terms("test_that_" + "very_" * 20 + "returns", path="", scope=())
    assert "return" in index_terms("test_that_" + "very_" * 20 + "returns", path="", scope=())


@given(st.text(), st.text(), st.lists(st.text(), max_size=3))
def test_terms_survive_a_tokenizer_that_splits_at_punctuation(text: str, path: str, scope: list[str]) -> None:
    for term in index_terms(text, path=path.replace("\0", ""), scope=scope):
        assert re.fullmatch(r"\w+", term)


@given(st.text())
def test_question_finds_the_terms_of_the_same_text(text: str) -> None:
    assert set(query_terms(text)) <= set(index_terms(text, path="", scope=()))


def test_question_loses_stop_words_and_repeats() -> None:
    terms = query_terms("How do the retries retry a getUser call?")
    assert terms == ["retri", "getuser", "get", "user", "call"]


def test_stop_words_are_neither_stored_nor_looked_up() -> None:
    assert query_terms("who is it for") == []
    assert index_terms("this is not what it was", path="with/from.py", scope=("The Client",)) == ["not", "client"]
    assert index_terms("is_valid(isValid)", path="", scope=()) == [*["isvalid", "is", "valid"] * 2]


@pytest.mark.parametrize(
    ("path", "name", "folders"),
    [
        ("src/http/SessionPool.java", {"sessionpool", "session", "pool"}, {"src", "http"}),
        ("a/b/c/retry_policies.py", {"retrypolicies", "retri", "polici"}, {"b", "c"}),
        ("README", {"readm"}, set()),
        (".github/workflows/ci.yml", {"ci"}, {"github", "workflow"}),
        ("lib/v1.2/index.test.js", {"index", "test"}, {"lib", "v1", "v", "1", "2"}),
        ("", set(), set()),
    ],
)
def test_path_has_terms_of_its_name_and_of_its_nearest_folders(path: str, name: set[str], folders: set[str]) -> None:
    assert name_terms(path) == name
    assert folder_terms(path) == folders


def test_short_text_has_the_terms_of_an_index() -> None:
    assert text_terms("RetryPolicy retries") == {"retrypolicy", "retri", "polici"}
    assert text_terms("") == frozenset()


@given(st.text(st.characters(exclude_characters="\0/"), max_size=20))
def test_terms_of_a_path_are_found_by_a_question_of_its_name(name: str) -> None:
    assert set(query_terms(name)) <= text_terms(name)
