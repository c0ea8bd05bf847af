"""Configuration files, merged below the environment: `./askrepo.toml` above the user's own file."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from askrepo.errors import UsageError
from askrepo.settings import SETTINGS, InvalidSettingError, absolute_directory, is_no

PROJECT_FILE = "askrepo.toml"
"""Read in the current directory only, never above it: a name of a file, not a path to look along."""
_BY_KEY = {setting.key: setting for setting in SETTINGS}
PROJECT_KEYS = frozenset(key for key, setting in _BY_KEY.items() if setting.in_project)
"""What a project's file may set. It comes with whatever was cloned, so that it may say what to ask, and never where
anything comes from or goes to: a setting is refused unless it says otherwise, new ones included."""

# Far more than all settings take. A TOML document of this size is read in milliseconds whatever it holds.
_MAX_BYTES = 16 * 1024
_MAX_SHOWN = 60


def user_file(env: Mapping[str, str]) -> Path:
    """Where the user's own configuration file is looked for."""
    home = absolute_directory(env, "HOME") or Path("/")
    return (absolute_directory(env, "XDG_CONFIG_HOME") or home / ".config") / "askrepo" / "config.toml"


def with_files(env: Mapping[str, str], *, directory: Path) -> dict[str, str]:
    """The environment, completed from `askrepo.toml` in a directory, then from the user's file.

    :raises UsageError: a file cannot be read, or holds something that is no setting of its; the message names both,
        and never quotes a value.
    """
    merged = dict(env)
    for file, is_project in ((directory / PROJECT_FILE, True), (user_file(env), False)):
        for key, value in _values(file, is_project=is_project).items():
            setting = _BY_KEY[key]
            if not merged.get(setting.name) and not merged.get(setting.kind.also):
                merged[setting.name] = value
    return merged


def _values(file: Path, *, is_project: bool) -> dict[str, str]:
    import tomllib

    try:
        content = _content(file, is_project=is_project)
        document = {} if content is None else tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        found = "it is nested too deep" if isinstance(error, RecursionError) else _shown(str(error))
        raise UsageError(f"{file} is not valid TOML: {found}") from None
    for key in document:
        _check_key(file, key, is_project=is_project)
    return {key: _checked(file, key, _text(file, key, value)) for key, value in document.items()}


def _content(file: Path, *, is_project: bool) -> bytes | None:
    """The file's bytes, None when there is none; never waits for a pipe or a device."""
    # A link of a project's file would have us read whatever it names.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (os.O_NOFOLLOW if is_project else 0)
    if is_project and file.is_symlink():
        raise UsageError(f"{file} is a symbolic link, which is not followed: write the settings into the file itself")
    try:
        descriptor = os.open(file, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{file} is not a file: remove it, or write settings into a file of that name")
        if not is_project:
            _check_owner(file, found)
        content = opened.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise UsageError(f"{file} is larger than {_MAX_BYTES // 1024} KiB, which settings never are")
    return content


def _check_owner(file: Path, found: os.stat_result) -> None:
    """Refuse what somebody else may have written: the user's file says where keys and passages are sent.

    Root may read what is another user's, as it does in `sudo -E`.
    """
    user = os.geteuid()
    if user and found.st_uid not in (0, user):
        raise UsageError(
            f"{file} belongs to another user (id {found.st_uid}): it is not read; remove it, or make it yours"
        )
    if found.st_mode & stat.S_IWOTH:
        raise UsageError(f"{file} can be written by every user of this machine: chmod go-w it first")


def _check_key(file: Path, key: str, *, is_project: bool) -> None:
    allowed = PROJECT_KEYS if is_project else frozenset(_BY_KEY)
    if key in allowed:
        return
    if key in _BY_KEY:
        raise UsageError(
            f"{file}: {key} may not be set in a project's file, which comes with other people's code; "
            f"use the environment variable {_BY_KEY[key].name} or your own configuration file. "
            f"A project's file may set: {', '.join(sorted(allowed))}"
        )
    raise UsageError(f"{file}: unknown setting {_shown(key)!r}; it may set: {', '.join(sorted(allowed))}")


def _text(file: Path, key: str, value: object) -> str:
    """The value as an environment variable holds it; a refused value is never quoted, it may be a secret."""
    kind = _BY_KEY[key].kind
    if kind.is_list and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        lists = " or a list of strings" if kind.is_list else ""
        raise UsageError(f"{file}: {key} must be a string, a number or a boolean{lists}")
    try:
        text = str(value)
    except ValueError:  # an integer of thousands of digits, which Python does not write
        text = "inf"
    if kind.may_be_off and is_no(text):
        return text
    if kind.is_path and "://" not in text and not text.startswith("~"):
        return str(file.parent / text)
    return text


def _checked(file: Path, key: str, text: str) -> str:
    """The value, when the setting takes it."""
    try:
        _BY_KEY[key].kind.read({_BY_KEY[key].name: text}, _BY_KEY[key].name)
    except InvalidSettingError as error:
        raise UsageError(f"{file}: {key} must be {error.requirement}") from None
    return text


def _shown(text: str) -> str:
    """The beginning of what a file holds, without characters that a message should not."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in text)
    return printable if len(printable) <= _MAX_SHOWN else printable[:_MAX_SHOWN] + "…"
