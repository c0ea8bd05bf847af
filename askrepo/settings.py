"""Every setting, said once: its name, what it may be, its default, what it does and who reads it.

Parsing, configuration files, `docs/settings.md` and `.env.example` come from here; docker-compose.yaml is compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

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


def _auto_or_off(env: Mapping[str, str], name: str) -> bool:
    """Whether the variable lets something be found out: it says auto or nothing, and does not say no."""
    text = (env.get(name) or "auto").strip().lower()
    if not is_no(text) and text not in {"", "auto"}:
        raise InvalidSettingError(name, "auto or off", text)
    return not is_no(text)


def _number(env: Mapping[str, str], name: str, default: float, *, low: float = 0, high: float = 1e15) -> float:
    """A number between the bounds, written as a decimal: no NaN, no infinity, no digits of other scripts."""
    text = (env.get(name) or "").strip()
    if not text:
        return default
    value = float(text) if _NUMBER.fullmatch(text) else float("nan")
    if not low <= value <= high:
        raise InvalidSettingError(name, f"a number between {low:g} and {high:.15g}", text)
    return value


def _whole(env: Mapping[str, str], name: str, default: int | None, *, low: int, high: int) -> int | None:
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


PERMALINK, NO_LINKS = "permalink", "off"
EDITOR_LINKS = {
    "vscode": "vscode://file{path}:{line}",
    "vscode-insiders": "vscode-insiders://file{path}:{line}",
    "vscodium": "vscodium://file{path}:{line}",
    "cursor": "cursor://file{path}:{line}",
    "zed": "zed://file{path}:{line}",
    "idea": "idea://open?file={path}&line={line}",
    "file": "file://{host}{path}",
}
"""Addresses by which editors open a file; `{path}` begins with a slash."""
_LINK = re.compile(r"[a-z][a-z0-9+.-]{0,30}:(?:[!-z|~]|\{path\}|\{line\}|\{host\}){1,300}")


def _links(env: Mapping[str, str], name: str) -> str:
    """The address of a place in an editor, `permalink` or `off`."""
    text = (env.get(name) or PERMALINK).strip()
    if is_no(text):
        return NO_LINKS
    if text.lower() in (PERMALINK, *EDITOR_LINKS):
        return EDITOR_LINKS.get(text.lower(), PERMALINK)
    if not _LINK.fullmatch(text) or "{path}" not in text:
        known = ", ".join((PERMALINK, *EDITOR_LINKS, NO_LINKS))
        raise InvalidSettingError(name, f"{known}, or an address with {{path}} and {{line}}", text)
    return text


def _ours(env: Mapping[str, str], base: str, fallback: str) -> Path:
    """Our directory below one that an XDG variable names, else below a folder of the home directory."""
    home = absolute_directory(env, "HOME") or Path("/")
    return (absolute_directory(env, base) or home / fallback) / "askrepo"


@dataclass(frozen=True, slots=True)
class ValueKind:
    """What a setting may be.

    :ivar words: that, for a reader.
    :ivar default: what it is when unset, for a reader; "" for nothing.
    :ivar read: its value, of an environment and the variable's name.
    :ivar also: a more general variable that counts where this one is unset; "" for none.
    :ivar is_path: whether a relative path in a configuration file starts at that file's folder.
    :ivar may_be_off: whether "off" is a value.
    :ivar is_list: whether a configuration file may have a list; the environment has one item a line.
    """

    words: str
    default: str
    read: Callable[[Mapping[str, str], str], Any]
    also: str = ""
    is_path: bool = False
    may_be_off: bool = False
    is_list: bool = False


def whole(default: int | None, low: int, high: int) -> ValueKind:
    """A whole number between the bounds."""
    shown = "" if default is None else str(default)
    return ValueKind(
        f"whole number, {low:,} to {high:,}", shown, lambda env, name: _whole(env, name, default, low=low, high=high)
    )


def number(default: float, low: float, high: float) -> ValueKind:
    """A number between the bounds."""
    words = f"number, {low:,g} to {high:,.15g}"
    return ValueKind(words, f"{default:g}", lambda env, name: _number(env, name, default, low=low, high=high))


def mebibytes(default: float, low: float) -> ValueKind:
    """A size in mebibytes, read as bytes."""
    size = number(default, low, MAX_MEBIBYTES)
    return ValueKind(size.words, size.default, lambda env, name: int(size.read(env, name) * MEBIBYTE))


def folder(base: str, fallback: str) -> ValueKind:
    """A directory; unset it is `askrepo` below the one that an XDG variable names, else below one of the home."""
    return ValueKind(
        "directory",
        f"~/{fallback}/askrepo",
        lambda env, name: _directory(env, name) or _ours(env, base, fallback),
        is_path=True,
    )


def _place(base: str, fallback: str) -> ValueKind:
    """Likewise, or a URL; not looked at here."""
    return ValueKind(
        "directory or URL",
        f"~/{fallback}/askrepo",
        lambda env, name: env.get(name) or str(_ours(env, base, fallback)),
        is_path=True,
    )


def text(words: str = "text", default: str = "", *, also: str = "", is_path: bool = False) -> ValueKind:
    """Text as it is, else that of a more general variable; None when both are unset."""
    return ValueKind(words, default, lambda env, name: env.get(name) or env.get(also) or None, also, is_path)


def file_or_off(base: str, fallback: str, name: str) -> ValueKind:
    """A file, None for "off"; unset it is one of that name in our directory, as for `folder`."""
    return ValueKind(
        "file, or `off`",
        f"~/{fallback}/askrepo/{name}",
        lambda env, variable: _file_or_off(env, variable, _ours(env, base, fallback) / name),
        is_path=True,
        may_be_off=True,
    )


def _endpoint(env: Mapping[str, str], name: str) -> str | None:
    return (env.get(name) or env.get("OPENAI_BASE_URL") or "").strip() or None


AUTO = ValueKind("`auto` or `off`", "auto", _auto_or_off, may_be_off=True)
LINES = ValueKind("one a line", "", _lines, is_list=True)
TOKEN = ValueKind("text", "", lambda env, name: (env.get(name) or "").strip() or None)
ALIAS = ValueKind("name of an alias", "the only alias", _alias)
LINKS = ValueKind(
    ", ".join(f"`{name}`" for name in (PERMALINK, *EDITOR_LINKS, NO_LINKS))
    + ", or an address with `{path}` and `{line}`",
    PERMALINK,
    _links,
    may_be_off=True,
)
LOCAL = ValueKind("`no`, `yes`, or those below a folder", "no", _boolean_or_folder)

K = ValueKind(f"whole number, 1 to {MAX_K}", "10", lambda env, name: _whole(env, name, None, low=1, high=MAX_K))
DIRECTORY = ValueKind("directory", "", _directory, is_path=True)
ENDPOINT = ValueKind("URL", "OpenAI's", _endpoint, also="OPENAI_BASE_URL")
STRATEGY = ValueKind("one of five", "hybrid", lambda env, name: env.get(name) or None)  # checked where it is used

COMMAND, PIPELINE, BOTH = "the command", "the pipeline", "both"
AIRFLOW, MAKE = "Airflow", "make"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    :ivar name: its environment variable.
    :ivar kind: what it may be.
    :ivar meaning: what it does: a phrase, with its unit.
    :ivar readers: who reads it: the command, the pipeline, both; or Airflow or make alone, where it is parsed there.
    :ivar in_project: whether a project's file may set it.
    """

    name: str
    kind: ValueKind
    meaning: str
    readers: str
    in_project: bool = False

    @property
    def key(self) -> str:
        """Its name in a configuration file."""
        return self.name.removeprefix("ASKREPO_").lower()


def is_(name: str, kind: ValueKind, meaning: str, readers: str, *, in_project: bool = False) -> dict[str, Setting]:
    """What a field of `Settings` is."""
    return {"setting": Setting(name, kind, meaning, readers, in_project)}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between installations; functions take the values they need, not this object.

    Each field is a setting; `python -m tools.settings_page` writes them into `docs/settings.md` and `.env.example`.
    """

    workspace: str = field(
        metadata=is_(
            "ASKREPO_WORKSPACE",
            _place("XDG_DATA_HOME", ".local/share"),
            "where aliases, datasets and runs are: directory, `s3://`, `gs://`, `az://`; `./.workspace` for make",
            BOTH,
        )
    )
    datasets: str | None = field(
        metadata=is_(
            "ASKREPO_DATASETS",
            text("directory or Deep Lake URL", "in the workspace", is_path=True),
            "another place for the datasets",
            BOTH,
        )
    )
    cache: Path = field(
        metadata=is_(
            "ASKREPO_CACHE",
            folder("XDG_CACHE_HOME", ".cache"),
            "what can be made again: the model, copies of remote datasets, which datasets were read whole",
            BOTH,
        )
    )
    # a dataset of 100,000 chunks takes about 400 MB
    cache_bytes: int = field(
        metadata=is_(
            "ASKREPO_CACHE_MB",
            mebibytes(4096, 0),
            "room for copies of remote datasets; 0 reads them from their store",
            COMMAND,
        )
    )
    allow_local: bool | Path = field(
        metadata=is_(
            "ASKREPO_ALLOW_LOCAL",
            LOCAL,
            "repositories of this machine that may be cloned; the user's home for `make demo` and `make ingest`",
            PIPELINE,
        )
    )
    clone_timeout_s: float = field(
        metadata=is_("ASKREPO_CLONE_TIMEOUT_S", number(1800, 1, MAX_S), "seconds a clone may take", PIPELINE)
    )
    max_repository_bytes: int = field(
        metadata=is_("ASKREPO_MAX_REPOSITORY_MB", mebibytes(4096, 1), "size a clone may reach", PIPELINE)
    )
    max_file_bytes: int = field(
        metadata=is_(
            "ASKREPO_MAX_FILE_BYTES", whole(1_000_000, 1, 10**15), "larger files are skipped as *too large*", PIPELINE
        )
    )
    embed_threads: int = field(
        metadata=is_(
            "ASKREPO_EMBED_THREADS", whole(0, 0, 1024), "threads of the local embedder; 0 for one on each core", BOTH
        )
    )
    openai_api_key: str | None = field(
        metadata=is_("ASKREPO_OPENAI_API_KEY", text(also="OPENAI_API_KEY"), "key for embedder and chat model", BOTH)
    )
    openai_base_url: str | None = field(metadata=is_("ASKREPO_OPENAI_BASE_URL", ENDPOINT, "their endpoint", BOTH))
    chat_model: str | None = field(
        metadata=is_(
            "ASKREPO_CHAT_MODEL",
            text("name of a model"),
            "chat model for `ask` and `chat`; without one they show the best passages",
            COMMAND,
        )
    )
    min_size_ratio: float = field(
        metadata=is_(
            "ASKREPO_MIN_SIZE_RATIO",
            number(0.5, 0, 1),
            "a dataset with fewer chunks than this share of the current one's is refused",
            PIPELINE,
        )
    )
    retention: int = field(
        metadata=is_(
            "ASKREPO_RETENTION", whole(3, 1, 10**6), "datasets kept per alias, the current one included", PIPELINE
        )
    )
    grace_s: float = field(
        metadata=is_(
            "ASKREPO_GRACE_S", number(3600, 0, MAX_S), "seconds a dataset is kept after readers left it", PIPELINE
        )
    )
    run_retention_days: float = field(
        metadata=is_(
            "ASKREPO_RUN_RETENTION_DAYS", number(7, 1, 3650), "days to keep unused runs and snapshots", PIPELINE
        )
    )
    # OpenAI's limits (API reference, create embeddings); other services tell theirs by refusing
    embed_max_texts: int = field(
        metadata=is_(
            "ASKREPO_EMBED_MAX_TEXTS", whole(2048, 1, 10**6), "most texts of one request to a remote embedder", BOTH
        )
    )
    embed_max_tokens: int = field(
        metadata=is_(
            "ASKREPO_EMBED_MAX_TOKENS",
            whole(8191, 16, 10**7),
            "tokens of a text that a remote embedder gets; the same wherever an alias is built or asked",
            BOTH,
        )
    )
    chat_timeout_s: float = field(
        metadata=is_(
            "ASKREPO_CHAT_TIMEOUT_S",
            number(60, 0.1, MAX_S),
            "seconds a chat endpoint may stay silent; keep-alive comments do not count",
            COMMAND,
        )
    )
    # a slow model on a small machine; long answers with their reasoning have some 20,000 characters
    chat_max_s: float = field(
        metadata=is_("ASKREPO_CHAT_MAX_S", number(600, 0.1, MAX_S), "seconds an answer may take in all", COMMAND)
    )
    chat_max_chars: int = field(
        metadata=is_(
            "ASKREPO_CHAT_MAX_CHARS",
            whole(400_000, 1, 10**9),
            "characters an answer may have, reasoning included",
            COMMAND,
        )
    )
    # about 25 passages of 750 characters; small local models take 8,000 tokens in all
    context_tokens: int = field(
        metadata=is_(
            "ASKREPO_CONTEXT_TOKENS",
            whole(6000, 200, 10**7),
            "tokens of passages per question for the chat model",
            COMMAND,
            in_project=True,
        )
    )
    # no better after two or three searches, and done below 20,000 tokens (arXiv 2603.08877, 2602.16069)
    steps: int = field(
        metadata=is_(
            "ASKREPO_STEPS",
            whole(6, 0, 100),
            "times a chat model that takes tools may look further before it answers; 0 answers from one search",
            COMMAND,
        )
    )
    reading_tokens: int = field(
        metadata=is_(
            "ASKREPO_READING_TOKENS",
            whole(32_000, 200, 10**7),
            "tokens of passages and results that the model may gather in all",
            COMMAND,
        )
    )
    answer_form: bool = field(
        metadata=is_(
            "ASKREPO_ANSWER_FORM",
            AUTO,
            "whether answers are asked for as JSON of a schema where the endpoint takes it; `off` asks for prose only",
            COMMAND,
        )
    )
    answers: Path | None = field(
        metadata=is_(
            "ASKREPO_ANSWERS",
            file_or_off("XDG_STATE_HOME", ".local/state", "answers.db"),
            "the file that answers are kept in",
            COMMAND,
        )
    )
    links: str = field(
        metadata=is_(
            "ASKREPO_LINKS",
            LINKS,
            "where places lead on a terminal: to the web, or to an editor where the file is on this machine",
            COMMAND,
        )
    )
    checkouts: Path | None = field(
        metadata=is_(
            "ASKREPO_CHECKOUTS",
            DIRECTORY,
            "checkouts of repositories that were read elsewhere, by name, for links and `--open`",
            COMMAND,
        )
    )
    mcp_token: str | None = field(
        metadata=is_(
            "ASKREPO_MCP_TOKEN",
            TOKEN,
            "what clients of `askrepo mcp --http` must send; needed where other machines reach it",
            COMMAND,
        )
    )
    alias: str | None = field(
        metadata=is_("ASKREPO_ALIAS", ALIAS, "the alias questions go to", COMMAND, in_project=True)
    )
    k: int | None = field(metadata=is_("ASKREPO_K", K, "hits per question", COMMAND, in_project=True))
    strategy: str | None = field(
        metadata=is_(
            "ASKREPO_STRATEGY",
            STRATEGY,
            "how hits are ranked: `hybrid`, `signals` (no embedder), `cosine`, `mmr` or `bm25`",
            COMMAND,
            in_project=True,
        )
    )
    path: tuple[str, ...] = field(
        metadata=is_(
            "ASKREPO_PATH", LINES, "what `--path` is when not given; up to 100 globs", COMMAND, in_project=True
        )
    )
    language: tuple[str, ...] = field(
        metadata=is_(
            "ASKREPO_LANGUAGE", LINES, "what `--language` is when not given; up to 100", COMMAND, in_project=True
        )
    )

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Settings from environment variables; an empty variable counts as unset.

        :raises UsageError: a variable's value has the wrong shape; the message names it.
        """
        found = {one.name: one.metadata["setting"] for one in fields(cls)}
        return cls(**{name: setting.kind.read(env, setting.name) for name, setting in found.items()})


SETTINGS: tuple[Setting, ...] = tuple(one.metadata["setting"] for one in fields(Settings))
"""Those of `Settings`; a configuration file of the user may set each."""
OF_AIRFLOW = (
    Setting(
        "ASKREPO_GIT_CONN_ID",
        text("connections, comma-separated"),
        "Airflow connections for private repositories",
        AIRFLOW,
    ),
    Setting(
        "ASKREPO_WORKSPACE_CONN_ID",
        text("connection"),
        "Airflow connection of type *aws* for an `s3://` workspace; else `AWS_*`, `AWS_PROFILE`",
        AIRFLOW,
    ),
    Setting(
        "ASKREPO_REFRESH_SCHEDULE",
        text("cron, a preset such as `@hourly`, or `none`", "@daily"),
        "when aliases made by hand are refreshed",
        AIRFLOW,
    ),
    Setting(
        "ASKREPO_EMBED_POOL",
        text("pool", "default_pool"),
        "Airflow pool of tasks that may call a paid embedder; it must exist; `askrepo_paid_embedder` for make",
        AIRFLOW,
    ),
    Setting(
        "ASKREPO_RETRY_DELAY_S",
        number(30, 0, 86_400),
        "seconds before a failed task is tried again; doubles each time; 2 for `make ingest`",
        AIRFLOW,
    ),
)
"""Those that only Airflow's tasks and DAG files read, beside these."""
OF_MAKE = (
    Setting(
        "ASKREPO_AIRFLOW_HOME",
        text("directory", "./.airflow"),
        "Airflow's home for `make demo`, `ingest` and `airflow`",
        MAKE,
    ),
    Setting(
        "ASKREPO_AIRFLOW__SECTION__OPTION",
        text("value"),
        "an option of that Airflow; `AIRFLOW__…` may be another installation's and does not count",
        MAKE,
    ),
)
"""Those of the Airflow that make starts."""


def unknown_settings(env: Mapping[str, str]) -> list[str]:
    """Variables that look like settings of ours and that nobody reads, sorted."""
    known = {setting.name for setting in (*SETTINGS, *OF_AIRFLOW, *OF_MAKE)}
    ours = {name for name in env if name.startswith("ASKREPO_") and not name.startswith("ASKREPO_AIRFLOW__")}
    return sorted(ours - known)
