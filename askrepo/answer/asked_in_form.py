"""A chat model's answer, asked for in a form where its endpoint takes a JSON schema, else in prose."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from askrepo.answer.answer_form import schema_for, with_form_rules
from askrepo.answer.chat_models import ChatModel, SchemaRefusedError
from askrepo.answer.form_memory import FormMemory

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage


class AskedInForm:
    """A reply piece by piece; a refused form is asked for in prose, and what was found out is remembered.

    :ivar asks_form: whether what arrives was asked for in a form.
    """

    def __init__(
        self, model: ChatModel, messages: Sequence[BaseMessage], *, numbers: Collection[int], memory: FormMemory
    ) -> None:
        self._model = model
        self._messages = messages
        self._memory = memory
        self._numbers = numbers
        self._place = model.endpoint.place
        self._is_refused = False
        self.asks_form = memory.takes_form(self._place, model.name) is not False and bool(numbers)
        in_form = model.with_schema(schema_for(numbers)) if self.asks_form else model
        self._reply = in_form.stream(with_form_rules(messages) if self.asks_form else messages)

    @property
    def finish_reason(self) -> str | None:
        """Why the reply ended, in the endpoint's word; None when it gave none."""
        return self._reply.finish_reason

    @property
    def began_with_thoughts(self) -> bool:
        """Whether what arrived first was the model's reasoning, found out too late."""
        return self._reply.began_with_thoughts

    @property
    def messages(self) -> Sequence[BaseMessage]:
        """The messages as they are sent."""
        return with_form_rules(self._messages) if self.asks_form else self._messages

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """Of the form that is asked for, None for prose."""
        return schema_for(self._numbers) if self.asks_form else None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            return next(self._reply)
        except SchemaRefusedError:
            self.asks_form, self._is_refused = False, True
            self._reply = self._model.stream(self._messages)
            return next(self._reply)

    def close(self) -> None:
        """Want no more of the reply."""
        self._reply.close()

    def learn(self, *, is_form: bool) -> None:
        """Remember, at the end of an answer, whether this model answers in a form."""
        if self.asks_form or self._is_refused:
            self._memory.remember(self._place, self._model.name, takes_form=is_form)
