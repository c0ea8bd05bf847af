from __future__ import annotations

import pytest

from askrepo.errors import UsageError
from askrepo.search.question import MAX_TERMS, Question, named_kinds, question_kind, searchable

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
