"""Keeping answers, and going on with a conversation that was kept."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from askrepo.errors import AskrepoError, UsageError
from askrepo.text.display import plain_line
from askrepo_query.complete import complete_receipt
from askrepo_query.errors import error_line
from askrepo_query.output import print_note
from askrepo_query.reading import step_json
from askrepo_query.statements import statements_json

if TYPE_CHECKING:
    from askrepo.aliases.readers import AliasReader
    from askrepo.answer.answer import AnswerStream, Evidence, Turn
    from askrepo.answer.chat_models import ChatModel
    from askrepo.answer.reading_loop import Step
    from askrepo.receipts.receipt import Receipt
    from askrepo.receipts.store import ReceiptStore
    from askrepo_query.options import Command, SearchOptions
    from askrepo_query.session import Session

SETTINGS = ("k", "strategy", "path", "language", "at", "steps")


def receipts_of(session: Session) -> ReceiptStore:
    """The file of answers that the settings name.

    :raises UsageError: none are kept.
    """
    from askrepo.receipts.store import ReceiptStore

    if session.settings.answers is None:
        raise UsageError("no answers are kept, because ASKREPO_ANSWERS is off: unset it, or set it to a path")
    return ReceiptStore(session.settings.answers)


@dataclass
class Keeper:
    """Keeps the answers of a conversation; one that cannot be kept costs a line, once.

    :ivar chosen: how the questions are asked, beside the settings: see SETTINGS.
    :ivar conversation: its id; "" until the first answer.
    """

    session: Session
    chosen: Mapping[str, Any]
    conversation: str = ""
    _has_failed: bool = False
    _asked_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _spent: tuple[int, int] = (0, 0)

    @classmethod
    def of_options(cls, options: SearchOptions, conversation: str) -> Keeper:
        """One for the questions of a command."""
        return cls(options.session, {name: getattr(options, name) for name in SETTINGS}, conversation)

    def begin(self, model: ChatModel | None) -> None:
        """A question was asked: what is spent from here on is for its answer."""
        self._asked_at = datetime.now(UTC)
        self._spent = (model.spent.sent, model.spent.received) if model else (0, 0)

    def keep(
        self, stream: AnswerStream, *, readers: Sequence[AliasReader], model: ChatModel, steps: Sequence[Step]
    ) -> None:
        """Write the answer down, with what it rests on."""
        from askrepo.receipts.receipt import receipt_of

        self._keep(
            lambda conversation: receipt_of(
                stream,
                readers=readers,
                conversation=conversation,
                asked_at=self._asked_at,
                settings=self._settings(),
                model=model.name,
                endpoint=model.endpoint.place,
                steps=[step_json(step) for step in steps],
                statements=statements_json(stream.verified),
                tokens=(model.spent.sent - self._spent[0], model.spent.received - self._spent[1]),
            )
        )

    def keep_passages(self, evidence: Evidence, *, readers: Sequence[AliasReader], shown: int) -> None:
        """Write down the passages of an answer without a chat model, of which so many were shown."""
        from askrepo.receipts.receipt import receipt_of_passages

        self._keep(
            lambda conversation: receipt_of_passages(
                evidence,
                readers=readers,
                conversation=conversation,
                asked_at=self._asked_at,
                settings=self._settings(),
                shown=shown,
            )
        )

    def _keep(self, made: Callable[[str], Receipt]) -> None:
        """Keep the receipt that is made for this conversation."""
        if self.session.settings.answers is None:
            return
        from askrepo.receipts.receipt import new_id

        self.conversation = self.conversation or new_id()
        try:
            receipts_of(self.session).keep(made(self.conversation))
        except (AskrepoError, OSError) as error:
            if not self._has_failed:
                said = error_line(error) if isinstance(error, AskrepoError) else plain_line(str(error))
                print_note(f"the answer was not kept: {said}")
            self._has_failed = True

    def _settings(self) -> dict[str, Any]:
        settings = self.session.settings
        return {**self.chosen, "context_tokens": settings.context_tokens, "reading_tokens": settings.reading_tokens}


def conversation_options(command: Command) -> Command:
    """`-c` and `--conversation`: handed on as `earlier`, and its aliases in `options`; below `search_options`."""

    @click.option("-c", "--continue", "is_latest", is_flag=True, help="Go on with the latest conversation.")
    @click.option("--conversation", metavar="ID", shell_complete=complete_receipt,
                  help="Go on with the conversation of this id, or of the answer of this id.")  # fmt: skip
    @functools.wraps(command)
    def wrapped(*args: Any, options: SearchOptions, is_latest: bool, conversation: str | None, **values: Any) -> Any:
        if is_latest and conversation:
            raise click.UsageError("-c and --conversation contradict each other: give one of them")
        earlier = _earlier(options.session, conversation) if is_latest or conversation else []
        if earlier and not options.aliases:
            options = replace(options, aliases=earlier[-1].aliases)
        return command(*args, options=options, earlier=earlier, **values)

    return wrapped  # type: ignore[return-value]


def _earlier(session: Session, conversation: str | None) -> list[Receipt]:
    """The answers of a conversation, oldest first; of the latest one by default."""
    store = receipts_of(session)
    if conversation:
        return store.conversation(conversation)
    latest = store.latest(1)
    if not latest:
        raise UsageError(f"no conversation to go on with: {store.file} has no answer yet")
    return store.conversation(latest[0].id)


def turns_of(earlier: Sequence[Receipt]) -> list[Turn]:
    """What was said before, as far as a chat model is told."""
    from askrepo.answer.answer import MAX_TURNS, Turn

    return [Turn(receipt.question, receipt.answer) for receipt in earlier[-MAX_TURNS:]]
