"""`askrepo log` and `askrepo usage`: the answers that were kept, and what they took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from askrepo.text.counting import counted
from askrepo.text.display import plain, plain_line
from askrepo_query.complete import complete_alias, complete_receipt
from askrepo_query.errors import NOTHING_FOUND
from askrepo_query.keeping import receipts_of
from askrepo_query.options import WholeNumber, example, json_option, workspace_option
from askrepo_query.output import is_styled_terminal, print_json, print_note, print_result, terminal_width
from askrepo_query.places import Places
from askrepo_query.session import Session

if TYPE_CHECKING:
    from askrepo.receipts.receipt import KeptSource, Receipt
    from askrepo.receipts.store import Use

SHOWN = 10
ID_CHARS = 8
TITLE_CHARS = 80


@click.group(invoke_without_command=True, epilog=example("askrepo log -q retries"))
@click.option("-n", "number", type=WholeNumber(0, 10**6), default=SHOWN, show_default=True,
              help="How many, newest first; 0 for all.")  # fmt: skip
@click.option("-q", "--query", "text", metavar="TEXT", default="", help="Only those whose question or answer has it.")
@click.option("-a", "--alias", metavar="NAME", shell_complete=complete_alias, help="Only those of this alias.")
@json_option
@workspace_option
@click.pass_context
def log(ctx: click.Context, *, session: Session, number: int, text: str, alias: str | None, as_json: bool) -> int:
    """List the answers that were kept, newest first.

    With --json they are whole: the sources with their lines, what was sent, the statements and how each was checked.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    store = receipts_of(session)
    found = store.latest(number or None, text=text, alias=alias)
    if not found:
        print_note(plain_line(f"no answer {'like that ' if text or alias else ''}is kept in {store.file}"))
        return NOTHING_FOUND
    for receipt in found:
        print_json(receipt_json(receipt)) if as_json else print_result(_line(receipt))
    return 0


@log.command(epilog=example("askrepo log show 1f0a"))
@click.argument("id", shell_complete=complete_receipt)
@json_option
@workspace_option
def show(session: Session, *, id: str, as_json: bool) -> None:  # noqa: A002 - as its argument is called
    """Show an answer with its question, its sources and what it took. ID may be the start of one."""
    receipt = receipts_of(session).find(id)
    if as_json:
        print_json(receipt_json(receipt))
    else:
        print_result("\n".join(_lines(receipt, Places(session.settings, []))))


@click.command(epilog=example("askrepo usage"))
@json_option
@workspace_option
def usage(session: Session, *, as_json: bool) -> int:
    """Sum the tokens of the answers that were kept, by day (UTC) and model."""
    store = receipts_of(session)
    found = store.usage()
    if not found:
        print_note(plain_line(f"no answer is kept in {store.file}"))
        return NOTHING_FOUND
    for use in found:
        print_json(asdict(use)) if as_json else print_result(_use_line(use))
    return 0


def _use_line(use: Use) -> str:
    answers = counted(use.answers, "answer")
    tokens = f"{use.tokens_in:,} tokens in, {use.tokens_out:,} out"
    return plain_line(f"{use.day}  {use.model}  {answers}  {tokens}  {use.seconds:.1f} s")


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """The whole receipt."""
    from askrepo.types import to_json

    return dict(to_json(receipt))


def _line(receipt: Receipt) -> str:
    moment = receipt.asked_at[:16].replace("T", " ")
    title = plain_line(receipt.question)
    title = title if len(title) <= TITLE_CHARS else title[: TITLE_CHARS - 1] + "…"
    head = click.style(receipt.id[:ID_CHARS], fg="yellow")
    ended = "  (interrupted)" if receipt.is_interrupted else ""
    return f"{head}  {moment}  {plain_line(','.join(receipt.aliases))}  {title}{ended}"


def _lines(receipt: Receipt, places: Places) -> Iterator[str]:
    yield click.style(plain_line(receipt.question), bold=True)
    if receipt.standalone_question != receipt.question:
        yield plain_line(f"searched: {receipt.standalone_question}")
    yield from ("", _answer(receipt, places), "") if receipt.model is not None else ("",)
    yield "Sources" if any(source.is_cited for source in receipt.sources) else "Sources read, none of them cited"
    for source in receipt.rested_on:
        yield _source(source, places)
    yield ""
    yield from (f"{name:<14}{plain_line(text)}" for name, text in _facts(receipt))


def _answer(receipt: Receipt, places: Places) -> str:
    """The answer, its Markdown drawn on a terminal."""
    width = terminal_width()
    if width is None or not is_styled_terminal():
        return plain(receipt.answer)
    from askrepo_query.markdown import drawn

    addresses = {source.number: places.address(source.citation, source.url) for source in receipt.sources}
    blocks = drawn([receipt.answer], width=width, address_of=lambda number: addresses.get(number, ""))
    return "".join(blocks).rstrip("\n")


def _source(source: KeptSource, places: Places) -> str:
    number = "   " if source.number is None else f"[{source.number}]"
    return f"{number} {places.linked(plain_line(str(source.citation)), source.citation, source.url)}"


def _facts(receipt: Receipt) -> Iterator[tuple[str, str]]:
    yield "id", receipt.id
    yield "conversation", receipt.conversation
    yield "asked", receipt.asked_at
    for read in receipt.datasets:
        commits = ", ".join(f"{name}@{commit[:10]}" for name, commit in read.commits.items())
        yield "dataset", f"{read.alias}: entry {read.number}, {read.dataset} · {commits}"
    yield "model", f"{receipt.model} at {receipt.host}" if receipt.model is not None else "none: the best passages"
    if receipt.is_interrupted:
        yield "interrupted", "the answer is what had arrived when Ctrl-C ended it"
    if receipt.steps:
        yield "read on", f"{len(receipt.steps)} times"
    if receipt.tokens_in is not None and receipt.tokens_out is not None:
        yield "took", f"{receipt.tokens_in:,} tokens in, {receipt.tokens_out:,} out, {receipt.seconds:.1f} s"
    else:
        yield "took", f"{receipt.seconds:.1f} s"
