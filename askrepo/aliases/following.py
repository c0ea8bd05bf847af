"""Reading aliases for longer than one question: always their current datasets, even while an older one is removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self, TypeVar

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.aliases.readers import AliasReader, EmbedderOpener, embedder_opener, open_alias
from askrepo.errors import DatasetCorruptedError
from askrepo.settings import Settings
from askrepo.store.local_copy import OnCopy
from askrepo.workspace.objects import Workspace

Result = TypeVar("Result")


class AliasFollower:
    """Readers of aliases that are renewed as the aliases move.

    A reader alone stays with its dataset, which retention removes some time after a refresh replaced it; what it reads
    then is an error. Each embedder is opened once, however often the aliases move.

    :ivar readers: those of the last answer, in the order of the aliases.
    :ivar follows: False stays with the readers that were given, whatever the aliases do.
    """

    def __init__(
        self,
        readers: Sequence[AliasReader],
        *,
        workspace: Workspace,
        settings: Settings,
        opener: EmbedderOpener,
        on_copy: OnCopy | None = None,
        follows: bool = True,
    ) -> None:
        self.readers = tuple(readers)
        self.follows = follows
        self._workspace = workspace
        self._settings = settings
        self._opener = opener
        self._on_copy = on_copy
        self._are_fresh = True

    @classmethod
    def open(
        cls,
        aliases: Sequence[str],
        *,
        workspace: Workspace,
        settings: Settings,
        warm_up: bool = False,
        on_copy: OnCopy | None = None,
    ) -> Self:
        """Readers of the aliases' current datasets, each alias named once. Parameters and errors as `open_alias`."""
        opener = embedder_opener(settings)
        readers = [
            open_alias(alias, workspace=workspace, settings=settings, opener=opener, warm_up=warm_up, on_copy=on_copy)
            for alias in dict.fromkeys(aliases)
        ]
        return cls(readers, workspace=workspace, settings=settings, opener=opener, on_copy=on_copy)

    def read(self, use: Callable[[Sequence[AliasReader]], Result]) -> Result:
        """What `use` makes of the readers; all of it comes from one dataset of each alias.

        It is the current one, but for the first call, which takes what was opened. When a dataset is removed meanwhile,
        `use` is called again with its successor.

        :raises UnknownAliasError: an alias was removed.
        :raises DatasetCorruptedError: a current dataset is missing or damaged.
        """
        readers = self.readers if self._are_fresh else self._newest(self.readers)
        self.readers, self._are_fresh = readers, False
        while True:
            try:
                return use(readers)
            except DatasetCorruptedError:
                newest = self._newest(readers)
                if newest == readers:
                    raise
                readers = self.readers = newest

    def _newest(self, readers: Sequence[AliasReader]) -> tuple[AliasReader, ...]:
        """The readers, those whose alias or files have changed replaced by ones of its current dataset."""
        if not self.follows:
            return tuple(readers)
        catalogue = AliasCatalogue(self._workspace)
        return tuple(
            reader
            if catalogue.number(reader.alias) == reader.entry.number and reader.dataset.is_unchanged()
            else self._opened(reader.alias)
            for reader in readers
        )

    def _opened(self, alias: str) -> AliasReader:
        return open_alias(
            alias, workspace=self._workspace, settings=self._settings, opener=self._opener, on_copy=self._on_copy
        )
