from __future__ import annotations

import pytest

from askrepo.search.prior import is_changelog, kind_prior
from askrepo.search.question import Question, named_kinds, question_kind
from askrepo.types import Chunk


def chunk(path: str, kind: str = "source") -> Chunk:
    return Chunk("id", "owner/name", path, "python", kind, (), (), 1, 2, 3, "text")


def prior(text: str, path: str, kind: str) -> float:
    return kind_prior(chunk(path, kind), Question(text, (), question_kind(text), named_kinds(text)))


def test_overview_question_ranks_root_readme_over_introductions_over_docs_over_source():
    paths = [("README.md", "doc"), ("docs/quickstart.md", "doc"), ("docs/reference.md", "doc"), ("a/b.py", "source")]
    priors = [prior("Who is dlt for?", *path) for path in paths]
    assert priors == sorted(set(priors), reverse=True)


@pytest.mark.parametrize("path", ["docs/intro.md", "docs/getting-started/index.md", "docs/install.rst", "why-us.md"])
def test_introduction_pages_are_recognised(path):
    assert prior("Who is dlt for?", path, "doc") > 1


@pytest.mark.parametrize(("path", "kind"), [("src/overview.py", "source"), ("vendor/x/intro.md", "vendored")])
def test_only_documentation_introduces(path, kind):
    assert prior("Who is dlt for?", path, kind) < 1


@pytest.mark.parametrize("kind", ["test", "example", "doc", "config", "generated", "vendored"])
def test_code_question_ranks_source_first(kind):
    assert prior("connection pooling", "a", kind) < prior("connection pooling", "a", "source") == 1


@pytest.mark.parametrize(
    ("text", "path", "kind"),
    [
        ("how is pooling tested", "tests/test_pool.py", "test"),
        ("examples of pooling", "examples/pool.py", "example"),
        ("documentation of pooling", "docs/pool.md", "doc"),
        ("pool settings in yaml", "pool.yaml", "config"),
        ("what changed in pooling", "CHANGELOG.md", "doc"),
        ("How do I size the pool?", "docs/pool.md", "doc"),
    ],
)
def test_kind_that_the_question_wants_is_not_ranked_lower(text, path, kind):
    assert prior(text, path, kind) == 1


def test_changelog_is_told_from_source_and_ranked_below_other_docs():
    assert is_changelog(chunk("CHANGELOG.md", "doc"))
    assert is_changelog(chunk("docs/release-notes/1.0.md", "doc"))
    assert not is_changelog(chunk("docs/releasing.md", "doc"))
    assert not is_changelog(chunk("app/history.py", "source"))
    assert prior("connection pooling", "CHANGELOG.md", "doc") < prior("connection pooling", "docs/pool.md", "doc")


def test_unknown_kind_counts_as_source():
    assert prior("connection pooling", "a", "something new") == 1
