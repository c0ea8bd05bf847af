"""`askrepo completion`."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
)

from askrepo.errors import UsageError
from askrepo_query.options import example
from askrepo_query.start import COMPLETE


class _Bash(BashComplete):
    """Bash makes three words of `--alias=main`; Click takes the middle one for the value."""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        return [arg for arg in args if arg != "="], "" if incomplete == "=" else incomplete


class _Zsh(ZshComplete):
    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        return _whole_words(super().get_completions(args, incomplete), incomplete)


class _Fish(FishComplete):
    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        return _whole_words(super().get_completions(args, incomplete), incomplete)


def _whole_words(items: list[CompletionItem[Any]], incomplete: str) -> list[CompletionItem[str]]:
    """The words to put in place of `--alias=ma`: `--alias=main`, where Click says `main`."""
    option, equals, _ = incomplete.partition("=")
    if not (equals and option.startswith("-")):
        return items
    return [CompletionItem(f"{option}={item.value}", type=item.type, help=item.help) for item in items]


for _class in (_Bash, _Zsh, _Fish):
    add_completion_class(_class)


@click.command(epilog=example('eval "$(askrepo completion bash)"'))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes askrepo in a shell."""
    shell_class = get_completion_class(shell)
    if shell_class is None:
        raise UsageError(f"no completion for {shell}")
    click.echo(shell_class(ctx.find_root().command, {}, "askrepo", COMPLETE).source())
