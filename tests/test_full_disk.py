"""A disk that fills up while a dataset is built: a real file system of a few MiB, in a mount namespace of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.conftest import GitRepository

ROOT = Path(__file__).resolve().parent.parent
MOUNT = 'mount -t tmpfs -o size=48m tmpfs "$1" && shift && exec "$@"'


def test_a_full_disk_fails_the_build_and_nothing_else(
    make_repository: Callable[..., GitRepository], tmp_path: Path
) -> None:
    repository = make_repository("project", {f"m{n}.py": f"def value_{n}():\n    return {n}\n" * 40 for n in range(20)})
    disk = tmp_path / "disk"
    disk.mkdir()
    inner = [sys.executable, "-m", "tests.full_disk_process", str(disk), repository.url]
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh", str(disk), *inner]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["error"] == "StorageError"
    assert "free" in result["message"]
    assert result["full"] == result["before"]
    assert result["hits"] > 0
    assert result["after"] != result["before"]
