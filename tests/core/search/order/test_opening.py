from __future__ import annotations

import pytest

from askrepo.search.order.opening import MAX_TOLD, says_something, with_opening
from askrepo.search.order.slots import MIN_OVERVIEW_SHARE
from tests.core.pools import CODE, OVERVIEW, chunk_at, places, pool_of, ranked_chunks

BADGES = "# quokka\n\n[![CI](https://ci.example/badge.svg)](https://ci.example) [![PyPI](https://x.example/a.svg)](y)\n"
SENTENCE = "Quokka keeps copies of your mail on as many disks as you have.\n"
README = [
    chunk_at("README.md", 1, kind="doc", text=BADGES),
    chunk_at("README.md", 11, kind="doc", text=SENTENCE),
    chunk_at("README.md", 21, kind="doc", text="Quokka, quokka and quokka: " + SENTENCE),
]
SCORED = [(README[2], 1.0), (chunk_at("docs/a.md", kind="doc"), 0.9), (README[0], 0.5), (README[1], 0.4)]


def opened(*scored, question="who is quokka for?", shares=OVERVIEW, rarity=None):
    listing = ranked_chunks(*scored)
    candidates = [each.candidate for each in listing]
    return with_opening(listing, pool_of(question, candidates, shares=shares, rarity=rarity or {}))


def test_first_chunk_that_says_something_stands_for_the_readme():
    ranked = opened(*SCORED)
    assert places(ranked) == [("README.md", 11), ("docs/a.md", 1), ("README.md", 1), ("README.md", 21)]
    assert [each.score for each in ranked] == [1.0, 0.9, 0.5, 0.4]


def test_the_readme_of_every_repository_is_opened():
    second = [
        (chunk_at("README.md", line, kind="doc", repository="owner/other", text=SENTENCE), 0.3) for line in (11, 1)
    ]
    ranked = opened(*SCORED, *second)
    assert [each.candidate.chunk for each in ranked[-2:]] == [second[1][0], second[0][0]]
    assert places(ranked)[0] == ("README.md", 11)


@pytest.mark.parametrize("share", [MIN_OVERVIEW_SHARE - 0.01, 0.0])
def test_only_for_questions_about_the_project(share):
    assert opened(*SCORED, shares={"overview": share, "code": 1 - share}) == ranked_chunks(*SCORED)
    assert opened(*SCORED, shares=CODE) == ranked_chunks(*SCORED)


def test_question_that_a_section_may_answer_keeps_the_section():
    told = opened(*SCORED, question="which licence does it have", rarity={"licenc": MAX_TOLD + 0.1})
    assert told == ranked_chunks(*SCORED)


LICENCE = [
    chunk_at("LICENSE", 1, kind="doc", text="The Quokka License, which says what you may do with it\n"),
    chunk_at("LICENSE", 15, kind="doc", text="The software is provided as is, without a warranty of any kind\n"),
]


@pytest.mark.parametrize(
    ("question", "rarity", "line"),
    [
        ("which licence is it under", {"licenc": 5.0}, 1),
        ("does the licence give a warranty", {"licenc": 5.0, "warranti": 5.0}, 15),
    ],
)
def test_a_licence_opens_where_only_its_name_is_asked(question, rarity, line):
    scored = [(LICENCE[1], 1.0), (chunk_at("a.md", kind="doc"), 0.9), (LICENCE[0], 0.5)]
    assert places(opened(*scored, question=question, rarity=rarity))[0] == ("LICENSE", line)


def test_the_readme_is_first_where_nothing_else_is_asked():
    scored = [(chunk_at("lib/README.md", kind="doc"), 1.0), (README[1], 0.9)]
    assert places(opened(*scored, question="what is it for?"))[0] == ("README.md", 11)
    told = opened(*scored, question="what is a quokka?", rarity={"quokka": 1.0})
    assert places(told)[0] == ("lib/README.md", 1)


def test_words_about_any_project_tell_nothing():
    question = "why should I use this tool, and what problem does it solve?"
    rarity = dict.fromkeys(["use", "tool", "problem", "solv"], MAX_TOLD)
    assert places(opened(*SCORED, question=question, rarity=rarity))[0] == ("README.md", 11)


def test_readme_of_badges_alone_is_shown_from_its_beginning():
    badges = [(chunk_at("README.md", line, kind="doc", text=BADGES), 1 - line / 100) for line in (21, 1, 11)]
    assert places(opened(*badges))[0] == ("README.md", 1)


def test_other_pages_and_folders_are_left_alone():
    listing = [(chunk_at(path, line, kind="doc"), 1.0) for path in ("docs/README.md", "a.md") for line in (11, 1)]
    assert opened(*listing) == ranked_chunks(*listing)


def test_nothing_found_has_no_opening():
    assert opened() == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SENTENCE, True),
        ("[Quokka](https://quokka.example) keeps copies of your mail, and of all that hangs on it.", True),
        (BADGES, False),
        ("<p align=center><img src=logo.svg alt='the logo of this project in all its colours here'></p>", False),
        ("| [Docs](a) | [Blog](b) | [Chat](c) | [Jobs](d) | [Shop](e) | [News](f) | [Wiki](g) | [Help](h) |", False),
        ("## Installation", False),
        ("---\ndescription: Quokka keeps copies of your mail on as many disks as you have\n---\n# Quokka", False),
        ("<!-- Licensed to the Quokka Foundation under one or more licence agreements of it. -->\n# Quokka", False),
        ("", False),
    ],
)
def test_sentences_are_told_from_badges_and_menus(text, says):
    assert says_something(chunk_at("README.md", kind="doc", text=text)) is says


def test_hostile_markup_is_read_quickly():
    for unit in ("[", "<", "![](", "|", "http://", "[a]("):
        assert not says_something(chunk_at("README.md", kind="doc", text=unit * 50_000))
