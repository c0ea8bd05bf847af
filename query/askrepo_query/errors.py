"""Errors at the edge: every error becomes one line, or one object, and an exit code, here and nowhere else."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from askrepo import errors as core
from askrepo.errors import AskrepoError, CredentialsError, UnavailableError
from askrepo.text.display import plain_line
from askrepo_query import interrupts, streams

NOTHING_FOUND = 1
UNCITED = 1
INCOMPLETE = 2
FAILED = 2
UNAVAILABLE = 3
NO_CREDENTIALS = 4
INTERRUPTED = 130

# What scripts may rely on, so they stay as they are (docs/command.md). An error that is not listed has the code of the
# nearest class above it.
CODES: dict[type[BaseException], str] = {
    core.UsageError: "usage",
    core.UnknownPathError: "unknown_path",
    core.RepositoryError: "repository",
    core.UnknownRefError: "unknown_ref",
    core.LimitExceededError: "limit_exceeded",
    core.CredentialsError: "credentials",
    core.NothingToIndexError: "nothing_to_index",
    core.VerificationError: "verification",
    core.ShrinkingDatasetError: "shrinking_dataset",
    core.SwapLostError: "swap_lost",
    core.UnavailableError: "unavailable",
    core.UnknownAliasError: "unknown_alias",
    core.DatasetCorruptedError: "dataset_damaged",
    core.DatasetUnreadableError: "dataset_unreadable",
    core.ForbiddenError: "forbidden",
    core.EmbedderMismatchError: "embedder_mismatch",
    core.RemoteRefusedError: "remote_refused",
    core.RequestTooLongError: "request_too_long",
    core.RemoteUnavailableError: "remote_unavailable",
    core.RateLimitedError: "rate_limited",
    core.StorageError: "storage",
    streams.OutputError: "output",
    click.ClickException: "usage",
    PermissionError: "permission",
    OSError: "storage",
    MemoryError: "memory",
    RecursionError: "nested_too_deeply",
    AskrepoError: "error",
    Exception: "bug",
}
# How the dynamic loader (glibc, musl) says that a library does not fit into memory.
_NO_ROOM = ("failed to map segment", "annot allocate memory", "annot create shared object descriptor", "rror mapping")
# Longer ones quote something long; they begin with what is wrong and end with what to do.
MAX_MESSAGE_CHARS = 2000


class AskrepoGroup(click.Group):
    """A command group whose commands return their exit code and raise the core's errors.

    Exit codes: 0 done, 1 nothing found, 2 wrong usage or our error, 3 alias or dataset unavailable,
    4 credentials missing or refused, 130 interrupted.
    """

    def main(self, args: Sequence[str] | None = None, *others: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run the command and end the process with its exit code; without standalone mode return that code."""
        run: Callable[[], Any] = partial(super().main, args, *others, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        _never_fail_to_encode()
        as_json = wants_json(sys.argv[1:] if args is None else args)
        try:
            _check_output()
            code = run() or 0
            sys.stdout.flush()
        except BaseException as error:  # noqa: BLE001 - whatever ends the command is told in one place
            code = interrupts.exit_code() or _told(error, as_json=as_json)
        return sys.exit(code)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for; Ctrl-C ends it without a word."""
        try:
            interrupts.raise_first()
            return super().invoke(ctx)
        except KeyboardInterrupt:  # Click would print an empty line, which only a terminal with its ^C wants
            if sys.stderr.isatty():
                click.echo(err=True)
            sys.exit(INTERRUPTED)
        finally:
            interrupts.end_at_once()


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as it is told.

    :ivar code: its stable name, see CODES.
    :ivar exit_code: what the process exits with.
    """

    code: str
    message: str
    exit_code: int

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """What is told of an error."""
        if isinstance(error, ImportError) and any(words in str(error) for words in _NO_ROOM):
            error = MemoryError()
        code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
        return cls(code, _one_line(_message(error)), exit_code_of(error))


def wants_json(args: Sequence[str]) -> bool:
    """Whether `--json` is among the options, also of a command line that cannot be parsed."""
    words = list(args)
    return "--json" in words[: words.index("--")] if "--" in words else "--json" in words


def exit_code_of(error: BaseException) -> int:
    """What the process exits with when a command ends by this error."""
    if isinstance(error, UnavailableError | MemoryError):
        return UNAVAILABLE
    return NO_CREDENTIALS if isinstance(error, CredentialsError) else FAILED


def error_line(error: AskrepoError) -> str:
    """The error's message on one line, safe for a terminal."""
    return _one_line(str(error))


def _told(error: BaseException, *, as_json: bool) -> int:
    """The exit code for what ended the command, which is told on stderr."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, streams.OutputError) and error.nobody_reads:
        return 0
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return FAILED
    failure = Failure.of(error)
    if failure.code == "bug":  # it keeps its traceback, but must not exit as "nothing found"
        import traceback

        traceback.print_exception(error)
    if as_json:
        shown = {"error": failure.message, "code": failure.code, "exit_code": failure.exit_code}
        click.echo(json.dumps(shown), err=True)
    elif failure.code != "bug":
        click.echo(f"Error: {failure.message}", err=True)
    return failure.exit_code


def _message(error: BaseException) -> str:
    """What was asked, what was found, and what to do, as far as the error knows."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{error.format_message()} See `{error.ctx.command_path} --help`."
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, MemoryError):
        return "too little memory: free some, or raise the limit (`ulimit -v`, the container's)"
    if isinstance(error, RecursionError):
        return "something that was read is nested too deeply"
    if isinstance(error, OSError) and error.strerror:
        return ": ".join(str(part) for part in (error.filename, error.strerror) if part is not None)
    return str(error) or type(error).__name__


def _one_line(message: str) -> str:
    line = plain_line(" ".join(message.split("\n")))
    if len(line) <= MAX_MESSAGE_CHARS:
        return line
    return f"{line[: MAX_MESSAGE_CHARS // 2]} … {line[-MAX_MESSAGE_CHARS // 2 :]}"


def _check_output() -> None:
    if streams.was_closed(streams.STDOUT):
        raise core.UsageError("standard output is closed: there is nowhere to print to")


def _never_fail_to_encode() -> None:
    """Write what the terminal's encoding lacks as escapes, instead of failing in the middle of a result."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
