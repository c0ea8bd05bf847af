"""How well cited lines are found again in later commits: spans of one commit, looked for in another.

    python -m benchmarks.recheck REPOSITORY… [--commits 400] [--spans 200] [--seed 1]

REPOSITORY is a git directory with its history. Half of the spans are of files that differ between the two commits, and
what became of each is known from `git diff` with renames: its lines are untouched and together, or they are not. The
receipt has only the span with three lines around it; the files of the later commit stand for a dataset.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from askrepo.receipts.recheck import Rechecked, recheck
from askrepo.receipts.spans import AROUND, Span, occurrences, span_of
from askrepo.types import Citation

TEXT = re.compile(r"\.(?:py|js|ts|tsx|jsx|go|rs|rb|java|kt|c|h|cs|php|ex|exs|md|rst|txt|toml|yml|yaml|json)$")
MAX_BYTES = 300_000
MAX_LINES = 40
MAX_LIKELY = 20
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def git(repository: Path, *args: str) -> str:
    command = ["git", "--git-dir", str(repository), *args]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8", "replace")


@dataclass
class Tree:
    """The text files of a commit: what stands for a dataset."""

    repository: Path
    commit: str

    @cached_property
    def files(self) -> dict[str, tuple[str, ...]]:
        """Lines by path, read in one go."""
        listed = git(self.repository, "ls-tree", "-r", "-l", "-z", self.commit).split("\0")
        rows = [(row.split("\t", 1)[1], row.split("\t")[0].split()) for row in listed if row]
        blobs = {path: blob for path, (mode, kind, blob, size) in rows
                 if kind == "blob" and mode != "120000" and size.isdigit() and 0 < int(size) < MAX_BYTES}  # fmt: skip
        command = ["git", "--git-dir", str(self.repository), "cat-file", "--batch"]
        given = "".join(f"{blob}\n" for blob in blobs.values()).encode()
        read = subprocess.run(command, input=given, capture_output=True, check=True).stdout
        found, at = {}, 0
        for path in blobs:
            start = read.index(b"\n", at) + 1
            at = start + int(read[at:start].split()[2]) + 1
            content = read[start : at - 1]
            if b"\0" not in content:
                lines = content.decode("utf-8", "replace").removesuffix("\n").split("\n")
                found[path] = tuple(line.removesuffix("\r") for line in lines)
        return found

    @property
    def paths(self) -> list[str]:
        return [path for path in self.files if TEXT.search(path)]

    @cached_property
    def holders(self) -> dict[str, set[str]]:
        """Paths by line, of lines with some letters."""
        found: dict[str, set[str]] = {}
        for path, lines in self.files.items():
            for line in lines:
                if sum(map(str.isalnum, line)) >= 12:
                    found.setdefault(line, set()).add(path)
        return found

    def lines(self, path: str) -> tuple[str, ...]:
        return self.files.get(path, ())

    def likely(self, span: Span) -> list[str]:
        counts = Counter(path for line in set(span.lines) for path in self.holders.get(line, ()))
        counts.pop(span.citation.path, None)
        return sorted(counts, key=lambda path: (-counts[path], path))[:MAX_LIKELY]


@dataclass(frozen=True)
class Truth:
    """What git says became of a span: `kept` at a path and lines, or `touched`."""

    kept: bool
    path: str = ""
    start: int = 0


@dataclass
class Changes:
    """What git says changed between two commits."""

    moved: dict[str, str]
    hunks: dict[str, list[tuple[int, int, int]]]
    removed: set[str]

    @classmethod
    def between(cls, repository: Path, before: str, after: str) -> Changes:
        found = cls({}, {}, set())
        options = (
            "-c",
            "core.quotePath=false",
            "diff",
            "-U0",
            "-M50%",
            "-l0",
            "--no-color",
            "--no-ext-diff",
            "--ignore-cr-at-eol",
        )
        old = ""
        for line in git(repository, *options[:2], *options[2:], before, after).split("\n"):
            if line.startswith("--- "):
                old = line[6:] if line != "--- /dev/null" else ""
                old = old.rstrip("\t")
                found.hunks.setdefault(old, [])
            elif line.startswith("+++ "):
                if line == "+++ /dev/null":
                    found.removed.add(old)
            elif line.startswith("rename from "):
                old = line.removeprefix("rename from ")
            elif line.startswith("rename to "):
                found.moved[old] = line.removeprefix("rename to ")
            elif match := _HUNK.match(line):
                start, count, _, added = (1 if part is None else int(part) for part in match.groups())
                found.hunks.setdefault(old, []).append((start, count, added))
        return found

    def truth(self, citation: Citation) -> Truth:
        path, start, end = citation.path, citation.start_line, citation.end_line
        if path in self.removed:
            return Truth(kept=False)
        shift = 0
        for at, count, added in self.hunks.get(path, ()):
            # without lines of its own, a hunk stands behind line `at`
            is_inside = start <= at < end if count == 0 else at <= end and at + count > start
            if is_inside:
                return Truth(kept=False)
            if at < start:
                shift += added - count
        return Truth(True, self.moved.get(path, path), start + shift)

    @property
    def touched(self) -> set[str]:
        return {path for path in {*self.hunks, *self.moved, *self.removed} if path}


def spans(tree: Tree, changes: Changes, count: int, rng: random.Random) -> Iterator[Span]:
    """Half from files that differ, lines from one that says something to one that does."""
    paths = tree.paths
    changed = [path for path in paths if path in changes.touched]
    for number in range(count * 20):
        if count <= 0:
            return
        path = rng.choice(changed if number % 2 and changed else paths)
        lines = tree.lines(path)
        length = min(rng.randint(3, MAX_LINES), len(lines))
        start = rng.randint(1, len(lines) - length + 1)
        end = start + length - 1
        while end > start and not lines[end - 1].strip():
            end -= 1
        span = span_of(Citation("repository", tree.commit, path, start, end), lines)
        if span is not None and lines[start - 1].strip() and end > start and "\0" not in "".join(lines):
            count -= 1
            yield span


def judged(span: Span, truth: Truth, found: Rechecked, after: Tree) -> str:
    """In which row of the table a span counts."""
    here = (found.path, found.start_line)
    if truth.kept:
        expected = (
            "unchanged" if (truth.path, truth.start) == (span.citation.path, span.citation.start_line) else "moved"
        )
        if here == (truth.path, truth.start) and found.state == expected:
            return f"{expected}: right"
        if found.state not in ("unchanged", "moved"):
            return f"{expected}: called {found.state}"
        is_twin = _with_around(span, after, found.path, found.start_line) == _with_around(
            span, after, truth.path, truth.start
        )
        return f"{expected}: {'a copy with the same lines around' if is_twin else 'wrong lines'}"
    if found.state in ("changed", "gone"):
        return "changed: reported"
    file = after.lines(found.path or "")
    is_there = (found.start_line or 0) - 1 in occurrences(span.lines, file)
    is_new = (found.path, found.start_line) != (span.citation.path, span.citation.start_line)
    return "changed: the very lines stand elsewhere" if is_there and is_new else "changed: in its last line's end only"


def _with_around(span: Span, after: Tree, path: str | None, start: int | None) -> Sequence[str]:
    first = max(0, (start or 1) - 1 - AROUND)
    return after.lines(path or "")[first : (start or 1) - 1 + len(span.lines) + AROUND]


def measure(repository: Path, *, commits: int, count: int, seed: int) -> dict[str, Any]:
    history = git(repository, "rev-list", "--first-parent", f"--max-count={commits + 1}", "HEAD").split()
    before, after = Tree(repository, history[-1]), Tree(repository, history[0])
    changes = Changes.between(repository, before.commit, after.commit)
    chosen = list(spans(before, changes, count, random.Random(seed)))
    started = time.monotonic()
    assert after.holders  # made once, as a dataset's index is
    ready = time.monotonic()
    found = [recheck(span, after) for span in chosen]
    seconds = time.monotonic() - ready
    rows = Counter(judged(span, changes.truth(span.citation), each, after)
                   for span, each in zip(chosen, found, strict=True))  # fmt: skip
    name = repository.parent.name if repository.name == "repo" else repository.name
    wrong = [
        {"row": row, "span": f"{span.citation.path}:{span.citation.start_line}-{span.citation.end_line}",
         "found": f"{each.state} {each.path}:{each.start_line}", "truth": str(changes.truth(span.citation))}
        for span, each in zip(chosen, found, strict=True)
        if (row := judged(span, changes.truth(span.citation), each, after)).split(": ")[1] not in ("right", "reported")
    ]  # fmt: skip
    return {"repository": name, "before": before.commit[:10], "after": after.commit[:10], "commits": len(history) - 1,
            "spans": len(chosen), "rows": dict(sorted(rows.items())), "seconds": round(seconds, 2),
            "index_s": round(ready - started, 2), "wrong": wrong}  # fmt: skip


def main(args: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--commits", type=int, default=400)
    parser.add_argument("--spans", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", action="store_true", help="list the spans that were not found as git says")
    chosen = parser.parse_args(args)
    total: Counter[str] = Counter()
    for repository in chosen.repositories:
        measured = measure(repository, commits=chosen.commits, count=chosen.spans, seed=chosen.seed)
        wrong = measured.pop("wrong")
        print(json.dumps(measured), flush=True)
        for row in wrong if chosen.wrong else ():
            print("  ", json.dumps(row), flush=True)
        total.update(measured["rows"])
    print(json.dumps({"total": dict(sorted(total.items()))}))


if __name__ == "__main__":
    main()
