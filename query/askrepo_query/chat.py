"""`askrepo chat`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence

import click

from askrepo.errors import AskrepoError
from askrepo_query import interrupts
from askrepo_query.answering import Answerer
from askrepo_query.errors import INCOMPLETE, NOTHING_FOUND, error_line
from askrepo_query.options import SearchOptions, example, reading_options, search_options
from askrepo_query.output import print_note
from askrepo_query.question import check_question, piped_lines

PROMPT = "? "
LEAVE = frozenset({"/exit", "/quit"})


@click.command(epilog=example("askrepo chat --alias main"))
@search_options
@reading_options
def chat(options: SearchOptions) -> int:
    """Converse: follow-up questions may refer to what was said before.

    One question per line; /exit or Ctrl-D ends it. Questions may also be piped in.
    When the alias moves to a new dataset, the next answer comes from that.
    """
    from askrepo.answer.answer import MAX_TURNS, Turn

    answerer = Answerer.open(options)
    answerer.print_freshness()
    shown = answerer.follower.readers
    history: list[Turn] = []
    codes: list[int] = []
    is_piped = not sys.stdin.isatty()
    for question in _questions():
        codes.append(NOTHING_FOUND)
        with _errors_end_a_turn_only():
            answered = answerer.answer(check_question(question), history=history)
            codes[-1] = answered.exit_code
            if answered.text is not None:
                history = [*history, Turn(question, answered.text)][-MAX_TURNS:]
            if answerer.follower.readers != shown:
                shown = answerer.follower.readers
                answerer.print_freshness()
    return _exit_code(codes, is_piped=is_piped)


def _exit_code(codes: Sequence[int], *, is_piped: bool) -> int:
    """Of a conversation: who pipes questions in is told of an incomplete answer, a person has seen it."""
    if INCOMPLETE in codes and is_piped:
        return INCOMPLETE
    return NOTHING_FOUND if codes and all(codes) else 0


def _questions() -> Iterator[str]:
    """Lines from the prompt, or from standard input when it is no terminal."""
    lines = _prompted() if sys.stdin.isatty() else piped_lines()
    for line in lines:
        question = line.strip()
        if question in LEAVE:
            return
        if question:
            yield question


def _prompted() -> Iterator[str]:
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - gives `input` its history and line editing
    with contextlib.suppress(EOFError):
        while True:
            yield input(PROMPT)
    click.echo(err=True)


@contextlib.contextmanager
def _errors_end_a_turn_only() -> Iterator[None]:
    """On a terminal an error, or Ctrl-C, ends the turn and not the conversation."""
    if not sys.stdin.isatty():
        yield
        return
    try:
        yield
    except AskrepoError as error:
        print_note(f"Error: {error_line(error)}")
    except KeyboardInterrupt:
        interrupts.forget()
        print_note("\ninterrupted")
