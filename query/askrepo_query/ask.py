"""`askrepo ask`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from askrepo_query.answering import Answerer
from askrepo_query.keeping import conversation_options, turns_of
from askrepo_query.options import SearchOptions, example, reading_options, search_options
from askrepo_query.question import read_question

if TYPE_CHECKING:
    from askrepo.receipts.receipt import Receipt


@click.command(epilog=example("askrepo ask how are failed requests retried"))
@click.argument("question", nargs=-1)
@search_options
@reading_options
@conversation_options
def ask(question: tuple[str, ...], options: SearchOptions, earlier: list[Receipt]) -> int:
    """Answer a question, citing lines that were checked to exist.

    QUESTION may be `-` or piped in. Without a chat model the best passages are shown. A model that takes tools reads on
    before it answers; Ctrl-C ends that, and the answer comes from what was read.
    The answer is kept (see `askrepo log`); -c goes on with the latest conversation.
    Exits with 1 when nothing is cited, with 2 when the answer is incomplete.
    """
    text = read_question(question)
    answerer = Answerer.open(options, conversation=earlier[-1].conversation if earlier else "")
    answered = answerer.answer(text, history=turns_of(earlier))
    answerer.print_freshness()
    return answered.exit_code
