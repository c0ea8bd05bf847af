"""What the watch decides, without Airflow."""

import pytest

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.watch import commits_digest, pause_s, unpublished
from tests.datasets import build_alias


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build_alias(tmp_path_factory.mktemp("alias"), {"a.py": "x = 1\n"})


def test_a_commit_is_news_until_a_run_published_it(built):
    (snapshot,) = built.entry.manifest.snapshots
    key, catalogue = (snapshot.name, snapshot.url), AliasCatalogue(built.workspace)

    assert unpublished({key: snapshot.commit}, "main", catalogue=catalogue) == []
    assert unpublished({key: "b" * 40}, "main", catalogue=catalogue) == ["project"]
    assert unpublished({key: snapshot.commit, ("more", "url"): "c" * 40}, "main", catalogue=catalogue) == ["more"]
    assert unpublished({key: snapshot.commit}, "not-built-yet", catalogue=catalogue) == ["project"]


def test_equal_commits_have_equal_digests_in_any_order():
    one, two = {("a", "u"): "1", ("b", "v"): "2"}, {("b", "v"): "2", ("a", "u"): "1"}

    assert commits_digest(one) == commits_digest(two) != commits_digest({("a", "u"): "2"})


def test_pause_doubles_with_each_failure_up_to_ten_minutes():
    assert [pause_s(failures, 30.0) for failures in range(7)] == [30, 60, 120, 240, 480, 600, 600]
    assert pause_s(10_000, 30.0) == 600
    assert pause_s(3, 3600.0) == 3600
