"""Processes of the race for an alias's entries: writers that all want the next number, readers that watch the log.

Run by `tests/test_swap_races.py`, each in a process of its own. They meet at keys of a scratch folder of the machine,
not of the store, so that what they share of the store is the log alone.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.errors import SwapLostError, UnknownAliasError
from askrepo.types import AliasEntry
from askrepo.workspace.objects import Workspace
from tests.core.datasets import SNAPSHOT, manifest_of

ALIAS = "main"
# As many snapshots as make an entry too large to be written in one piece by accident.
SNAPSHOTS = 400
TIMEOUT_S = 120.0


def entry_of(number: int, writer: str) -> AliasEntry:
    """The entry that a writer offers for a number."""
    name = f"{writer}-{number}"
    manifest = manifest_of(f"datasets/{ALIAS}/20260102t030405z-{number:06x}", 1, digest_of(name))
    snapshots = tuple(replace(SNAPSHOT, name=f"{name}/{each}") for each in range(SNAPSHOTS))
    manifest = replace(manifest, run=f"runs/{ALIAS}/{name}", snapshots=snapshots)
    return AliasEntry(ALIAS, number, "2026-01-02T03:04:05+00:00", "swap", manifest)


def digest_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def check_entry(entry: AliasEntry) -> None:
    """Fail unless the entry is the work of one writer from its first to its last byte."""
    name = entry.manifest.run.removeprefix(f"runs/{ALIAS}/")
    assert name.endswith(f"-{entry.number}"), (name, entry.number)
    assert entry.manifest.digest == digest_of(name)
    assert [snapshot.name for snapshot in entry.manifest.snapshots] == [f"{name}/{each}" for each in range(SNAPSHOTS)]


def write(catalogue: AliasCatalogue, writer: str, last: int, meeting: Path, writers: int) -> list[int]:
    """Offer an entry for every number at the same moment as all others; the numbers that were won."""
    won = []
    for number in range(1, last + 1):
        meet(meeting / str(number), writer, writers)
        try:
            catalogue.append(entry_of(number, writer))
        except SwapLostError:
            continue
        won.append(number)
    return won


def read(catalogue: AliasCatalogue, last: int) -> list[int]:
    """Follow the alias until its last entry; the numbers that were seen, in order."""
    seen: list[int] = []
    deadline = time.monotonic() + TIMEOUT_S
    while (not seen or seen[-1] < last) and time.monotonic() < deadline:
        try:
            entry = catalogue.current(ALIAS)
        except UnknownAliasError:
            continue
        check_entry(entry)
        seen.append(entry.number)
    return seen


def meet(place: Path, writer: str, writers: int) -> None:
    """Return when all writers have come to a place."""
    place.mkdir(parents=True, exist_ok=True)
    (place / writer).touch()
    deadline = time.monotonic() + TIMEOUT_S
    while sum(1 for _ in place.iterdir()) < writers:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{writer} waited in vain at {place}")
        time.sleep(0.001)


def main(kind: str, name: str, url: str, last: str, meeting: str, writers: str) -> None:
    catalogue = AliasCatalogue(Workspace.open(url))
    if kind == "write":
        numbers = write(catalogue, name, int(last), Path(meeting), int(writers))
    else:
        numbers = read(catalogue, int(last))
    sys.stdout.write(json.dumps(numbers))


if __name__ == "__main__":
    main(*sys.argv[1:])
