"""The trigger that notices pushes: it asks an alias's repositories for their commits and announces a change once."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any

from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable
from airflow.sdk.exceptions import AirflowException, AirflowRuntimeError
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from askrepo.aliases.watch import Commits, commits_digest, pause_s, unpublished
from askrepo.errors import AskrepoError
from askrepo.settings import Settings
from askrepo.types import Definition
from askrepo_operators.connections import git_environment
from askrepo_operators.pipeline_settings import PipelineSettings, connection_ids

ANSWER_TIMEOUT_S = 60.0
"""A host that has not listed a few refs by then counts as unreachable."""

AIRFLOW_ERRORS = (AirflowException, AirflowRuntimeError)

ANNOUNCED = "announced"
"""Key in Airflow's asset state store: digest of the commits announced last; empty when a run published them."""

_environment_lock = threading.Lock()


def schedule_of(
    definition: Definition, *, cron: str | None, watch_s: float | None, git_conn_ids: str | None
) -> str | AssetOrTimeSchedule | list[Asset] | None:
    """An alias's schedule: its cron, a run whenever a repository has new commits, both, or none.

    :param cron: expression or preset, in UTC.
    :param watch_s: seconds between two looks at the repositories; None to look at none.
    :param git_conn_ids: as for `CommitsTrigger`.
    """
    if watch_s is None:
        return cron
    alias = definition.alias
    trigger = CommitsTrigger(
        alias=alias, repositories=definition.repositories, poll_s=watch_s, git_conn_ids=git_conn_ids
    )
    # The repositories' asset, updated by pushes; the alias's own (`swapping.asset_of`) is updated by swaps.
    asset = Asset(
        name=f"askrepo-repositories/{alias}",
        uri=f"x-askrepo://repositories/{alias}",
        watchers=[AssetWatcher(name=f"commits of {alias}", trigger=trigger)],
    )
    if cron is None:
        return [asset]
    return AssetOrTimeSchedule(timetable=CronTriggerTimetable(cron, timezone="UTC"), assets=[asset])


class CommitsTrigger(BaseEventTrigger):
    """One event per change of the commits that an alias's repositories have, compared with what the alias holds.

    What the alias holds is read from the workspace, so a push during a restart of the triggerer is not missed; what
    was announced is kept in Airflow's asset state store, so a restart during the run does not announce it again. A
    rollback announces nothing: whoever rolled back does not want the newest commit again.

    :param repositories: as in the alias's definition: `url` or `url@ref`.
    :param poll_s: seconds between two looks.
    :param git_conn_ids: Airflow connections for private repositories, comma-separated; None: ASKREPO_GIT_CONN_ID.
    """

    def __init__(
        self, *, alias: str, repositories: Sequence[str], poll_s: float, git_conn_ids: str | None = None
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.alias = alias
        self.repositories = list(repositories)
        self.poll_s = poll_s
        self.git_conn_ids = git_conn_ids

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, which Airflow keeps in its database: no secret is among them."""
        arguments = {name: getattr(self, name) for name in ("alias", "repositories", "poll_s", "git_conn_ids")}
        return f"{__name__}.{type(self).__name__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """An event whenever the repositories have commits that no run has published and no event has named yet."""
        announced = kept = await self._recall()
        seen: Commits | None = None
        failures = 0
        while True:
            try:
                commits = await self._remote_commits()
                if commits != seen:
                    changed = await asyncio.to_thread(self._unpublished, commits)
                    news = commits_digest(commits) if changed else ""
                    if changed and news != announced:
                        yield self._event(changed, commits)
                    seen, announced = commits, news
                failures = 0
            except (AskrepoError, *AIRFLOW_ERRORS, OSError) as error:
                failures += 1
                next_s = pause_s(failures, self.poll_s)
                self.log.warning("watch %s: cannot tell what is new, next look in %g s: %s", self.alias, next_s, error)
            await asyncio.sleep(pause_s(failures, self.poll_s))
            # Not sooner: a triggerer that dies right after an event has not handed it over, and must fire it again.
            if announced != kept:
                kept = await self._keep(announced)

    async def _remote_commits(self) -> Commits:
        """The commits that all repositories have now, asked one after another: several may be on one host."""
        from askrepo.git.remote_refs import remote_commit
        from askrepo.git.repository_urls import parse_repositories

        allow_local = Settings.from_env(os.environ).allow_local
        commits = {}
        for repository in parse_repositories(self.repositories, allow_local=allow_local):
            async with self._credentials(repository.url) as credentials:
                commits[repository.name, repository.url] = await remote_commit(
                    repository, timeout_s=ANSWER_TIMEOUT_S, allow_local=allow_local, git_environment=credentials
                )
        return commits

    def _unpublished(self, commits: Commits) -> list[str]:
        """Names of the repositories that the alias's last run did not publish at these commits; blocks."""
        from askrepo.aliases.catalogue import AliasCatalogue
        from askrepo_operators.connections import open_workspace

        workspace = open_workspace(Settings.from_env(os.environ))
        return unpublished(commits, self.alias, catalogue=AliasCatalogue(workspace))

    @asynccontextmanager
    async def _credentials(self, url: str) -> AsyncIterator[Mapping[str, str]]:
        """What git needs for the repository, from Airflow's connections, which may only be asked in a thread."""
        ids = self._connection_ids()
        if not ids:
            yield {}
            return
        stack = ExitStack()
        entering = asyncio.ensure_future(asyncio.to_thread(_enter_git_environment, stack, url, ids))
        try:
            yield await asyncio.shield(entering)
        finally:
            await asyncio.wait({entering})  # or a look that is cancelled here could leave a key's file behind
            await asyncio.to_thread(_leave_git_environment, stack)

    def _event(self, changed: list[str], commits: Commits) -> TriggerEvent:
        by_name = {name: commit for (name, _), commit in commits.items()}
        return TriggerEvent({"alias": self.alias, "changed": changed, "commits": by_name})  # type: ignore[no-untyped-call]

    def _connection_ids(self) -> tuple[str, ...]:
        if self.git_conn_ids is not None:
            return connection_ids(self.git_conn_ids)
        return PipelineSettings.from_env(os.environ).git_conn_ids

    async def _recall(self) -> str:
        """What was announced last, as far as Airflow knows; a wrong answer costs one run that finds nothing to do."""
        if self.asset_state_store is None:
            return ""
        try:
            return str(await self.asset_state_store.aget(ANNOUNCED, ""))
        except AIRFLOW_ERRORS as error:
            self.log.warning("watch %s: cannot recall what was announced: %s", self.alias, error)
            return ""

    async def _keep(self, announced: str) -> str:
        """Remember what was announced over a restart; returns it, so that a failure is not tried for ever."""
        if self.asset_state_store is not None:
            try:
                await self.asset_state_store.aset(ANNOUNCED, announced)
            except AIRFLOW_ERRORS as error:
                self.log.warning("watch %s: cannot keep what was announced: %s", self.alias, error)
        return announced


def _enter_git_environment(stack: ExitStack, url: str, ids: Iterable[str]) -> Mapping[str, str]:
    with _own_environment_kept():
        return stack.enter_context(git_environment(url, tuple(ids)))


def _leave_git_environment(stack: ExitStack) -> None:
    with _own_environment_kept():
        stack.close()


@contextmanager
def _own_environment_kept() -> Iterator[None]:
    """Undo what the block does to this process's environment.

    Airflow's GitHook writes there while it is open, and puts back what it found. That is right for a task's process;
    here, hooks of several watchers are open at once, and one would take over the other's token.
    """
    with _environment_lock:
        before = dict(os.environ)
        try:
            yield
        finally:
            for name in os.environ.keys() | before.keys():
                if name not in before:
                    os.environ.pop(name, None)
                elif os.environ.get(name) != before[name]:
                    os.environ[name] = before[name]
