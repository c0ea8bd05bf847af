"""Settings of a process, read from its environment in one place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from askrepo.errors import UsageError
from askrepo.types import check_alias

MEBIBYTE = 1024 * 1024
# Bounds of what nobody means: beyond them clocks, sizes and counters overflow somewhere below.
MAX_MEBIBYTES = 1e9
MAX_S = 3.2e8  # ten years
MAX_CHOICES = 100  # patterns of paths, or languages: each is compared with every path of a dataset
MAX_K = 100  # as askrepo.search.search.MAX_K, which is not imported for a setting

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_MAX_SHOWN_CHARS = 60


class InvalidSettingError(UsageError):
    """A setting has a value that it cannot have.

    :ivar name: its environment variable.
    :ivar requirement: what it must be, as the end of a sentence; the value is in the message alone.
    """

    def __init__(self, name: str, requirement: str, found: str) -> None:
        shown = found if len(found) <= _MAX_SHOWN_CHARS else f"{found[:_MAX_SHOWN_CHARS]}…"
        super().__init__(f"{name} must be {requirement}, found {shown!r}")
        self.name = name
        self.requirement = requirement


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between installations; functions take the values they need, not this object.

    :ivar workspace: URL of the workspace: a directory, `file://`, `s3://`, `gs://` or `az://`.
    :ivar datasets: URL under which datasets are written when not in the workspace, or None.
    :ivar cache: directory for what can be made again (the re-packed model, copies of remote datasets).
    :ivar cache_bytes: size of all copies of remote datasets together, 0 for none.
    :ivar allow_local: whether clone may read repositories of this machine (`file://`, paths): none, any, or those below
        a folder.
    :ivar min_size_ratio: swap refuses a dataset with fewer chunks than this share of the current one's.
    :ivar retention: datasets kept per alias, the current one included.
    :ivar grace_s: a dataset that no alias needs is removed only when it was left this many seconds ago.
    :ivar run_retention_days: days that runs and snapshots stay which nobody is known to need.
    :ivar embed_max_texts: most texts of one request to a remote embedder.
    :ivar embed_max_tokens: a remote embedder gets so many tokens of a text; part of its fingerprint.
    :ivar answers: file that answers are kept in, None to keep none.
    :ivar chat_timeout_s: how long a chat endpoint may stay silent.
    :ivar chat_max_s: how long an answer may take in all.
    :ivar chat_max_chars: how long an answer may become, the model's reasoning included.
    :ivar context_tokens: tokens of passages that a chat model gets per question.
    :ivar steps: replies with which a chat model may look further before it answers; 0 answers from one search.
    :ivar reading_tokens: tokens of passages and results that it may gather in all.
    :ivar mcp_token: what clients of `askrepo mcp --http` must send; None asks nothing of this machine's.
    :ivar alias: the alias that questions go to when none is named.
    :ivar k: hits per question, None for the command's own default.
    :ivar strategy: how hits are ranked; checked where it is used.
    :ivar path: patterns of the paths that questions are asked of when none is given; none for all paths.
    :ivar language: languages likewise.
    """

    workspace: str
    datasets: str | None
    cache: Path
    cache_bytes: int
    answers: Path | None
    allow_local: bool | Path
    clone_timeout_s: float
    max_repository_bytes: int
    max_file_bytes: int
    embed_threads: int
    openai_api_key: str | None
    openai_base_url: str | None
    chat_model: str | None
    min_size_ratio: float
    retention: int
    grace_s: float
    run_retention_days: float
    embed_max_texts: int
    embed_max_tokens: int
    chat_timeout_s: float
    chat_max_s: float
    chat_max_chars: int
    context_tokens: int
    steps: int
    reading_tokens: int
    mcp_token: str | None
    alias: str | None
    k: int | None
    strategy: str | None
    path: tuple[str, ...] = ()
    language: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Settings from environment variables; an empty variable counts as unset.

        :raises UsageError: a variable's value has the wrong shape; the message names it.
        """
        home = absolute_directory(env, "HOME") or Path("/")
        data_home = absolute_directory(env, "XDG_DATA_HOME") or home / ".local" / "share"
        cache_home = absolute_directory(env, "XDG_CACHE_HOME") or home / ".cache"
        state_home = absolute_directory(env, "XDG_STATE_HOME") or home / ".local" / "state"
        return cls(
            workspace=env.get("ASKREPO_WORKSPACE") or str(data_home / "askrepo"),
            datasets=env.get("ASKREPO_DATASETS") or None,
            cache=_directory(env, "ASKREPO_CACHE") or cache_home / "askrepo",
            # a dataset of 100,000 chunks takes about 400 MB
            cache_bytes=int(_number(env, "ASKREPO_CACHE_MB", 4096.0, low=0, high=MAX_MEBIBYTES) * MEBIBYTE),
            answers=_file_or_off(env, "ASKREPO_ANSWERS", state_home / "askrepo" / "answers.db"),
            allow_local=_boolean_or_folder(env, "ASKREPO_ALLOW_LOCAL"),
            clone_timeout_s=_number(env, "ASKREPO_CLONE_TIMEOUT_S", 1800.0, low=1, high=MAX_S),
            max_repository_bytes=int(
                _number(env, "ASKREPO_MAX_REPOSITORY_MB", 4096.0, low=1, high=MAX_MEBIBYTES) * MEBIBYTE
            ),
            max_file_bytes=_whole(env, "ASKREPO_MAX_FILE_BYTES", 1_000_000, low=1, high=10**15),
            embed_threads=_whole(env, "ASKREPO_EMBED_THREADS", 0, low=0, high=1024),
            openai_api_key=env.get("ASKREPO_OPENAI_API_KEY") or env.get("OPENAI_API_KEY") or None,
            openai_base_url=(env.get("ASKREPO_OPENAI_BASE_URL") or env.get("OPENAI_BASE_URL") or "").strip() or None,
            chat_model=env.get("ASKREPO_CHAT_MODEL") or None,
            min_size_ratio=_number(env, "ASKREPO_MIN_SIZE_RATIO", 0.5, low=0, high=1),
            retention=_whole(env, "ASKREPO_RETENTION", 3, low=1, high=10**6),
            grace_s=_number(env, "ASKREPO_GRACE_S", 3600.0, low=0, high=MAX_S),
            run_retention_days=_number(env, "ASKREPO_RUN_RETENTION_DAYS", 7.0, low=1, high=3650),
            chat_timeout_s=_number(env, "ASKREPO_CHAT_TIMEOUT_S", 60.0, low=0.1, high=MAX_S),
            # OpenAI's limits (API reference, create embeddings); other services tell theirs by refusing
            embed_max_texts=_whole(env, "ASKREPO_EMBED_MAX_TEXTS", 2048, low=1, high=10**6),
            embed_max_tokens=_whole(env, "ASKREPO_EMBED_MAX_TOKENS", 8191, low=16, high=10**7),
            # a slow model on a small machine; long answers with their reasoning have some 20,000 characters
            chat_max_s=_number(env, "ASKREPO_CHAT_MAX_S", 600.0, low=0.1, high=MAX_S),
            chat_max_chars=_whole(env, "ASKREPO_CHAT_MAX_CHARS", 400_000, low=1, high=10**9),
            # about 25 passages of 750 characters; small local models take 8,000 tokens in all
            context_tokens=_whole(env, "ASKREPO_CONTEXT_TOKENS", 6000, low=200, high=10**7),
            # no better after two or three searches, and done below 20,000 tokens (arXiv 2603.08877, 2602.16069)
            steps=_whole(env, "ASKREPO_STEPS", 6, low=0, high=100),
            reading_tokens=_whole(env, "ASKREPO_READING_TOKENS", 32_000, low=200, high=10**7),
            mcp_token=(env.get("ASKREPO_MCP_TOKEN") or "").strip() or None,
            alias=_alias(env, "ASKREPO_ALIAS"),
            k=_whole(env, "ASKREPO_K", 0, low=1, high=MAX_K) or None,
            strategy=env.get("ASKREPO_STRATEGY") or None,
            path=_lines(env, "ASKREPO_PATH"),
            language=_lines(env, "ASKREPO_LANGUAGE"),
        )


def absolute_directory(env: Mapping[str, str], name: str) -> Path | None:
    """The directory that a variable names; None when unset or relative.

    A relative one would be looked for in the current directory, which may be anybody's (XDG base directory
    specification: "consider the path invalid and ignore it").
    """
    text = env.get(name) or ""
    return Path(text) if text.startswith("/") else None


def _directory(env: Mapping[str, str], name: str) -> Path | None:
    """The directory that a variable names, of the home directory where it begins with `~`."""
    text = env.get(name)
    try:
        return Path(text).expanduser() if text else None
    except RuntimeError:
        raise InvalidSettingError(name, "a directory, and ~name one of an existing user", text or "") from None


def _file_or_off(env: Mapping[str, str], name: str, default: Path) -> Path | None:
    """The file that a variable names, the default when unset, None when it says no."""
    text = (env.get(name) or "").strip()
    return None if is_no(text) else _directory(env, name) or default


def is_no(text: str) -> bool:
    """Whether a setting says no, however it is written."""
    return text.strip().lower() in {"0", "false", "no", "off", "none"}


def _number(env: Mapping[str, str], name: str, default: float, *, low: float = 0, high: float = 1e15) -> float:
    """A number between the bounds, written as a decimal: no NaN, no infinity, no digits of other scripts."""
    text = (env.get(name) or "").strip()
    if not text:
        return default
    value = float(text) if _NUMBER.fullmatch(text) else float("nan")
    if not low <= value <= high:
        raise InvalidSettingError(name, f"a number between {low:g} and {high:.15g}", text)
    return value


def _whole(env: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    """Likewise, without a fraction."""
    text = (env.get(name) or "").strip()
    if not text:
        return default
    value = float(text) if _WHOLE.fullmatch(text) else float("nan")
    if not low <= value <= high:
        raise InvalidSettingError(name, f"a whole number between {low} and {high}", text)
    return int(value)


def _lines(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The variable's lines, each an item."""
    lines = tuple(line.strip() for line in (env.get(name) or "").splitlines() if line.strip())
    if len(lines) > MAX_CHOICES:
        raise InvalidSettingError(name, f"no more than {MAX_CHOICES} values, one a line", f"{len(lines)} values")
    return lines


def _alias(env: Mapping[str, str], name: str) -> str | None:
    text = env.get(name)
    if not text:
        return None
    try:
        return check_alias(text)
    except UsageError:
        requirement = "the name of an alias (lower-case letters, digits, '.', '_' and '-')"
        raise InvalidSettingError(name, requirement, text) from None


def _boolean_or_folder(env: Mapping[str, str], name: str) -> bool | Path:
    text = (env.get(name) or "").strip()
    if text.startswith("~/") or text == "~":
        text = f"{env.get('HOME') or '/'}{text[1:]}"
    if text.startswith("/"):
        return Path(text)
    try:
        return _boolean(env, name, False)
    except InvalidSettingError:
        raise InvalidSettingError(name, "true, false or the absolute path of a folder", text) from None


def _boolean(env: Mapping[str, str], name: str, default: bool) -> bool:
    text = (env.get(name) or "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise InvalidSettingError(name, "true or false", text)
