"""Configuration files, merged below the environment: `./askrepo.toml` above the user's own file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from askrepo.errors import UsageError

PROJECT_FILE = "askrepo.toml"

_KEYS = frozenset({
    "alias", "allow_local", "cache", "cache_mb", "chat_model", "chat_timeout_s", "clone_timeout_s", "context_tokens",
    "datasets", "embed_threads", "grace_s", "k", "max_file_bytes", "max_repository_mb", "min_size_ratio",
    "openai_api_key", "openai_base_url", "retention", "run_retention_days", "strategy", "workspace",
})  # fmt: skip
# A project file comes with whatever was cloned: it must neither carry a key nor say where yours is sent,
# nor open this machine's own repositories to clone.
_USER_ONLY = frozenset({"openai_api_key", "openai_base_url", "allow_local"})
_PATHS = frozenset({"workspace", "datasets", "cache"})
# The general names that count as the environment's word on the same setting.
_GENERAL_NAMES = {"openai_api_key": "OPENAI_API_KEY", "openai_base_url": "OPENAI_BASE_URL"}


def user_file(env: Mapping[str, str]) -> Path:
    """Where the user's own configuration file is looked for."""
    home = Path(env.get("HOME") or "/")
    return Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "askrepo" / "config.toml"


def with_files(env: Mapping[str, str], *, directory: Path) -> dict[str, str]:
    """The environment, completed from `askrepo.toml` in a directory, then from the user's file.

    :raises UsageError: a file cannot be read, or holds something that is no setting; the message names it.
    """
    merged = dict(env)
    for file, is_project in ((directory / PROJECT_FILE, True), (user_file(env), False)):
        for key, value in _values(file, is_project=is_project).items():
            name = f"ASKREPO_{key.upper()}"
            if not merged.get(name) and not merged.get(_GENERAL_NAMES.get(key, "")):
                merged[name] = value
    return merged


def _values(file: Path, *, is_project: bool) -> dict[str, str]:
    import tomllib

    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from error
    return {key: _text(file, key, value, is_project=is_project) for key, value in document.items()}


def _text(file: Path, key: str, value: object, *, is_project: bool) -> str:
    """The value as an environment variable holds it; a refused value is never quoted, it may be a secret."""
    if key not in _KEYS:
        raise UsageError(f"{file}: unknown setting {key!r}; known settings: {', '.join(sorted(_KEYS))}")
    if is_project and key in _USER_ONLY:
        raise UsageError(
            f"{file}: {key} may not be set in a project's file, which comes with other people's code; "
            f"use the environment variable ASKREPO_{key.upper()} or your own configuration file"
        )
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise UsageError(f"{file}: {key} must be a string, a number or a boolean")
    text = str(value)
    if key in _PATHS and "://" not in text and not text.startswith("~"):
        return str(file.parent / text)
    return text
