"""A git repository of any size with made-up Python files: words and identifiers as frequent as in real code."""

from __future__ import annotations

import itertools
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

from askrepo.chunking.spans import split_text

WORDS = 60_000
# Names that files share; each file and each function adds new ones, about two a chunk (dlt: 1.6, counted 2026-11).
SHARED_NAMES = 300_000
NAMES_PER_FILE = 25
NEW_NAMES_PER_FILE = 3
FUNCTION_BYTES = (350, 700)
FUNCTIONS_PER_FILE = (4, 16)
# Files cut to find out how many chunks a file gives.
SAMPLE_FILES = 300

_ONSETS = [
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "z",
    "br",
    "cl",
    "dr",
    "fl",
    "gr",
    "pl",
    "st",
    "tr",
]
_SYLLABLES = ["".join(parts) for parts in itertools.product(_ONSETS, "aeiou", ["", "n", "r", "s", "t", "l"])]
_AUTHOR = "Benchmark <benchmark@example.org> 1767225600 +0000"


class SyntheticFiles:
    """Made-up files by number: the same number gives the same file."""

    def __init__(self) -> None:
        made = random.Random(0)
        self._words = ["".join(made.choices(_SYLLABLES, k=made.choice((1, 2, 2, 3)))) for _ in range(WORDS)]
        # Zipf's law with the exponent and the shift of English text.
        self._weights = list(itertools.accumulate((rank + 3) ** -1.05 for rank in range(WORDS)))
        self._names = [self._name(made) for _ in range(SHARED_NAMES)]

    def file(self, number: int) -> tuple[str, str]:
        """Path and text."""
        made = random.Random(number + 1)
        folder, package, name = self._some_words(made, 3)
        functions = made.randint(*FUNCTIONS_PER_FILE)
        shared = [self._names[int(SHARED_NAMES * made.random() ** 4)] for _ in range(NAMES_PER_FILE)]
        names = [*shared, *(self._name(made) for _ in range(NEW_NAMES_PER_FILE))]
        text = "\n\n".join(self._function(made, names) for _ in range(functions))
        return f"{folder}/{package}/{name}_{number}.py", text

    def _function(self, made: random.Random, names: list[str]) -> str:
        used = iter(made.choices(names, k=40))
        words = iter(self._some_words(made, 60))
        described = " ".join(itertools.islice(words, 10))
        lines = [f"def {self._name(made)}({next(used)}, {next(used)}):", f'    """{described.capitalize()}."""']
        size = sum(map(len, lines))
        target = made.randint(*FUNCTION_BYTES)
        while size < target:
            line = (
                f"    {next(used)} = {next(words)}.{next(used)}({next(words)}, {next(used)}={int(99 * made.random())})"
            )
            lines.append(line)
            size += len(line) + 1
        return "\n".join(lines) + "\n"

    def _name(self, made: random.Random) -> str:
        """A name of two or three words, in snake or camel case."""
        first, *others = self._some_words(made, made.choice((2, 2, 3)))
        if made.random() < 0.7:
            return "_".join((first, *others))
        return first + "".join(map(str.capitalize, others))

    def _some_words(self, made: random.Random, count: int) -> list[str]:
        return made.choices(self._words, cum_weights=self._weights, k=count)


def write_repository(folder: Path, *, chunks: int) -> None:
    """Make a bare repository of one commit that gives about so many chunks."""
    files = SyntheticFiles()
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", folder], check=True)
    # Without a search for deltas: it takes longer than the rest and finds little.
    command = ["git", "-C", str(folder), "fast-import", "--quiet", "--depth=0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        for part in _commands(files, range(files_for(chunks, files))):
            importer.stdin.write(part)
    if importer.returncode:
        raise subprocess.CalledProcessError(importer.returncode, command)


def files_for(chunks: int, files: SyntheticFiles) -> int:
    """How many files give so many chunks, by a sample."""
    sample = [files.file(number) for number in range(SAMPLE_FILES)]
    found = [len(split_text(text, path=path, language="python")) for path, text in sample]
    return max(1, round(chunks * len(found) / sum(found)))


def _commands(files: SyntheticFiles, numbers: range) -> Iterator[bytes]:
    """What `git fast-import` reads."""
    yield f"commit refs/heads/main\ncommitter {_AUTHOR}\ndata 9\nsynthetic\n".encode()
    for number in numbers:
        path, text = files.file(number)
        content = text.encode()
        yield f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n"
    yield b"done\n"
