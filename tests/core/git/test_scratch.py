import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from askrepo.git import scratch
from askrepo.git.scratch import scratch_folder

ENDS = (
    "import os, signal; from askrepo.git.scratch import scratch_folder;"
    "folder = scratch_folder('askrepo-try-'); print(folder.__enter__(), flush=True);"
)


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_folder_goes_with_its_block(tmp_path):
    with scratch_folder("askrepo-try-") as folder:
        assert list(folder.iterdir()) == []

    assert list(tmp_path.iterdir()) == []


def test_folder_of_a_killed_process_goes_with_the_next_one(tmp_path):
    subprocess.run([sys.executable, "-c", f"{ENDS} os.kill(os.getpid(), signal.SIGKILL)"], check=False)
    assert len(list(tmp_path.iterdir())) == 1

    with scratch_folder("askrepo-try-"):
        assert len(list(tmp_path.iterdir())) == 1


def test_folder_in_use_stays(tmp_path):
    with scratch_folder("askrepo-try-") as outer, scratch_folder("askrepo-try-") as inner:
        assert outer.is_dir()
        assert inner.is_dir()


def test_folder_in_use_by_another_process_stays(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", f"{ENDS} input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    folder = other.stdout.readline().decode().strip()

    with scratch_folder("askrepo-try-"):
        assert Path(folder).is_dir()

    other.communicate(b"\n")


def test_folder_that_is_just_being_made_stays(tmp_path, monkeypatch):
    made = tmp_path / "askrepo-try-new"
    made.mkdir()

    with scratch_folder("askrepo-try-"):
        assert made.is_dir()
    monkeypatch.setattr(scratch, "_UNLOCKED_S", -1.0)
    with scratch_folder("askrepo-try-"):
        assert not made.is_dir()


def test_link_and_what_is_not_ours_stay(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "in-use").write_text("")
    (tmp_path / "askrepo-try-link").symlink_to(kept)
    (tmp_path / "askrepo-other").mkdir()

    with scratch_folder("askrepo-try-"):
        assert (kept / "in-use").exists()
        assert (tmp_path / "askrepo-try-link").is_symlink()
        assert (tmp_path / "askrepo-other").is_dir()
