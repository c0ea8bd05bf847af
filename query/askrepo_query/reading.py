"""Looking further before an answer, as a person sees it: a line for each step, and Ctrl-C to have the answer now."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from askrepo.text.display import plain_line
from askrepo_query import interrupts
from askrepo_query.output import print_note
from askrepo_query.progress import progress

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.answer.answer import Evidence
    from askrepo.answer.chat_models import ChatModel
    from askrepo.answer.reading_loop import ReadingLoop, Step
    from askrepo_query.options import SearchOptions

NO_TOOLS = "the chat model, or its server, takes no tools: answers come from one search (--no-read does not try)"


def read_on(
    evidence: Evidence, model: ChatModel, options: SearchOptions, readers: Sequence[AliasReader]
) -> tuple[Evidence, list[Step]]:
    """The evidence with what the model looked up besides, and the steps that it took."""
    if not options.steps or not model.ways.takes_tools:
        return evidence, []
    from askrepo.answer.reading_loop import ReadingLoop

    loop = ReadingLoop(
        evidence,
        model=model,
        readers=readers,
        max_steps=options.steps,
        max_tokens=options.session.settings.reading_tokens,
        strategy=options.strategy,
        where=options.filter(),
    )
    _run(loop)
    if not loop.takes_tools:
        print_note(NO_TOOLS)
    return loop.evidence, loop.steps


def _run(loop: ReadingLoop) -> None:
    """Each step is told on a terminal. There, Ctrl-C behind a step ends the reading and not the command."""
    is_watched = sys.stderr.isatty()
    try:
        steps = loop.run()
        while True:
            with progress("reading"):
                step = next(steps, None)
            if step is None:
                return
            if is_watched:
                print_note(plain_line(step.told))
    except KeyboardInterrupt:
        if not (is_watched and loop.steps):
            raise
        interrupts.forget()
        print_note("\nreading was ended; the answer comes from what was read so far")


def step_json(step: Step) -> dict[str, Any]:
    """The step as an answer's JSON has it."""
    return {
        "step": step.number,
        "tool": step.tool,
        "arguments": dict(step.arguments),
        "told": step.told,
        "outcome": step.outcome,
        "sources": list(step.sources),
        "tokens": step.tokens,
        "seconds": step.seconds,
    }
