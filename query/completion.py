"""`askrepo completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from askrepo.errors import UsageError
from query.options import example


@click.command(epilog=example('eval "$(askrepo completion bash)"'))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes askrepo in a shell."""
    shell_class = get_completion_class(shell)
    if shell_class is None:
        raise UsageError(f"no completion for {shell}")
    click.echo(shell_class(ctx.find_root().command, {}, "askrepo", "_ASKREPO_COMPLETE").source())
