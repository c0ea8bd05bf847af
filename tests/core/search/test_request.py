from __future__ import annotations

import pytest

from askrepo.errors import UsageError
from askrepo.search.request import requests_for, telling_terms
from askrepo.search.search import EVERYTHING
from tests.datasets import build_alias


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    root = tmp_path_factory.mktemp("request")
    first = build_alias(root / "first", {"a.py": "x = 1\n"}, name="pigeon-post", others={"owl": {"b.py": "y = 1\n"}})
    second = build_alias(root / "second", {"a.py": "z = 1\n"}, alias="second", name="raven", workspace=first.workspace)
    return [first.reader, second.reader]


@pytest.mark.parametrize(
    ("terms", "projects", "left"),
    [
        (["pigeon", "retri"], {"pigeon"}, ("retri",)),
        (["pigeon", "post", "retri"], {"pigeon-post"}, ("retri",)),
        (["retri", "polici"], {"pigeon"}, ("retri", "polici")),
        (["pigeon"], {"pigeon"}, ()),
        (["pigeon", "owl", "fli"], {"pigeon", "owl"}, ("fli",)),
        (["request", "timeout"], {"requests"}, ("timeout",)),
        ([], {"pigeon"}, ()),
        (["retri"], set(), ("retri",)),
    ],
)
def test_name_of_the_project_tells_nothing(terms, projects, left):
    assert telling_terms(terms, projects) == left


@pytest.mark.parametrize(
    ("question", "terms"), [("raven", ("raven",)), ("Who is raven for?", ()), ("raven policies", ("polici",))]
)
def test_name_of_the_project_is_searched_for_only_when_it_is_looked_up(readers, question, terms):
    assert requests_for(question, readers=readers, where=EVERYTHING)[0].terms == terms


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("Why should I use raven?", ()),
        ("why should bakers use this project", ("baker",)),
        ("where is a problem of the library used", ("problem", "librari")),
    ],
)
def test_words_of_questions_about_any_project_are_searched_for_only_in_other_questions(readers, question, terms):
    assert requests_for(question, readers=readers, where=EVERYTHING)[0].terms == terms


def test_requests_know_the_names_of_all_repositories_searched(readers):
    requests = requests_for("retries of pigeon post and owl", readers=readers, where=EVERYTHING)
    assert {request.projects for request in requests} == {frozenset({"pigeon-post", "owl", "raven"})}
    assert {request.terms for request in requests} == {("retri",)}
    assert [request.reader for request in requests] == readers


def test_a_vector_is_computed_when_asked_for_and_once_for_all_aliases(readers):
    first, second = requests_for("retries", readers=readers, where=EVERYTHING)
    assert first.vector() is second.vector()


def test_blank_question_is_refused(readers):
    with pytest.raises(UsageError, match="question is empty"):
        requests_for(" ", readers=readers, where=EVERYTHING)
