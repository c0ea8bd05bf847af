"""A chat model's answer, asked for in a form where its endpoint takes a JSON schema, else in prose.

A model that has read on is asked at the end of that conversation: what it has read already, an endpoint does not read
again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from askrepo.answer.answer_form import schema_for, with_form_rules
from askrepo.answer.chat_models import ChatModel, Reply, SchemaRefusedError, ToolsRefusedError
from askrepo.answer.form_memory import FormMemory
from askrepo.errors import RequestTooLongError

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from askrepo.answer.answer import Exchange


class AskedInForm:
    """A reply piece by piece; a refused form is asked for in prose, and what was found out is remembered.

    :param messages: with which the answer is asked for anew, where it cannot be the end of the exchange.
    :param memory: which endpoints answer in a form; None asks for prose.
    :ivar asks_form: whether what arrives was asked for in a form.
    """

    def __init__(
        self,
        model: ChatModel,
        messages: Sequence[BaseMessage],
        *,
        numbers: Collection[int],
        memory: FormMemory | None,
        exchange: Exchange | None = None,
    ) -> None:
        self._model = model
        self._messages = messages
        self._memory = memory
        self._numbers = numbers
        self._place = model.endpoint.place
        self._is_refused = False
        self._exchange = exchange if model.ways.takes_tools_to_answer else None
        takes_form = memory is not None and memory.takes_form(self._place, model.name) is not False
        self.asks_form = takes_form and bool(numbers)
        self._reply = self._asked()

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
        messages = self._exchange.messages if self._exchange else self._messages
        return with_form_rules(messages) if self.asks_form else messages

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """Of the form that is asked for, None for prose."""
        return schema_for(self._numbers) if self.asks_form else None

    @property
    def tools(self) -> Sequence[Mapping[str, Any]]:
        """That are shown with the messages, because they were shown before."""
        return self._exchange.tools if self._exchange else ()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while True:
            try:
                return next(self._reply)
            except (ToolsRefusedError, RequestTooLongError):
                if self._exchange is None:
                    raise
                self._exchange = None
            except SchemaRefusedError:
                self.asks_form, self._is_refused = False, True
            self._reply = self._asked()

    def close(self) -> None:
        """Want no more of the reply."""
        self._reply.close()

    def learn(self, *, is_form: bool) -> None:
        """Remember, at the end of an answer, whether this model answers in a form."""
        if self._memory is not None and (self.asks_form or self._is_refused):
            self._memory.remember(self._place, self._model.name, takes_form=is_form)

    def _asked(self) -> Reply:
        model = self._model.with_tools(self.tools)
        return (model.with_schema(self.schema) if self.schema else model).stream(self.messages)
