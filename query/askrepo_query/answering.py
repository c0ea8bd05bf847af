"""Questions put to a chat model, and how their answers are printed: what `ask` and `chat` share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from askrepo.errors import RequestTooLongError
from askrepo.text.display import plain, plain_line
from askrepo.workspace.keys import dataset_id
from askrepo_query import interrupts
from askrepo_query.absence import absent_in, absent_json, print_absent
from askrepo_query.errors import INCOMPLETE, NOTHING_FOUND, UNCITED
from askrepo_query.hits import excerpt
from askrepo_query.keeping import Keeper
from askrepo_query.options import SearchOptions
from askrepo_query.output import (
    MIN_WIDTH,
    freshness,
    is_styled_terminal,
    print_json,
    print_note,
    print_result,
    terminal_width,
    versioned,
)
from askrepo_query.places import Places
from askrepo_query.progress import progress
from askrepo_query.reading import read_on, step_json
from askrepo_query.statements import print_summary, statements_json

if TYPE_CHECKING:
    from askrepo.aliases.following import AliasFollower
    from askrepo.aliases.readers import AliasReader
    from askrepo.answer.answer import AnswerStream, Evidence, Turn
    from askrepo.answer.chat_models import ChatModel
    from askrepo.answer.citations import Cited
    from askrepo.answer.context import Source
    from askrepo.answer.reading_loop import Step
    from askrepo.settings import Settings

T = TypeVar("T")

# Without a chat model a person reads the passages: the first few, as a listing would show them.
SHOWN_PASSAGES = 5

NO_MODEL = (
    "no chat model configured, so these are the best passages. For an answer set ASKREPO_CHAT_MODEL (for example "
    "gpt-5-mini) and OPENAI_API_KEY, or ASKREPO_OPENAI_BASE_URL for another OpenAI-compatible endpoint "
    "(Ollama: http://localhost:11434/v1)"
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a question.

    :ivar text: of the answer, empty without a chat model; None when there is no evidence.
    :ivar exit_code: 0 only for a complete answer that cites, or for passages.
    """

    text: str | None
    exit_code: int


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers questions from the aliases' current datasets, and prints the answers."""

    options: SearchOptions
    follower: AliasFollower
    model: ChatModel | None
    keeper: Keeper

    @classmethod
    def open(cls, options: SearchOptions, *, conversation: str = "") -> Answerer:
        """Open the datasets and, when one is configured, the chat model.

        :param conversation: that the answers are kept as part of; a new one by default.
        """
        with progress("opening"):
            is_live = sys.stdout.isatty() and not options.as_json
            model = options.session.chat_model(is_live=is_live)
            return cls(options, options.follower(), model, Keeper.of_options(options, conversation))

    def answer(self, question: str, *, history: Sequence[Turn] = ()) -> Answered:
        """Print an answer, or without a chat model the best passages."""
        self.keeper.begin(self.model)
        with progress("searching"):
            evidence = self._evidence(question, history)
        if evidence.standalone_question != question:
            print_note(plain_line(f"searched: {evidence.standalone_question}"))
        if not self.options.as_json:
            absent = absent_in(evidence.standalone_question, self.options, self.follower.readers)
            print_absent(absent, self.options, self.follower.readers)
        if not evidence.sources:
            self._print_nothing(evidence)
            return Answered(None, NOTHING_FOUND)
        if self.model is None:
            return self._print_passages(evidence)
        evidence, steps = read_on(evidence, self.model, self.options, self.follower.readers)
        ask = partial(self._print_answer, model=self.model, steps=steps)
        return asked_within_window(evidence, ask, tell=print_note)

    def print_freshness(self) -> None:
        """What the answers rest on."""
        for reader in self.follower.readers:
            print_note(freshness(reader.entry))

    def _evidence(self, question: str, history: Sequence[Turn]) -> Evidence:
        from askrepo.answer.answer import find_evidence

        return find_evidence(
            question,
            retrieve=lambda standalone: self.follower.read(partial(self.options.context, standalone)),
            model=self.model,
            history=history,
        )

    def _print_nothing(self, evidence: Evidence) -> None:
        if self.options.as_json:
            print_json(self._json(evidence))
        print_note("no evidence: nothing in the dataset is about this question")

    def _print_passages(self, evidence: Evidence) -> Answered:
        print_note(NO_MODEL)
        if self.options.as_json:
            cited = [_cited_json(source.number, source.citation, source.url) for source in evidence.sources]
            print_json(self._json(evidence, citations=cited))
            self._keep_passages(evidence)
            return Answered("", 0)
        from askrepo.answer.citations import citation_of
        from askrepo.search.excerpts import asked_terms

        terms = asked_terms(evidence.standalone_question, readers=self.follower.readers)
        places = self._places()
        for source in evidence.sources[:SHOWN_PASSAGES]:
            place = citation_of(source.hit)  # as the excerpt is
            print_result(f"[{source.number}] {places.linked(plain_line(str(place)), place, source.hit.url)}")
            lines = excerpt(source.hit.chunk, terms=terms, width=terminal_width())
            print_result("\n".join(lines) + "\n")
        self._keep_passages(evidence)
        return Answered("", 0)

    def _keep_passages(self, evidence: Evidence) -> None:
        self.keeper.keep_passages(evidence, readers=self.follower.readers, shown=SHOWN_PASSAGES)

    def _print_answer(self, evidence: Evidence, model: ChatModel, steps: Sequence[Step]) -> Answered:
        stream = checked_stream(evidence, model, self.follower.readers, settings=self.options.session.settings)
        stream.on_interrupt = interrupts.forget  # checking and keeping may take longer than a signal leaves
        try:
            self._print_stream(evidence, stream, steps)
        except (Exception, KeyboardInterrupt) as ended:  # by the endpoint, a person, or nowhere to print to
            stream.is_interrupted |= isinstance(ended, KeyboardInterrupt)
            self._keep(stream, model, steps)  # what arrived
            raise
        exit_code = _judged(stream)
        self._keep(stream, model, steps)
        return Answered(stream.text, exit_code)

    def _keep(self, stream: AnswerStream, model: ChatModel, steps: Sequence[Step]) -> None:
        if stream.text:
            self.keeper.keep(stream, readers=self.follower.readers, model=model, steps=steps)

    def _print_stream(self, evidence: Evidence, stream: AnswerStream, steps: Sequence[Step]) -> None:
        if self.options.as_json:
            with progress("asking"):
                list(stream)
            _end_if_interrupted(stream)
            cited = [_cited_json(cited.number, cited.citation, cited.url) for cited in stream.cited]
            print_json(self._json(evidence, stream, citations=cited, steps=steps))
        else:
            places = self._places()
            _print_text(stream, evidence, places)
            _print_sources([*stream.cited, *stream.attributed] if stream.cited else (), places)
            if not stream.cited and not stream.is_interrupted:
                _print_read(evidence, places)
            _end_if_interrupted(stream)

    def _places(self) -> Places:
        return Places(self.options.session.settings, self.follower.readers)

    def _json(
        self,
        evidence: Evidence,
        stream: AnswerStream | None = None,
        *,
        citations: Sequence[dict[str, Any]] = (),
        steps: Sequence[Step] = (),
    ) -> dict[str, Any]:
        told = {
            "question": evidence.question,
            "standalone_question": evidence.standalone_question,
            "answer": stream.text if stream else None,
            "finish_reason": stream.finish_reason if stream else None,
            "citations": list(citations),
            "unresolved": stream.unresolved if stream else [],
            "statements": statements_json(stream.verified) if stream else [],
            "sources": [
                {**_cited_json(source.number, source.citation, source.url), "text": source.text}
                for source in evidence.sources
            ],
            "steps": [step_json(step) for step in steps],
            "absent": absent_json(evidence.standalone_question, self.options, self.follower.readers),
            "alias": ",".join(reader.alias for reader in self.follower.readers),
            "dataset": ",".join(dataset_id(reader.entry.manifest.dataset) for reader in self.follower.readers),
            "model": self.model.name if self.model else None,
        }
        return versioned(told, (reader.entry for reader in self.follower.readers))


def asked_within_window(evidence: Evidence, ask: Callable[[Evidence], T], *, tell: Callable[[str], None]) -> T:
    """What asking gives; where the chat model's window is too small for all sources, from as many as it takes.

    :param tell: told so, once the model has answered.
    """
    given = evidence
    while True:
        try:
            answered = ask(given)
        except RequestTooLongError:
            if len(given.sources) <= 1:
                raise
            given = given.halved()
        else:
            if given is not evidence:
                tell(
                    f"the chat model took {len(given.sources)} of {len(evidence.sources)} sources at once, so the "
                    "answer comes from these (ASKREPO_CONTEXT_TOKENS sets how much is sent)"
                )
            return answered


def checked_stream(
    evidence: Evidence, model: ChatModel, readers: Sequence[AliasReader], *, settings: Settings
) -> AnswerStream:
    """The model's answer, whose citations and statements are compared with the datasets as it arrives."""
    from askrepo.answer.answer import stream_answer
    from askrepo.answer.dataset_lines import DatasetLines
    from askrepo.answer.form_memory import FormMemory
    from askrepo.answer.stored_lines import line_look_up

    stored = DatasetLines(readers)
    return stream_answer(
        evidence,
        model=model,
        look_up=line_look_up(readers, evidence.sources),
        elsewhere=stored,
        lines_of=stored.lines_of,
        forms=FormMemory(settings.cache / "answer-forms.json") if settings.answer_form else None,
    )


def doubts(stream: AnswerStream) -> list[str]:
    """What is wrong with an answer that arrived whole or in part, a sentence each."""
    from askrepo.answer.chat_models import incompleteness

    told = []
    if stream.began_with_thoughts:
        told.append("what stands before the closing tag (such as </think>) is the model's reasoning, not its answer")
    if stream.unresolved:
        told.append(plain_line("these citations name nothing that is stored: " + ", ".join(stream.unresolved)))
    if not stream.cited:
        told.append("the answer cites no source: do not rely on it")
    elif not stream.verified.holds:
        told.append("nothing of the answer stands in the lines that it cites: do not rely on it")
    missing = incompleteness(stream.finish_reason)
    return told if missing is None else [*told, f"the answer is incomplete: {missing}"]


def _judged(stream: AnswerStream) -> int:
    """Say what is wrong with an answer; returns its exit code."""
    from askrepo.answer.chat_models import incompleteness

    print_summary(stream.verified)
    for doubt in doubts(stream):
        print_note(doubt)
    if incompleteness(stream.finish_reason) is not None:
        return INCOMPLETE
    return 0 if stream.cited and stream.verified.holds else UNCITED


def _cited_json(number: int | None, citation: Any, url: str) -> dict[str, Any]:
    return {
        "n": number,
        "repository": citation.repository,
        "commit": citation.commit,
        "path": citation.path,
        "start_line": citation.start_line,
        "end_line": citation.end_line,
        "url": url,
        "resolved": True,
    }


def _print_text(stream: AnswerStream, evidence: Evidence, places: Places) -> None:
    """The answer as it arrives on a terminal, its Markdown drawn; elsewhere as written, once all of it arrived."""
    pieces = iter(stream)
    if not sys.stdout.isatty():
        text = plain("".join(pieces)).strip()
        _end_if_interrupted(stream)
        print_result(text)
        return
    if is_styled_terminal():
        for lines in _waited_for(_drawn(pieces, evidence, places)):
            print_result(lines, newline=False)
        return
    for piece in _after_first(pieces):
        print_result(plain(piece), newline=False)
    print_result()


def _drawn(pieces: Iterator[str], evidence: Evidence, places: Places) -> Iterator[str]:
    """The answer's blocks; `[n]` in them leads to the source."""
    from askrepo_query.markdown import drawn

    addresses = {source.number: places.address(source.citation, source.url) for source in evidence.sources}
    return drawn(pieces, width=terminal_width() or MIN_WIDTH, address_of=lambda number: addresses.get(number, ""))


def _waited_for(blocks: Iterator[str]) -> Iterator[str]:
    """The blocks; the wait for each is shown."""
    while True:
        with progress("asking"):
            block = next(blocks, None)
        if block is None:
            return
        yield block


def _end_if_interrupted(stream: AnswerStream) -> None:
    """End as Ctrl-C ends the command, now that what had arrived was shown to a person."""
    if not stream.is_interrupted:
        return
    if stream.text and sys.stderr.isatty():
        print_note("\nthe answer was interrupted, and is incomplete")
    raise KeyboardInterrupt


def _after_first(pieces: Iterator[str]) -> Iterator[str]:
    """The pieces; the wait for the first one is shown."""
    with progress("asking"):
        first = next(pieces, "")
    return chain([first.lstrip()], pieces)


def _print_sources(cited: Sequence[Cited], places: Places) -> None:
    if not cited:
        return
    print_result("\nSources")
    for source in cited:
        _print_source(source, places)


def _print_read(evidence: Evidence, places: Places) -> None:
    """What the model was given, for a person to look at where the answer names nothing."""
    print_result("\nSources read, none of them cited")
    for source in evidence.sources:
        _print_source(source, places)


def _print_source(source: Cited | Source, places: Places) -> None:
    number = "   " if source.number is None else f"[{source.number}]"
    print_result(f"{number} {places.linked(plain_line(str(source.citation)), source.citation, source.url)}")
    if source.url.startswith("http"):
        print_result(f"    {plain_line(source.url)}")
