"""Write docs/command-reference.md from the command's own help: `python -m tools.command_page`."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from askrepo_query.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "command-reference.md"
WIDTH = 78
"""Of what click writes on a terminal of 80 columns."""

INTRODUCTION = """# Every command and its options

<!-- Written by `python -m tools.command_page` from the command's help, which is where to change it. -->

What is behind them, and what scripts may rely on: [command.md](command.md). The variables named here:
[settings.md](settings.md).
"""


def command_page() -> str:
    """The whole of docs/command-reference.md."""
    return "\n".join([INTRODUCTION, *_sections("askrepo")])


def _sections(command: str) -> list[str]:
    """A command's help, and after it that of the commands below it."""
    text = _help(command)
    listed = re.search(r"^Commands:\n((?:  .*\n)+)", text, flags=re.MULTILINE)
    names = re.findall(r"^  (\S+)", listed[1], flags=re.MULTILINE) if listed else []
    below = [section for name in names for section in _sections(f"{command} {name}")]
    return [f"## {command}\n\n```\n{text.rstrip()}\n```\n", *below]


def _help(command: str) -> str:
    _, *names = command.split()
    shown = CliRunner().invoke(main, [*names, "--help"], prog_name="askrepo", terminal_width=WIDTH)
    if shown.exception is not None:
        raise shown.exception
    return shown.stdout


if __name__ == "__main__":
    PAGE.write_text(command_page(), encoding="utf-8")
