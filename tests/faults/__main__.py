"""Run cases by their seeds: python -m tests.faults SEED…"""

from __future__ import annotations

import argparse
import pickle
import sys
import tempfile
from pathlib import Path

from tests.faults.harness import Rig, run_case


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Run cases by their seeds.")
    parser.add_argument("seeds", nargs="+", type=int, metavar="SEED")
    parser.add_argument("--rig", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--disk", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="askrepo-faults-") as folder:
        if arguments.disk:
            return _one_on_disk(arguments.seeds[0], arguments.rig, arguments.disk, Path(folder))
        return _all(arguments.seeds, Path(folder))


def _all(seeds: list[int], folder: Path) -> int:
    rig = Rig.prepare(folder / "rig")
    failed = 0
    try:
        for number, seed in enumerate(seeds):
            report = run_case(seed, rig, folder / f"case-{number}")
            failed += bool(report.wrong)
            sys.stdout.write(f"{'WRONG' if report.wrong else 'right'} after {report.seconds:.1f} s, {report}\n")
            sys.stdout.flush()
    finally:
        rig.close()
    return 1 if failed else 0


def _one_on_disk(seed: int, root: Path, disk: Path, folder: Path) -> int:
    rig = Rig.existing(root)
    try:
        report = run_case(seed, rig, folder / "case", disk=disk)
    finally:
        rig.close()
    sys.stdout.buffer.write(pickle.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
