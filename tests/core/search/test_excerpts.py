from __future__ import annotations

from dataclasses import replace

import pytest

from askrepo.search.excerpts import asked_terms, excerpt_lines, scope_of, symbol_for
from askrepo.search.lines import definition_line
from askrepo.text.terms import query_terms
from askrepo.types import Chunk
from tests.datasets import build_alias

METHOD = '''\
    def load(self):
        pass

    @setup
    def register(self, app):
        """Called to add all views.

        One.
        Two.
        Three.
        Four.
        Creates a state and records the blueprint with it.
        """
'''


def chunk(text: str, *, language: str = "python", symbols: tuple[str, ...] = (), start_line: int = 1) -> Chunk:
    end = start_line + text.removesuffix("\n").count("\n")
    return Chunk("0" * 32, "acme/app", "a.py", language, "source", symbols, (), start_line, end, 1, text)


def shown(chunk: Chunk, question: str, *, size: int = 3) -> list[str]:
    lines = chunk.text.split("\n")
    return [lines[at].strip() for at in excerpt_lines(chunk, frozenset(query_terms(question)), size=size)]


@pytest.mark.parametrize(
    ("text", "question", "first"),
    [
        ("a\nretry\nb\nc", "retry", "retry"),
        ("retry\na\nb\nretry policy\nc", "retry policy", "retry policy"),
        ("a\nb\nc", "nothing", "a"),
        ("retry", "retry", "retry"),
        ("retries\na\nb\nc\nd\nunretried", "retrying", "retries"),
        ("it\nis\nso\na retry", "it is retry", "so"),
    ],
    ids=["middle", "most words", "no word", "one line", "forms of a word", "stop words"],
)
def test_excerpt_begins_where_most_words_are_near(text, question, first):
    assert shown(chunk(text, language="go"), question, size=2)[0] == first


def test_excerpt_shows_the_definition_that_was_asked_for_with_its_decorator():
    assert shown(chunk(METHOD, symbols=("load", "register")), "register")[:2] == ["@setup", "def register(self, app):"]


def test_a_chunk_that_begins_blank_and_defines_nothing_has_a_scope():
    assert scope_of(replace(chunk("\nint a;\n"), scope=("jv",)), "") == ("jv",)


@pytest.mark.parametrize(
    ("name", "line"),
    [("--arg", "--arg name value"), ("maxRate", "maxRate: 3"), ("MAXRATE", "maxRate: 3"), ("e.g.x", "--args all")],
)
def test_the_line_with_the_name_as_typed_is_shown_before_lines_with_its_words(name, line):
    text = "--args all\narg, arg and arg\nthe max of a rate, max and rate\n\n--arg name value\nno\nno\nmaxRate: 3\n"
    lines = text.split("\n")
    terms = frozenset((*query_terms(name), name))
    assert lines[excerpt_lines(chunk(text, language="text"), terms, size=1)[0]] == line


def test_the_line_asked_for_is_shown():
    lines = [f"line {at}" for at in range(20, 40)]
    assert excerpt_lines(chunk("\n".join(lines), start_line=20), {"line", "a.py:31", "b/a.py:25"}, size=1) == [11]


def test_the_definition_of_a_qualified_name_is_shown_though_nothing_says_it_whole():
    text = "class Cache:\n    # cache get, get cache\n    size = 1\n\n    def get(self, key):\n        return key\n"
    terms = frozenset((*query_terms("Cache.get"), "Cache.get"))
    assert excerpt_lines(chunk(text, symbols=("Cache", "get")), terms, size=1) == [4]
    assert symbol_for(chunk(text, symbols=("Cache", "get")), terms) == "get"


def test_the_name_around_the_line_that_answers_stands_for_a_chunk_whose_names_do_not():
    text = "class First(Error):\n    code = 1\n\n\nclass Second(Error):\n    code = 'STW-2001'\n"
    own = chunk(text, symbols=("First", "Second"))
    assert symbol_for(own, frozenset((*query_terms("STW-2001"), "STW-2001"))) == "Second"
    assert symbol_for(own, frozenset()) == "First"
    assert symbol_for(own, frozenset(query_terms("error code 1"))) == "First"


def test_a_comment_that_shows_a_definition_is_none():
    text = "# def after(resource)\n#   resource\n# end\ndef after(resource)\n  1\nend\n"
    assert definition_line(chunk(text, language="ruby", symbols=("after",)), "after") == 4


def test_signature_stands_above_a_match_that_is_far_from_it():
    lines = shown(chunk(METHOD, symbols=("register",)), "how is the blueprint state recorded")
    assert lines[0] == "def register(self, app):"
    assert "Creates a state and records the blueprint with it." in lines[1:]
    assert len(lines) == 3


def test_signature_is_no_line_that_only_says_the_name():
    text = "# calls run\nx = run(1)\n\ndef run(n):\n    return n\n"
    assert shown(chunk(text, symbols=("run",)), "run", size=2) == ["def run(n):", "return n"]


def test_badges_and_front_matter_are_not_shown_where_a_sentence_is():
    page = "---\ntitle: Quokka\n---\n# Quokka\n\n[![quokka](a.svg)](b)\n\nQuokka keeps mail.\n"
    assert shown(chunk(page, language="markdown"), "quokka", size=4) == ["# Quokka", "", "Quokka keeps mail."]


def test_licence_is_shown_to_who_asks_for_it():
    file = chunk("// Copyright 2020 Quokka\n// MIT licence\n\npackage pool\n\nfunc Get()\n", language="go")
    assert shown(file, "where is the pool") == ["package pool", "", "func Get()"]
    assert "// MIT licence" in shown(file, "which licence")


def test_text_that_is_nothing_but_badges_is_shown_as_it_is():
    assert shown(chunk("[![a](b)](c)\n\n", language="markdown"), "what") == ["[![a](b)](c)"]


def test_excerpt_of_prose_begins_with_a_paragraph():
    page = "Of retries.\nAll of\nthem.\n\nA retry waits\nfor the next attempt\nof the retry.\n"
    assert shown(chunk(page, language="markdown"), "retry")[0] in {"Of retries.", "A retry waits"}


def test_excerpt_has_no_blank_lines_at_its_ends():
    assert shown(chunk("\n\nretry\n\n\nb\n", language="go"), "retry", size=5) == ["retry", "", "b"]


def test_a_chunk_of_blank_lines_has_an_excerpt():
    assert shown(chunk("\n\n\n"), "retry") == [""]


@pytest.mark.parametrize(
    ("question", "name"), [("register", "register"), ("how are errors handled", "handle_error"), ("other", "__init__")]
)
def test_symbol_is_the_one_that_was_asked_for(question, name):
    names = ("__init__", "register", "handle_error")
    assert symbol_for(chunk("", symbols=names), frozenset(query_terms(question))) == name


@pytest.mark.parametrize(
    ("text", "scope", "own"),
    [
        ("        pass\n\n\ndef run():\n", ("Pool", "stop"), ()),
        ("        pass\n\n    def run(self):\n", ("Pool", "stop"), ("Pool",)),
        ("    def stop(self):\n        pass\n\n    def run(self):\n", ("Pool",), ("Pool",)),
        ("    a = 1\n    def run():\n", ("Pool", ""), ("Pool",)),
    ],
)
def test_what_ended_above_a_definition_does_not_enclose_it(text, scope, own):
    assert scope_of(replace(chunk(text, symbols=("run",)), scope=scope), "run") == own


def test_the_projects_own_name_is_not_looked_for_but_where_it_is_all_that_was_asked(tmp_path):
    reader = build_alias(tmp_path, {"a.py": "x = 1\n"}, name="quokka").reader
    assert asked_terms("what does quokka keep", readers=[reader]) == {"keep"}
    assert asked_terms("quokka", readers=[reader]) == set(query_terms("quokka"))
    assert asked_terms("where is maxRtae set", readers=[reader], meant=["maxRate"]) >= {"maxRtae", "maxRate"}
