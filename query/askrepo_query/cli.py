"""The askrepo command: its group and what belongs to it."""

from __future__ import annotations

import click

from askrepo import __version__
from askrepo_query.aliases import aliases, history, rollback, status
from askrepo_query.ask import ask
from askrepo_query.chat import chat
from askrepo_query.completion import completion
from askrepo_query.diff import diff
from askrepo_query.doctor import doctor
from askrepo_query.errors import AskrepoGroup
from askrepo_query.evaluate import evaluate
from askrepo_query.log import log, usage
from askrepo_query.mcp.command import mcp
from askrepo_query.options import example
from askrepo_query.output import show_warnings_plainly
from askrepo_query.recheck import recheck
from askrepo_query.replay import replay
from askrepo_query.search import search
from askrepo_query.show import show
from askrepo_query.watch import watch
from askrepo_query.why import why


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
