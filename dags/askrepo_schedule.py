"""When aliases are built: as aliases.yaml says, and kept definitions as a setting says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from askrepo.aliases import definitions_file
from askrepo.aliases.definitions_file import PRESETS, ConfiguredAlias
from askrepo.errors import UsageError

VARIABLE = "ASKREPO_REFRESH_SCHEDULE"
DEFAULT = "@daily"
BY_HAND = "none"


def read_aliases(file: Path) -> list[ConfiguredAlias]:
    """The aliases of the file, sorted by name, with schedules that Airflow can follow.

    :raises UsageError: something is wrong; the message names the file, the alias and the key.
    """
    return definitions_file.read_aliases(file, is_schedule=is_schedule)


def refresh_schedule(env: Mapping[str, str]) -> str | None:
    """A cron expression or a preset; None for by hand only.

    :raises UsageError: the variable's value is none of these.
    """
    schedule = env.get(VARIABLE) or DEFAULT
    if schedule == BY_HAND:
        return None
    if not is_schedule(schedule):
        expected = f"a cron expression that ever fires, {', '.join(PRESETS)} or {BY_HAND}"
        raise UsageError(f"{VARIABLE} must be {expected}, found {schedule!r}")
    return schedule


def is_schedule(text: str) -> bool:
    """Whether it is a preset, or a cron expression that some day comes round: the scheduler fails on 30 February."""
    from croniter import CroniterError, croniter

    if text in PRESETS:
        return True
    if not text.isascii() or re.search(r"(?i)\br\b", text):  # a random time at each look
        return False
    try:
        return bool(croniter(text).get_next())
    except (CroniterError, ValueError, OverflowError):
        return False
