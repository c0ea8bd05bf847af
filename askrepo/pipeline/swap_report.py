"""The report of a swap: what became of the files and chunks, and what each stage took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from askrepo.types import AliasEntry

FILE_COUNTS = ("added", "changed", "moved", "removed", "unchanged")
TIMED_STAGES = ("clone", "load", "split", "embed", "append", "index", "verify", "swap")
"""Of the report, in the order of the log; build appends, indexes and verifies."""


def swap_report(entry: AliasEntry, *, swap_s: float, watched: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a swap is announced with: alias, entry, dataset, commits, counts, and the report of the stages.

    :param swap_s: seconds that the swap took.
    :param watched: what it did to the lines of watched questions; None when none are watched.
    """
    manifest = entry.manifest
    report = {**manifest.report, "seconds": {**manifest.report["seconds"], "swap": swap_s}}
    if watched is not None:
        report["watched"] = dict(watched)
    return {
        "alias": entry.alias,
        "number": entry.number,
        "dataset": manifest.dataset,
        "commits": {snapshot.name: snapshot.commit for snapshot in manifest.snapshots},
        "counts": {
            "files": manifest.files,
            "loaded": manifest.loaded,
            "skipped": dict(manifest.skipped),
            "chunks": manifest.chunks,
            "tokens": manifest.tokens,
        },
        "report": report,
    }


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """The report of the stages, as lines for a log."""
    chunks, files, seconds = report["chunks"], report["files"], report["seconds"]
    counts = [f"{files[name]:,} {name}" for name in FILE_COUNTS] if files else ["not compared"]
    embedded = f"{chunks['embedded']:,} embedded ({report['embedded_tokens']:,} tokens)"
    return [
        f"files: {', '.join(counts)}",
        f"chunks: {embedded}, {chunks['reused']:,} reused",
        f"seconds: {', '.join(f'{stage} {seconds[stage]:.1f}' for stage in TIMED_STAGES)}",
    ]
