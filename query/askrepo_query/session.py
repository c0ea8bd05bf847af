"""What every command starts from: settings in their order of precedence, the workspace, the aliases asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from askrepo.config_file import with_files
from askrepo.errors import UnavailableError, UsageError
from askrepo.settings import Settings
from askrepo.text.suggestions import did_you_mean
from askrepo.types import check_alias

if TYPE_CHECKING:
    from askrepo.aliases.catalogue import AliasCatalogue
    from askrepo.aliases.following import AliasFollower
    from askrepo.aliases.readers import AliasReader, EmbedderOpener
    from askrepo.answer.chat_models import ChatModel
    from askrepo.types import AliasEntry
    from askrepo.workspace.objects import Workspace


@dataclass(frozen=True)
class Session:
    """One invocation of the command."""

    settings: Settings

    @classmethod
    def open(cls, *, workspace: str | None = None) -> Session:
        """Flag, then environment, then `./askrepo.toml`, then the user's file, then the default."""
        settings = Settings.from_env(with_files(os.environ, directory=Path()))
        return cls(replace(settings, workspace=workspace) if workspace else settings)

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace that the settings name."""
        from askrepo.workspace.objects import Workspace

        return Workspace.open(self.settings.workspace, create=False)

    @cached_property
    def catalogue(self) -> AliasCatalogue:
        """The workspace's aliases."""
        from askrepo.aliases.catalogue import AliasCatalogue

        return AliasCatalogue(self.workspace)

    def aliases(self, named: Sequence[str]) -> list[str]:
        """The aliases named, else the configured one, else the only one there is.

        :raises UnavailableError: the workspace has none.
        :raises UsageError: it has several and none was named.
        """
        if named:
            return [self.alias(name) for name in dict.fromkeys(named)]
        if self.settings.alias:
            return [self.alias(self.settings.alias)]
        known = self.known_aliases()
        if len(known) > 1:
            raise UsageError(f"name an alias with -a or ASKREPO_ALIAS; known aliases: {', '.join(known)}")
        return known

    def alias(self, name: str) -> str:
        """The name itself, when an alias may have it.

        :raises UsageError: none may; the message suggests one that there is.
        """
        try:
            return check_alias(name)
        except UsageError as error:
            raise UsageError(f"{error}{did_you_mean(name, self.catalogue.aliases())}") from error

    def known_aliases(self) -> list[str]:
        """All aliases.

        :raises UnavailableError: the workspace has none.
        """
        known = self.catalogue.aliases()
        if not known:
            raise UnavailableError(
                f"no alias in workspace {self.workspace.url} yet; build one with "
                "`make ingest ALIAS=name REPOS=url`, or name another workspace with --workspace"
            )
        return known

    def entries(self, named: Sequence[str], *, at: str | None = None) -> list[AliasEntry]:
        """The aliases' entries that readers follow, or those of another moment.

        :param at: see `askrepo.aliases.entry_at`.
        """
        aliases = self.aliases(named)
        if at is None:
            return [self.catalogue.current(alias) for alias in aliases]
        from askrepo.aliases.entry_at import entry_at

        return [entry_at(alias, at, workspace=self.workspace) for alias in aliases]

    @cached_property
    def embedder_opener(self) -> EmbedderOpener:
        """Opens embedders, each once."""
        from askrepo.aliases.readers import embedder_opener

        return embedder_opener(self.settings)

    def warm_up(self, entries: Sequence[AliasEntry]) -> None:
        """Load the embedders of the entries while something else is done; `readers` finds them loaded."""
        from askrepo.aliases.readers import warm_up_embedder

        for spec in dict.fromkeys(entry.manifest.embedder.spec for entry in entries):
            warm_up_embedder(self.embedder_opener, spec)

    def readers(self, named: Sequence[str], *, warm_up: bool, at: str | None = None) -> list[AliasReader]:
        """The aliases' current datasets, or those of another moment, open for reading.

        :param warm_up: load the embedder meanwhile.
        """
        from askrepo.aliases.readers import open_aliases, open_entry
        from askrepo_query.progress import copying

        how: dict[str, Any] = {
            "workspace": self.workspace, "settings": self.settings, "opener": self.embedder_opener, "warm_up": warm_up,
            "on_copy": copying,
        }  # fmt: skip
        if at is not None:
            return [open_entry(entry, **how) for entry in self.entries(named, at=at)]
        return open_aliases(self.aliases(named), **how)

    def follower(self, named: Sequence[str], *, warm_up: bool, at: str | None = None) -> AliasFollower:
        """Likewise, renewed as the aliases move; those of another moment stay."""
        from askrepo.aliases.following import AliasFollower
        from askrepo_query.progress import copying

        if at is not None:
            return AliasFollower(
                self.readers(named, warm_up=warm_up, at=at),
                workspace=self.workspace,
                settings=self.settings,
                opener=self.embedder_opener,
                follows=False,
            )

        return AliasFollower.open(
            self.aliases(named), workspace=self.workspace, settings=self.settings, warm_up=warm_up, on_copy=copying
        )

    def chat_model(self, *, is_live: bool = False) -> ChatModel | None:
        """The configured chat model, None when there is none.

        :param is_live: whether somebody watches its answers as they arrive.
        """
        if self.settings.chat_model is None:
            return None
        from askrepo.answer.chat_models import open_chat_model

        return open_chat_model(
            self.settings.chat_model,
            api_key=self.settings.openai_api_key,
            base_url=self.settings.openai_base_url,
            timeout_s=self.settings.chat_timeout_s,
            max_s=self.settings.chat_max_s,
            max_chars=self.settings.chat_max_chars,
            is_live=is_live,
        )
