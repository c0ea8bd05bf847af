"""Whether the settings and aliases.yaml are right, told before anything starts: `python askrepo_check.py`.

A wrong value would make the pipelines that read it vanish from the page, or fail each of their runs.
"""

# ruff: noqa: T201 - it talks to the person at the terminal
from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from askrepo_schedule import read_aliases, refresh_schedule

from askrepo.errors import UsageError
from askrepo.settings import Settings
from askrepo.workspace.places import check_dataset_place
from askrepo_operators.pipeline_settings import PipelineSettings


def check(env: Mapping[str, str], *, aliases: Path | None = None) -> None:
    """Return when everything that a run reads can be understood.

    :param aliases: the file to read too.
    :raises UsageError: something cannot; the message names it.
    """
    settings = Settings.from_env(env)
    check_dataset_place(settings.datasets or settings.workspace)
    check_dataset_place(str(settings.cache), setting="ASKREPO_CACHE")
    PipelineSettings.from_env(env)
    refresh_schedule(env)
    if aliases is not None:
        read_aliases(aliases)


def main() -> int:
    """Exit code 2 when something is wrong."""
    try:
        check(os.environ, aliases=Path(__file__).with_name("aliases.yaml"))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
