"""Asking again what a receipt says was asked: the same messages, from the receipt alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from difflib import unified_diff
from typing import TYPE_CHECKING

from askrepo.answer.answer_form import FormReader
from askrepo.answer.chat_models import ChatModel, SchemaRefusedError, ToolsRefusedError
from askrepo.answer.citations import CitationResolver, Cited
from askrepo.answer.source_lines import SourceLines
from askrepo.answer.verification import Verifier
from askrepo.answer.verified_answer import VerifiedAnswer
from askrepo.errors import RemoteRefusedError
from askrepo.receipts.receipt import Receipt

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage


def messages_of(receipt: Receipt) -> list[BaseMessage]:
    """The messages that were sent, to the byte."""
    from langchain_core.messages import convert_to_messages

    return list(convert_to_messages([dict(message) for message in receipt.messages]))


def ask_again(receipt: Receipt, model: ChatModel) -> Iterator[str]:
    """Another answer to the same messages, piece by piece, its statements checked against the kept sources.

    :raises RemoteRefusedError: the endpoint takes no JSON schema, or no calls of tools in what was said before, and
        this answer was asked for with them.
    """
    shown = model.with_tools(receipt.tools)
    asked = shown.with_schema(receipt.schema) if receipt.schema else shown
    resolver, verified = _checks(receipt)
    reader = FormReader(asked.stream(messages_of(receipt)), is_asked=lambda: receipt.schema is not None)
    try:
        yield from verified.marked(resolver.resolve(reader.prose()))
        yield from verified.said(reader.statements(), resolver)
    except SchemaRefusedError:
        raise RemoteRefusedError(
            f"{model.endpoint} takes no JSON schema, and this answer was asked for with one: replay it at "
            f"{receipt.host}, or ask the question anew"
        ) from None
    except ToolsRefusedError:
        raise RemoteRefusedError(
            f"{model.endpoint} gives no answer behind calls of tools, and this one was asked for behind some: "
            f"replay it at {receipt.host}, or ask the question anew"
        ) from None


def answers_diff(receipt: Receipt, again: str) -> list[str]:
    """Both answers as a unified diff; empty when they are the same."""
    return list(
        unified_diff(receipt.answer.split("\n"), again.strip().split("\n"), "kept", "asked again", lineterm="", n=1)
    )


def _checks(receipt: Receipt) -> tuple[CitationResolver, VerifiedAnswer]:
    """What resolves and checks an answer, with the kept sources for a dataset."""
    known = {source.number: source for source in receipt.sources if source.number is not None}
    sources = [Cited(number, source.citation, source.url) for number, source in known.items()]
    lines = [
        SourceLines(number, source.citation, source.url, source.span.lines, frozenset())
        for number, source in known.items()
        if source.span is not None
    ]

    def look_up(path: str, start: int, end: int) -> Cited | None:
        """Lines that the answer names by path, when a kept source has them."""
        for source in receipt.sources:
            kept = source.citation
            if kept.path.endswith(path) and kept.start_line <= start <= end <= kept.end_line:
                return Cited(None, replace(kept, start_line=start, end_line=end), source.url)
        return None

    return CitationResolver(sources, look_up), VerifiedAnswer(Verifier(lines), look_up)
