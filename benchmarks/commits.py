"""Messages of a repository's own commits as questions, and the source files that the commits changed as their answer.

    python -m benchmarks.commits CLONE [COMMIT]

prints the questions. Taken are commits that are no merges, that changed one to three source files and neither added nor
removed one, and whose message is a sentence. They are asked of the repository as it was before the first of them, so
that nothing of what they brought is in it; each changed file was there by then.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from askrepo.search.evaluation import EvaluationQuestion, Target

CATEGORY = "commits"
WANTED = 30
"""Questions per repository."""

STEPS_BACK = (40, 80, 160, 320, 640, 1280, 2560)
"""How far before the pinned commit, along first parents, the repository is looked at; the nearest that gives enough."""

MOST_FILES = 3
LEAST_WORDS = 5
MOST_CHARS = 1000

SOURCE = re.compile(r"\.(?:c|cc|cpp|cs|exs?|go|h|hpp|java|jsx?|kt|lua|mjs|php|py|rb|rs|scala|swift|tsx?|zig)$")
NOT_SOURCE = re.compile(
    r"(?:^|/)(?:[^/]*[._-])?(?:tests?|specs?|testing|testdata|docs?|examples?|bench(?:mark)?s?|vendor|third_party|fixtures)"
    r"(?:[._-][^/]*)?(?:/|$)|[a-z](?:Test|Tests|Spec)\.\w+$",
    re.IGNORECASE,
)
CHORE = re.compile(
    r"(?:build|chore|ci|docs?|lint|style|tests?|deps)(?:\([^)]*\))?!?:|(?:bump|version|revert|merge|prepare)\b"
    r"|release v?\d|v?\d+\.\d+|update (?:the )?(?:changelog|readme|dependenc|version|copyright|license)"
    r"|.{0,80}\b(?:typos?|lint\w*|gofumpt|doc ?(?:blocks?|strings?|comments?)|changelog|unused imports?|whitespace)\b",
    re.IGNORECASE,
)
TRAILER = re.compile(
    r"(?:[A-Z][A-Za-z-]+-[A-Za-z-]+|Refs?|Fixes|Closes|Resolves|Ref|See|Fixed|PR|Issue|Bug)\s*:?\s", re.ASCII
)
NOISE = re.compile(
    r"https?://\S+"  # addresses
    r"|\(?(?:\b[\w.-]+/[\w.-]+)?#\d+\)?|\b[Gg][Hh]-\d+"  # numbers of issues
    r"|\b(?=[0-9a-f]*\d)[0-9a-f]{7,40}\b"  # hashes
    r"|(?:[\w.-]+/)+[\w.-]+\.\w+"  # paths
    r"|\b[\w-]+\.(?:c|cc|cpp|cs|ex|exs|go|h|java|js|kt|md|mjs|php|py|rb|rs|rst|toml|ts|tsx|ya?ml)\b"  # files
)


@dataclass(frozen=True)
class Mined:
    """Questions from commits.

    :ivar base: the commit to ask them of. :ivar commits: the commit of each question.
    """

    base: str
    commits: tuple[str, ...]
    questions: tuple[EvaluationQuestion, ...]


def mined(clone: Path, head: str, *, wanted: int = WANTED, steps_back: Sequence[int] = STEPS_BACK) -> Mined | None:
    """Questions from the commits before `head`, the oldest ones after the base first; None without any.

    A shallow clone has none.
    """
    best: Mined | None = None
    for steps in steps_back:
        base = _git(clone, "rev-parse", "--verify", "--quiet", f"{head}~{steps}").strip()
        if not base:
            break
        found = list(_questions(clone, base, head))[:wanted]
        if found and (best is None or len(found) > len(best.questions)):
            best = Mined(base, tuple(commit for commit, _ in found), tuple(question for _, question in found))
        if len(found) == wanted:
            break
    return best


def _questions(clone: Path, base: str, head: str) -> Iterator[tuple[str, EvaluationQuestion]]:
    there = set(_git(clone, "ls-tree", "-r", "--name-only", base).splitlines())
    log = _git(clone, "log", "--no-merges", "--no-renames", "--reverse", "--topo-order", "--name-status",
               "--format=%x1e%H%x1f%an%x1f%B%x1f", f"{base}..{head}")  # fmt: skip
    asked = set()
    for entry in log.split("\x1e")[1:]:
        commit, author, message, changes = entry.split("\x1f", 3)
        files = _changed_sources(changes)
        query = cleaned(message)
        if files and query not in asked and there.issuperset(files) and _is_sentence(query, author):
            asked.add(query)
            targets = tuple(Target(path, exact_path=True) for path in files)
            yield commit, EvaluationQuestion(query, targets, CATEGORY)


def _changed_sources(changes: str) -> list[str]:
    """Paths of the source files; none where some were added or removed, or too many changed."""
    rows = [line.split("\t", 1) for line in changes.splitlines() if "\t" in line]
    sources = [(status, path) for status, path in rows if is_source(path)]
    if len(sources) > MOST_FILES or any(status != "M" for status, _ in sources):
        return []
    return [path for _, path in sources]


def is_source(path: str) -> bool:
    """Whether a path looks like a source file, by its ending and its folders: kept apart from what search believes."""
    return bool(SOURCE.search(path)) and not NOT_SOURCE.search(path)


def cleaned(message: str) -> str:
    """A commit's message as one line without trailers, addresses, hashes, names of files and numbers of issues."""
    lines = [line.strip() for line in message.splitlines()]
    told = [
        line for line in lines if line and not TRAILER.match(line) and not line.startswith(("(cherry", "git-svn-id"))
    ]
    return " ".join(NOISE.sub(" ", " ".join(told)).split())[:MOST_CHARS].strip(" :-")


def _is_sentence(query: str, author: str) -> bool:
    words = re.findall(r"[A-Za-z]{2,}", query)
    return len(words) >= LEAST_WORDS and not CHORE.match(query) and "[bot]" not in author


def _git(clone: Path, *arguments: str) -> str:
    command = ["git", "-C", str(clone), "-c", "core.quotePath=off", *arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="replace").stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=Path)
    parser.add_argument("commit", nargs="?", default="HEAD")
    arguments = parser.parse_args()
    found = mined(arguments.clone, arguments.commit)
    if found is None:
        parser.error(f"no commit of {arguments.clone} makes a question: is the clone shallow?")
    print(f"asked of {found.base}")
    for commit, question in zip(found.commits, found.questions, strict=True):
        print(f"{commit[:10]} {question.query}\n           -> {', '.join(target.path for target in question.targets)}")


if __name__ == "__main__":
    main()
