"""Readers of aliases: an alias, its dataset and the embedder that fits it, opened for searches."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from askrepo.aliases.catalogue import AliasCatalogue
from askrepo.embedders.embedder import Embedder, open_embedder
from askrepo.errors import AskrepoError, CredentialsError, DatasetCorruptedError, EmbedderMismatchError
from askrepo.settings import Settings
from askrepo.store.deeplake import load_deeplake
from askrepo.store.local_copy import LocalCopy, NotCopiedError, OnCopy, take_copy
from askrepo.store.location import DatasetLocation
from askrepo.store.opening import open_dataset
from askrepo.store.reader import DatasetReader
from askrepo.types import AliasEntry, Snapshot
from askrepo.workspace.objects import Workspace

EmbedderOpener = Callable[[str], Embedder]
"""From an embedder's spec to the embedder."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AliasReader:
    """An alias as it stood when it was opened: a later swap does not change what this reads.

    :ivar open_embedder: called only when a search needs a vector, so that `bm25` needs no model.
    :ivar copy: what the dataset is read from when it is a copy of a remote one, which nobody removes meanwhile.
    """

    entry: AliasEntry
    dataset: DatasetReader
    open_embedder: EmbedderOpener
    copy: LocalCopy | None = None

    @property
    def alias(self) -> str:
        """The alias's name."""
        return self.entry.alias

    def embedder(self) -> Embedder:
        """The embedder that made the dataset's vectors.

        :raises EmbedderMismatchError: the embedder of that name makes other vectors now.
        :raises CredentialsError: it needs a key and there is none.
        """
        stamp = self.entry.manifest.embedder
        try:
            embedder = self.open_embedder(stamp.spec)
        except CredentialsError as error:
            raise CredentialsError(f"{error}; or search with `--strategy bm25`, which needs no embedder") from error
        if embedder.fingerprint != stamp.fingerprint:
            raise EmbedderMismatchError(
                f"alias {self.alias!r} was built with embedder {stamp.spec!r} of fingerprint {stamp.fingerprint[:12]}, "
                f"here it has fingerprint {embedder.fingerprint[:12]}, so their vectors cannot be compared: "
                "rebuild the alias, or search with `--strategy bm25`, which needs no embedder"
            )
        return embedder

    def snapshot_of(self, repository: str) -> Snapshot:
        """The snapshot that a chunk's repository was read from.

        :raises DatasetCorruptedError: the manifest does not know the repository.
        """
        for snapshot in self.entry.manifest.snapshots:
            if snapshot.name == repository:
                return snapshot
        raise DatasetCorruptedError(
            f"alias {self.alias!r}: a chunk is of repository {repository!r}, which the dataset's manifest lacks; "
            "rebuild the alias"
        )


def open_alias(
    alias: str,
    *,
    workspace: Workspace,
    settings: Settings,
    opener: EmbedderOpener | None = None,
    warm_up: bool = False,
    on_copy: OnCopy | None = None,
) -> AliasReader:
    """The alias's current dataset, open for reading.

    A refresh may replace and remove the dataset between reading the alias and opening it; the newer one is taken then.
    A dataset on a remote store is copied to `settings.cache` the first time, and read from there. The first time, a
    dataset's files are compared with what was published; `settings.cache` remembers that.

    :param opener: shared by readers of several aliases, so that each embedder is opened once.
    :param warm_up: load the embedder while the dataset opens, because a question will need it.
    :param on_copy: told how far the copy is, while one is made.
    :raises UnknownAliasError: there is no such alias; the message names those there are.
    :raises DatasetCorruptedError: the current dataset is missing or damaged.
    :raises DatasetUnreadableError: this process cannot read it.
    """
    catalogue = AliasCatalogue(workspace)
    opener = opener or embedder_opener(settings)
    entry = catalogue.current(alias)
    if warm_up:
        warm_up_embedder(opener, entry.manifest.embedder.spec)
    try:
        return _open_entry(entry, workspace, settings, opener, on_copy)
    except DatasetCorruptedError:
        newest = catalogue.current(alias)
        if newest.number == entry.number:
            raise
        return _open_entry(newest, workspace, settings, opener, on_copy)


def open_entry(
    entry: AliasEntry,
    *,
    workspace: Workspace,
    settings: Settings,
    opener: EmbedderOpener | None = None,
    warm_up: bool = False,
    on_copy: OnCopy | None = None,
) -> AliasReader:
    """The dataset of one entry of an alias, open for reading, be it the current one or not.

    :raises DatasetCorruptedError: it is missing or damaged. Other parameters and errors as `open_alias`.
    """
    opener = opener or embedder_opener(settings)
    if warm_up:
        warm_up_embedder(opener, entry.manifest.embedder.spec)
    return _open_entry(entry, workspace, settings, opener, on_copy)


def open_aliases(
    aliases: Sequence[str],
    *,
    workspace: Workspace,
    settings: Settings,
    opener: EmbedderOpener | None = None,
    warm_up: bool = False,
    on_copy: OnCopy | None = None,
) -> list[AliasReader]:
    """Readers of several aliases, each named once, in the order given. Parameters as for `open_alias`."""
    opener = opener or embedder_opener(settings)
    return [
        open_alias(alias, workspace=workspace, settings=settings, opener=opener, warm_up=warm_up, on_copy=on_copy)
        for alias in dict.fromkeys(aliases)
    ]


def embedder_opener(settings: Settings) -> EmbedderOpener:
    """Opens embedders as the settings say, each spec once."""

    @functools.cache
    def opened(spec: str) -> Embedder:
        return open_embedder(
            spec,
            cache=settings.cache,
            threads=settings.embed_threads,
            api_key=settings.openai_api_key,
            base_url=settings.openai_base_url,
            max_texts=settings.embed_max_texts,
            max_tokens=settings.embed_max_tokens,
        )

    return opened


def warm_up_embedder(opener: EmbedderOpener, spec: str) -> None:
    """Load the embedder on a thread of its own; what goes wrong there is raised where a vector is asked for.

    Deep Lake is imported first: two threads that import NumPy at once meet a half-initialised module. Python waits for
    the thread when it ends: one that it stopped in the middle of a native import would abort the process.
    """
    load_deeplake()
    try:
        embedder = opener(spec)
    except AskrepoError:
        return
    threading.Thread(target=_load_quietly, args=(embedder,)).start()


def _load_quietly(embedder: Embedder) -> None:
    with contextlib.suppress(AskrepoError):
        embedder.warm_up()


def _open_entry(
    entry: AliasEntry, workspace: Workspace, settings: Settings, opener: EmbedderOpener, on_copy: OnCopy | None
) -> AliasReader:
    """A reader of the entry's dataset: of a local copy when the dataset is remote and a copy can be had."""
    location = DatasetLocation.within(workspace, entry.manifest.dataset)
    if not location.is_local and location.has_files and settings.cache_bytes:
        try:
            dataset, copy = _open_copy(entry, location, settings, on_copy)
            return AliasReader(entry, dataset, opener, copy)
        except NotCopiedError as error:
            logger.warning("%s; reading it from its store, which takes longer", error)
    dataset = open_dataset(location, manifest=entry.manifest, cache=settings.cache)
    dataset.check_searchable()
    return AliasReader(entry, dataset, opener)


def _open_copy(
    entry: AliasEntry, location: DatasetLocation, settings: Settings, on_copy: OnCopy | None
) -> tuple[DatasetReader, LocalCopy]:
    """The copy, made anew once when what is there cannot be read."""
    take = functools.partial(
        take_copy,
        location,
        folder=settings.cache / "datasets",
        max_bytes=settings.cache_bytes,
        digest=entry.manifest.inventory,
        on_copy=on_copy,
    )
    copy = take()
    try:
        dataset = open_dataset(copy.location, manifest=entry.manifest, cache=settings.cache)
    except DatasetCorruptedError:
        copy.discard()
        copy = take()
        dataset = open_dataset(copy.location, manifest=entry.manifest, cache=settings.cache)
    dataset.check_searchable()
    return dataset, copy
