"""Runs a case, and checks what must be true after it."""

from __future__ import annotations

import faulthandler
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from askrepo.types import Definition
from askrepo.workspace.objects import Workspace
from tests.conftest import GitRepository
from tests.faults import stages
from tests.faults.cases import Case, Strike, Try, case_of, kind_of
from tests.faults.points import Watcher, fill, kill, pause
from tests.faults.processes import ROOT, Child, Outcome, call
from tests.faults.proxy import FaultyProxy
from tests.faults.reader import Manner, Seen, Truth, Watch, read

if TYPE_CHECKING:
    from tests.s3_server import S3Server

ALIAS = "main"
READERS = 2
DISK_MB = 48
UP_TO_DATE = "up to date"
OLD, NEW, NEWER = "old", "new", "newer"


# The worlds of a case --------------------------------------------------------------------------------------------


def sources(version: int, *, files: int, functions: int = 40) -> dict[str, str]:
    body = "\n\n".join(
        f"def function_{n}(store):\n    return 'version {version} of a value that function {n} reads from the store'\n"
        for n in range(functions)
    )
    return {f"package/module_{n}.py": f"# module {n}\n\n{body}" for n in range(files)}


def make_repositories(root: Path) -> dict[str, dict[str, str]]:
    """Two repositories with a history; their commits by version and name.

    Each version changes some files, adds one, removes one and moves one; most stay as they are.
    """
    project, library = GitRepository(root / "project"), GitRepository(root / "library")
    readme = "# Library\n\nIt keeps values.\n\n## Install\n\nInstall the library with its tools.\n"
    kept = {f"kept_{n}.py": text for n, text in enumerate(sources(0, files=4, functions=6).values())}
    old = {**sources(1, files=3), **kept, "README.md": readme, "gone.py": "class Gone:\n    value = 1\n"}
    new = {**sources(2, files=2), "gone.py": None, "kept_0.py": None, "moved.py": kept["kept_0.py"]}
    newer = {
        **sources(3, files=2),
        "package/store.py": "class Store:\n    value = 3\n",
        "README.md": readme + "\nMore.\n",
    }
    first = library.commit({"README.md": readme, "library.py": "class Store:\n    '''Keeps values.'''\n"})
    # The same text in both repositories is one vector.
    same = {"copies/module_0.py": new["package/module_0.py"]}
    second = library.commit({"store.py": "class Store:\n    def read(self):\n        return 'value'\n", **same})
    return {
        OLD: {"project": project.commit(old), "library": first},
        NEW: {"project": project.commit({**new, "added.py": "class Added:\n    value = 2\n"}), "library": second},
        NEWER: {"project": project.commit(newer), "library": second},
    }


def contents(repository: Path, commit: str) -> dict[str, str]:
    """Every file of a commit."""
    git = GitRepository.existing(repository.as_uri()).git
    # The output of `git show` loses its last line ends here; readers compare without them.
    return {path: git("show", f"{commit}:{path}") for path in git("ls-tree", "-r", "--name-only", commit).splitlines()}


@dataclass
class Rig:
    """What all cases start from: repositories, an alias built of the old commits, and how a refresh goes undisturbed.

    :ivar commits: by version and repository.
    :ivar digests: of the dataset that a run from scratch makes of each version.
    :ivar published: ids of the vectors that the old dataset has.
    :ivar census, seconds: of an undisturbed refresh.
    """

    root: Path
    commits: dict[str, dict[str, str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)
    census: dict[str, dict[str, int]] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def prepare(cls, root: Path) -> Rig:
        """A rig in an empty directory."""
        rig = cls(root, make_repositories(root / "repositories"))
        pairs = {pair for commits in rig.commits.values() for pair in commits.items()}
        texts = {commit: contents(root / "repositories" / name, commit) for name, commit in pairs}
        Truth(list(rig.commits.values()), texts).write(rig.truth)
        for version in (NEW, NEWER, OLD):
            rig.point_to(version)
            outcome = rig.run_stages(root / version)
            rig.digests[version] = outcome["digest"]
        rig.published = [one for event in events(root / OLD) if event.name == "computed" for one in event.ids]
        rig.point_to(NEW)
        rig.copy_old(root / "census" / "workspace")
        started = time.monotonic()
        refreshed = rig.run_stages(root / "census")
        rig.seconds = time.monotonic() - started
        assert refreshed["digest"] == rig.digests[NEW]
        rig.census = refreshed["census"]
        (root / "rig.json").write_text(json.dumps({name: getattr(rig, name) for name in _KEPT}))
        return rig

    @classmethod
    def existing(cls, root: Path) -> Rig:
        """The rig that another process prepared."""
        return cls(root, **json.loads((root / "rig.json").read_text()))

    def close(self) -> None:
        """Stop what was started."""
        for reader in self.__dict__.pop("readers", []):
            reader.connection.send(None)
            reader.outcome()
        if "s3" in self.__dict__:
            self.s3.stop()

    @property
    def truth(self) -> Path:
        return self.root / "truth.json"

    @property
    def definition(self) -> Definition:
        urls = ((self.root / "repositories" / name).as_uri() for name in ("project", "library"))
        return Definition(ALIAS, tuple(urls), embedder="hash")

    @cached_property
    def readers(self) -> list[Child]:
        return [Child(read) for _ in range(READERS)]

    @cached_property
    def s3(self) -> S3Stand:
        return S3Stand(self)

    def point_to(self, version: str) -> None:
        """Move the repositories' branches."""
        for name, commit in self.commits[version].items():
            GitRepository.existing((self.root / "repositories" / name).as_uri()).git(
                "update-ref", "refs/heads/main", commit
            )

    def run_stages(self, folder: Path) -> dict[str, Any]:
        """What an undisturbed run returns."""
        folder.mkdir(exist_ok=True)
        order = Order(str(folder / "workspace"), self.definition, "undisturbed", folder, {}, Strike())
        return call(work, order)

    def copy_old(self, target: Path) -> None:
        """A workspace with the alias as it was before the refresh, without what its run left."""
        for folder in ("aliases", "datasets", "files", "snapshots"):
            with suppress(FileNotFoundError):
                shutil.copytree(self.root / OLD / "workspace" / folder, target / folder)


_KEPT = ("commits", "digests", "published", "census", "seconds")


class S3Stand:
    """An S3 API, the proxy before it, and what a refresh asks of it.

    :ivar requests: of an undisturbed refresh, by method.
    """

    def __init__(self, rig: Rig) -> None:
        from tests.s3_server import S3Server

        self._rig = rig
        self.server: S3Server = S3Server().start()
        self.proxy = FaultyProxy(self.server.url).start()
        folder = rig.root / "s3-census"
        folder.mkdir()
        url = self.new_workspace()
        rig.point_to(NEW)
        refreshed = call(work, Order(url, rig.definition, "undisturbed", folder, self.environment, Strike()))
        assert refreshed["digest"] == rig.digests[NEW]
        self.requests = dict(self.proxy.requests)

    @property
    def environment(self) -> dict[str, str]:
        """Through the proxy."""
        return {**self.server.environment, "AWS_ENDPOINT_URL": self.proxy.url}

    def new_workspace(self) -> str:
        """The URL of one with the old alias."""
        url = f"s3://{self.server.new_bucket()}/workspace"
        staged = self._rig.root / "staged"
        if not staged.exists():
            self._rig.copy_old(staged)
        call(upload, staged, url, dict(self.server.environment))
        return url

    def stop(self) -> None:
        self.proxy.stop()
        self.server.stop()


# What runs in processes of its own ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """One try of a run.

    :ivar folder: where results of tasks and the ledger are: Airflow's side, which no fault of a case touches.
    :ivar environment: of the process.
    """

    workspace: str
    definition: Definition
    run_id: str
    folder: Path
    environment: Mapping[str, str]
    strike: Strike
    forgets: int = 0


def work(connection: Connection, order: Order) -> dict[str, Any]:
    """Do the run's tasks that have no result yet."""
    os.environ.update(order.environment)
    tempfile.tempdir = None
    faulthandler.enable((order.folder / "crash").open("a"))
    strike = order.strike
    disk = Path(order.workspace).parent
    act = kill if strike.kill else pause if strike.pause else lambda: fill(disk, strike.room_bytes)
    watcher = Watcher(strike.kill or strike.pause or strike.fill, act)
    record = stages.Record(order.folder / order.run_id, watcher.begin)
    record.forget(order.forgets)
    ledger = stages.Ledger(order.folder / "ledger")
    with stages.store_retries(strike.store_retries if strike.trouble else None):
        workspace = Workspace.open(order.workspace)
        cache = order.folder / "cache"
        refresh = stages.Refresh(order.definition, workspace, order.run_id, record, ledger, cache)
        watcher.start()
        try:
            entry = refresh.run()
        finally:
            watcher.stop()
    digest = entry["manifest"]["digest"] if entry else UP_TO_DATE
    swapped = {entry["number"]: entry["manifest"]["dataset"]} if entry else {}
    return {"digest": digest, "swapped": swapped, "census": watcher.census}


def upload(connection: Connection, folder: Path, url: str, environment: Mapping[str, str]) -> int:
    """Copy a directory into a workspace; the number of files."""
    os.environ.update(environment)
    workspace = Workspace.open(url)
    files = [file for file in folder.rglob("*") if file.is_file()]
    for file in files:
        workspace.upload(file.relative_to(folder).as_posix(), file)
    return len(files)


@dataclass(frozen=True)
class Found:
    """What a case left.

    :ivar entries: names of the objects in the alias's log, whatever they are.
    :ivar swapped: the entries' datasets, in their order; digests likewise.
    :ivar datasets: that remain after maintenance; `current` is the name of the only one that should.
    :ivar leftovers: what else should not remain; the local store writes to `name#1`, and renames.
    """

    entries: list[str]
    numbers: list[int]
    swapped: list[str]
    digests: list[str]
    current: str
    datasets: list[str]
    leftovers: list[str]


def inspect(connection: Connection, url: str, environment: Mapping[str, str]) -> Found:
    """Read the alias, verify its dataset, remove what nobody needs and look at what remains."""
    from askrepo.aliases.catalogue import AliasCatalogue
    from askrepo.store.verification import open_verified

    os.environ.update(environment)
    workspace = Workspace.open(url)
    history = AliasCatalogue(workspace).history(ALIAS)
    manifest = history[-1].manifest
    open_verified(workspace.url_of(manifest.dataset), manifest=manifest)
    leftovers = stages.maintain(workspace)
    open_verified(workspace.url_of(manifest.dataset), manifest=manifest)
    return Found(
        entries=_names(workspace, f"aliases/{ALIAS}"),
        numbers=[entry.number for entry in history],
        swapped=[entry.manifest.dataset for entry in history],
        digests=[entry.manifest.digest for entry in history],
        current=manifest.dataset.rpartition("/")[2],
        datasets=workspace.list_folders(f"datasets/{ALIAS}"),
        leftovers=[*leftovers, *(name for name in _names(workspace, "") if "#" in name)],
    )


def _names(workspace: Workspace, prefix: str) -> list[str]:
    """Names of all objects below a prefix; of a directory also those that a store does not list."""
    if workspace.is_local:
        folder = Path(workspace.url) / prefix
        return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return [key.removeprefix(f"{prefix}/") for key in workspace.list_keys(prefix)]


# One case ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """A line of the ledger."""

    name: str
    run: str
    task: str
    pid: int
    ids: tuple[str, ...]


def events(folder: Path) -> list[Event]:
    lines = (folder / "ledger").read_text().splitlines() if (folder / "ledger").exists() else []
    words = (line.split() for line in lines)
    return [Event(name, run, task, int(pid), tuple(ids)) for name, run, task, pid, *ids in words]


@dataclass
class Report:
    """How a case went.

    :ivar story: what happened, try by try.
    :ivar wrong: what should not have.
    :ivar is_hit: whether any fault came about.
    """

    case: Case
    story: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    is_hit: bool = False
    seconds: float = 0.0

    def __str__(self) -> str:
        lines = [f"seed {self.case.seed}: {self.case.kind}", *self.story, *(f"WRONG: {line}" for line in self.wrong)]
        return "\n  ".join([*lines, f"again: python -m tests.faults {self.case.seed}"])


def run_case(seed: int, rig: Rig, folder: Path, *, disk: Path | None = None) -> Report:
    """Run the case of a seed.

    :param folder: an empty directory.
    :param disk: the mount point of a small file system, for cases that fill one; without, it is made in a mount
        namespace of a process of its own.
    """
    kind = kind_of(seed)
    if kind.store == "disk" and disk is None:
        return _on_small_disk(seed, rig, folder)
    requests = rig.s3.requests if kind.store == "s3" else {}
    case = case_of(seed, census=rig.census, requests=requests, seconds=rig.seconds)
    run = CaseRun(case, rig, folder, disk)
    started = time.monotonic()
    run.run()
    run.report.seconds = time.monotonic() - started
    return run.report


class CaseRun:
    """A case while it runs."""

    def __init__(self, case: Case, rig: Rig, folder: Path, disk: Path | None) -> None:
        self.case, self.rig, self.folder, self.disk = case, rig, folder, disk
        self.report = Report(case)
        self.failed_tries = 0
        self.last_run = 0
        self.swapped: dict[int, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.direct: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        if case.kind.store == "s3":
            self.url = rig.s3.new_workspace()
            self.direct, self.environment = dict(rig.s3.server.environment), rig.s3.environment
        else:
            parent = disk or folder
            self.url = str(parent / "workspace")
            rig.copy_old(parent / "workspace")
            (parent / "temporary").mkdir()
            self.environment = {"TMPDIR": str(parent / "temporary")}
        cache = {"ASKREPO_CACHE": str(folder / "cache")}
        pause_s = 2.0 if self.direct else 0.3
        # One reads a remote dataset where it is, the other a copy.
        manners: tuple[tuple[Manner, str], ...] = (("open", "0"), ("follow", "100"))
        self.watches = [
            Watch(self.url, ALIAS, rig.truth, {**self.direct, **cache, "ASKREPO_CACHE_MB": megabytes}, manner, pause_s)
            for manner, megabytes in manners
        ]

    def run(self) -> None:
        """Disturb, finish, check."""
        self.rig.point_to(NEW)
        for reader, watch in zip(self.rig.readers, self.watches, strict=True):
            reader.connection.send(watch)
        for reader in self.rig.readers:
            assert reader.connection.recv() is True
        if self.case.rival_after_s is None:
            self._disturb()
        else:
            self._race()
        self._finish()
        for reader in self.rig.readers:
            reader.connection.send(True)
        self._check([reader.connection.recv() for reader in self.rig.readers])

    @property
    def target(self) -> str:
        return NEWER if self.case.rival_moves else NEW

    def _disturb(self) -> None:
        """One try after the other, until one succeeds."""
        for one in self.case.tries:
            outcome = self._start(one).outcome()
            self._judge(outcome, one.strike)
            self._end_strike()
            self.last_run = one.run
            if outcome.value is None:
                continue
            kill = one.strike.kill
            if one is self.case.tries[0] and kill and kill.when != "during":
                self.report.wrong.append("the moment of the kill did not come")
            return

    def _race(self) -> None:
        [first] = self.case.tries
        one = self._start(first)
        if first.strike.pause:
            one.wait_until_paused()
        else:
            time.sleep(self.case.rival_after_s or 0)
        if self.case.rival_moves:
            self.rig.point_to(NEWER)
        other = self._start(Try(1, self.case.rival))
        self.report.is_hit = True
        ended = other.outcome()
        if first.strike.pause:
            one.resume()
        self._judge(one.outcome(), first.strike)
        self._judge(ended, self.case.rival)
        self._end_strike()

    def _finish(self) -> None:
        """The undisturbed try: of the last run, or, when that lost to another, of a new one."""
        is_race = self.case.rival_after_s is not None
        last = 2 if is_race else self.last_run
        outcome = self._start(Try(last, Strike())).outcome()
        if outcome.value is None:
            self.report.wrong.append(f"the undisturbed try ended with {outcome.error}: {outcome.message}")
            return
        self.swapped |= outcome.value["swapped"]
        digest = outcome.value["digest"]
        self.report.story.append(f"undisturbed: {digest[:12]}")
        expected = {self.rig.digests[self.target], *([UP_TO_DATE] if is_race or last else [])}
        if digest not in expected:
            self.report.wrong.append(f"the undisturbed try made {digest}, a run from scratch {expected}")

    def _start(self, one: Try) -> Child:
        strike = one.strike
        if self.case.kind.store == "s3":
            self.rig.s3.proxy.be_fine() if strike.trouble is None else self.rig.s3.proxy.be_in(strike.trouble)
        order = Order(
            self.url, self.rig.definition, f"run-{one.run}", self.folder, self.environment, strike, one.forgets
        )
        child = Child(work, order)
        if strike.kill_after_s is not None and not child.connection.poll(strike.kill_after_s):
            child.kill()
        return child

    def _judge(self, outcome: Outcome, strike: Strike) -> None:
        """Whether a try ended as the strike explains."""
        if outcome.value is not None:
            self.swapped |= outcome.value["swapped"]
            self.report.story.append(f"{_told(strike)}: {outcome.value['digest'][:12]}")
            return
        self.report.is_hit = True
        self.failed_tries += 1
        said = [line for line in outcome.message.splitlines() if line.startswith("askrepo.")] or [outcome.message]
        self.report.story.append(f"{_told(strike)}: {said[-1][:300] or 'killed'}")
        is_race = self.case.rival_after_s is not None
        if outcome.is_killed:
            fits = bool(strike.kill or strike.kill_after_s is not None)
        elif outcome.error == "SwapLostError":
            fits = is_race
        elif outcome.error == "crash":
            # Deep Lake takes no notice of a full disk: it writes empty files, and ends the process when it reads them.
            fits = strike.fill is not None
        else:
            fits = outcome.is_transient and bool(strike.fill or strike.trouble)
        if not fits:
            self.report.wrong.append(
                f"a try ended with {outcome.error}, which is no answer to this:\n{outcome.message}"
            )

    def _end_strike(self) -> None:
        if self.disk is not None:
            self.report.is_hit |= (self.disk / "filler").exists()
            (self.disk / "filler").unlink(missing_ok=True)
        if self.case.kind.store == "s3":
            self.report.is_hit |= self.rig.s3.proxy.failed > 0
            self.rig.s3.proxy.be_fine()

    def _check(self, seen: Sequence[Seen]) -> None:
        outcome = Child(inspect, self.url, self.direct).outcome()
        if outcome.value is None:
            self.report.wrong.append(f"the alias cannot be read: {outcome.message}")
            return
        found: Found = outcome.value
        self.report.wrong += [
            *_wrong_log(found, self.rig.digests, self.target),
            *_lost_swaps(found, self.swapped),
            *(line for one in seen for line in _wrong_reading(one, found)),
            *_wrong_ledger(events(self.folder), set(self.rig.published)),
            *self._wrong_repeats(),
            *_orphans(found),
        ]

    def _wrong_repeats(self) -> list[str]:
        """A try that failed lost one batch at most."""
        if self.case.rival_after_s is not None:
            return []
        computed = [one for event in events(self.folder) if event.name == "computed" for one in event.ids]
        repeats, allowed = len(computed) - len(set(computed)), self.failed_tries * stages.BATCH_TEXTS
        return [f"{repeats} texts were embedded twice, {allowed} could be"] if repeats > allowed else []


def _told(strike: Strike) -> str:
    parts = {name: value for name, value in vars(strike).items() if value not in (None, 0)}
    return ", ".join(f"{name} {value}" for name, value in parts.items()) or "nothing"


def _wrong_log(found: Found, digests: Mapping[str, str], target: str) -> list[str]:
    """The log has every number once, nothing else in it, and ends with the dataset that was wanted."""
    wrong = []
    expected = [f"{number:08d}.json" for number in range(1, len(found.numbers) + 1)]
    if found.entries != expected:
        wrong.append(f"the alias's log is {found.entries}, not {expected}")
    if found.digests[0] != digests[OLD] or found.digests[-1] != digests[target]:
        wrong.append(f"the alias went through {found.digests}, from scratch: {digests}")
    if strange := set(found.digests) - set(digests.values()):
        wrong.append(f"the alias had datasets that no commit gives: {strange}")
    return wrong


def _lost_swaps(found: Found, swapped: Mapping[int, str]) -> list[str]:
    """Whoever was told that the alias was swapped finds it so in the log."""
    logged = dict(zip(found.numbers, found.swapped, strict=True))
    lost = {number: dataset for number, dataset in swapped.items() if logged.get(number) != dataset}
    return [f"swaps were reported and are not in the log: {lost}, but {logged}"] if lost else []


def _wrong_reading(seen: Seen, found: Found) -> list[str]:
    """Every answer was of one dataset, and a reader never went back."""
    wrong = [f"a reader got {line}" for line in seen.wrong]
    if seen.numbers != sorted(set(seen.numbers)) or not set(seen.numbers) <= set(found.numbers):
        wrong.append(f"a reader saw the entries {seen.numbers} of {found.numbers}")
    if seen.numbers[-1:] != found.numbers[-1:]:
        wrong.append(
            f"after {seen.answers} answers a reader is at {seen.numbers[-1:]}, the alias at {found.numbers[-1]}"
        )
    return wrong


def _wrong_ledger(ledger: Sequence[Event], published: Collection[str]) -> list[str]:
    """Nothing was computed whose vector was in the dataset, or in the workspace when the task began to look."""
    kept: dict[str, int] = {}
    began: dict[tuple[int, str], int] = {}
    wrong = []
    for line, event in enumerate(ledger):
        if event.name == "began":
            began[event.pid, event.task] = line
        if event.name == "kept":
            kept |= {one: line for one in event.ids if one not in kept}
        if event.name == "computed":
            again = [one for one in event.ids if kept.get(one, line) < began[event.pid, event.task]]
            old = [one for one in event.ids if one in published]
            if again or old:
                wrong.append(
                    f"{event.run} {event.task} embedded {len(again)} kept and {len(old)} published texts again"
                )
    return wrong


def _orphans(found: Found) -> list[str]:
    wrong = []
    if found.datasets != [found.current]:
        wrong.append(f"datasets that nobody needs remain: {found.datasets}, current is {found.current}")
    if found.leftovers:
        wrong.append(f"what nobody needs remains: {found.leftovers}")
    return wrong


def _on_small_disk(seed: int, rig: Rig, folder: Path) -> Report:
    """Run a case in a process that has a small file system to itself."""
    import pickle

    disk = folder / "disk"
    disk.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size={DISK_MB}m tmpfs "$1" && shift && exec "$@"'
    inner = [sys.executable, "-m", "tests.faults", "--rig", str(rig.root), "--disk", str(disk), str(seed)]
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", str(disk), *inner]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    report: Report = pickle.loads(run.stdout)
    return report
