"""Questions put to a chat model, and how their answers are printed: what `ask` and `chat` share."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from askrepo.plain import plain, plain_line
from query.options import SearchOptions
from query.output import (
    dataset_id,
    excerpt,
    freshness,
    print_json,
    print_note,
    print_result,
    terminal_width,
)
from query.progress import progress

if TYPE_CHECKING:
    from askrepo.answer import AnswerStream, Evidence, Turn
    from askrepo.chat_models import ChatModel
    from askrepo.citations import Cited
    from askrepo.following import AliasFollower

# Without a chat model a person reads the passages: the first few, as a listing would show them.
SHOWN_PASSAGES = 5

NO_MODEL = (
    "no chat model configured, so these are the best passages. For an answer set ASKREPO_CHAT_MODEL (for example "
    "gpt-5-mini) and OPENAI_API_KEY, or ASKREPO_OPENAI_BASE_URL for another OpenAI-compatible endpoint "
    "(Ollama: http://localhost:11434/v1)"
)


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers questions from the aliases' current datasets, and prints the answers."""

    options: SearchOptions
    follower: AliasFollower
    model: ChatModel | None

    @classmethod
    def open(cls, options: SearchOptions) -> Answerer:
        """Open the datasets and, when one is configured, the chat model."""
        with progress("opening"):
            return cls(options, options.follower(), options.session.chat_model())

    def answer(self, question: str, *, history: Sequence[Turn] = ()) -> str | None:
        """Print an answer and return its text; None when there is no evidence.

        Without a chat model the text is empty and the best passages are printed.
        """
        with progress("searching"):
            evidence = self._evidence(question, history)
        if not evidence.sources:
            self._print_nothing(evidence)
            return None
        return self._print_passages(evidence) if self.model is None else self._print_answer(evidence, self.model)

    def print_freshness(self) -> None:
        """What the answers rest on."""
        for reader in self.follower.readers:
            print_note(freshness(reader.entry))

    def _evidence(self, question: str, history: Sequence[Turn]) -> Evidence:
        from askrepo.answer import find_evidence

        return find_evidence(
            question,
            retrieve=lambda standalone: self.follower.read(partial(self.options.context, standalone)),
            model=self.model,
            history=history,
        )

    def _print_nothing(self, evidence: Evidence) -> None:
        if self.options.as_json:
            print_json(self._json(evidence, answer=None, citations=[], unresolved=[]))
        print_note("no evidence: nothing in the dataset is about this question")

    def _print_passages(self, evidence: Evidence) -> str:
        print_note(NO_MODEL)
        if self.options.as_json:
            cited = [_cited_json(source.number, source.citation, source.url) for source in evidence.sources]
            print_json(self._json(evidence, answer=None, citations=cited, unresolved=[]))
            return ""
        from askrepo.citations import citation_of

        for source in evidence.sources[:SHOWN_PASSAGES]:
            print_result(f"[{source.number}] {plain_line(str(citation_of(source.hit)))}")  # the excerpt is of the hit
            lines = excerpt(source.hit, question=evidence.standalone_question, width=terminal_width())
            print_result("\n".join(lines) + "\n")
        return ""

    def _print_answer(self, evidence: Evidence, model: ChatModel) -> str:
        from askrepo.answer import stream_answer
        from askrepo.stored_lines import line_look_up

        stream = stream_answer(evidence, model=model, look_up=line_look_up(self.follower.readers, evidence.sources))
        if self.options.as_json:
            with progress("asking"):
                list(stream)
            cited = [_cited_json(cited.number, cited.citation, cited.url) for cited in stream.cited]
            print_json(self._json(evidence, answer=stream.text, citations=cited, unresolved=stream.unresolved))
        else:
            _print_text(stream)
            _print_sources(stream.cited)
        if stream.unresolved:
            print_note(plain_line("these citations name nothing that is stored: " + ", ".join(stream.unresolved)))
        elif not stream.cited:
            print_note("the answer cites no source: do not rely on it")
        return stream.text

    def _json(
        self, evidence: Evidence, *, answer: str | None, citations: list[dict[str, Any]], unresolved: list[str]
    ) -> dict[str, Any]:
        return {
            "question": evidence.question,
            "standalone_question": evidence.standalone_question,
            "answer": answer,
            "citations": citations,
            "unresolved": unresolved,
            "alias": ",".join(reader.alias for reader in self.follower.readers),
            "dataset": ",".join(dataset_id(reader.entry.manifest.dataset) for reader in self.follower.readers),
            "model": self.model.name if self.model else None,
        }


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


def _print_text(stream: AnswerStream) -> None:
    """The answer as it arrives on a terminal; elsewhere only when all of it arrived."""
    pieces = iter(stream)
    if not sys.stdout.isatty():
        print_result(plain("".join(pieces)).strip())
        return
    for piece in _after_first(pieces):
        print_result(plain(piece), newline=False)
    print_result()


def _after_first(pieces: Iterator[str]) -> Iterator[str]:
    """The pieces; the wait for the first one is shown."""
    with progress("asking"):
        first = next(pieces, "")
    return chain([first.lstrip()], pieces)


def _print_sources(cited: Sequence[Cited]) -> None:
    if not cited:
        return
    print_result("\nSources")
    for source in cited:
        number = "   " if source.number is None else f"[{source.number}]"
        print_result(f"{number} {plain_line(str(source.citation))}")
        if source.url.startswith("http"):
            print_result(f"    {plain_line(source.url)}")
