from __future__ import annotations

import pytest

from askrepo.errors import UsageError
from askrepo.search.question.question import (
    MAX_NAMED,
    MAX_TERMS,
    Question,
    identifiers,
    named_kinds,
    paths,
    question_kind,
    searchable,
)
from tests.growth import is_linear

OVERVIEW = [
    "Why should data teams use dlt?",
    "Who is dlt for?",
    "who should use this",
    "Why would anyone choose it over Airflow?",
    "What is dlt?",
    "What is dlt and why should I use it?",
    "What's it used for?",
    "What can I build with dlt?",
    "What problem does it solve?",
    "What is the purpose of this library?",
    "What does this project do?",
    "What are the main features?",
    "How does dlt compare to Airbyte?",
    "dlt vs fivetran",
    "What are the alternatives to dlt?",
    "How do I install dlt?",
    "getting started",
    "Which databases does dlt support?",
    "Under which licence is it published?",
    "Is it open source?",
    "What\N{RIGHT SINGLE QUOTATION MARK}s this repo about?",
    "the big picture",
    "a high-level view of the pieces",
    "dlt in a nutshell",
    "what it offers, at a glance",
]
USAGE = [
    "How do I set a timeout?",
    "how can we load data incrementally",
    "How to write a custom destination",
    "Can I use it without a key?",
    "When a request fails, should I retry?",
]
CODE = [
    "Why does the parser use a stack?",
    "Why should the scheduler hold a lock?",
    "Who calls load_package?",
    "why should load_package() use a lock",
    "where is the license key validated",
    "how are versions compared with each other",
    "What is the difference between Session and Client",
    "what is the retry decorator for",
    "HttpClient",
    "connection pooling",
]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("can you explain how the scheduler picks a worker?", "code"),
        ("Could you tell me where headers are parsed", "code"),
        ("can you show me how to add a route", "usage"),
        ("please explain what is quokka", "overview"),
        ("can you add a route at run time?", "usage"),
        ("what happens if the file is missing, versus being there and empty?", "code"),
        ("completion and validation of my settings in VS Code", "code"),
        ("quokka vs wombat", "overview"),
        ("how do I set up a local development environment", "overview"),
        ("how do I set up a proxy", "usage"),
        ("I found a security hole, how do I report it?", "overview"),
        ("responsible disclosure of a memory corruption bug", "overview"),
        ("how can our company sponsor the development", "overview"),
        ("are pull requests made by a machine accepted", "overview"),
    ],
)
def test_the_kind_is_told_from_what_is_asked_not_from_how_it_is_said(text, kind):
    assert question_kind(text) == kind


@pytest.mark.parametrize("text", OVERVIEW)
def test_question_about_the_project_as_a_whole_is_overview(text):
    assert question_kind(text) == "overview"


@pytest.mark.parametrize("text", USAGE)
def test_question_about_doing_something_is_usage(text):
    assert question_kind(text) == "usage"


@pytest.mark.parametrize("text", CODE)
def test_other_questions_are_about_code(text):
    assert question_kind(text) == "code"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("how is the retry policy tested?", {"test"}),
        ("tests.", {"test"}),
        ("where is test_client defined", set()),
        ("what does mock.patch replace", set()),
        ("what does test() return", set()),
        ("an example of a custom source in the docs", {"example", "doc"}),
        ("which yaml settings are read", {"config"}),
        ("what changed in the last release", {"changelog"}),
    ],
)
def test_kinds_of_file_are_named_in_plain_words_only(text, kinds):
    assert named_kinds(text) == kinds


def test_pasted_text_does_not_change_the_kind():
    assert question_kind("where is this raised?\n" + "x = 1\n" * 1000 + "how do I install it, who is it for") == "code"


def test_hundred_thousand_characters_are_parsed_quickly_into_few_terms():
    question = Question.parse(" ".join(f"word{number}" for number in range(15_000)))
    assert len(question.text) > 100_000
    assert 1 <= len(question.terms) <= MAX_TERMS
    assert len(set(question.terms)) == len(question.terms)


def test_unsearchable_characters_are_removed():
    assert searchable(" re\x00try \ud800policy\udfff\n") == "retry policy"


@pytest.mark.parametrize("text", ["", "  \n\t", "\x00", "\ud800 \x00"])
def test_blank_question_is_refused(text):
    with pytest.raises(UsageError, match="question is empty"):
        Question.parse(text)


@pytest.mark.parametrize(("text", "one"), [("HttpClient", True), ("  retry ", True), ("retry policy", False)])
def test_one_word_is_recognised(text, one):
    assert Question.parse(text).is_one_word is one


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("who calls load_and_split", ("load_and_split",)),
        ("how does HttpClient retry", ("HttpClient",)),
        ("how does HTTPServer start", ("HTTPServer",)),
        ("what does getUser return", ("getUser",)),
        ("what does Session.send do", ("Session.send", "send")),
        ("where is std::vec::Vec made", ("std::vec::Vec", "Vec")),
        ("what does Hash#each yield", ("Hash#each", "each")),
        ("what is App\\Http\\Kernel", ("App\\Http\\Kernel", "Kernel")),
        ("where is ptr->next set", ("ptr->next", "next")),
        ("what does `__init__` check", ("__init__",)),
        ("getUser or getUser", ("getUser",)),
        ("how is a session opened", ()),
        ("How do I retry?", ()),
        ("retry", ("retry",)),
        ("empty?", ("empty?", "empty")),
        ("Who uses HttpClient?", ("HttpClient?", "HttpClient")),
        ("Who calls Hash#empty?", ("Hash#empty?", "empty?", "Hash#empty", "empty")),
        ("?!", ()),
    ],
)
def test_names_of_code_are_told_from_plain_words(text, found):
    assert identifiers(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("what does src/http/session.py do", ("src/http/session.py",)),
        ("what does ./session.py do", ("session.py",)),
        ("what does ../../lib/session.py do", ("lib/session.py",)),
        ("what is in /src/session.py?", ("src/session.py",)),
        ("which rules has .eslintrc.json", (".eslintrc.json",)),
        ("compare main.go with main.rs", ("main.go", "main.rs")),
        ("is README.md older than .github/workflows/ci.yml?", ("README.md", ".github/workflows/ci.yml")),
        ("error at lib/foo.rb:12", ("lib/foo.rb",)),
        ("(see docs/pool.md)", ("docs/pool.md",)),
        ("a.py and a.py", ("a.py",)),
        ("where is response.json() read", ()),
        ("how is a session opened", ()),
        ("version 1.2.3 of it", ()),
    ],
)
def test_files_that_are_named_are_found(text, found):
    assert paths(text) == found


@pytest.mark.parametrize("find", [identifiers, paths])
@pytest.mark.parametrize("text", ["a_{}.py ", "A{}.b::c->d ", "x" * 50, "a." * 3, "./" * 3, "_", "-a/"])
def test_pasted_text_names_a_bounded_number_in_linear_time(find, text):
    def found(times):
        return find("".join(text.replace("{}", str(number)) for number in range(times)))

    assert len(found(20_000)) <= MAX_NAMED
    assert is_linear(found, 20_000)
