"""Workspaces filled with objects of the right names: all that a decision about them needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.housekeeping.maintenance import Outcome, Plan, carry_out, plan_maintenance
from askrepo.housekeeping.retention import Limits
from askrepo.types import AliasEntry, Snapshot
from askrepo.workspace.objects import Workspace
from tests.core.datasets import manifest_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LIMITS = Limits(retention=2, grace=HOUR, run_age=7 * DAY)
NOW = datetime.now(UTC).replace(microsecond=0)  # entries are dated to the second
LATER = NOW + 20 * DAY


def dataset_key(number: int, alias: str = "main", begun: datetime = NOW) -> str:
    return f"datasets/{alias}/{begun:%Y%m%dt%H%M%Sz}-{number:06x}"


def snapshot_of(commit: str, ref: str | None = None) -> Snapshot:
    return Snapshot("o/n", "https://h/o/n", ref, commit * 40, "2026-01-02T03:04:05Z", archive_of(commit), 1)


def archive_of(commit: str) -> str:
    return f"snapshots/o-n/{commit * 40}.tar"


class Store:
    """A workspace and short ways to put something into it. Its datasets are files that only their names make one."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.catalogue = AliasCatalogue(workspace)

    def dataset(self, number: int, alias: str = "main", *, begun: datetime = NOW, has_list: bool = True) -> str:
        key = dataset_key(number, alias, begun)
        for name in ("_deeplake_log/_meta/0000000001c00000000.jsonl", "rows/1", "askrepo-files.json"):
            self.workspace.write(f"{key}/{name}", b"0123456789")
        if has_list:
            self.workspace.write(f"files/{alias}/{key.rpartition('/')[2]}.parquet", b"12345")
        return key

    def enter(
        self,
        dataset: str,
        alias: str = "main",
        *,
        reason: str = "swap",
        at: datetime = NOW,
        commit: str = "a",
        ref: str | None = None,
    ) -> None:
        manifest = replace(manifest_of(dataset, 4, "d" * 64), alias=alias, snapshots=(snapshot_of(commit, ref),))
        number = self.catalogue.number(alias) + 1
        moment = at.isoformat(timespec="seconds")
        self.catalogue.append(AliasEntry(alias, number, moment, reason, manifest))  # type: ignore[arg-type]

    def swaps(self, count: int, alias: str = "main") -> list[str]:
        datasets = [self.dataset(number, alias) for number in range(1, count + 1)]
        for dataset in datasets:
            self.enter(dataset, alias)
        return datasets

    def run(self, name: str, alias: str = "main") -> str:
        self.workspace.write(f"runs/{alias}/{name}/load/part.parquet", b"123")
        return f"runs/{alias}/{name}"

    def snapshot(self, commit: str) -> str:
        for ending in ("tar", "json"):
            self.workspace.write(f"{archive_of(commit).removesuffix('tar')}{ending}", b"1234567")
        return archive_of(commit)

    def plan(self, *, now: datetime = LATER, **changes: Any) -> Plan:
        aliases = changes.pop("aliases", ())
        return plan_maintenance(self.workspace, replace(LIMITS, **changes), aliases=aliases, now=now)

    def maintain(self, **changes: Any) -> Outcome:
        return carry_out(self.plan(**changes), workspace=self.workspace)

    def all_keys(self) -> set[str]:
        return set(self.workspace.list_keys(""))
