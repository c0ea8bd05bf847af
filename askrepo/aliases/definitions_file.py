"""aliases.yaml: which aliases exist, what they are built from and when."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from askrepo.aliases.kept import check_keep
from askrepo.embedders.embedder import check_spec
from askrepo.errors import UsageError
from askrepo.git.repository_urls import parse_repositories
from askrepo.types import Definition

DEFINITION_KEYS = {"repositories", "include", "exclude", "embedder"}
PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
"""What `schedule` may be beside a cron expression."""

KEYS = DEFINITION_KEYS | {"description", "schedule", "watch", "git_conn_ids", "keep"}
# A look costs the repositories' host a request, and this machine a process.
MIN_WATCH_S = 5
MAX_WATCH_S = 24 * 3600
MERGE = "tag:yaml.org,2002:merge"
UNITS_S = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class ConfiguredAlias:
    """One entry of the file.

    :ivar schedule: cron expression or preset; None for runs by hand, or by the watch, only.
    :ivar watch_s: seconds between two looks for new commits; None to leave that to the schedule.
    :ivar keep: names of entries whose datasets retention spares; None leaves what is kept as it is.
    """

    definition: Definition
    description: str
    schedule: str | None
    watch_s: float | None
    git_conn_ids: str | None
    keep: tuple[str, ...] | None


def read_aliases(file: Path, *, is_schedule: Callable[[str], bool]) -> list[ConfiguredAlias]:
    """The file's aliases, sorted by name.

    :param is_schedule: whether a text is one that the scheduler can follow.
    :raises UsageError: something is wrong; the message names the file, the alias and the key.
    """
    content = _content(file) or {}
    if not isinstance(content, dict) or set(content) != {"aliases"}:
        raise UsageError(f"{file.name}: expected the single top-level key 'aliases', found {_shown(content)}")
    aliases = content["aliases"] or {}
    if not isinstance(aliases, dict):
        raise UsageError(f"{file.name}: 'aliases' must map alias names to their settings, found {_shown(aliases)}")
    return [_alias(file.name, name, aliases[name], is_schedule) for name in sorted(aliases, key=str)]


class _EachKeyOnce(yaml.SafeLoader):
    """YAML without a key that is given twice: the last one would count, and nobody would see it."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        given: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                if key.value in given:
                    raise yaml.MarkedYAMLError(problem=f"{key.value!r} is given twice", problem_mark=key.start_mark)
                given.add(key.value)
        return super().construct_mapping(node, deep)


def _content(file: Path) -> Any:
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=_EachKeyOnce)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise UsageError(f"{file.name} is not YAML that can be read: {_in_one_line(error)}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file.name} is not UTF-8 (byte {error.start}): save it as that") from error
    except RecursionError:
        raise UsageError(f"{file.name} is nested too deeply to be read") from None
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error


def _in_one_line(error: yaml.YAMLError) -> str:
    """What is wrong, and where; the error itself shows lines of the file."""
    problem = str(getattr(error, "problem", None) or error)
    mark = getattr(error, "problem_mark", None)
    return " ".join(problem.split()) + (f", line {mark.line + 1}, column {mark.column + 1}" if mark else "")


def _alias(file: str, name: Any, values: Any, is_schedule: Callable[[str], bool]) -> ConfiguredAlias:
    where = f"{file}: alias {name!r}"
    if not isinstance(name, str):
        # To YAML `yes`, `010` and `2026-01-01` are no text.
        raise UsageError(f"{file}: alias {name} is not text for YAML: write the name in quotes")
    if not isinstance(values, dict):
        raise UsageError(f"{where}: expected keys such as 'repositories', found {_shown(values)}")
    if unknown := sorted(str(key) for key in values if key not in KEYS):
        raise UsageError(f"{where}: unknown key {unknown[0]!r}; known keys: {', '.join(sorted(KEYS))}")
    return ConfiguredAlias(
        definition=_definition(where, name, values),
        description=_text(where, values, "description") or f"Keep the alias {name} up to date",
        schedule=_schedule(where, values, is_schedule),
        watch_s=_watch(where, values),
        git_conn_ids=_text(where, values, "git_conn_ids"),
        keep=_keep(where, values),
    )


def _definition(where: str, name: str, values: Mapping[str, Any]) -> Definition:
    embedder = _text(where, values, "embedder")
    try:
        check_spec(embedder or "local")
        definition = Definition.from_mapping({"alias": name, **{key: values.get(key) for key in DEFINITION_KEYS}})
        # Whether this installation admits local repositories is decided when the DAG runs.
        parse_repositories(definition.repositories, allow_local=True)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
    return definition


def _schedule(where: str, values: Mapping[str, Any], is_schedule: Callable[[str], bool]) -> str | None:
    schedule = _text(where, values, "schedule")
    if schedule is not None and not is_schedule(schedule):
        raise UsageError(
            f"{where}: schedule {schedule!r} is not a cron expression that ever fires, nor one of {', '.join(PRESETS)}"
        )
    return schedule


def _watch(where: str, values: Mapping[str, Any]) -> float | None:
    value = values.get("watch")
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6})\s*([smh])", str(value).strip())
    if found is None:
        shown = repr(value) if isinstance(value, (str, int, float)) else _shown(value)
        raise UsageError(f"{where}: watch must be the time between two looks, such as 30s or 5m, found {shown}")
    seconds = int(found[1]) * UNITS_S[found[2]]
    if not MIN_WATCH_S <= seconds <= MAX_WATCH_S:
        raise UsageError(f"{where}: watch must be between {MIN_WATCH_S}s and {MAX_WATCH_S // 3600}h, found {value!r}")
    return float(seconds)


def _keep(where: str, values: Mapping[str, Any]) -> tuple[str, ...] | None:
    try:
        return check_keep(values.get("keep"))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _text(where: str, values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise UsageError(f"{where}: {key} must be text, found {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    """The value as an error may show it: its type, and its keys when it has some."""
    return f"keys {sorted(map(str, value))}" if isinstance(value, dict) else type(value).__name__
