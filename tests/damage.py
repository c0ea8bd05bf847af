"""Seeded damage to the files of a published dataset."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from askrepo.store import inventory
from tests.datasets import BuiltAlias

ROOT = Path(__file__).resolve().parent.parent
ANSWERED_WITHIN_S = 30.0
FILES = {
    "README.md": "# Project\n\nCounts versions.\n\n## Use\n\nRun it.\n",
    **{
        f"module_{n}.py": "\n\n".join(f"def function_{n}_{m}():\n    return 'version {m} of {n}'\n" for m in range(9))
        for n in range(6)
    },
}

Damage = Callable[[Path, random.Random], None]


def files_of(dataset: Path) -> list[Path]:
    """Deep Lake's own files, by name."""
    return sorted(path for path in dataset.rglob("*") if path.is_file() and path.name != inventory.FILE)


def any_file(dataset: Path, rng: random.Random) -> Path:
    return rng.choice([path for path in files_of(dataset) if path.stat().st_size])


def _overwrite(path: Path, content: bytes | bytearray) -> None:
    """Write in place and set the time of change back, as a careless tool would."""
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def flip_bit(dataset: Path, rng: random.Random) -> None:
    path = any_file(dataset, rng)
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    _overwrite(path, content)


def _block(dataset: Path, rng: random.Random, fill: Callable[[int], bytes]) -> None:
    path = any_file(dataset, rng)
    content = bytearray(path.read_bytes())
    start = rng.randrange(len(content))
    stop = min(len(content), start + rng.choice([1, 16, 512, 4096]))
    before = bytes(content)
    content[start:stop] = fill(stop - start)
    if bytes(content) == before:
        content[start] ^= 0xFF
    _overwrite(path, content)


def zero_block(dataset: Path, rng: random.Random) -> None:
    _block(dataset, rng, bytes)


def random_block(dataset: Path, rng: random.Random) -> None:
    _block(dataset, rng, rng.randbytes)


def swap_files(dataset: Path, rng: random.Random) -> None:
    """The contents of two files, of the same size where there are such."""
    one = any_file(dataset, rng)
    content = one.read_bytes()
    others = [path for path in files_of(dataset) if path.read_bytes() != content]
    alike = [path for path in others if path.stat().st_size == len(content)]
    other = rng.choice(alike or others)
    swapped = other.read_bytes()
    other.write_bytes(content)
    one.write_bytes(swapped)


def truncate(dataset: Path, rng: random.Random) -> None:
    path = any_file(dataset, rng)
    os.truncate(path, rng.randrange(path.stat().st_size))


def grow(dataset: Path, rng: random.Random) -> None:
    with any_file(dataset, rng).open("ab") as file:
        file.write(rng.randbytes(rng.choice([1, 100])))


def remove(dataset: Path, rng: random.Random) -> None:
    rng.choice(files_of(dataset)).unlink()


def add(dataset: Path, rng: random.Random) -> None:
    """Another file beside one of them, as the next of its kind."""
    path = rng.choice(files_of(dataset))
    shutil.copyfile(path, path.with_name(f"{rng.randrange(10**6)}{path.name}"))


def exchange(dataset: Path, rng: random.Random) -> None:
    """Something that is no file in the place of one."""
    path = rng.choice(files_of(dataset))
    path.unlink()
    rng.choice([path.mkdir, lambda: os.mkfifo(path), lambda: path.symlink_to("nowhere")])()


def lose_list(dataset: Path, rng: random.Random) -> None:
    """The inventory, and a bit of a file that it lists."""
    flip_bit(dataset, rng)
    (dataset / inventory.FILE).unlink()


def renew_list(dataset: Path, rng: random.Random) -> None:
    """A list that fits the damage."""
    flip_bit(dataset, rng)
    inventory.write(dataset)


def break_list(dataset: Path, rng: random.Random) -> None:
    path = dataset / inventory.FILE
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    _overwrite(path, content)


def block_list(dataset: Path, rng: random.Random) -> None:
    """A pipe in the place of the list, which nobody ever writes to."""
    (dataset / inventory.FILE).unlink()
    os.mkfifo(dataset / inventory.FILE)


# Changes that keep every size are the ones that nothing else shows, so that they are tried most often.
KINDS: tuple[Damage, ...] = (
    *(flip_bit, zero_block, random_block, swap_files) * 4,
    *(truncate, grow, remove, add, exchange, lose_list, renew_list, break_list, block_list),
)


def outcomes(built: BuiltAlias, cases: int) -> dict[str, int]:
    """How many cases came to what; a crash or a silence is an outcome too, and the rest is tried after it."""
    found: dict[str, int] = {}
    seed = 0
    while seed < cases:
        command = [sys.executable, "-m", "tests.damage_process", built.workspace.url, str(built.settings.cache)]
        with subprocess.Popen([*command, str(seed), str(cases - seed)], cwd=ROOT, stdout=subprocess.PIPE) as process:
            for outcome in read_outcomes(process):
                found[outcome] = found.get(outcome, 0) + 1
                seed += 1
    return found


def read_outcomes(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """The outcome of each case as it comes."""
    assert process.stdout is not None
    kind = None
    while select.select([process.stdout], [], [], ANSWERED_WITHIN_S)[0]:
        line = process.stdout.readline()
        if not line:
            break
        said = json.loads(line)
        kind = said.get("kind", kind)
        if "outcome" in said:
            yield said["outcome"] if said["outcome"] in ("refused", "same") else f"{kind}: {said['outcome']}"
            kind = None
    process.kill()
    assert process.wait() == 0 or kind, "the process failed between two cases"
    if kind:
        yield f"{kind}: {'silent' if process.returncode == -9 else f'crashed with {process.returncode}'}"
