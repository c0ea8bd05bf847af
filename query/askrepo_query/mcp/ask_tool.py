"""What `ask` gives: a chat model's answer with the lines it cites, and a word of progress at each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from askrepo.text.display import plain, plain_line
from askrepo.text.tokens import count_tokens
from askrepo_query.answering import asked_within_window, checked_stream, doubts
from askrepo_query.keeping import Keeper
from askrepo_query.mcp.library import Library
from askrepo_query.mcp.results import Result, bounded, footer, room

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.answer.answer import AnswerStream, Evidence
    from askrepo.answer.chat_models import ChatModel
    from askrepo.answer.reading_loop import Step

Tell = Callable[[str], None]
"""Told what is being done; raises when nobody waits for it any more."""

MAX_SOURCES = 20
SAID_EVERY_PIECES = 50


def ask(library: Library, question: str, max_tokens: int, alias: str | None = None, *, tell: Tell) -> Result:
    """An answer, and below it its sources and what is wrong with it."""
    session = library.session
    model = session.chat_model()
    if model is None:
        return Result("failed", "no chat model is configured: set ASKREPO_CHAT_MODEL, or call context")
    keeper = _keeper(library)

    def answered(readers: Sequence[AliasReader]) -> Result:
        tell("searching")
        evidence = _evidence(library, question, readers)
        entries = tuple(reader.entry for reader in readers)
        if not evidence.sources:
            text = f"no match: nothing in the dataset is about this question\n\n{footer(entries)}"
            return Result("no match", bounded(text, max_tokens), entries)
        keeper.begin(model)
        evidence, steps = _read_on(library, evidence, model, readers, tell)
        tell("answering")

        def streamed(evidence: Evidence) -> AnswerStream:
            stream = checked_stream(evidence, model, readers, settings=session.settings)
            try:
                for number, _ in enumerate(stream):
                    if number % SAID_EVERY_PIECES == 0:
                        tell("answering")
            finally:  # also when the endpoint broke off, or nobody waits any more: what arrived
                if stream.text:
                    keeper.keep(stream, readers=readers, model=model, steps=steps)
            return stream

        stream = asked_within_window(evidence, streamed, tell=tell)
        return Result("found", _text(stream, footer(entries), max_tokens), entries, _facts(stream, model))

    return library.read_apart(alias, answered)


def _keeper(library: Library) -> Keeper:
    """Keeps the answer as the command does."""
    settings = library.session.settings
    chosen = {"k": None, "strategy": library.strategy, "path": settings.path, "language": settings.language}
    return Keeper(library.session, {**chosen, "at": library.at, "steps": settings.steps})


def _evidence(library: Library, question: str, readers: Sequence[AliasReader]) -> Evidence:
    from askrepo.answer.answer import Evidence
    from askrepo.answer.context import context_for
    from askrepo.store.reader import Filter

    settings = library.session.settings
    where = Filter(path=settings.path, language=settings.language)
    sources = context_for(
        question, readers=readers, max_tokens=settings.context_tokens, strategy=library.strategy, where=where
    )
    return Evidence(question, question, sources)


def _read_on(
    library: Library, evidence: Evidence, model: ChatModel, readers: Sequence[AliasReader], tell: Tell
) -> tuple[Evidence, Sequence[Step]]:
    """The evidence with what the model looked up besides, and each step of it."""
    from askrepo.answer.reading_loop import ReadingLoop
    from askrepo.store.reader import Filter

    settings = library.session.settings
    if not settings.steps or not model.ways.takes_tools:
        return evidence, ()
    loop = ReadingLoop(
        evidence,
        model=model,
        readers=readers,
        max_steps=settings.steps,
        max_tokens=settings.reading_tokens,
        strategy=library.strategy,
        where=Filter(path=settings.path, language=settings.language),
    )
    for step in loop.run():
        tell(plain_line(step.told))
    return loop.evidence, loop.steps


def _text(stream: AnswerStream, last: str, max_tokens: int) -> str:
    """The answer, cut to what its sources leave of the bound."""
    cited = [*stream.cited, *stream.attributed] if stream.cited else []
    sources = [f"[{each.number}] {each.citation}" if each.number else f"{each.citation}" for each in cited]
    shown = "\n".join(plain_line(source) for source in sources[:MAX_SOURCES])
    tail = "\n\n".join(part for part in (shown, "\n".join(doubts(stream)), last) if part)
    if count_tokens(tail) > max_tokens // 2:
        tail = last
    return f"{bounded(plain(stream.text), room(max_tokens, tail))}\n\n{tail}"


def _facts(stream: AnswerStream, model: ChatModel) -> dict[str, Any]:
    return {
        "model": model.name,
        "is_cited": bool(stream.cited),
        "holds": bool(stream.cited) and stream.verified.holds,
        "finish_reason": stream.finish_reason,
        "unresolved": len(stream.unresolved),
    }
