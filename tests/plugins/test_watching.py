"""The trigger that notices pushes, run as the triggerer runs it: real git over loopback, a real workspace."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psutil
import pytest
from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.git.repository_urls import parse_repositories
from askrepo.pipeline.clone import clone_repository
from askrepo.types import AliasEntry, DatasetManifest, Definition, EmbedderStamp
from askrepo.workspace.objects import Workspace
from askrepo_operators.swapping import asset_of
from askrepo_operators.watching import CommitsTrigger, schedule_of
from tests.airflow_session import AIRFLOW_WARNINGS
from tests.conftest import GitRepository
from tests.git_server import GitServer

pytestmark = AIRFLOW_WARNINGS

POLL_S = 0.05
TIMEOUT_S = 30.0
LOOKS = 4  # so many further looks are enough to see that something is not announced


@pytest.fixture(autouse=True)
def environment(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKREPO_WORKSPACE", workspace.url)
    monkeypatch.setenv("ASKREPO_ALLOW_LOCAL", "1")


@pytest.fixture
def repository(make_repository: Callable[..., GitRepository]) -> GitRepository:
    return make_repository("project", {"a.py": "x = 1\n"})


@pytest.fixture
def server(serve: Callable[..., GitServer], repository: GitRepository) -> GitServer:
    return serve()


@pytest.fixture
def publish(workspace: Workspace) -> Callable[..., AliasEntry]:
    """Let an alias's next entry say what a run says that swapped: the repositories at their present commits."""

    def publish(*repositories: str, reason: Any = "swap", alias: str = "main") -> AliasEntry:
        catalogue = AliasCatalogue(workspace)
        number = catalogue.number(alias) + 1
        limits: dict[str, Any] = {"timeout_s": 60, "max_bytes": 10**8, "allow_local": True}
        parsed = parse_repositories(repositories, allow_local=True)
        manifest = DatasetManifest(
            dataset=f"datasets/{alias}/{number}",
            alias=alias,
            run="run",
            created_at="2026-01-02T03:04:05Z",
            definition=Definition(alias, repositories),
            definition_digest="",
            snapshots=tuple(clone_repository(one, workspace=workspace, **limits) for one in parsed),
            embedder=EmbedderStamp("hash", "0", 1),
            files=1,
            loaded=1,
            chunks=1,
            tokens=1,
            skipped={},
            digest="",
        )
        return catalogue.append(AliasEntry(alias, number, manifest.created_at, reason, manifest))

    return publish


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """What the trigger has logged so far, one line each."""
    shown = ""

    def told() -> list[str]:
        nonlocal shown
        shown += "".join(capfd.readouterr())
        return [line[line.index("watch main") :] for line in shown.splitlines() if "watch main" in line]

    return told


class Store:
    """Airflow's asset state store, as far as a trigger with one asset uses it."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    async def aget(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    async def aset(self, key: str, value: Any) -> None:
        self.values[key] = value


class Watch:
    """A running trigger and what it announced."""

    def __init__(self, server: GitServer) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._server = server

    async def next_event(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.events.get(), TIMEOUT_S)

    async def looks(self, count: int = LOOKS) -> None:
        """Return when the repositories were looked at so many times more."""
        start = looks_at(self._server)
        await until(lambda: looks_at(self._server) >= start + count)

    async def announces_nothing(self) -> bool:
        await self.looks()
        return self.events.empty()


def looks_at(server: GitServer) -> int:
    return sum("info/refs" in path for path in server.requests)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(
    server: GitServer,
    *repositories: str,
    store: Store | None = None,
    git_conn_ids: str | None = None,
    poll_s: float = POLL_S,
) -> AsyncIterator[Watch]:
    """The trigger of alias main, made again from what Airflow keeps of it, until the block ends."""
    written = CommitsTrigger(alias="main", repositories=repositories, poll_s=poll_s, git_conn_ids=git_conn_ids)
    trigger = CommitsTrigger(**json.loads(json.dumps(written.serialize()[1])))
    trigger.asset_state_store = store  # type: ignore[assignment]
    watch = Watch(server)

    async def run() -> None:
        async for event in trigger.run():
            watch.events.put_nowait(event.payload)

    task = asyncio.create_task(run())
    try:
        yield watch
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_push_is_announced_once(repository, server, publish):
    url = f"{server.url}/project/.git"
    publish(url)

    async with watching(server, url) as watch:
        assert await watch.announces_nothing()
        commit = repository.commit({"a.py": "x = 2\n"})
        event = await watch.next_event()

        assert event == {"alias": "main", "changed": ["project"], "commits": {"project": commit}}
        assert await watch.announces_nothing()


async def test_each_push_is_announced_though_no_run_has_published_the_one_before(repository, server, publish):
    url = f"{server.url}/project/.git"
    publish(url)

    async with watching(server, url) as watch:
        await watch.looks(1)
        for number in range(3):
            commit = repository.commit({"a.py": f"x = {number}\n"})
            assert (await watch.next_event())["commits"] == {"project": commit}


async def test_alias_without_dataset_is_announced(repository, server):
    async with watching(server, f"{server.url}/project/.git") as watch:
        assert (await watch.next_event())["changed"] == ["project"]
        assert await watch.announces_nothing()


async def test_only_the_repositories_that_changed_are_named(repository, server, publish, make_repository):
    urls = [f"{server.url}/{name}/.git" for name in ("project", "other")]
    make_repository("other", {"b.py": "y = 1\n"})
    publish(*urls)

    async with watching(server, *urls) as watch:
        repository.commit({"a.py": "x = 2\n"})
        event = await watch.next_event()

    assert event["changed"] == ["project"]
    assert set(event["commits"]) == {"project", "other"}


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [(["project"], ["project", "other"], "other"), (["project", "other"], ["project"], "other")],
    ids=["added", "removed"],
)
async def test_changed_list_of_repositories_is_announced(
    repository, server, publish, make_repository, before, after, changed
):
    make_repository("other", {"b.py": "y = 1\n"})
    publish(*(f"{server.url}/{name}/.git" for name in before))

    async with watching(server, *(f"{server.url}/{name}/.git" for name in after)) as watch:
        assert (await watch.next_event())["changed"] == [changed]


async def test_restart_announces_what_was_pushed_meanwhile(repository, server, publish):
    url, store = f"{server.url}/project/.git", Store()
    publish(url)
    async with watching(server, url, store=store) as watch:
        await watch.looks(1)
    commit = repository.commit({"a.py": "x = 2\n"})

    async with watching(server, url, store=store) as watch:
        assert (await watch.next_event())["commits"] == {"project": commit}


async def test_restart_during_the_run_announces_nothing(repository, server, publish):
    url, store = f"{server.url}/project/.git", Store()
    publish(url)
    repository.commit({"a.py": "x = 2\n"})
    async with watching(server, url, store=store) as watch:
        await watch.next_event()
        await until(lambda: bool(store.values))

    async with watching(server, url, store=store) as watch:
        assert await watch.announces_nothing()


async def test_event_that_was_not_handed_over_is_fired_again(repository, server, publish):
    url, store = f"{server.url}/project/.git", Store()
    publish(url)
    repository.commit({"a.py": "x = 2\n"})
    async with watching(server, url, store=store, poll_s=TIMEOUT_S) as watch:
        await watch.next_event()

    async with watching(server, url, store=store) as watch:
        assert await watch.next_event()


async def test_commit_is_announced_again_after_a_return_to_the_published_one(repository, server, publish):
    url = f"{server.url}/project/.git"
    publish(url)

    async with watching(server, url) as watch:
        first = repository.git("rev-parse", "HEAD")
        second = repository.commit({"a.py": "x = 2\n"})
        await watch.next_event()
        repository.git("reset", "--hard", first)
        assert await watch.announces_nothing()
        repository.git("reset", "--hard", second)

        assert (await watch.next_event())["commits"] == {"project": second}


@pytest.mark.parametrize("reason", ["rollback", "removed"])
async def test_what_a_person_did_to_the_alias_is_not_undone(repository, server, publish, workspace, reason):
    url = f"{server.url}/project/.git"
    old = publish(url)
    repository.commit({"a.py": "bad = True\n"})
    publish(url)
    AliasCatalogue(workspace).append(replace(old, number=3, reason=reason))

    async with watching(server, url) as watch:
        assert await watch.announces_nothing()
        repository.commit({"a.py": "bad = False\n"})
        assert await watch.next_event()


async def test_other_branches_are_not_looked_at(repository, server, publish):
    url = f"{server.url}/project/.git@stable"
    repository.git("branch", "stable")
    publish(url)

    async with watching(server, url) as watch:
        repository.commit({"a.py": "x = 2\n"})
        assert await watch.announces_nothing()
        repository.git("branch", "--force", "stable")
        assert await watch.next_event()


async def test_annotated_tag_counts_by_its_commit(repository, server, publish):
    url = f"{server.url}/project/.git@v1"
    repository.git("tag", "--annotate", "-m", "one", "v1")
    publish(url)

    async with watching(server, url) as watch:
        repository.git("tag", "--force", "--annotate", "-m", "one, said better", "v1")
        assert await watch.announces_nothing()
        commit = repository.commit({"a.py": "x = 2\n"})
        repository.git("tag", "--force", "--annotate", "-m", "two", "v1")
        assert (await watch.next_event())["commits"] == {"project": commit}


@pytest.mark.parametrize("ref", ["HEAD", "v1"], ids=["commit", "id of an annotated tag"])
async def test_full_commit_never_changes_and_costs_no_request(repository, server, publish, make_repository, ref):
    repository.git("tag", "--annotate", "-m", "one", "v1")
    make_repository("other", {"b.py": "y = 1\n"})
    pinned = f"{server.url}/project/.git@{repository.git('rev-parse', ref).upper()}"
    moving = f"{server.url}/other/.git"
    publish(pinned, moving)
    server.requests.clear()

    async with watching(server, pinned, moving) as watch:
        repository.commit({"a.py": "x = 2\n"})
        assert await watch.announces_nothing()

    assert not [path for path in server.requests if "project" in path]


async def test_unreachable_host_is_told_in_one_line_and_asked_again(repository, server, publish, told):
    url = f"{server.url}/project/.git"
    publish(url)
    server.status = 503

    async with watching(server, url) as watch:
        await watch.looks(3)
        server.status = None
        repository.commit({"a.py": "x = 2\n"})
        assert await watch.next_event()

    lines = told()
    assert lines[0].startswith("watch main: cannot tell what is new, next look in 0.1 s: cannot list the refs of")
    assert "next look in 0.2 s" in lines[1]


async def test_missing_branch_and_broken_workspace_do_not_end_the_watch(repository, server, publish, workspace):
    url = f"{server.url}/project/.git@later"

    async with watching(server, url) as watch:
        workspace.write("aliases/main/00000001.json", b"not an entry")
        await watch.looks(2)
        repository.git("branch", "later")
        await watch.looks(2)
        workspace.delete("aliases/main/00000001.json")

        assert await watch.next_event()


async def test_silent_host_does_not_hold_up_the_loop_and_its_git_dies_with_the_watch(repository, server):
    asked, answer = threading.Event(), threading.Event()

    def hang(_: int) -> None:
        asked.set()
        answer.wait(TIMEOUT_S)

    server.before_request = hang
    try:
        async with watching(server, f"{server.url}/project/.git"):
            await until(asked.is_set)  # only a free loop gets here while git waits
            assert gits()
        assert not gits()
    finally:
        answer.set()


def gits() -> list[psutil.Process]:
    """Git processes that this one started to ask a remote, finished ones excluded."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if child.status() != psutil.STATUS_ZOMBIE and "ls-remote" in child.cmdline()]


async def test_host_without_an_answer_in_time_is_asked_again(repository, server, publish, monkeypatch, told):
    publish(f"{server.url}/project/.git")
    answer = threading.Event()
    start = looks_at(server)
    server.before_request = lambda number: None if number > start + 1 else bool(answer.wait(TIMEOUT_S))
    monkeypatch.setattr("askrepo_operators.watching.ANSWER_TIMEOUT_S", 0.5)

    try:
        async with watching(server, f"{server.url}/project/.git") as watch:
            await watch.looks(3)
    finally:
        answer.set()

    assert "not done within 0.5 s" in told()[0]


@pytest.fixture
def hosts(
    serve: Callable[..., GitServer], repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> list[GitServer]:
    """Two servers with a password each, and their Airflow connections `one` and `two`."""
    servers = []
    for name in ("one", "two"):
        server = serve(password=f"token-of-{name}")
        connection = {"conn_type": "git", "host": server.url, "login": "bot", "password": server.password}
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
        servers.append(server)
    return servers


async def test_private_repository_is_asked_with_its_connections_token(hosts, repository, capfd):
    server = hosts[0]
    written = CommitsTrigger(alias="main", repositories=[server.url], poll_s=5.0, git_conn_ids="one").serialize()

    async with watching(server, f"{server.url}/project/.git", git_conn_ids="one") as watch:
        event = await watch.next_event()

    assert event["commits"] == {"project": repository.git("rev-parse", "HEAD")}
    token = str(server.password)
    assert token not in json.dumps(written) + json.dumps(event) + "".join(capfd.readouterr())
    assert token.encode() not in server.command_lines


async def test_connections_of_the_installation_serve_aliases_without_their_own(hosts, monkeypatch):
    monkeypatch.setenv("ASKREPO_GIT_CONN_ID", "two,one")

    async with watching(hosts[0], f"{hosts[0].url}/project/.git") as watch:
        assert await watch.next_event()


async def test_tokens_of_watches_that_overlap_stay_apart(hosts):
    one, two = hosts
    asked, answer = threading.Event(), threading.Event()
    before = dict(os.environ)

    def hold(number: int) -> None:
        asked.set()
        answer.wait(TIMEOUT_S)

    one.before_request = hold
    async with watching(one, f"{one.url}/project/.git", git_conn_ids="one") as slow:
        await until(asked.is_set)  # git of the first is under way with its token ...
        assert dict(os.environ) == before
        async with watching(two, f"{two.url}/project/.git", git_conn_ids="two") as quick:
            assert await quick.next_event()  # ... while the second comes
            answer.set()
            assert await slow.next_event()  # ... and the first goes
            assert await quick.announces_nothing()
    assert dict(os.environ) == before
    assert set(one.authorizations) <= {None, basic("bot:token-of-one")}
    assert set(two.authorizations) <= {None, basic("bot:token-of-two")}


def basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


async def test_missing_connection_is_told(server, repository, told):
    async with watching(server, f"{server.url}/project/.git", git_conn_ids="nobody"):
        await until(lambda: "no Airflow connection 'nobody'" in "".join(told()))


class TestSchedule:
    DEFINITION = Definition("docs", ("https://github.com/owner/docs@main",))

    def schedule(self, *, cron: str | None, watch_s: float | None) -> Any:
        return schedule_of(self.DEFINITION, cron=cron, watch_s=watch_s, git_conn_ids="hub")

    @pytest.mark.parametrize("cron", ["@daily", None])
    def test_unwatched_alias_has_its_cron_alone(self, cron):
        assert self.schedule(cron=cron, watch_s=None) == cron

    def test_watched_alias_without_cron_waits_for_the_asset(self):
        [asset] = self.schedule(cron=None, watch_s=30.0)

        assert [watcher.trigger.serialize() for watcher in asset.watchers] == [
            (
                "askrepo_operators.watching.CommitsTrigger",
                {
                    "alias": "docs",
                    "repositories": ["https://github.com/owner/docs@main"],
                    "poll_s": 30.0,
                    "git_conn_ids": "hub",
                },
            )
        ]

    def test_watched_alias_with_cron_has_both(self):
        schedule = self.schedule(cron="@daily", watch_s=30.0)

        assert isinstance(schedule, AssetOrTimeSchedule)
        assert isinstance(schedule.timetable, CronTriggerTimetable)
        assert schedule.timetable.expression == "0 0 * * *"

    def test_asset_of_pushes_is_not_the_asset_of_swaps(self):
        [asset] = self.schedule(cron=None, watch_s=30.0)
        swaps = [asset_of(alias) for alias in ("docs", "repositories")]

        assert asset.name not in {other.name for other in swaps}
        assert asset.uri not in {other.uri for other in swaps}

    def test_airflow_finds_the_trigger_unchanged_at_the_next_parse(self):
        assert hashes(self.schedule(cron=None, watch_s=30.0)) == hashes(self.schedule(cron=None, watch_s=30.0))


def hashes(schedule: list[Asset]) -> list[int]:
    from airflow.serialization.encoders import encode_trigger
    from airflow.triggers.base import BaseEventTrigger

    encoded = [encode_trigger(watcher.trigger) for asset in schedule for watcher in asset.watchers]
    return [BaseEventTrigger.hash(one["classpath"], one["kwargs"]) for one in encoded]
