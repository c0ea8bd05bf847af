"""A file opened in the user's editor, at a line."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from askrepo.errors import UsageError

PLUS_LINE = frozenset({"vi", "vim", "nvim", "gvim", "view", "nano", "emacs", "emacsclient"})
"""Editors that take `+LINE FILE`."""
GO_TO = frozenset({"code", "code-insiders", "codium"})
"""Editors that take `-g FILE:LINE`."""


def open_in_editor(file: Path, line: int, *, env: Mapping[str, str]) -> None:
    """Run `$VISUAL`, else `$EDITOR`, until it ends.

    :param file: absolute.
    :param line: 1-based; editors that are not known here open the file at its beginning.
    :raises UsageError: no editor is named, it is not there, or it failed.
    """
    command = _command(env)
    try:
        done = subprocess.run([*command, *_place(command[0], file, line)], check=False)
    except OSError as error:
        raise UsageError(f"the editor {command[0]!r} cannot be started: {error.strerror}") from error
    if done.returncode:
        raise UsageError(f"the editor {command[0]!r} ended with exit code {done.returncode}")


def _command(env: Mapping[str, str]) -> list[str]:
    """The editor's program with its arguments, as a shell would part them; no shell runs."""
    for name in ("VISUAL", "EDITOR"):
        text = env.get(name) or ""
        try:
            command = shlex.split(text)
        except ValueError as error:
            raise UsageError(f"{name} must be a command, found {text[:60]!r}: {str(error).lower()}") from error
        if not command or not command[0]:
            continue
        if shutil.which(command[0], path=env.get("PATH")) is None:
            raise UsageError(f"{name} names the program {command[0]!r}, which is not there: set {name} to your editor")
        return command
    raise UsageError("--open needs an editor: set VISUAL or EDITOR, such as EDITOR=vim")


def _place(program: str, file: Path, line: int) -> list[str]:
    name = Path(program).name
    if name in PLUS_LINE:
        return [f"+{line}", str(file)]
    return ["-g", f"{file}:{line}"] if name in GO_TO else [str(file)]
