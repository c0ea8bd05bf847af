"""`askrepo replay`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from askrepo.errors import UsageError
from askrepo.text.display import plain, plain_line
from askrepo_query.complete import complete_receipt
from askrepo_query.keeping import receipts_of
from askrepo_query.options import example, json_option, workspace_option
from askrepo_query.output import print_json, print_note, print_result
from askrepo_query.progress import progress
from askrepo_query.session import Session

if TYPE_CHECKING:
    from askrepo.receipts.receipt import Receipt


@click.command(epilog=example("askrepo replay 1f0a"))
@click.argument("id", shell_complete=complete_receipt)
@click.option("--ask", is_flag=True, help="Send them to the configured chat model, and compare its answer.")
@json_option
@workspace_option
def replay(session: Session, *, id: str, ask: bool, as_json: bool) -> None:  # noqa: A002 - as its argument is called
    """Print what was sent for an answer, to the byte, from its receipt alone.

    The dataset may be gone. With --json nothing is escaped for a terminal.
    """
    receipt = receipts_of(session).find(id)
    if receipt.model is None:
        raise UsageError(
            f"nothing was sent for {id}: it is the best passages, without a chat model; ask the question anew"
        )
    again = _asked_again(session, receipt) if ask else None
    if as_json:
        print_json(_json(receipt, again))
        return
    if again is None:
        for message in receipt.messages:
            print_result(click.style(plain_line(f"--- {message['role']}"), bold=True))
            for part in (message["content"], *map(_call, message.get("tool_calls", ()))):
                print_result(plain(part))
        return
    _print_diff(receipt, again)


def _call(call: Mapping[str, Any]) -> str:
    """A tool and its arguments, as the model called it."""
    return f"{call['function']['name']} {call['function']['arguments']}"


def _asked_again(session: Session, receipt: Receipt) -> str:
    from askrepo.receipts.replay import ask_again

    model = session.chat_model()
    if model is None:
        raise UsageError("no chat model configured to ask again: set ASKREPO_CHAT_MODEL and OPENAI_API_KEY")
    if model.name != receipt.model:
        print_note(plain_line(f"asking {model.name}; the kept answer is of {receipt.model}"))
    with progress("asking"):
        return "".join(ask_again(receipt, model)).strip()


def _print_diff(receipt: Receipt, again: str) -> None:
    from askrepo.receipts.replay import answers_diff

    lines = answers_diff(receipt, again)
    if not lines:
        print_note("the same answer")
        print_result(plain(again))
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        print_result(click.style(plain(line), fg=colours.get(line[:1])))


def _json(receipt: Receipt, again: str | None) -> dict[str, Any]:
    names = "id", "model", "messages", "tools", "schema"
    sent = {name: getattr(receipt, name) for name in names}
    if again is None:
        return sent
    from askrepo.receipts.replay import answers_diff

    return {**sent, "answer": receipt.answer, "again": again, "diff": answers_diff(receipt, again)}
