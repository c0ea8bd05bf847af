"""Write docs/command-reference.md from the command's own help: `python -m tools.command_page`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "command-reference.md"
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
    arguments = [sys.executable, "-m", "askrepo_query", *command.split()[1:], "--help"]
    environment = {"PATH": os.defpath, "TERM": "dumb", "HOME": "/"}
    return subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    PAGE.write_text(command_page(), encoding="utf-8")
