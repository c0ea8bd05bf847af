"""Datasets that stay open between calls, and always are the aliases' current ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from askrepo.errors import AskrepoError, DatasetCorruptedError, UnknownAliasError, UsageError
from askrepo_query.mcp.turns import in_turn
from askrepo_query.options import WITHOUT_VECTORS, configured_strategy

if TYPE_CHECKING:
    from askrepo.aliases.following import AliasFollower
    from askrepo.aliases.readers import AliasReader
    from askrepo.types import AliasEntry
    from askrepo_query.session import Session

Answer = TypeVar("Answer")
Use = Callable[["Sequence[AliasReader]"], Answer]

MAX_OPEN = 8
"""Groups of aliases whose datasets stay open; the one that was not asked longest is closed for another."""


@dataclass
class Library:
    """The aliases that a server answers from.

    :ivar served: those it was told to serve, all of the workspace when none.
    :ivar at: the moment that it serves instead of the current one.
    """

    session: Session
    served: tuple[str, ...] = ()
    at: str | None = None
    _open: dict[tuple[str, ...], AliasFollower] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def strategy(self) -> str:
        """How hits are ranked."""
        return configured_strategy(self.session)

    def warm_up(self) -> None:
        """Open what a call that names no alias is put to; errors are told by that call."""
        self._ahead(len)

    def rehearse(self) -> None:
        """Search it once, so that the first call need not load what all of them use."""
        self._ahead(_searched)

    def _ahead(self, use: Use[object]) -> None:
        try:
            self.read(None, use)
        except (AskrepoError, OSError):
            return

    def aliases(self, named: str | None) -> tuple[str, ...]:
        """The alias that a call names; without one those served, or the workspace's as every command chooses it.

        :raises UnknownAliasError: it is not served.
        :raises UsageError: several may be meant.
        """
        if named is None:
            return tuple(self.session.aliases(self.served))
        if self.served and named not in self.served:
            raise UnknownAliasError(f"no alias {named!r} is served here; known aliases: {', '.join(self.served)}")
        try:
            return (self.session.alias(named),)
        except UsageError as error:
            known = ", ".join(self.session.catalogue.aliases()) or "none"
            raise UnknownAliasError(f"{error}; known aliases: {known}") from error

    def known(self) -> list[str]:
        """Names of the aliases that can be asked."""
        return list(self.served) or self.session.known_aliases()

    def entries(self, aliases: Sequence[str]) -> list[AliasEntry]:
        """What the aliases point to, or pointed to at the moment served."""
        return self.session.entries(aliases, at=self.at)

    def read(self, named: str | None, use: Use[Answer], *, at: str | None = None) -> Answer:
        """What `use` makes of the readers, one call after the other: all of it comes from one dataset of each alias.

        :raises UnknownAliasError: there is no such alias, or no longer.
        :raises UnavailableError: its dataset cannot be read.
        """
        with self._lock:
            aliases = self.aliases(named)
            if at is not None and at != self.at:
                return use(self.session.readers(aliases, warm_up=False, at=at))
            follower = self._follower(aliases)
            try:
                return follower.read(use)
            except DatasetCorruptedError:
                del self._open[aliases]
                raise

    def read_apart(self, named: str | None, use: Use[Answer]) -> Answer:
        """Likewise, for what takes long: others wait for a look into a dataset only, and not until `use` has ended."""
        readers = self.read(named, tuple)
        return use([replace(reader, dataset=in_turn(reader.dataset, self._lock)) for reader in readers])

    @property
    def _needs_vectors(self) -> bool:
        return self.strategy not in WITHOUT_VECTORS

    def _follower(self, aliases: tuple[str, ...]) -> AliasFollower:
        follower = self._open.pop(aliases, None)
        if follower is None:
            follower = self.session.follower(aliases, warm_up=self._needs_vectors, at=self.at)
        self._open[aliases] = follower
        while len(self._open) > MAX_OPEN:
            del self._open[next(iter(self._open))]
        return follower


def _searched(readers: Sequence[AliasReader]) -> None:
    """By what asks no embedder: its endpoint is not sent what nobody asked."""
    from askrepo.search.search import search_files
    from askrepo.text.tokens import count_tokens

    search_files("where does it begin", readers=readers, k=1, strategy="signals")
    count_tokens("begin")
