"""What make's targets write is for whoever runs them: passwords, logs, the source that was read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from askrepo.settings import Settings
from tools.airflow_home import ROOT, SetUpError

UMASK = 0o077
OTHERS = stat.S_IRWXG | stat.S_IRWXO
# Of Airflow's home, whatever else somebody keeps in that folder.
AIRFLOWS = ("airflow.*", "simple_auth_manager_passwords*", "logs", "migrated", "migrating.*", "serving.*")


def keep_private(environment: Mapping[str, str]) -> None:
    """Give files written from now on to nobody else, and take existing ones away from others.

    :raises SetUpError: Airflow's home cannot be made, or belongs to somebody else.
    """
    os.umask(UMASK)
    home, workspace = Path(environment["AIRFLOW_HOME"]), ROOT / ".workspace"
    advice = "set ASKREPO_AIRFLOW_HOME to a folder of your own"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetUpError(f"cannot make the folder {home}: {error.strerror}; {advice}") from error
    try:
        _close_home(home)
    except OSError as error:
        raise SetUpError(f"cannot close {home} to other users: {error.strerror}; {advice}") from error
    # A workspace that somebody chose and shares on purpose is theirs; so is what has another owner.
    with suppress(OSError):
        if environment["ASKREPO_WORKSPACE"] == str(workspace):
            _close_folder(workspace)
    with suppress(OSError):
        _close(Settings.from_env(environment).cache)


def _close_home(home: Path) -> None:
    # A folder that everybody may write to, and a person's home, have other uses.
    if not home.stat().st_mode & stat.S_ISVTX and home != _home_of_person():
        _close(home)
    for pattern in AIRFLOWS:
        for path in home.glob(pattern):
            _close_folder(path) if path.is_dir() else _close(path)


def _home_of_person() -> Path | None:
    with suppress(RuntimeError):
        return Path.home()
    return None


def _close_folder(folder: Path) -> None:
    """Close it and all in it; one that is closed was closed with all in it, and stays so by the umask."""
    if _close(folder):
        for path in _below(folder):
            with suppress(FileNotFoundError):  # removed meanwhile
                _close(path)


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def _close(path: Path) -> bool:
    """Whether others had any right; what a link leads to is not ours to change."""
    mode = stat.S_IMODE(path.lstat().st_mode)
    if path.is_symlink() or not mode & OTHERS:
        return False
    path.chmod(mode & ~OTHERS)
    return True
