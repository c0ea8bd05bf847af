from __future__ import annotations

from dataclasses import replace

import pytest

from askrepo.search.question.question import Question
from askrepo.search.signals.prior import doc_comment_prior, explaining, is_changelog, is_root_readme, kind_prior
from tests.core.pools import CODE, OVERVIEW, USAGE, chunk_at

KINDS = ["source", "test", "example", "doc", "config", "generated", "vendored", "something new"]


def prior(text: str, path: str, kind: str, shares=CODE) -> float:
    return kind_prior(chunk_at(path, kind=kind), Question.parse(text), shares)


def test_overview_question_ranks_root_readme_over_introductions_over_docs_over_source():
    paths = [("README.md", "doc"), ("docs/quickstart.md", "doc"), ("docs/reference.md", "doc"), ("a/b.py", "source")]
    priors = [prior("Who is dlt for?", *path, OVERVIEW) for path in paths]
    assert priors == sorted(set(priors), reverse=True)


@pytest.mark.parametrize("path", ["docs/intro.md", "docs/getting-started/index.md", "docs/install.rst", "why-us.md"])
def test_introduction_pages_are_recognised(path):
    assert prior("Who is dlt for?", path, "doc", OVERVIEW) > 1


@pytest.mark.parametrize(("path", "kind"), [("src/overview.py", "source"), ("vendor/x/intro.md", "vendored")])
def test_only_documentation_introduces(path, kind):
    assert prior("Who is dlt for?", path, kind, OVERVIEW) < 1


def test_usage_question_ranks_docs_over_examples_over_source_over_tests():
    paths = [("docs/a.md", "doc"), ("examples/a.py", "example"), ("a.py", "source"), ("tests/a.py", "test")]
    priors = [prior("How do I size the pool?", *path, USAGE) for path in paths]
    assert priors == sorted(set(priors), reverse=True)
    assert priors[0] == 1


@pytest.mark.parametrize(
    "path", ["internal/pool/pool.go", "src/main/java/a/internals/Pool.java", "lib/_internal/pool.py"]
)
@pytest.mark.parametrize("kind", ["source", "test"])
def test_what_users_cannot_reach_comes_later_unless_asked_how_it_works(path, kind):
    for shares in (USAGE, OVERVIEW):
        assert prior("size the pool", path, kind, shares) < prior("size the pool", "src/pool.go", kind, shares)
    assert prior("size the pool", path, kind, CODE) == prior("size the pool", "src/pool.go", kind, CODE)
    assert prior("size the pool", path, "doc", USAGE) == 1


def test_doc_comments_speak_for_source_as_far_as_the_question_is_about_use():
    all_of_it, half, none = (replace(chunk_at("a.rs"), text=text) for text in ("/// a\n/// b", "/// a\nb();", "b();"))
    amounts = [doc_comment_prior(chunk, USAGE) for chunk in (all_of_it, half, none)]
    assert amounts == sorted(set(amounts), reverse=True)
    assert amounts[-1] == 0
    assert doc_comment_prior(all_of_it, {"usage": 0.5, "code": 0.5}) == pytest.approx(amounts[0] / 2)
    assert doc_comment_prior(all_of_it, CODE) == doc_comment_prior(all_of_it, OVERVIEW) == 0


@pytest.mark.parametrize("kind", ["doc", "test", "example", "config"])
def test_only_source_has_doc_comments(kind):
    assert explaining(replace(chunk_at("a.rs"), text="/// a", kind=kind)) == 0
    assert explaining(replace(chunk_at("a.rs"), text="/// a")) == 1


@pytest.mark.parametrize("kind", ["test", "example", "doc", "config", "generated", "vendored"])
def test_code_question_ranks_source_first(kind):
    assert prior("connection pooling", "a", kind) < prior("connection pooling", "a", "source") == 1


@pytest.mark.parametrize(
    ("text", "path", "kind", "shares"),
    [
        ("how is pooling tested", "tests/test_pool.py", "test", CODE),
        ("examples of pooling", "examples/pool.py", "example", CODE),
        ("documentation of pooling", "docs/pool.md", "doc", CODE),
        ("pool settings in yaml", "pool.yaml", "config", CODE),
        ("what changed in pooling", "CHANGELOG.md", "doc", CODE),
        ("is there an example of pooling", "examples/pool.py", "example", USAGE),
        ("how do I upgrade", "UPGRADING.md", "doc", USAGE),
        ("which dependencies does it need", "pyproject.toml", "config", OVERVIEW),
    ],
)
def test_kind_that_the_question_names_is_not_ranked_lower(text, path, kind, shares):
    assert prior(text, path, kind, shares) == 1


def test_question_about_testing_as_a_user_wants_the_page_and_not_the_tests():
    asked = "how do I test my routes"
    assert prior(asked, "tests/test_routes.py", "test", USAGE) < prior(asked, "docs/testing.md", "doc", USAGE)


@pytest.mark.parametrize("kind", KINDS)
def test_prior_of_a_mixed_question_is_the_weighed_mean(kind):
    mixed = prior("connection pooling", "docs/a", kind, {"code": 0.5, "usage": 0.3, "overview": 0.2})
    pure = [prior("connection pooling", "docs/a", kind, shares) for shares in (CODE, USAGE, OVERVIEW)]
    assert mixed == pytest.approx(0.5 * pure[0] + 0.3 * pure[1] + 0.2 * pure[2])


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("CHANGELOG.md", "doc", True),
        ("Pro-Changes.md", "doc", True),
        ("docs/contributing/gauging_changes.md", "doc", False),
        ("docs/release-notes/1.0.md", "doc", True),
        ("docs/changelogs/2.md", "doc", True),
        ("docs/releasing.md", "doc", False),
        ("docs/historical.md", "doc", False),
        ("app/history.py", "source", False),
    ],
)
def test_changelog_is_told_from_source_and_other_docs(path, kind, expected):
    assert is_changelog(chunk_at(path, kind=kind)) is expected


@pytest.mark.parametrize("shares", [CODE, USAGE, OVERVIEW])
def test_changelog_is_ranked_below_other_docs(shares):
    changelog = prior("connection pooling", "CHANGELOG.md", "doc", shares)
    assert changelog < prior("connection pooling", "docs/pool.md", "doc", shares)


@pytest.mark.parametrize("path", ["docs/_posts/2018-03-15-release.md", "website/blog/pools.md", "news/pools.rst"])
@pytest.mark.parametrize("shares", [CODE, USAGE, OVERVIEW])
def test_announcement_is_ranked_below_other_docs(path, shares):
    page = prior("connection pooling", "docs/guide/pool.md", "doc", shares)
    assert prior("connection pooling", path, "doc", shares) < page


def test_source_of_a_blog_is_no_announcement():
    assert prior("connection pooling", "app/blog/pool.py", "source") == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README.md", True),
        ("readme.rst", True),
        ("README", True),
        ("docs/README.md", False),
        ("README.zh-CN.md", False),
    ],
)
def test_root_readme_is_the_page_that_the_repository_opens_with(path, expected):
    assert is_root_readme(chunk_at(path, kind="doc")) is expected


@pytest.mark.parametrize("shares", [CODE, USAGE, OVERVIEW])
def test_unknown_kind_counts_as_source(shares):
    assert prior("connection pooling", "a", "something new", shares) == prior(
        "connection pooling", "a", "source", shares
    )
