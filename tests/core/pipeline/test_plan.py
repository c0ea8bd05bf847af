"""A run does as little as it can."""

from dataclasses import replace

import pytest

from askrepo.errors import UsageError
from askrepo.pipeline.plan import definition_digest, plan_run
from askrepo.types import Definition
from tests.core.datasets import SNAPSHOT

DEFINITION = Definition("main", (SNAPSHOT.url,), include=("*.py", "*.md"))


def test_the_digest_ignores_the_order_of_lists():
    assert definition_digest(DEFINITION) == definition_digest(replace(DEFINITION, include=("*.md", "*.py")))


@pytest.mark.parametrize(
    "change",
    [
        {"repositories": ("https://example.org/other/name",)},
        {"include": ()},
        {"exclude": ("*.py",)},
        {"embedder": "hash"},
        {"max_file_bytes": 5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_digest_sees_every_setting(change):
    assert definition_digest(DEFINITION) != definition_digest(replace(DEFINITION, **change))


def test_the_digest_sees_the_version_of_the_splitter(monkeypatch):
    before = definition_digest(DEFINITION)
    monkeypatch.setattr("askrepo.pipeline.split.SPLITTER_VERSION", "other")

    assert definition_digest(DEFINITION) != before


def test_the_plan_is_one_repository_each():
    repositories = plan_run(replace(DEFINITION, repositories=("https://example.org/a/b@v1",)), allow_local=False)

    assert [(repository.name, repository.ref) for repository in repositories] == [("a/b", "v1")]


def test_a_plan_with_something_else_is_refused():
    with pytest.raises(UsageError):
        plan_run(replace(DEFINITION, repositories=("--upload-pack=x",)), allow_local=True)


@pytest.mark.parametrize("embedder", ["glove", "openai:", "local:x", "openai:https://u:s3cret@h"])
def test_a_plan_with_an_embedder_that_there_is_not_is_refused(embedder):
    with pytest.raises(UsageError, match="embedder") as caught:
        plan_run(replace(DEFINITION, embedder=embedder), allow_local=False)

    assert "s3cret" not in str(caught.value)


def test_more_repositories_than_can_be_mapped_are_refused():
    definition = replace(DEFINITION, repositories=("https://h.org/a/b", "https://h.org/a/c"))

    with pytest.raises(UsageError, match=r"2 repositories.*at most 1 .*max_map_length"):
        plan_run(definition, allow_local=False, max_repositories=1)
    assert len(plan_run(definition, allow_local=False, max_repositories=2)) == 2
