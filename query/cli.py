"""The askrepo command: its group and what belongs to it."""

from __future__ import annotations

import click

from askrepo import __version__
from query.aliases import aliases, history, rollback, status
from query.ask import ask
from query.chat import chat
from query.completion import completion
from query.diff import diff
from query.doctor import doctor
from query.errors import AskrepoGroup
from query.evaluate import evaluate
from query.log import log, usage
from query.mcp.command import mcp
from query.options import example
from query.output import show_warnings_plainly
from query.recheck import recheck
from query.replay import replay
from query.search import search
from query.show import show
from query.watch import watch
from query.why import why


@click.group(
    cls=AskrepoGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example("askrepo ask how does the scheduler pick the next task"),
)
@click.version_option(__version__, prog_name="askrepo")
def main() -> None:
    """Ask questions of git repositories and trust the answers.

    Results go to stdout, everything else to stderr. Exit codes: 0 found or answered, 1 nothing found,
    2 wrong usage or an error, 3 alias or dataset unavailable, 4 credentials missing or refused, 130 Ctrl-C.
    """
    show_warnings_plainly()


COMMANDS = (
    search, ask, chat, show, why, log, replay, recheck, watch, usage, aliases, status, history, diff, rollback,
    evaluate, doctor, mcp, completion,
)  # fmt: skip
for command in COMMANDS:
    main.add_command(command)
