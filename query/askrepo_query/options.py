"""Options that commands share."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from askrepo.errors import UsageError
from askrepo.text.display import plain_line
from askrepo.text.suggestions import did_you_mean
from askrepo_query.complete import (
    complete_alias,
    complete_any_alias,
    complete_folder,
    complete_language,
    complete_moment,
)
from askrepo_query.output import print_note
from askrepo_query.session import Session

if TYPE_CHECKING:
    from askrepo.aliases.following import AliasFollower
    from askrepo.aliases.readers import AliasReader
    from askrepo.answer.context import Source
    from askrepo.store.reader import Filter

Command = TypeVar("Command", bound=Callable[..., Any])

STRATEGIES = (
    "hybrid",
    "signals",
    "cosine",
    "mmr",
    "bm25",
)  # askrepo.search.search.STRATEGIES, without importing it for --help
WITHOUT_VECTORS = frozenset({"signals", "bm25"})


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What to search, how, and how to print it."""

    session: Session
    aliases: tuple[str, ...]
    k: int | None
    path: tuple[str, ...]
    language: tuple[str, ...]
    strategy: str
    as_json: bool
    at: str | None = None
    steps: int = 0

    def readers(self) -> list[AliasReader]:
        """The aliases to search, open; the embedder loads meanwhile when the strategy needs it."""
        return self.session.readers(self.aliases, warm_up=self.strategy not in WITHOUT_VECTORS, at=self.at)

    def follower(self) -> AliasFollower:
        """Likewise, for a command that asks more than once: its readers are renewed as the aliases move."""
        return self.session.follower(self.aliases, warm_up=self.strategy not in WITHOUT_VECTORS, at=self.at)

    def filter(self) -> Filter:
        """Which chunks may be found."""
        from askrepo.store.reader import Filter

        return Filter(path=self.path, language=self.language)

    def patterns_of_nothing(self, readers: Sequence[AliasReader]) -> list[str]:
        """The patterns of `--path` that no file searched is like."""
        from askrepo.files.globs import matches

        paths = {path for reader in readers for _, path in reader.dataset.files()} if self.path else set()
        return [pattern for pattern in self.path if not any(matches(path, pattern) for path in paths)]

    def context(
        self, question: str, readers: Sequence[AliasReader], *, max_tokens: int | None = None
    ) -> tuple[Source, ...]:
        """The sources that a chat model gets.

        :param max_tokens: the setting's when None.
        """
        from askrepo.answer.context import context_for
        from askrepo.search.search import MAX_K

        return context_for(
            question,
            readers=readers,
            max_tokens=max_tokens or self.session.settings.context_tokens,
            strategy=self.strategy,
            where=self.filter(),
            limit=self.k or MAX_K,
        )


class WholeNumber(click.IntRange):
    """A range of whole numbers, written in digits as everybody writes them."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; Python itself would also read other scripts' digits, `1_0`, and stop at 4,300 digits."""
        if isinstance(value, str) and not re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", value):
            self.fail(f"{value[:60]!r} is not a whole number.", param, ctx)
        return int(super().convert(value, param, ctx))


def example(command: str) -> str:
    """The end of a command's help: one example that works."""
    return f"\b\nExample:\n  {command}"


def workspace_option(command: Command) -> Command:
    """`--workspace`, handed to the command as an open `session`."""

    @click.option("--workspace", metavar="URL", callback=not_blank, shell_complete=complete_folder,
                  help="Where aliases and datasets are (ASKREPO_WORKSPACE).")  # fmt: skip
    @functools.wraps(command)
    def wrapped(*args: Any, workspace: str | None, **values: Any) -> Any:
        return command(*args, session=Session.open(workspace=workspace), **values)

    return wrapped  # type: ignore[return-value]


def json_option(command: Command) -> Command:
    """`--json`, handed on as `as_json`."""
    option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per line.")
    return option(command)


def alias_option(command: Command) -> Command:
    """`-a/--alias`, repeatable, handed on as `aliases`."""
    option = click.option(
        "-a", "--alias", "aliases", multiple=True, metavar="NAME", shell_complete=complete_alias,
        help="Alias to read; may be repeated. Default: ASKREPO_ALIAS, else the only alias.",
    )  # fmt: skip
    return option(command)


def reading_options(command: Command) -> Command:
    """`--steps` and `--no-read`, handed on in `options`; above `search_options`."""

    @click.option("--steps", type=WholeNumber(0, 100), metavar="N",
                  help="How often the chat model may look further first. Default: ASKREPO_STEPS, else 6.")  # fmt: skip
    @click.option("--no-read", is_flag=True, help="Answer from one search; the same as --steps 0.")
    @functools.wraps(command)
    def wrapped(*args: Any, options: SearchOptions, steps: int | None, no_read: bool, **values: Any) -> Any:
        if no_read and steps:
            raise click.UsageError("--no-read means --steps 0: give one of the two")
        wanted = options.session.settings.steps if steps is None else steps
        return command(*args, options=replace(options, steps=0 if no_read else wanted), **values)

    return wrapped  # type: ignore[return-value]


def at_option(command: Command) -> Command:
    """`--at`, handed on as `at`."""
    option = click.option(
        "--at", metavar="MOMENT", callback=not_blank, shell_complete=complete_moment,
        help="Read an earlier dataset: an entry's number (see history), a date, a dataset id, "
        "repository@commit, or a tag.",
    )  # fmt: skip
    return option(command)


def alias_argument(command: Command) -> Command:
    """ALIAS, required, completed by the shell; it may be one that was removed."""
    return click.argument("alias", shell_complete=complete_any_alias)(command)


def search_options(command: Command) -> Command:
    """Options of everything that searches, handed to the command as one `options`."""

    @click.option(
        "-a", "--alias", "aliases", multiple=True, metavar="NAME", shell_complete=complete_alias,
        help="Alias to search; may be repeated. Default: ASKREPO_ALIAS, else the only alias.",
    )  # fmt: skip
    @click.option("-k", type=WholeNumber(1, 100), help="How many hits.")
    @click.option("--path", multiple=True, metavar="GLOB", callback=not_blank,
                  help="Only paths like this; may be repeated.")  # fmt: skip
    @click.option("--language", multiple=True, metavar="NAME", callback=_known_languages,
                  shell_complete=complete_language, help="Only this language; may be repeated.")  # fmt: skip
    @click.option("--strategy", type=click.Choice(STRATEGIES), help="How hits are ranked. Default: hybrid.")
    @at_option
    @json_option
    @workspace_option
    @functools.wraps(command)
    def wrapped(*args: Any, session: Session, k: int | None, strategy: str | None, **values: Any) -> Any:
        names = ("aliases", "path", "language", "as_json", "at")
        for name in ("path", "language"):
            values[name] = values[name] or _default(session, name)
        options = SearchOptions(
            session=session,
            k=k or session.settings.k,
            strategy=strategy or configured_strategy(session),
            **{name: values.pop(name) for name in names},
        )
        return command(*args, options=options, **values)

    return wrapped  # type: ignore[return-value]


def _default(session: Session, name: str) -> tuple[str, ...]:
    """What the settings say instead of an option; shown, since it hides what is elsewhere."""
    values: tuple[str, ...] = getattr(session.settings, name)
    if name == "language":
        values = _configured_languages(values)
    if values:
        print_note(plain_line(f"only {name} {', '.join(values)}, as the settings say"))
    return values


Value = TypeVar("Value", str, tuple[str, ...], None)


def not_blank(_: click.Context, parameter: click.Parameter, value: Value) -> Value:
    """The value, or the values; an empty one is a variable that was not set."""
    values: tuple[str, ...] = (value,) if isinstance(value, str) else value or ()
    if not all(each.strip() for each in values):
        raise click.BadParameter("it is empty", param=parameter)
    _check_number(values, parameter)
    return value


def _check_number(values: tuple[str, ...], parameter: click.Parameter) -> None:
    from askrepo.settings import MAX_CHOICES

    if len(values) > MAX_CHOICES:
        raise click.BadParameter(f"given {len(values)} times, and {MAX_CHOICES} are enough", param=parameter)


def _known_languages(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    from askrepo.files.languages import check_language

    _check_number(values, parameter)
    return tuple(map(check_language, values))


def _configured_languages(values: tuple[str, ...]) -> tuple[str, ...]:
    """Languages of the settings, in our spelling; one that does not exist would hide everything."""
    from askrepo.files.languages import check_language

    try:
        return tuple(map(check_language, values))
    except UsageError as error:
        raise UsageError(f"ASKREPO_LANGUAGE, or `language` in a configuration file: {error}") from None


def configured_strategy(session: Session) -> str:
    """ASKREPO_STRATEGY, checked before anything is opened; else the default."""
    configured = (session.settings.strategy or "").strip() or STRATEGIES[0]
    if configured not in STRATEGIES:
        meant = did_you_mean(configured, STRATEGIES)
        raise UsageError(f"ASKREPO_STRATEGY must be one of {', '.join(STRATEGIES)}, found {configured[:60]!r}{meant}")
    return configured
