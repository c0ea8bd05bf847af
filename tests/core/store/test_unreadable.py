"""What this machine does not let us read is told apart from damage."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from askrepo.errors import DatasetCorruptedError, DatasetUnreadableError
from askrepo.store.deeplake import reading
from tests.datasets import BuiltAlias, build_alias

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
# Root reads what nobody gave it the right to, unless it lays that right down.
WITHOUT_RIGHTS = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    if os.geteuid() == 0
    else []
)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> BuiltAlias:
    return build_alias(tmp_path_factory.mktemp("unreadable"), {"a.py": "def first():\n    pass\n"})


@pytest.fixture(scope="module")
def found(built) -> dict[tuple[str, str], dict]:
    """What the command said in each case."""
    if WITHOUT_RIGHTS and not shutil.which("setpriv"):
        pytest.skip("root can lay its rights down with setpriv only (util-linux)")
    arguments = [built.workspace.url, str(built.settings.cache), built.entry.manifest.dataset]
    command = [*WITHOUT_RIGHTS, sys.executable, "-m", "tests.unreadable_process", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    lines = map(json.loads, run.stdout.splitlines())
    return {(line["command"], line["case"]): line for line in lines}


@pytest.mark.parametrize(
    "case",
    [
        *("dataset", "log", "file", "folder in it", "list", "datasets"),
        *("alias", "entry", "workspace", "folder around it"),
    ],
)
def test_a_missing_right_is_named_and_is_no_damage(found, case):
    said = found["search", case]
    assert (said["exit"], said["out"]) == (3, ""), said
    assert "ermission denied" in said["err"]
    assert "give this user the right" in said["err"]
    assert not {"damaged", "rollback", "pipeline", "Traceback"} & set(said["err"].replace("`", " ").split())
    assert len(said["err"].splitlines()) == 1


@pytest.mark.parametrize("case", ["dataset", "file", "list"])
def test_doctor_names_it_and_goes_on(found, case):
    said = found["doctor", case]
    assert said["exit"] == 3
    assert "Permission denied" in said["out"]
    assert "damaged" not in said["out"]
    assert said["out"].splitlines()[-1].startswith("ok")


@pytest.mark.parametrize("case", ["nothing", "cache"])
def test_the_right_to_the_cache_is_not_needed(found, case):
    assert (found["search", case]["exit"], found["search", case]["err"].count("\n")) == (0, 1), found["search", case]


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> BuiltAlias:
    return build_alias(tmp_path_factory.mktemp("local"), {"a.py": "def first():\n    pass\n"}, embedder="local")


@pytest.mark.parametrize(
    ("mebibytes", "user"), [(1000, "Deep Lake"), (2100, "local embedder"), (2600, "local embedder")], ids=str
)
def test_too_little_address_space_is_told_before_native_code_starts(local, mebibytes, user):
    run = subprocess.run(
        [sys.executable, "-m", "askrepo_query", "search", "first", "--workspace", local.workspace.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (mebibytes * 1024**2,) * 2),
    )
    assert (run.returncode, run.stdout) == (3, "")
    assert "ulimit -v" in run.stderr
    assert user in run.stderr
    assert "damaged" not in run.stderr
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (MemoryError(), "free memory"),
        (RuntimeError("std::bad_alloc"), "free memory"),
        (RuntimeError("filesystem error: cannot open: Cannot allocate memory [/x]"), "free memory"),
        (RuntimeError("can't start new thread"), "no thread can be started"),
        (RuntimeError("Resource temporarily unavailable"), "no thread can be started"),
        (RuntimeError("filesystem error: Permission denied [/x]"), "right to read"),
        (PermissionError(errno.EPERM, os.strerror(errno.EPERM)), "right to read"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "ulimit -n"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "make room"),
        (KeyError("No space left on device"), "make room"),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "check the disk"),
        (OSError(errno.ESTALE, os.strerror(errno.ESTALE)), "mount"),
    ],
    ids=lambda value: repr(value) if isinstance(value, Exception) else "",
)
def test_what_the_machine_refuses_is_no_damage(error, advice):
    with pytest.raises(DatasetUnreadableError, match=advice) as refused, reading("/datasets/main/one"):
        raise error
    assert "damaged" not in str(refused.value)
    assert "rollback" not in str(refused.value)


@pytest.mark.parametrize("error", [RuntimeError("Invalid chunk"), KeyError("Key not found"), ValueError("x")])
def test_everything_else_is_damage(error):
    with pytest.raises(DatasetCorruptedError, match="askrepo rollback"), reading("/datasets/main/one"):
        raise error
