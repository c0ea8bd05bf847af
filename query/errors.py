"""Errors at the edge: every error of the core becomes one line and an exit code, here and nowhere else."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

import click

from askrepo.errors import AskrepoError, CredentialsError, UnavailableError
from askrepo.plain import plain_line

NOTHING_FOUND = 1
FAILED = 2
UNAVAILABLE = 3
NO_CREDENTIALS = 4
INTERRUPTED = 130


class AskrepoGroup(click.Group):
    """A command group whose commands return their exit code and raise the core's errors.

    Exit codes: 0 done, 1 nothing found, 2 wrong usage or our error, 3 alias or dataset unavailable,
    4 credentials missing or refused, 130 interrupted.
    """

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run the command and end the process with its exit code; without standalone mode return that code."""
        run = partial(super().main, *args, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        _never_fail_to_encode()
        return sys.exit(_exit_code(run))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for, quiet when nobody reads its output any more."""
        with _quiet_on_closed_pipe():
            return super().invoke(ctx)


def _exit_code(run: Callable[[], int | None]) -> int:
    try:
        return run() or 0
    except click.ClickException as error:
        error.show()
        return FAILED
    except click.Abort:
        return INTERRUPTED
    except AskrepoError as error:
        click.echo(f"Error: {error_line(error)}", err=True)
        return exit_code_of(error)
    except MemoryError:
        click.echo("Error: too little memory: free some, or raise the limit (`ulimit -v`, the container's)", err=True)
        return UNAVAILABLE
    except Exception:  # noqa: BLE001 - a bug keeps its traceback, but must not exit as "nothing found"
        import traceback

        traceback.print_exc()
        return FAILED


def exit_code_of(error: AskrepoError) -> int:
    """What the process exits with when a command ends by this error."""
    if isinstance(error, UnavailableError):
        return UNAVAILABLE
    return NO_CREDENTIALS if isinstance(error, CredentialsError) else FAILED


def error_line(error: AskrepoError) -> str:
    """The error's message on one line, safe for a terminal."""
    return plain_line(" ".join(str(error).split("\n")))


@contextmanager
def _quiet_on_closed_pipe() -> Iterator[None]:
    """End quietly when the reader of our output has gone (`askrepo search … | head`)."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
        _discard_output()


def _discard_output() -> NoReturn:
    """Leave nothing for the interpreter to flush into the closed pipe when it ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    sys.exit(0)


def _never_fail_to_encode() -> None:
    """Write what the terminal's encoding lacks as escapes, instead of failing in the middle of a result."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
