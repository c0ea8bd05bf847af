"""Results in a file, so that a page can be measured in several runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.results import Result


def kept_with(file: Path, results: Sequence[Result]) -> list[Result]:
    """The results that the file keeps, and the new ones, which it keeps from now on.

    A new one takes the place of those of the same system, setting, part and repository.
    """
    earlier = _read(file) if file.exists() else []
    measured = {_kind(result) for result in results}
    kept = [result for result in earlier if _kind(result) not in measured] + list(results)
    lines = "".join(json.dumps(asdict(result)) + "\n" for result in kept)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(lines, encoding="utf-8")
    return kept


def _read(file: Path) -> list[Result]:
    return [Result(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


def _kind(result: Result) -> tuple[str, ...]:
    return result.repository, result.setting, result.part, result.system
