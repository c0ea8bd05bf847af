"""When kept definitions are refreshed."""

from __future__ import annotations

from collections.abc import Mapping

from askrepo_alias_file import PRESETS, is_schedule

from askrepo.errors import UsageError

VARIABLE = "ASKREPO_REFRESH_SCHEDULE"
DEFAULT = "@daily"
BY_HAND = "none"


def refresh_schedule(env: Mapping[str, str]) -> str | None:
    """A cron expression or a preset; None for by hand only.

    :raises UsageError: the variable's value is none of these.
    """
    schedule = env.get(VARIABLE) or DEFAULT
    if schedule == BY_HAND:
        return None
    if not is_schedule(schedule):
        expected = f"a cron expression that comes round, {', '.join(PRESETS)} or {BY_HAND}"
        raise UsageError(f"{VARIABLE} must be {expected}, found {schedule!r}")
    return schedule
