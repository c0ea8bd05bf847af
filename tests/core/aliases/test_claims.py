"""Whoever publishes a dataset and whoever removes it never do so at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from askrepo.aliases.claims import STALE_AFTER, DatasetClaimedError, claimed, is_being_removed
from askrepo.errors import StorageError
from askrepo.workspace.keys import claim_key
from askrepo.workspace.objects import ObjectExistsError, Workspace

DATASET = "datasets/main/20260301t000000z-000001"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def hold(workspace: Workspace, purpose: str, *, now: datetime = NOW):
    return claimed("main", DATASET, purpose, workspace=workspace, now=now)  # type: ignore[arg-type]


def test_a_claim_is_gone_when_the_work_is_done(workspace):
    with hold(workspace, "publish"):
        assert workspace.list_keys("claims") == [claim_key("main", DATASET)]

    assert workspace.list_keys("claims") == []


@pytest.mark.parametrize(
    ("first", "second", "doing"),
    [("publish", "remove", "moving its alias to it"), ("remove", "publish", "removing it")],
)
def test_the_other_purpose_is_refused(workspace, first, second, doing):
    with hold(workspace, first):
        with pytest.raises(DatasetClaimedError, match=f"{DATASET}: somebody is {doing}"), hold(workspace, second):
            pass
        assert is_being_removed("main", DATASET, workspace=workspace) is (first == "remove")


@pytest.mark.parametrize("purpose", ["publish", "remove"])
def test_the_later_of_two_with_one_purpose_goes_on(workspace, purpose):
    with hold(workspace, purpose) as first, hold(workspace, purpose) as second:
        second.check()
        with pytest.raises(DatasetClaimedError, match="somebody else began"):
            first.check()

    assert workspace.list_keys("claims") == []


def test_who_lost_the_claim_does_not_release_it(workspace):
    first = hold(workspace, "publish")
    first.__enter__()
    with hold(workspace, "publish") as second:
        first.__exit__(None, None, None)
        second.check()


def test_a_claim_to_publish_that_was_left_ends_after_a_day(workspace):
    left = hold(workspace, "publish")
    left.__enter__()

    with pytest.raises(DatasetClaimedError), hold(workspace, "remove", now=NOW + STALE_AFTER):
        pass
    with hold(workspace, "remove", now=NOW + STALE_AFTER + MINUTE) as claim:
        claim.check()


def test_a_removal_that_was_left_never_ends_but_by_another(workspace):
    left = hold(workspace, "remove")
    left.__enter__()

    with pytest.raises(DatasetClaimedError), hold(workspace, "publish", now=NOW + 99 * STALE_AFTER):
        pass
    with hold(workspace, "remove"):
        pass
    with hold(workspace, "publish"):
        pass


def test_a_failed_removal_stays_claimed_and_a_failed_publication_does_not(workspace):
    for purpose in ("publish", "remove"):
        with pytest.raises(StorageError), hold(workspace, purpose):
            raise StorageError

    assert is_being_removed("main", DATASET, workspace=workspace)


def test_an_answer_that_got_lost_is_no_foreign_claim(workspace, monkeypatch):
    create = Workspace.create

    def written_but_told_otherwise(self: Workspace, key: str, content: bytes) -> None:
        create(self, key, content)
        raise ObjectExistsError(key)

    monkeypatch.setattr(Workspace, "create", written_but_told_otherwise)
    with hold(workspace, "publish") as claim:
        claim.check()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"purpose": "other"}',
        b"\xff",
        b"[" * 100_000,
        b'{"at": 7}',
        b'{"at": "0001-01-01T00:00+14:00"}',
    ],
    ids=["empty", "cut", "list", "purpose", "bytes", "nested", "number", "first day"],
)
def test_a_claim_that_cannot_be_read_holds_nobody_up(workspace, content):
    workspace.write(claim_key("main", DATASET), content)

    with hold(workspace, "publish") as claim:
        claim.check()


def test_of_many_at_once_only_one_purpose_gets_through(workspace):
    start, all_tried = Barrier(8, timeout=30), Barrier(8, timeout=30)

    def race(number: int) -> str:
        purpose = ("publish", "remove")[number % 2]
        start.wait()
        try:
            with hold(workspace, purpose):
                all_tried.wait()
                return purpose
        except DatasetClaimedError:
            all_tried.wait()
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(race, range(8)))

    assert sorted(set(results)) in (["publish", "refused"], ["refused", "remove"])
    assert results.count("refused") == 4
    assert workspace.list_keys("claims") == []
